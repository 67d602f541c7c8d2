//! The numeric kernels for Python: `_native.kernels`. Arrays of any memory layout come in, arrays in
//! C order go out; the interpreter is free meanwhile.

mod clap;
mod edges;
mod grid;
mod stage7;
mod topofit;

use numpy::ndarray::ArrayView2;
use numpy::{Complex32, Complex64, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Rows and columns that are transposed together.
const SQUARE: usize = 32;

/// Adds the submodule `kernels`.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let kernels = PyModule::new(py, "kernels")?;
    kernels.add_function(wrap_pyfunction!(grid::stage2_grid_accumulate, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(grid::stage2_histogram, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(topofit::stage2_topofit, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(topofit::stage2_topofit_row_invariant, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(topofit::stage2_topofit_coh_row_invariant, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(edges::stage4_edge_stats, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(stage7::stage7_scla, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(edges::stage8_edge_noise, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(clap::clap_filter, &kernels)?)?;
    kernels.add_function(wrap_pyfunction!(clap::clap_patch_value, &kernels)?)?;
    module.add_submodule(&kernels)?;
    // So that `import pystamps_shim._native.kernels` finds it: a submodule has no file.
    let modules: Bound<'_, PyDict> = py.import("sys")?.getattr("modules")?.cast_into()?;
    modules.set_item("pystamps_shim._native.kernels", kernels)
}

/// Complex numbers of either precision, [n, m].
#[derive(FromPyObject)]
enum Phasors<'py> {
    Single(PyReadonlyArray2<'py, Complex32>),
    Double(PyReadonlyArray2<'py, Complex64>),
}

/// Real numbers of either precision, [n, m].
#[derive(FromPyObject)]
enum Matrix<'py> {
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
}

/// Real numbers of either precision, [m].
#[derive(FromPyObject)]
enum Vector<'py> {
    Single(PyReadonlyArray1<'py, f32>),
    Double(PyReadonlyArray1<'py, f64>),
}

impl Vector<'_> {
    fn to_vec(&self) -> Vec<f64> {
        match self {
            Self::Single(values) => values.as_array().iter().map(|&value| value.into()).collect(),
            Self::Double(values) => values.as_array().to_vec(),
        }
    }
}

/// The numbers of a matrix, column after column.
fn columns_of<T: Copy>(view: &ArrayView2<T>) -> Vec<T> {
    match view.as_slice() {
        // Row after row: columns of the transposed matrix are its rows.
        Some(values) => rows_of(values, view.ncols(), view.nrows()),
        None => view.t().iter().copied().collect(),
    }
}

/// A matrix stored column after column, row after row.
fn rows_of<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    let Some(&any) = values.first() else { return Vec::new() };
    let mut out = vec![any; values.len()];
    // Squares that fit into the nearest cache with their images.
    for top in (0..rows).step_by(SQUARE) {
        for left in (0..columns).step_by(SQUARE) {
            for row in top..rows.min(top + SQUARE) {
                let line = &mut out[row * columns..(row + 1) * columns];
                for column in left..columns.min(left + SQUARE) {
                    line[column] = values[column * rows + row];
                }
            }
        }
    }
    out
}

/// A `ValueError` unless `holds`.
fn require(holds: bool, message: &str) -> PyResult<()> {
    if holds { Ok(()) } else { Err(PyValueError::new_err(message.to_owned())) }
}

/// Runs `work` without the interpreter, on `threads` threads or on all there are.
fn run<R: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    work: impl Fn() -> R + Send + Sync,
) -> PyResult<R> {
    let Some(threads) = threads else { return Ok(py.detach(work)) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(py.detach(|| pool.install(work)))
}
