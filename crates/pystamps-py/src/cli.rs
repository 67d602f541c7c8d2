//! The command line inside a Python process, where the native program is not packaged.

use pyo3::prelude::*;

/// Runs `pystamps-native` with `argv` (the program's name first) and returns its exit code.
#[pyfunction]
pub(crate) fn cli_main(py: Python<'_>, argv: Vec<String>) -> u8 {
    py.detach(|| pystamps_core::cli::run(argv))
}
