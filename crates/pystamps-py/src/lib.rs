//! The Python extension `pystamps_shim._native`: conversion only.

mod error;
mod mat;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add(
        "PystampsError",
        module.py().get_type::<error::PystampsError>(),
    )?;
    mat::register(module)
}
