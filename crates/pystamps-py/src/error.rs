//! Raises the one exception class that Python code sees.

use pyo3::prelude::*;

/// A `pystamps_shim.errors.PystampsError` called `name` (lower case with hyphens).
///
/// The class is defined in Python, where most of its uses are; if it cannot be imported, that
/// failure is what is raised.
pub(crate) fn exception(py: Python<'_>, name: &str, cause: String, remedy: &str) -> PyErr {
    let error = || -> PyResult<PyErr> {
        let class = py.import("pystamps_shim.errors")?.getattr("PystampsError")?;
        let error = class.call1((cause, remedy))?;
        error.setattr("name", name)?;
        Ok(PyErr::from_value(error))
    };
    error().unwrap_or_else(|failed| failed)
}
