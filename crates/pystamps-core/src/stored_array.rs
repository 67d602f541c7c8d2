//! Gives the rows of arrays that earlier stages stored: large ones column by column from their
//! file, small ones as they are.

use std::path::Path;

use num_complex::Complex;
use pystamps_mat::{
    ArrayReader, Class, ElementSource, ElementType, Numeric, NumericData, Real, Value,
};

use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::Streamed;
use crate::progress::Phase;
use crate::project::artifacts::{AxisLengths, Variable, check_shape, load};

/// A large array (rows x interferograms) that stays in its file.
#[derive(Debug)]
pub(crate) struct StoredArray {
    reader: ArrayReader,
    name: &'static str,
    complex: bool,
    row_count: usize,
    column_count: usize,
}

impl StoredArray {
    /// Opens `variable` in `folder`.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` if it does not fit `lengths`.
    pub(crate) fn open(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Self> {
        let path = folder.join(variable.file);
        let reader = ArrayReader::open(&path, variable.name)?;
        check_shape(&path, variable, reader.dims(), lengths)?;
        let [row_count, column_count] = variable.axes.map(|axis| lengths.of(axis));
        let (name, complex) = (variable.name, variable.complex);
        Ok(Self { reader, name, complex, row_count, column_count })
    }

    /// Rows.
    pub(crate) fn row_count(&self) -> usize {
        self.row_count
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.column_count
    }

    /// Memory the array takes because it could not be left in its file.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.reader.resident_bytes()
    }

    /// One column of real numbers.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn real_column<T: Real + Default>(&self, column: usize) -> Result<Vec<T>> {
        let mut values = vec![T::default(); self.row_count];
        self.reader.read_real((column * self.row_count) as u64, &mut values)?;
        Ok(values)
    }

    /// One column of complex numbers; a missing imaginary part is 0, as MATLAB leaves it out where
    /// it is 0 everywhere.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn complex_column(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let real = self.real_column::<f32>(column)?;
        let mut imaginary = vec![0.0_f32; self.row_count];
        self.reader.read_imaginary((column * self.row_count) as u64, &mut imaginary)?;
        Ok(real.into_iter().zip(imaginary).map(|(re, im)| Complex::new(re, im)).collect())
    }

    /// How the array is written again: complex numbers in single precision, real ones in the
    /// precision they came in.
    pub(crate) fn element(&self) -> ElementType {
        match (self.complex, self.reader.class()) {
            (true, _) => ElementType::C32,
            (false, Class::Single) => ElementType::F32,
            (false, _) => ElementType::F64,
        }
    }

    /// The array's `rows` as elements to be written.
    pub(crate) fn rows<'a>(
        &'a self,
        rows: &'a [u32],
        progress: &'a Phase<'a>,
    ) -> Box<dyn ElementSource + 'a> {
        let (count, columns) = (rows.len(), self.column_count);
        match self.element() {
            ElementType::C32 => {
                let column = |column| Ok(pick(&self.complex_column(column)?, rows));
                Box::new(Columns::new(count, columns, column, progress))
            }
            ElementType::F32 => {
                let column = |column| Ok(pick(&self.real_column::<f32>(column)?, rows));
                Box::new(Columns::new(count, columns, column, progress))
            }
            _ => {
                let column = |column| Ok(pick(&self.real_column::<f64>(column)?, rows));
                Box::new(Columns::new(count, columns, column, progress))
            }
        }
    }

    /// The description of an array of `rows` rows like this one, made by `source`.
    pub(crate) fn streamed<'a>(
        &self,
        rows: usize,
        source: &'a mut dyn ElementSource,
    ) -> Streamed<'a> {
        let dims = vec![rows, self.column_count];
        Streamed { name: self.name, element: self.element(), dims, source }
    }
}

/// The elements of `values` at `rows`.
pub(crate) fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}

