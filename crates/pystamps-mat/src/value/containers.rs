//! Defines logical arrays, structures, cells and sparse matrices.

use super::{Value, count_elements, dims_hold};
use num_complex::Complex;

/// A logical array: dimensions and column-major flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalArray {
    dims: Vec<usize>,
    data: Vec<bool>,
}

impl LogicalArray {
    pub(super) fn column(data: Vec<bool>) -> Self {
        Self { dims: vec![data.len(), 1], data }
    }

    /// An array of `dims` (two or more) with column-major `data`; `None` if their counts differ.
    pub fn new(dims: Vec<usize>, data: Vec<bool>) -> Option<Self> {
        dims_hold(&dims, data.len()).then_some(Self { dims, data })
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Flags, column-major.
    pub fn data(&self) -> &[bool] {
        &self.data
    }
}

/// A cell array: dimensions and column-major values.
#[derive(Clone, Debug, PartialEq)]
pub struct CellArray {
    dims: Vec<usize>,
    values: Vec<Value>,
}

impl CellArray {
    /// An array of `dims` (two or more) with column-major `values`; `None` if their counts differ.
    pub fn new(dims: Vec<usize>, values: Vec<Value>) -> Option<Self> {
        dims_hold(&dims, values.len()).then_some(Self { dims, values })
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Values, column-major.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Takes the array apart: dimensions and values.
    pub fn into_parts(self) -> (Vec<usize>, Vec<Value>) {
        (self.dims, self.values)
    }
}

/// A structure array. Values lie element by element, and inside an element field by field.
#[derive(Clone, Debug, PartialEq)]
pub struct StructArray {
    dims: Vec<usize>,
    fields: Vec<String>,
    values: Vec<Value>,
}

impl StructArray {
    /// An array of `dims` (two or more) whose elements have `fields`; `None` unless there is one
    /// value a field and element and the field names differ.
    pub fn new(dims: Vec<usize>, fields: Vec<String>, values: Vec<Value>) -> Option<Self> {
        let distinct = fields.iter().collect::<std::collections::BTreeSet<_>>().len();
        let expected = count_elements(&dims)?.checked_mul(fields.len())?;
        (dims.len() >= 2 && distinct == fields.len() && expected == values.len()).then_some(Self {
            dims,
            fields,
            values,
        })
    }

    /// A 1 x 1 structure; `None` if a field name occurs twice.
    pub fn scalar<S: Into<String>>(fields: impl IntoIterator<Item = (S, Value)>) -> Option<Self> {
        let (names, values): (Vec<String>, Vec<Value>) =
            fields.into_iter().map(|(name, value)| (name.into(), value)).unzip();
        Self::new(vec![1, 1], names, values)
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Field names in order.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Values, element by element (column-major), field by field.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of `field` in the element with column-major index `element` (from 0).
    pub fn get(&self, element: usize, field: &str) -> Option<&Value> {
        let position = self.fields.iter().position(|name| name == field)?;
        self.values.get(element.checked_mul(self.fields.len())? + position)
    }
}

/// Stored entries of a sparse matrix, column by column.
#[derive(Clone, Debug, PartialEq)]
pub enum SparseData {
    /// Real double.
    F64(Vec<f64>),
    /// Complex double.
    C64(Vec<Complex<f64>>),
    /// Logical.
    Logical(Vec<bool>),
}

impl SparseData {
    /// Number of stored entries.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::C64(values) => values.len(),
            Self::Logical(values) => values.len(),
        }
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn element_bytes(&self) -> usize {
        match self {
            Self::F64(_) => 8,
            Self::C64(_) => 16,
            Self::Logical(_) => 1,
        }
    }
}

/// A sparse matrix in compressed-column form: column `j` has the entries
/// `column_starts[j]..column_starts[j + 1]` of `row_indices` and of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    dims: [usize; 2],
    row_indices: Vec<usize>,
    column_starts: Vec<usize>,
    data: SparseData,
}

impl Sparse {
    /// A matrix of `dims` (rows, columns); `None` unless the indices are consistent.
    pub fn new(
        dims: [usize; 2],
        row_indices: Vec<usize>,
        column_starts: Vec<usize>,
        data: SparseData,
    ) -> Option<Self> {
        let consistent = column_starts.len() == dims[1].checked_add(1)?
            && column_starts.first() == Some(&0)
            && column_starts.last() == Some(&data.len())
            && column_starts.is_sorted()
            && row_indices.len() == data.len()
            && row_indices.iter().all(|&row| row < dims[0]);
        consistent.then_some(Self { dims, row_indices, column_starts, data })
    }

    /// Rows and columns.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Row (from 0) of each stored entry.
    pub fn row_indices(&self) -> &[usize] {
        &self.row_indices
    }

    /// First entry of each column, and the number of entries at the end.
    pub fn column_starts(&self) -> &[usize] {
        &self.column_starts
    }

    /// Stored entries.
    pub fn data(&self) -> &SparseData {
        &self.data
    }
}
