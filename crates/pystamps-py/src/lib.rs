//! The Python extension `pystamps_shim._native`: conversion only.

mod cli;
mod error;
mod kernels;
mod mat;
mod unwrap;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(cli::cli_main, module)?)?;
    kernels::register(module)?;
    mat::register(module)?;
    unwrap::register(module)
}
