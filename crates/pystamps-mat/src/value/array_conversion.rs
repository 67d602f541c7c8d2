//! Converts between column-major values and `ndarray` matrices.

#![expect(clippy::needless_pass_by_value, reason = "a view is itself a reference")]

use super::{Numeric, NumericData, Value};
use ndarray::{Array2, ArrayView2, ShapeBuilder};
use num_complex::Complex;
use num_traits::AsPrimitive;

/// Tile edge of the transposition: two tiles of complex doubles fit the first-level cache.
const TILE: usize = 32;

impl Value {
    /// A matrix of doubles, from any memory layout.
    pub fn from_array2_f64(matrix: ArrayView2<'_, f64>) -> Self {
        from_matrix(matrix, NumericData::F64)
    }

    /// A matrix of singles, from any memory layout.
    pub fn from_array2_f32(matrix: ArrayView2<'_, f32>) -> Self {
        from_matrix(matrix, NumericData::F32)
    }

    /// A matrix of complex singles, from any memory layout.
    pub fn from_array2_c32(matrix: ArrayView2<'_, Complex<f32>>) -> Self {
        from_matrix(matrix, NumericData::C32)
    }

    /// A matrix of complex doubles, from any memory layout.
    pub fn from_array2_c64(matrix: ArrayView2<'_, Complex<f64>>) -> Self {
        from_matrix(matrix, NumericData::C64)
    }

    /// A real numeric or logical matrix as doubles in C order; `None` for other classes, complex
    /// numbers and more than two dimensions.
    pub fn to_array2_f64(&self) -> Option<Array2<f64>> {
        match self {
            Self::Numeric(array) => match array.data() {
                NumericData::F64(values) => transposed(array.dims(), values),
                _ => transposed(array.dims(), &self.to_f64_vec()?),
            },
            _ => transposed(self.dims(), &self.to_f64_vec()?),
        }
    }

    /// A real numeric or logical matrix as singles in C order (doubles are rounded); `None` as
    /// for [`Value::to_array2_f64`].
    pub fn to_array2_f32(&self) -> Option<Array2<f32>> {
        match self {
            Self::Numeric(array) => match array.data() {
                NumericData::F32(values) => transposed(array.dims(), values),
                _ => transposed(array.dims(), &converted(&self.to_f64_vec()?)),
            },
            _ => transposed(self.dims(), &converted(&self.to_f64_vec()?)),
        }
    }

    /// A numeric or logical matrix as complex singles in C order; real values get the imaginary
    /// part 0, doubles are rounded. `None` for other classes and more than two dimensions.
    pub fn to_array2_c32(&self) -> Option<Array2<Complex<f32>>> {
        match self {
            Self::Numeric(array) => match array.data() {
                NumericData::C32(values) => transposed(array.dims(), values),
                NumericData::C64(values) => {
                    let rounded: Vec<_> =
                        values.iter().map(|z| Complex::new(z.re.as_(), z.im.as_())).collect();
                    transposed(array.dims(), &rounded)
                }
                _ => Some(self.to_array2_f32()?.mapv(|value| Complex::new(value, 0.0))),
            },
            _ => Some(self.to_array2_f32()?.mapv(|value| Complex::new(value, 0.0))),
        }
    }

    /// A numeric or logical matrix as complex doubles in C order; real values get the imaginary
    /// part 0. `None` for other classes and more than two dimensions.
    pub fn to_array2_c64(&self) -> Option<Array2<Complex<f64>>> {
        match self {
            Self::Numeric(array) => match array.data() {
                NumericData::C64(values) => transposed(array.dims(), values),
                NumericData::C32(values) => {
                    let widened: Vec<_> =
                        values.iter().map(|z| Complex::new(z.re.into(), z.im.into())).collect();
                    transposed(array.dims(), &widened)
                }
                _ => Some(self.to_array2_f64()?.mapv(|value| Complex::new(value, 0.0))),
            },
            _ => Some(self.to_array2_f64()?.mapv(|value| Complex::new(value, 0.0))),
        }
    }
}

fn converted<S: AsPrimitive<T>, T: Copy + 'static>(values: &[S]) -> Vec<T> {
    values.iter().map(|value| value.as_()).collect()
}

/// Copies a matrix of any layout into column-major order.
fn from_matrix<T: Copy>(
    matrix: ArrayView2<'_, T>,
    wrap: impl FnOnce(Vec<T>) -> NumericData,
) -> Value {
    let dims = vec![matrix.nrows(), matrix.ncols()];
    // Column-major data of the matrix are row-major data of its transpose.
    let transpose = matrix.reversed_axes();
    let values = match transpose.as_slice() {
        Some(values) => values.to_vec(),
        None => row_major(transpose),
    };
    Value::Numeric(Numeric::new(dims, wrap(values)).expect("invariant: dims match the data"))
}

/// Column-major `values` as a matrix in C order; `None` for more than two dimensions.
fn transposed<T: Copy>(dims: &[usize], values: &[T]) -> Option<Array2<T>> {
    let &[row_count, column_count] = dims else {
        return None;
    };
    let view = ArrayView2::from_shape((row_count, column_count).f(), values).ok()?;
    Array2::from_shape_vec((row_count, column_count), row_major(view)).ok()
}

/// Copies a matrix into row-major order, tile by tile so that neither side misses the cache on
/// every element.
fn row_major<T: Copy>(matrix: ArrayView2<'_, T>) -> Vec<T> {
    let (row_count, column_count) = matrix.dim();
    if row_count == 1 || column_count == 1 {
        return matrix.iter().copied().collect();
    }
    let Some(&first) = matrix.first() else {
        return Vec::new();
    };
    let mut values = vec![first; row_count * column_count];
    for row_start in (0..row_count).step_by(TILE) {
        let row_end = row_count.min(row_start + TILE);
        for column_start in (0..column_count).step_by(TILE) {
            let column_end = column_count.min(column_start + TILE);
            for row in row_start..row_end {
                for column in column_start..column_end {
                    values[row * column_count + column] = matrix[[row, column]];
                }
            }
        }
    }
    values
}
