//! Defines the value model: what a MATLAB variable can be, whichever container it came from.
//!
//! Arrays keep MATLAB's order in memory: column-major, the first dimension runs fastest. Every
//! value has at least two dimensions. Empty arrays keep their class and dimensions.

mod array_conversion;
mod containers;
mod numeric;
mod text;

pub use containers::{CellArray, LogicalArray, Sparse, SparseData, StructArray};
pub use numeric::{Numeric, NumericData};
pub use text::CharArray;

use crate::Class;

/// One MATLAB array of any class.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Numbers, real or complex.
    Numeric(Numeric),
    /// Text.
    Char(CharArray),
    /// True or false.
    Logical(LogicalArray),
    /// Structure array.
    Struct(StructArray),
    /// Cell array.
    Cell(CellArray),
    /// Sparse matrix; level 5 writes those of doubles.
    Sparse(Sparse),
}

impl Value {
    /// A 1 x 1 double.
    pub fn scalar(value: f64) -> Self {
        Self::numeric(vec![1, 1], NumericData::F64(vec![value]))
    }

    /// A row of characters (1 x n); the empty text is 0 x 0 as in MATLAB.
    pub fn text(text: &str) -> Self {
        Self::Char(CharArray::row(text))
    }

    /// The 0 x 0 double `[]`.
    pub fn empty() -> Self {
        Self::numeric(vec![0, 0], NumericData::F64(Vec::new()))
    }

    /// A 1 x n double.
    pub fn row_f64(values: &[f64]) -> Self {
        Self::numeric(vec![1, values.len()], NumericData::F64(values.to_vec()))
    }

    /// An n x 1 double.
    pub fn column_f64(values: &[f64]) -> Self {
        Self::numeric(vec![values.len(), 1], NumericData::F64(values.to_vec()))
    }

    /// An n x 1 single.
    pub fn column_f32(values: &[f32]) -> Self {
        Self::numeric(vec![values.len(), 1], NumericData::F32(values.to_vec()))
    }

    /// An n x 1 logical.
    pub fn from_logical_column(values: &[bool]) -> Self {
        Self::Logical(LogicalArray::column(values.to_vec()))
    }

    fn numeric(dims: Vec<usize>, data: NumericData) -> Self {
        Self::Numeric(Numeric::new(dims, data).expect("invariant: dims match the data"))
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Numeric(array) => array.dims(),
            Self::Char(array) => array.dims(),
            Self::Logical(array) => array.dims(),
            Self::Struct(array) => array.dims(),
            Self::Cell(array) => array.dims(),
            Self::Sparse(matrix) => matrix.dims(),
        }
    }

    /// Number of elements (the product of the dimensions).
    pub fn element_count(&self) -> usize {
        // Cannot wrap: the constructors refuse dimensions whose product overflows.
        self.dims().iter().fold(1, |count, &extent| count.wrapping_mul(extent))
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.element_count() == 0
    }

    /// MATLAB class.
    pub fn class(&self) -> Class {
        match self {
            Self::Numeric(array) => array.data().element_type().class(),
            Self::Char(_) => Class::Char,
            Self::Logical(_) => Class::Logical,
            Self::Struct(_) => Class::Struct,
            Self::Cell(_) => Class::Cell,
            Self::Sparse(_) => Class::Sparse,
        }
    }

    /// Whether the elements have imaginary parts.
    pub fn is_complex(&self) -> bool {
        match self {
            Self::Numeric(array) => array.data().element_type().is_complex(),
            Self::Sparse(matrix) => matches!(matrix.data(), SparseData::C64(_)),
            _ => false,
        }
    }

    /// Bytes of the elements in memory, those of nested values included.
    pub fn payload_bytes(&self) -> u64 {
        match self {
            Self::Numeric(array) => {
                (array.data().len() * array.data().element_type().bytes()) as u64
            }
            Self::Char(array) => 2 * array.units().len() as u64,
            Self::Logical(array) => array.data().len() as u64,
            Self::Struct(array) => array.values().iter().map(Self::payload_bytes).sum(),
            Self::Cell(array) => array.values().iter().map(Self::payload_bytes).sum(),
            Self::Sparse(matrix) => {
                let entry_bytes = matrix.data().element_bytes() + size_of::<usize>();
                (matrix.data().len() * entry_bytes + size_of_val(matrix.column_starts())) as u64
            }
        }
    }

    /// The value of a 1 x 1 real number, logical or character; `None` otherwise.
    pub fn to_scalar(&self) -> Option<f64> {
        if self.element_count() != 1 {
            return None;
        }
        match self {
            Self::Char(array) => array.units().first().map(|&unit| f64::from(unit)),
            _ => self.to_f64_vec()?.first().copied(),
        }
    }

    /// The text of a character row or an empty character array; `None` otherwise.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Char(array) => array.to_text(),
            _ => None,
        }
    }

    /// All elements of a real numeric or logical array as doubles, column-major; `None` for
    /// other classes and complex numbers.
    ///
    /// 64-bit integers beyond 2^53 are rounded.
    pub fn to_f64_vec(&self) -> Option<Vec<f64>> {
        match self {
            Self::Numeric(array) => array.data().to_f64_vec(),
            Self::Logical(array) => {
                Some(array.data().iter().map(|&flag| f64::from(u8::from(flag))).collect())
            }
            _ => None,
        }
    }
}

/// Number of elements of an array with these dimensions, or `None` on overflow.
pub(crate) fn count_elements(dims: &[usize]) -> Option<usize> {
    if dims.contains(&0) {
        return Some(0);
    }
    dims.iter().try_fold(1_usize, |count, &extent| count.checked_mul(extent))
}

/// Whether `dims` are valid (at least two) and hold exactly `count` elements.
fn dims_hold(dims: &[usize], count: usize) -> bool {
    dims.len() >= 2 && count_elements(dims) == Some(count)
}
