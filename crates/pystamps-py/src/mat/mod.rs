//! MATLAB files for Python: `read_mat`, `list_mat`, `write_mat` and the classes that have no
//! counterpart in Python or NumPy.

mod from_python;
mod to_python;

use crate::error::exception;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pystamps_mat::{Container, Value, VariableInfo, Variables, WriteOptions, Writer};
use std::path::{Path, PathBuf};

/// Adds this module's functions and classes.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CharArray>()?;
    module.add_class::<StructArray>()?;
    module.add_class::<SparseMatrix>()?;
    module.add_class::<MatVariable>()?;
    module.add_function(wrap_pyfunction!(read_mat, module)?)?;
    module.add_function(wrap_pyfunction!(list_mat, module)?)?;
    module.add_function(wrap_pyfunction!(write_mat, module)?)
}

/// A character array that is not one row: its dimensions and its rows, blanks included.
#[pyclass(frozen, get_all, module = "pystamps_shim._native")]
struct CharArray {
    dims: Py<PyTuple>,
    rows: Vec<String>,
}

#[pymethods]
impl CharArray {
    #[new]
    fn new(dims: Py<PyTuple>, rows: Vec<String>) -> Self {
        Self { dims, rows }
    }
}

/// A structure array that is not 1 x 1: dimensions, field names, and for each element in
/// column-major order a tuple of its fields' values.
#[pyclass(frozen, get_all, module = "pystamps_shim._native")]
struct StructArray {
    dims: Py<PyTuple>,
    fields: Py<PyTuple>,
    elements: Py<PyTuple>,
}

#[pymethods]
impl StructArray {
    #[new]
    fn new(dims: Py<PyTuple>, fields: Py<PyTuple>, elements: Py<PyTuple>) -> Self {
        Self { dims, fields, elements }
    }
}

/// A sparse matrix in compressed-column form, as `scipy.sparse.csc_array` takes it.
#[pyclass(frozen, get_all, module = "pystamps_shim._native")]
struct SparseMatrix {
    dims: Py<PyTuple>,
    data: Py<PyAny>,
    row_indices: Py<PyAny>,
    column_starts: Py<PyAny>,
}

/// What a file says of a variable without its data.
#[pyclass(frozen, get_all, module = "pystamps_shim._native")]
struct MatVariable {
    name: String,
    class_name: &'static str,
    dims: Py<PyTuple>,
    is_complex: bool,
    is_logical: bool,
    bytes: u64,
}

/// Reads the variables called `names`, or all of them.
#[pyfunction]
#[pyo3(signature = (path, names=None))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts owned arguments")]
fn read_mat(
    py: Python<'_>,
    path: PathBuf,
    names: Option<Vec<String>>,
) -> PyResult<Bound<'_, PyDict>> {
    let variables = py.detach(|| match &names {
        None => pystamps_mat::read(&path),
        Some(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            pystamps_mat::read_variables(&path, &names)
        }
    });
    let result = PyDict::new(py);
    for (name, value) in variables.map_err(|error| raised(py, &error))? {
        result.set_item(name, to_python::object(py, value)?)?;
    }
    Ok(result)
}

/// Describes the variables of a file without reading their data.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts owned arguments")]
fn list_mat(py: Python<'_>, path: PathBuf) -> PyResult<Vec<MatVariable>> {
    let listed = py.detach(|| pystamps_mat::list(&path)).map_err(|error| raised(py, &error))?;
    let describe = |info: VariableInfo| {
        Ok(MatVariable {
            name: info.name,
            class_name: info.class.name(),
            dims: PyTuple::new(py, info.dims)?.unbind(),
            is_complex: info.complex,
            is_logical: info.logical,
            bytes: info.bytes,
        })
    };
    listed.into_iter().map(describe).collect()
}

/// Writes a mapping of names to values; `version` is `"5"`, `"7.3"` or, by size, `None`.
#[pyfunction]
#[pyo3(signature = (path, variables, *, version=None, deflate_level=None))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 extracts owned arguments")]
fn write_mat(
    py: Python<'_>,
    path: PathBuf,
    variables: &Bound<'_, PyDict>,
    version: Option<&str>,
    deflate_level: Option<u32>,
) -> PyResult<()> {
    let container = match version {
        None => None,
        Some("5") => Some(Container::Level5),
        Some("7.3") => Some(Container::V73),
        Some(other) => {
            let message = format!("version {other:?}: expected \"5\", \"7.3\" or None");
            return Err(pyo3::exceptions::PyValueError::new_err(message));
        }
    };
    let variables: Variables = variables
        .iter()
        .map(|(name, value)| {
            let name: String = name.extract()?;
            let value = from_python::value(&value, &name, 0)?;
            Ok((name, value))
        })
        .collect::<PyResult<_>>()?;
    let options = WriteOptions { deflate_level };
    py.detach(|| write(&path, &variables, container, options)).map_err(|error| raised(py, &error))
}

fn write(
    path: &Path,
    variables: &Variables,
    container: Option<Container>,
    options: WriteOptions,
) -> pystamps_mat::Result<()> {
    let Some(container) = container else {
        return pystamps_mat::write(path, variables, &options);
    };
    let mut writer = Writer::create(path, container, options)?;
    for (name, value) in variables.iter() {
        let value: &Value = value;
        writer.write(name, value)?;
    }
    writer.finish()
}

fn raised(py: Python<'_>, error: &pystamps_mat::Error) -> PyErr {
    exception(py, error.name(), error.to_string(), error.hint())
}
