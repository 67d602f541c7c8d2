//! Gridding and counting.

use super::{Vector, require, run};
use numpy::{Complex32, IntoPyArray, PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pystamps_kernels::grid_accumulate::accumulate_plane;
use pystamps_kernels::histogram::histogram;
use rayon::prelude::*;

/// Adds weighted phasors [n, m] to their cells (counted from 1, [n, 2]) of a grid [`n_i`, `n_j`, m].
#[pyfunction]
#[pyo3(signature = (ph_weight, grid_ij, n_i, n_j, *, threads = None))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn stage2_grid_accumulate<'py>(
    py: Python<'py>,
    ph_weight: PyReadonlyArray2<'py, Complex32>,
    grid_ij: PyReadonlyArray2<'py, i64>,
    n_i: usize,
    n_j: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray3<Complex32>>> {
    let (phasors, cells) = (ph_weight.as_array(), grid_ij.as_array());
    let fits = cells.nrows() == phasors.nrows() && cells.ncols() == 2;
    require(fits, "grid_ij is not [n, 2] for phasors [n, m]")?;
    let index = |i: i64, j: i64| -> Option<u32> {
        let (i, j) = (usize::try_from(i - 1).ok()?, usize::try_from(j - 1).ok()?);
        if i < n_i && j < n_j { u32::try_from(i * n_j + j).ok() } else { None }
    };
    let cells: Option<Vec<u32>> = cells.rows().into_iter().map(|c| index(c[0], c[1])).collect();
    let outside = || PyValueError::new_err("grid_ij has a cell outside 1..n_i, 1..n_j");
    let cells = cells.ok_or_else(outside)?;
    let m = phasors.ncols();
    let planes = run(py, threads, || -> Vec<Vec<Complex32>> {
        let plane = |column: usize| {
            let re: Vec<f32> = phasors.column(column).iter().map(|z| z.re).collect();
            let im: Vec<f32> = phasors.column(column).iter().map(|z| z.im).collect();
            let mut plane = vec![Complex32::ZERO; n_i * n_j];
            accumulate_plane(&re, &im, &cells, &mut plane);
            plane
        };
        (0..m).into_par_iter().map(plane).collect()
    })?;
    let mut grid = Vec::with_capacity(n_i * n_j * m);
    for cell in 0..n_i * n_j {
        grid.extend(planes.iter().map(|plane| plane[cell]));
    }
    grid.into_pyarray(py).reshape([n_i, n_j, m])
}

/// Counts values in the bins around ascending centres.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn stage2_histogram<'py>(
    py: Python<'py>,
    values: Vector<'py>,
    centres: Vector<'py>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (values, centres) = (values.to_vec(), centres.to_vec());
    let ascending = centres.windows(2).all(|pair| pair[0] < pair[1]);
    require(ascending, "centres are not ascending")?;
    Ok(py.detach(|| histogram(&values, &centres)).into_pyarray(py))
}
