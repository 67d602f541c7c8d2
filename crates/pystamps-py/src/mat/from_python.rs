//! Turns Python objects into values.

use super::{CharArray, StructArray};
use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyComplex, PyComplexMethods, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple,
};
use pystamps_mat::{
    CellArray, Complex, LogicalArray, Numeric, NumericData, StructArray as Structs, Value,
};

/// Deeper objects are refused, above all those that contain themselves.
const MOST_NESTING: usize = 64;

/// `object` as MATLAB will know it; `name` is for the message if it cannot.
pub(super) fn value(object: &Bound<'_, PyAny>, name: &str, depth: usize) -> PyResult<Value> {
    if depth > MOST_NESTING {
        let message = format!("{name}: nested deeper than {MOST_NESTING} levels; flatten it");
        return Err(PyValueError::new_err(message));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return logical(vec![1, 1], vec![flag.is_true()], name);
    }
    if object.is_instance_of::<PyInt>() || object.is_instance_of::<PyFloat>() {
        return Ok(Value::scalar(object.extract()?));
    }
    if let Ok(number) = object.cast::<PyComplex>() {
        let number = Complex::new(number.real(), number.imag());
        return numeric(vec![1, 1], NumericData::C64(vec![number]), name);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::text(text.to_str()?));
    }
    if let Ok(fields) = object.cast::<PyDict>() {
        return structure(fields, name, depth);
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let values: Vec<Value> = object
            .try_iter()?
            .map(|item| value(&item?, name, depth + 1))
            .collect::<PyResult<_>>()?;
        return cell(vec![1, values.len()], values, name);
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return array_value(array, name, depth);
    }
    if let Ok(text) = object.cast::<CharArray>() {
        return characters(text.get(), object.py(), name);
    }
    if let Ok(array) = object.cast::<StructArray>() {
        return structures(array.get(), object.py(), name, depth);
    }
    if object.hasattr("__array__")? {
        // A NumPy scalar.
        let array = object.call_method0("__array__")?;
        return value(&array, name, depth + 1);
    }
    Err(refused(name, &object.get_type().name()?.to_string()))
}

fn refused(name: &str, found: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{name}: expected numbers, bool, str, list, dict or a NumPy array of them, found {found}; \
         convert it first"
    ))
}

fn inconsistent(name: &str) -> PyErr {
    PyValueError::new_err(format!("{name}: the dimensions do not match the number of elements"))
}

fn numeric(dims: Vec<usize>, data: NumericData, name: &str) -> PyResult<Value> {
    Numeric::new(dims, data).map(Value::Numeric).ok_or_else(|| inconsistent(name))
}

fn logical(dims: Vec<usize>, data: Vec<bool>, name: &str) -> PyResult<Value> {
    LogicalArray::new(dims, data).map(Value::Logical).ok_or_else(|| inconsistent(name))
}

fn cell(dims: Vec<usize>, values: Vec<Value>, name: &str) -> PyResult<Value> {
    CellArray::new(dims, values).map(Value::Cell).ok_or_else(|| inconsistent(name))
}

fn structure(fields: &Bound<'_, PyDict>, name: &str, depth: usize) -> PyResult<Value> {
    let members = fields
        .iter()
        .map(|(field, member)| {
            let field: String = field.extract()?;
            let member = value(&member, &format!("{name}.{field}"), depth + 1)?;
            Ok((field, member))
        })
        .collect::<PyResult<Vec<_>>>()?;
    Structs::scalar(members).map(Value::Struct).ok_or_else(|| inconsistent(name))
}

fn structures(array: &StructArray, py: Python<'_>, name: &str, depth: usize) -> PyResult<Value> {
    let mut values = Vec::new();
    for element in array.elements.bind(py).iter() {
        for member in element.try_iter()? {
            values.push(value(&member?, name, depth + 1)?);
        }
    }
    let (dims, fields) = (array.dims.extract(py)?, array.fields.extract(py)?);
    Structs::new(dims, fields, values).map(Value::Struct).ok_or_else(|| inconsistent(name))
}

fn characters(text: &CharArray, py: Python<'_>, name: &str) -> PyResult<Value> {
    let dims: Vec<usize> = text.dims.extract(py)?;
    let units = match text.rows.as_slice() {
        [] => Vec::new(),
        rows => pystamps_mat::CharArray::from_rows(rows).units().to_vec(),
    };
    pystamps_mat::CharArray::new(dims, units).map(Value::Char).ok_or_else(|| inconsistent(name))
}

/// Converts a NumPy array. No dimension makes 1 x 1, one makes a column.
fn array_value(array: &Bound<'_, PyUntypedArray>, name: &str, depth: usize) -> PyResult<Value> {
    let dims = match *array.shape() {
        [] => vec![1, 1],
        [length] => vec![length, 1],
        ref shape => shape.to_vec(),
    };
    let dtype = array.dtype();
    let kind: char = dtype.getattr("kind")?.extract()?;
    let itemsize: usize = dtype.getattr("itemsize")?.extract()?;
    let data = match (kind, itemsize) {
        ('f', 8) => NumericData::F64(elements(array, "<f8")?),
        ('f', 4) => NumericData::F32(elements(array, "<f4")?),
        ('c', 16) => NumericData::C64(elements(array, "<c16")?),
        ('c', 8) => NumericData::C32(elements(array, "<c8")?),
        ('i', 1) => NumericData::I8(elements(array, "i1")?),
        ('i', 2) => NumericData::I16(elements(array, "<i2")?),
        ('i', 4) => NumericData::I32(elements(array, "<i4")?),
        ('i', 8) => NumericData::I64(elements(array, "<i8")?),
        ('u', 1) => NumericData::U8(elements(array, "u1")?),
        ('u', 2) => NumericData::U16(elements(array, "<u2")?),
        ('u', 4) => NumericData::U32(elements(array, "<u4")?),
        ('u', 8) => NumericData::U64(elements(array, "<u8")?),
        ('b', _) => return logical(dims, elements(array, "?")?, name),
        ('O', _) => {
            let items: Vec<Py<PyAny>> = elements(array, "O")?;
            let values = items
                .iter()
                .map(|item| value(item.bind(array.py()), name, depth + 1))
                .collect::<PyResult<_>>()?;
            return cell(dims, values, name);
        }
        ('U', _) if array.ndim() <= 1 => {
            let rows: Vec<String> = array.call_method0("ravel")?.extract()?;
            return Ok(match (array.ndim(), rows.as_slice()) {
                (0, [row]) => Value::text(row),
                (_, rows) => Value::Char(pystamps_mat::CharArray::from_rows(rows)),
            });
        }
        _ => return Err(refused(name, &format!("an array of {}", dtype.str()?))),
    };
    numeric(dims, data, name)
}

/// Elements of an array in column-major order, in the machine's byte order.
fn elements<T: Element>(array: &Bound<'_, PyUntypedArray>, dtype: &str) -> PyResult<Vec<T>> {
    let flat = array.call_method1("ravel", ("F",))?;
    // Positional: order, casting, subok, copy.
    let flat = flat.call_method1("astype", (dtype, "K", "unsafe", false, false))?;
    Ok(flat.cast::<PyArray1<T>>()?.to_vec()?)
}
