//! Streams an array of one column an interferogram into a MATLAB file, a few columns at a time.

use std::io;

use pystamps_mat::{ElementSource, ElementsMut};
use rayon::prelude::*;

use crate::progress::Phase;

/// Element types that stages stream.
pub(crate) trait Element: Copy + Send {
    /// The writer's block as elements of this type; `None` if it asks for another type.
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]>;
}

impl Element for f32 {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::F32(out) = block { Some(out) } else { None }
    }
}

impl Element for f64 {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::F64(out) = block { Some(out) } else { None }
    }
}

impl Element for i16 {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::I16(out) = block { Some(out) } else { None }
    }
}

impl Element for i32 {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::I32(out) = block { Some(out) } else { None }
    }
}

impl Element for i64 {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::I64(out) = block { Some(out) } else { None }
    }
}

impl Element for num_complex::Complex<f32> {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::C32(out) = block { Some(out) } else { None }
    }
}

impl Element for num_complex::Complex<f64> {
    fn block(block: ElementsMut<'_>) -> Option<&mut [Self]> {
        if let ElementsMut::C64(out) = block { Some(out) } else { None }
    }
}

/// Columns made on demand, as many at once as there are threads.
pub(crate) struct Columns<'a, T, F> {
    row_count: usize,
    column_count: usize,
    produce: F,
    progress: &'a Phase<'a>,
    first_held: usize,
    held: Vec<Vec<T>>,
}

impl<'a, T, F> Columns<'a, T, F>
where
    T: Element,
    F: Fn(usize) -> crate::Result<Vec<T>> + Sync,
{
    /// An array of `row_count` x `column_count` whose columns `produce` makes.
    pub(crate) fn new(
        row_count: usize,
        column_count: usize,
        produce: F,
        progress: &'a Phase<'a>,
    ) -> Self {
        Self { row_count, column_count, produce, progress, first_held: 0, held: Vec::new() }
    }

    fn hold(&mut self, column: usize) -> io::Result<&[T]> {
        if !(self.first_held..self.first_held + self.held.len()).contains(&column) {
            let end = self.column_count.min(column + rayon::current_num_threads());
            self.held.clear();
            self.held = (column..end)
                .into_par_iter()
                .map(|column| (self.produce)(column))
                .collect::<crate::Result<_>>()
                .map_err(io::Error::other)?;
            self.first_held = column;
            self.progress.advance((end - column) as u64);
        }
        Ok(&self.held[column - self.first_held])
    }
}

impl<T, F> ElementSource for Columns<'_, T, F>
where
    T: Element,
    F: Fn(usize) -> crate::Result<Vec<T>> + Sync,
{
    fn read_elements(&mut self, first: u64, block: ElementsMut<'_>) -> io::Result<()> {
        let mut out = T::block(block)
            .ok_or_else(|| io::Error::other("the writer asked for another element type"))?;
        let mut position = usize::try_from(first).map_err(io::Error::other)?;
        while !out.is_empty() {
            let row = position % self.row_count;
            let column = self.hold(position / self.row_count)?;
            let count = out.len().min(column.len() - row);
            let (now, later) = out.split_at_mut(count);
            now.copy_from_slice(&column[row..row + count]);
            out = later;
            position += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn any_range_may_be_asked_for_in_any_order() {
        let progress = Progress::silent();
        let phase = progress.phase("test", 1, "columns");
        let column = |column: usize| Ok((0..3).map(|row| (10 * column + row) as f32).collect());
        let mut columns = Columns::new(3, 4, column, &phase);
        let all: Vec<f32> = (0..4).flat_map(|c| (0..3).map(move |r| (10 * c + r) as f32)).collect();
        for (first, count) in [(0, 12), (4, 5), (1, 1), (11, 1), (0, 3)] {
            let mut block = vec![0.0_f32; count];
            columns.read_elements(first as u64, ElementsMut::F32(&mut block)).unwrap();
            assert_eq!(block, all[first..first + count]);
        }
        let mut wrong = [0_u8];
        assert!(columns.read_elements(0, ElementsMut::U8(&mut wrong)).is_err());
    }
}
