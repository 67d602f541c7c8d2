//! Streams an array of one column an interferogram into a MATLAB file, a few columns at a time.

use std::io;
use std::ops::Range;

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

/// Makes some columns of an array.
type Produce<'a, T> = dyn Fn(Range<usize>) -> crate::Result<Vec<Vec<T>>> + 'a;

/// Columns made on demand, several at once.
pub(crate) struct Columns<'a, T> {
    row_count: usize,
    column_count: usize,
    batch: usize,
    produce: Box<Produce<'a, T>>,
    progress: &'a Phase<'a>,
    first_held: usize,
    held: Vec<Vec<T>>,
}

impl<'a, T: Element> Columns<'a, T> {
    /// An array of `row_count` x `column_count` whose columns `produce` makes, as many at once as there
    /// are threads.
    pub(crate) fn new(
        row_count: usize,
        column_count: usize,
        produce: impl Fn(usize) -> crate::Result<Vec<T>> + Sync + 'a,
        progress: &'a Phase<'a>,
    ) -> Self {
        let side_by_side =
            move |columns: Range<usize>| columns.into_par_iter().map(&produce).collect();
        let batch = rayon::current_num_threads();
        Self::in_batches(row_count, column_count, batch, side_by_side, progress)
    }

    /// An array whose columns `produce` makes, `batch` at a time.
    pub(crate) fn in_batches(
        row_count: usize,
        column_count: usize,
        batch: usize,
        produce: impl Fn(Range<usize>) -> crate::Result<Vec<Vec<T>>> + 'a,
        progress: &'a Phase<'a>,
    ) -> Self {
        let produce = Box::new(produce);
        let held = Vec::new();
        Self { row_count, column_count, batch, produce, progress, first_held: 0, held }
    }

    fn hold(&mut self, column: usize) -> io::Result<&[T]> {
        if !(self.first_held..self.first_held + self.held.len()).contains(&column) {
            let end = self.column_count.min(column + self.batch);
            self.held.clear();
            self.held = (self.produce)(column..end).map_err(io::Error::other)?;
            self.first_held = column;
            self.progress.advance((end - column) as u64);
        }
        Ok(&self.held[column - self.first_held])
    }
}

impl<T: Element> ElementSource for Columns<'_, T> {
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