/// A column of one real number a row.
///
/// # Errors
/// As for `artifacts::load`.
pub(crate) fn column(
    folder: &Path,
    variable: &Variable,
    lengths: &AxisLengths,
) -> Result<Vec<f64>> {
    let value = load(folder, variable, lengths)?;
    Ok(value.to_f64_vec().expect("invariant: `load` gives real numbers"))
}

/// A small variable with only its `rows`, in the class it has.
///
/// # Errors
/// As for `artifacts::load`.
pub(crate) fn load_rows(
    folder: &Path,
    variable: &Variable,
    lengths: &AxisLengths,
    rows: &[u32],
) -> Result<Value> {
    Ok(select_rows(&load(folder, variable, lengths)?, rows))
}

/// The `rows` of a matrix of real numbers, in the class it has.
pub(crate) fn select_rows(value: &Value, rows: &[u32]) -> Value {
    let columns = value.dims()[1];
    let count = value.dims()[0];
    let data = match value {
        Value::Numeric(array) => match array.data() {
            NumericData::F32(values) => NumericData::F32(matrix_rows(values, count, rows)),
            _ => NumericData::F64(matrix_rows(&doubles(value), count, rows)),
        },
        _ => NumericData::F64(matrix_rows(&doubles(value), count, rows)),
    };
    let numeric = Numeric::new(vec![rows.len(), columns], data);
    Value::Numeric(numeric.expect("invariant: as many values as rows and columns"))
}

fn doubles(value: &Value) -> Vec<f64> {
    value.to_f64_vec().unwrap_or_default()
}

fn matrix_rows<T: Copy>(values: &[T], count: usize, rows: &[u32]) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    values.chunks_exact(count).flat_map(|column| pick(column, rows)).collect()
}

#[cfg(test)]
mod tests {
    use pystamps_mat::{Variables, WriteOptions};

    use super::*;
    use crate::mat_output::{matrix, single_variable, write_streamed};
    use crate::progress::Progress;
    use crate::project::artifacts::stage1;

    const LENGTHS: AxisLengths = AxisLengths {
        scatterers: 3,
        candidates: 3,
        interferograms: 2,
        measured_interferograms: 1,
        images: 2,
    };

    #[test]
    fn rows_keep_their_class_and_order() {
        let single = matrix(3, 2, NumericData::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let picked = select_rows(&single, &[2, 0]);
        assert_eq!((picked.dims(), picked.class()), (&[2, 2][..], Class::Single));
        assert_eq!(picked.to_f64_vec().unwrap(), [3.0, 1.0, 6.0, 4.0]);
        assert_eq!(select_rows(&single, &[]).dims(), [0, 2]);
    }

    #[test]
    fn a_real_array_passes_for_a_complex_one() {
        let folder = tempfile::tempdir().unwrap();
        let ph = matrix(3, 2, NumericData::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let variables = single_variable("ph", ph);
        let path = folder.path().join("ph1.mat");
        pystamps_mat::write(&path, &variables, &WriteOptions::default()).unwrap();
        let array = StoredArray::open(folder.path(), &stage1::PHASE, &LENGTHS).unwrap();
        let progress = Progress::silent();
        let phase = progress.phase("test", 2, "columns");
        let mut source = array.rows(&[2, 1], &phase);
        let streamed = array.streamed(2, &mut *source);
        write_streamed(folder.path(), "out.mat", &mut [streamed], &Variables::new()).unwrap();
        let out = pystamps_mat::read_variable(folder.path().join("out.mat"), "ph").unwrap();
        let out = out.to_array2_c32().unwrap();
        assert_eq!((out[[0, 0]].re, out[[1, 1]].re, out[[1, 1]].im), (3.0, 5.0, 0.0));
    }

    #[test]
    fn another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let ph = matrix(2, 2, NumericData::F32(vec![1.0; 4]));
        let path = folder.path().join("ph1.mat");
        pystamps_mat::write(path, &single_variable("ph", ph), &WriteOptions::default()).unwrap();
        let error = StoredArray::open(folder.path(), &stage1::PHASE, &LENGTHS).unwrap_err();
        assert_eq!(error.name(), "variable-shape");
    }
}
