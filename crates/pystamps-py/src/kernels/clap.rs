//! Filters of gridded phasors.

use super::{Phasors, require};
use numpy::{Complex32, Complex64, IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyComplex;
use pystamps_kernels::clap::{
    ClapFilter, ClapPatchFilter, ClapPatchScratch, ClapScratch, LowPass, Plane,
};

fn low_pass(values: &PyReadonlyArray2<f64>, multiple: usize) -> PyResult<LowPass> {
    let values = values.as_array();
    let size = values.nrows();
    let square = size == values.ncols() && size > 0 && size.is_multiple_of(multiple);
    require(square, "low_pass is not square or of an unsupported size")?;
    // The transpose of a matrix, row after row, is the matrix column after column.
    Ok(LowPass::from_values(size, values.t().iter().copied().collect()))
}

/// Filters one interferogram's grid [`n_i`, `n_j`] with tapered windows, in double precision.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn clap_filter<'py>(
    py: Python<'py>,
    ph: Phasors<'py>,
    alpha: f64,
    beta: f64,
    low_pass: PyReadonlyArray2<'py, f64>,
) -> PyResult<Bound<'py, PyArray2<Complex64>>> {
    let filter = ClapFilter::new(alpha, beta, &self::low_pass(&low_pass, 8)?);
    let (shape, cells): ([usize; 2], Vec<Complex64>) = match &ph {
        Phasors::Single(array) => {
            let view = array.as_array();
            let widened = |z: &Complex32| Complex64::new(z.re.into(), z.im.into());
            ([view.nrows(), view.ncols()], view.t().iter().map(widened).collect())
        }
        Phasors::Double(array) => {
            let view = array.as_array();
            ([view.nrows(), view.ncols()], view.t().iter().copied().collect())
        }
    };
    let filtered = py.detach(|| {
        let mut filtered = vec![Complex64::ZERO; cells.len()];
        filter.filter_double(shape[0], &cells, &mut ClapScratch::default(), &mut filtered);
        let row = |i: usize| filtered.iter().skip(i).step_by(shape[0]).copied();
        (0..shape[0]).flat_map(row).collect::<Vec<_>>()
    });
    filtered.into_pyarray(py).reshape(shape)
}

/// Filtered value at `cell` (row, column from 0) of a grid [`n_i`, `n_j`] without that cell and those
/// within `reach` of it, in single precision; `None` where the grid is smaller than the window.
#[pyfunction]
#[pyo3(signature = (ph, alpha, beta, low_pass, cell, *, reach = 0))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn clap_patch_value<'py>(
    py: Python<'py>,
    ph: PyReadonlyArray2<'py, Complex32>,
    alpha: f64,
    beta: f64,
    low_pass: PyReadonlyArray2<'py, f64>,
    cell: [usize; 2],
    reach: usize,
) -> PyResult<Option<Bound<'py, PyComplex>>> {
    let filter = ClapPatchFilter::new(alpha, beta, &self::low_pass(&low_pass, 2)?);
    let view = ph.as_array();
    require(cell[0] < view.nrows() && cell[1] < view.ncols(), "cell is not in the grid")?;
    let values: Vec<Complex32> = view.t().iter().copied().collect();
    let plane = Plane { rows: view.nrows(), columns: view.ncols(), values: &values };
    let values = py.detach(|| {
        filter.values_without_cells(&plane, [cell], reach, &mut ClapPatchScratch::default())
    });
    Ok(values.map(|value| PyComplex::from_doubles(py, value[0].re.into(), value[0].im.into())))
}
