//! Gives the samples of a large array (rows x interferograms) column by column and block by block,
//! from memory if they may be held there, from their file otherwise.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pystamps_mat::{ArrayReader, Class, Real};
use rayon::prelude::*;

use crate::error::{Diagnostic, Result};

/// Rows of a column that are looked at together.
const READ_ROWS: usize = 1 << 14;

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
    path: PathBuf,
    name: String,
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
    single: bool,
    source: Source,
}

/// Where the samples are.
#[derive(Debug)]
enum Source {
    File(Arc<ArrayReader>),
    Memory(Held),
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
        let reader = open_array(path, name, [rows, columns])?;
        Self::of_part(reader, rows, stored, residence, Part::Real)
    }

    fn of_part(
        reader: Arc<ArrayReader>,
        rows: usize,
        stored: Vec<usize>,
        residence: Residence,
        part: Part,
    ) -> Result<Self> {
        let single = reader.class() == Class::Single;
        let source = match residence {
            Residence::File => Source::File(reader),
            Residence::Memory => Source::Memory(held(&reader, rows, &stored, part)?),
        };
        Ok(Self { rows, stored, part, single, source })
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.stored.len()
    }

    /// Whether the array is stored in single precision.
    pub(crate) fn is_single(&self) -> bool {
        self.single
    }

    /// Reads `rows` of a column in the precision of `out`.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn read<T: Real>(
        &self,
        column: usize,
        rows: Range<usize>,
        out: &mut [T],
    ) -> Result<()> {
        let held = match &self.source {
            Source::File(reader) => return self.read_stored(reader, column, rows.start, out),
            Source::Memory(held) => held,
        };
        let place = column * self.rows + rows.start..column * self.rows + rows.end;
        match held {
            Held::Single(values) => convert(&values[place], out, T::from_f32),
            Held::Double(values) => convert(&values[place], out, T::from_f64),
        }
        Ok(())
    }

    fn read_stored<T: Real>(
        &self,
        reader: &ArrayReader,
        column: usize,
        first_row: usize,
        out: &mut [T],
    ) -> Result<()> {
        let first = (self.stored[column] * self.rows + first_row) as u64;
        read_part(reader, self.part, first, out)
    }
}

fn convert<S: Copy, T>(values: &[S], out: &mut [T], to: impl Fn(S) -> T) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = to(value);
    }
}

fn read_part<T: Real>(reader: &ArrayReader, part: Part, first: u64, out: &mut [T]) -> Result<()> {
    match part {
        Part::Real => reader.read_real(first, out)?,
        Part::Imaginary => reader.read_imaginary(first, out)?,
    }
    Ok(())
}

/// Opens an array of `rows` x `columns`.
///
/// # Errors
/// MATLAB file errors; `variable-shape` if it has other dimensions.
fn open_array(path: &Path, name: &str, [rows, columns]: [usize; 2]) -> Result<Arc<ArrayReader>> {
    let reader = ArrayReader::open(path, name)?;
    let empty = rows * columns == 0 && reader.dims().contains(&0);
    if reader.dims() == [rows, columns] || empty {
        return Ok(Arc::new(reader));
    }
    Err(Diagnostic::new("variable-shape", "a variable does not fit the patch")
        .path(path)
        .variable(name)
        .expected(format!("{rows} x {columns} (rows x interferograms)"))
        .found(format!("{:?}", reader.dims()))
        .remedy("run the stage that makes this file again")
        .data())
}

/// Reads one part of the columns `stored` into memory.
fn held(reader: &ArrayReader, rows: usize, stored: &[usize], part: Part) -> Result<Held> {
    fn load<T: Real + Default + Send>(
        reader: &ArrayReader,
        rows: usize,
        stored: &[usize],
        part: Part,
    ) -> Result<Vec<T>> {
        let mut values = vec![T::default(); rows * stored.len()];
        let columns = values.par_chunks_mut(rows.max(1)).zip(stored);
        columns
            .try_for_each(|(out, column)| read_part(reader, part, (column * rows) as u64, out))?;
        Ok(values)
    }
    Ok(if reader.class() == Class::Single {
        Held::Single(load(reader, rows, stored, part)?)
    } else {
        Held::Double(load(reader, rows, stored, part)?)
    })
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
        let reader = open_array(path, name, dims)?;
        let part = |stored, part| {
            RealColumns::of_part(Arc::clone(&reader), dims[0], stored, residence, part)
        };
        let real = part(stored.clone(), Part::Real)?;
        let (path, name) = (path.to_path_buf(), name.to_owned());
        Ok(Self { path, name, real, imaginary: part(stored, Part::Imaginary)? })
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.real.column_count()
    }

    /// Refuses a column without any phase: it would leave no candidate at all.
    ///
    /// # Errors
    /// `interferogram-empty`; I/O errors.
    pub(crate) fn refuse_empty(&self) -> Result<()> {
        let rows = self.real.rows;
        let room = READ_ROWS.min(rows);
        let (mut re, mut im) = (vec![0.0; room], vec![0.0; room]);
        for column in 0..self.column_count() {
            let mut blocks = row_blocks(rows, READ_ROWS).into_iter();
            // The first block has phase in any healthy interferogram.
            let has_phase = loop {
                let Some(block) = blocks.next() else { break rows == 0 };
                let (re, im) = (&mut re[..block.len()], &mut im[..block.len()]);
                self.read(column, block, re, im)?;
                if re.iter().zip(&*im).any(|(&re, &im)| is_phase(re, im)) {
                    break true;
                }
            };
            if !has_phase {
                return Err(self.without_phase(column).data());
            }
        }
        Ok(())
    }

    fn without_phase(&self, column: usize) -> Diagnostic {
        let number = self.real.stored[column] + 1;
        Diagnostic::new("interferogram-empty", "an interferogram has no phase at any candidate")
            .path(&self.path)
            .variable(format!("{}(:, {number})", self.name))
            .expected("complex samples other than 0, NaN and Inf")
            .found(format!("none in all {} rows", self.real.rows))
            .remedy("leave that interferogram out of the export and prepare the project again")
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
        self.real.read(column, rows.clone(), re)?;
        self.imaginary.read(column, rows, im)
    }
}

/// Whether a sample has a phase.
fn is_phase(re: f32, im: f32) -> bool {
    re.is_finite() && im.is_finite() && (re != 0.0 || im != 0.0)
}

/// Memory that opening `arrays` (file, variable) of `folder` takes because another program has
/// compressed them, bytes. Files that are not there take none.
///
/// # Errors
/// MATLAB file errors.
pub(crate) fn compressed_bytes(folder: &Path, arrays: &[(&str, &str)]) -> Result<u64> {
    let paths = arrays.iter().map(|(file, name)| (folder.join(file), name));
    let there = paths.filter(|(path, _)| path.is_file());
    there.map(|(path, name)| Ok(ArrayReader::bytes_to_open(path, name)?)).sum()
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
