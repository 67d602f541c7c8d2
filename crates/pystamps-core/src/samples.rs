//! Gives the samples of a large array (rows x interferograms) column by column and block by block,
//! from memory if they may be held there, from their file otherwise.

use std::ops::Range;
use std::path::Path;

use pystamps_mat::{ArrayReader, Class};
use rayon::prelude::*;

use crate::error::{Diagnostic, Result};

/// Whether large inputs are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Residence {
    /// Read once.
    Memory,
    /// Read whenever they are needed.
    File,
}

/// Complex samples of some columns of an array, as real and imaginary parts.
#[derive(Debug)]
pub(crate) struct ComplexColumns {
    real: RealColumns,
    imaginary: RealColumns,
}

/// Real samples of some columns of an array.
#[derive(Debug)]
pub(crate) struct RealColumns {
    rows: usize,
    /// Stored column of each column here.
    stored: Vec<usize>,
    part: Part,
    reader: ArrayReader,
    held: Option<Held>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Real,
    Imaginary,
}

/// Columns one after another, in the precision they are stored in.
#[derive(Debug)]
enum Held {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl RealColumns {
    /// Opens the columns `stored` of the variable `name`, an array of `rows` x `columns`.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` if the array has other dimensions.
    pub(crate) fn open(
        path: &Path,
        name: &str,
        [rows, columns]: [usize; 2],
        stored: Vec<usize>,
        residence: Residence,
    ) -> Result<Self> {
        Self::open_part(path, name, [rows, columns], stored, residence, Part::Real)
    }

    fn open_part(
        path: &Path,
        name: &str,
        [rows, columns]: [usize; 2],
        stored: Vec<usize>,
        residence: Residence,
        part: Part,
    ) -> Result<Self> {
        let reader = ArrayReader::open(path, name)?;
        let empty = rows * columns == 0 && reader.dims().contains(&0);
        if reader.dims() != [rows, columns] && !empty {
            return Err(Diagnostic::new("variable-shape", "a variable does not fit the patch")
                .path(path)
                .variable(name)
                .expected(format!("{rows} x {columns} (rows x interferograms)"))
                .found(format!("{:?}", reader.dims()))
                .remedy("run the stage that makes this file again")
                .data());
        }
        let mut columns = Self { rows, stored, part, reader, held: None };
        if residence == Residence::Memory {
            columns.held = Some(columns.load()?);
        }
        Ok(columns)
    }

    fn load(&self) -> Result<Held> {
        let (rows, all) = (self.rows.max(1), self.rows * self.stored.len());
        if self.reader.class() == Class::Single {
            let mut values = vec![0.0_f32; all];
            values
                .par_chunks_mut(rows)
                .enumerate()
                .try_for_each(|(column, out)| self.read_stored(column, 0, out))?;
            return Ok(Held::Single(values));
        }
        let mut values = vec![0.0_f64; all];
        values
            .par_chunks_mut(rows)
            .enumerate()
            .try_for_each(|(column, out)| self.read_stored(column, 0, out))?;
        Ok(Held::Double(values))
    }

    fn read_stored<T: pystamps_mat::Real>(
        &self,
        column: usize,
        first_row: usize,
        out: &mut [T],
    ) -> Result<()> {
        let first = (self.stored[column] * self.rows + first_row) as u64;
        match self.part {
            Part::Real => self.reader.read_real(first, out)?,
            Part::Imaginary => self.reader.read_imaginary(first, out)?,
        }
        Ok(())
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.stored.len()
    }

    /// Whether the array is stored in single precision.
    pub(crate) fn is_single(&self) -> bool {
        self.reader.class() == Class::Single
    }

    /// Reads `rows` of a column in double precision.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn read_f64(
        &self,
        column: usize,
        rows: Range<usize>,
        out: &mut [f64],
    ) -> Result<()> {
        let place = column * self.rows + rows.start..column * self.rows + rows.end;
        match &self.held {
            None => self.read_stored(column, rows.start, out)?,
            Some(Held::Double(values)) => out.copy_from_slice(&values[place]),
            Some(Held::Single(values)) => {
                for (out, &value) in out.iter_mut().zip(&values[place]) {
                    *out = value.into();
                }
            }
        }
        Ok(())
    }

    /// Reads `rows` of a column in single precision.
    ///
    /// # Errors
    /// I/O errors.
    #[expect(clippy::cast_possible_truncation, reason = "single precision is asked for")]
    pub(crate) fn read_f32(
        &self,
        column: usize,
        rows: Range<usize>,
        out: &mut [f32],
    ) -> Result<()> {
        let place = column * self.rows + rows.start..column * self.rows + rows.end;
        match &self.held {
            None => self.read_stored(column, rows.start, out)?,
            Some(Held::Single(values)) => out.copy_from_slice(&values[place]),
            Some(Held::Double(values)) => {
                for (out, &value) in out.iter_mut().zip(&values[place]) {
                    *out = value as f32;
                }
            }
        }
        Ok(())
    }
}

impl ComplexColumns {
    /// Opens the columns `stored` of the complex variable `name`, an array of `rows` x `columns`.
    ///
    /// # Errors
    /// As for [`RealColumns::open`].
    pub(crate) fn open(
        path: &Path,
        name: &str,
        dims: [usize; 2],
        stored: Vec<usize>,
        residence: Residence,
    ) -> Result<Self> {
        let open = |stored, part| RealColumns::open_part(path, name, dims, stored, residence, part);
        let real = open(stored.clone(), Part::Real)?;
        Ok(Self { real, imaginary: open(stored, Part::Imaginary)? })
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.real.column_count()
    }

    /// Reads `rows` of a column.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn read(
        &self,
        column: usize,
        rows: Range<usize>,
        re: &mut [f32],
        im: &mut [f32],
    ) -> Result<()> {
        self.real.read_f32(column, rows.clone(), re)?;
        self.imaginary.read_f32(column, rows, im)
    }
}

/// Splits `count` rows into blocks of at most `block`.
pub(crate) fn row_blocks(count: usize, block: usize) -> Vec<Range<usize>> {
    (0..count).step_by(block).map(|start| start..count.min(start + block)).collect()
}

#[cfg(test)]
mod tests {
    use num_complex::Complex;
    use pystamps_mat::{NumericData, WriteOptions};

    use super::*;
    use crate::mat_output::{matrix, single_variable};

    #[test]
    fn memory_and_file_give_the_same_samples() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ph1.mat");
        let value = |row: usize, column: usize| Complex::new(row as f32, 10.0 * column as f32);
        let data = (0..4).flat_map(|column| (0..5).map(move |row| value(row, column))).collect();
        let variables = single_variable("ph", matrix(5, 4, NumericData::C32(data)));
        pystamps_mat::write(&path, &variables, &WriteOptions::default()).unwrap();
        for residence in [Residence::Memory, Residence::File] {
            let columns = ComplexColumns::open(&path, "ph", [5, 4], vec![0, 3], residence).unwrap();
            let (mut re, mut im) = ([0.0; 2], [0.0; 2]);
            columns.read(1, 2..4, &mut re, &mut im).unwrap();
            assert_eq!((columns.column_count(), re, im), (2, [2.0, 3.0], [30.0, 30.0]));
        }
        let error =
            ComplexColumns::open(&path, "ph", [6, 4], vec![0], Residence::File).unwrap_err();
        assert_eq!(error.name(), "variable-shape");
    }

    #[test]
    fn blocks_cover_every_row_once() {
        assert_eq!(row_blocks(7, 3), [0..3, 3..6, 6..7]);
        assert!(row_blocks(0, 3).is_empty());
    }
}
