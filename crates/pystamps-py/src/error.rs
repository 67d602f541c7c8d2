//! Defines the one exception class that Python code sees.

use pyo3::prelude::*;

pyo3::create_exception!(
    _native,
    PystampsError,
    pyo3::exceptions::PyException,
    "A problem with a stable short `name`, a message and a `hint` at what to do next."
);

/// An exception called `name` (lower case with hyphens) that says `message` and hints at `hint`.
pub(crate) fn exception(py: Python<'_>, name: &str, message: String, hint: &str) -> PyErr {
    let error = PystampsError::new_err(message);
    let value = error.value(py);
    match value
        .setattr("name", name)
        .and_then(|()| value.setattr("hint", hint))
    {
        Ok(()) => error,
        Err(failed) => failed,
    }
}
