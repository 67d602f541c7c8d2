//! Turns values into Python objects.

use super::{CharArray, SparseMatrix, StructArray};
use numpy::ndarray::IxDyn;
use numpy::npyffi::NPY_ORDER;
use numpy::{Element, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use pystamps_mat::{NumericData, SparseData, Value};

/// `value` as Python knows it: arrays in Fortran order, rows of text as `str`, 1 x 1 structures
/// as `dict`, cells as object arrays.
pub(super) fn object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    match value {
        Value::Numeric(array) => {
            let (dims, data) = array.into_parts();
            numbers(py, &dims, data)
        }
        Value::Logical(array) => shaped(py, array.dims(), array.data().to_vec()),
        Value::Char(text) => {
            // Python has one empty text, MATLAB's '' of 0 x 0; others keep their dimensions.
            if (text.dims() == [0, 0] || !text.units().is_empty())
                && let Some(row) = text.to_text()
            {
                return Ok(PyString::new(py, &row).into_any());
            }
            let dims = PyTuple::new(py, text.dims())?.unbind();
            let rows = text.rows().unwrap_or_else(|| vec![String::from_utf16_lossy(text.units())]);
            Ok(Bound::new(py, CharArray { dims, rows })?.into_any())
        }
        Value::Cell(cells) => {
            let (dims, values) = cells.into_parts();
            let values: Vec<Py<PyAny>> = values
                .into_iter()
                .map(|value| Ok(object(py, value)?.unbind()))
                .collect::<PyResult<_>>()?;
            shaped(py, &dims, values)
        }
        Value::Struct(array) if array.dims() == [1, 1] => {
            let result = PyDict::new(py);
            for (field, value) in array.fields().iter().zip(array.values()) {
                result.set_item(field, object(py, value.clone())?)?;
            }
            Ok(result.into_any())
        }
        Value::Struct(array) => {
            let fields = PyTuple::new(py, array.fields())?.unbind();
            let dims = PyTuple::new(py, array.dims())?.unbind();
            let elements = array
                .values()
                .chunks(array.fields().len().max(1))
                .map(|element| {
                    let values = element.iter().map(|value| object(py, value.clone()));
                    PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)
                })
                .collect::<PyResult<Vec<_>>>()?;
            let elements = PyTuple::new(py, elements)?.unbind();
            Ok(Bound::new(py, StructArray { dims, fields, elements })?.into_any())
        }
        Value::Sparse(matrix) => {
            let data = match matrix.data() {
                SparseData::F64(values) => PyArray1::from_slice(py, values).into_any(),
                SparseData::C64(values) => PyArray1::from_slice(py, values).into_any(),
                SparseData::Logical(values) => PyArray1::from_slice(py, values).into_any(),
            };
            let sparse = SparseMatrix {
                dims: PyTuple::new(py, matrix.dims())?.unbind(),
                data: data.unbind(),
                row_indices: PyArray1::from_slice(py, matrix.row_indices()).into_any().unbind(),
                column_starts: PyArray1::from_slice(py, matrix.column_starts()).into_any().unbind(),
            };
            Ok(Bound::new(py, sparse)?.into_any())
        }
    }
}

fn numbers<'py>(py: Python<'py>, dims: &[usize], data: NumericData) -> PyResult<Bound<'py, PyAny>> {
    match data {
        NumericData::F64(values) => shaped(py, dims, values),
        NumericData::F32(values) => shaped(py, dims, values),
        NumericData::C64(values) => shaped(py, dims, values),
        NumericData::C32(values) => shaped(py, dims, values),
        NumericData::I8(values) => shaped(py, dims, values),
        NumericData::U8(values) => shaped(py, dims, values),
        NumericData::I16(values) => shaped(py, dims, values),
        NumericData::U16(values) => shaped(py, dims, values),
        NumericData::I32(values) => shaped(py, dims, values),
        NumericData::U32(values) => shaped(py, dims, values),
        NumericData::I64(values) => shaped(py, dims, values),
        NumericData::U64(values) => shaped(py, dims, values),
    }
}

/// Hands column-major `values` to NumPy without a copy.
fn shaped<'py, T: Element>(
    py: Python<'py>,
    dims: &[usize],
    values: Vec<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let flat = PyArray1::from_vec(py, values);
    Ok(flat.reshape_with_order(IxDyn(dims), NPY_ORDER::NPY_FORTRANORDER)?.into_any())
}
