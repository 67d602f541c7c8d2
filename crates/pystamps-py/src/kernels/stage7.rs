//! Look-angle error.

use super::{Vector, columns_of, require, rows_of, run};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pystamps_kernels::look_angle_error::{Method, Network, Observations, Settings, estimate};

/// K [n], C [n], their phase [n, m] and the covariance [m, m].
type LookAngleArrays<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray2<f64>>,
);

/// Estimates look-angle error and atmosphere of the master from unwrapped phase [n, m].
#[pyfunction]
#[pyo3(signature = (
    ph_uw, bperp, solve_ix, day, ifg_vcm, master_ix = None, network = "single_master", *,
    velocity = true, method = "L2", threads = None
))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
#[expect(clippy::too_many_arguments, reason = "the signature of the kernel")]
pub(super) fn stage7_scla<'py>(
    py: Python<'py>,
    ph_uw: PyReadonlyArray2<'py, f32>,
    bperp: PyReadonlyArray2<'py, f32>,
    solve_ix: PyReadonlyArray1<'py, i64>,
    day: Vector<'py>,
    ifg_vcm: PyReadonlyArray2<'py, f64>,
    master_ix: Option<i64>,
    network: &str,
    velocity: bool,
    method: &str,
    threads: Option<usize>,
) -> PyResult<LookAngleArrays<'py>> {
    let (rows, total) = (ph_uw.as_array().nrows(), ph_uw.as_array().ncols());
    let same = bperp.as_array().dim() == (rows, total);
    require(same, "bperp has another shape than ph_uw; both are [n, m]")?;
    let day = day.to_vec();
    require(day.len() == total, "day has another length than the rows of ph_uw")?;
    let square = ifg_vcm.as_array().dim() == (total, total);
    require(square, "ifg_vcm is not [m, m] for ph_uw [n, m]")?;
    let inside = |column: i64| usize::try_from(column).ok().filter(|&column| column < total);
    let outside = || PyValueError::new_err("solve_ix or master_ix is not a column of ph_uw");
    let columns: Option<Vec<usize>> = solve_ix.as_array().iter().map(|&k| inside(k)).collect();
    let columns = columns.ok_or_else(outside)?;
    let ascending = columns.windows(2).all(|pair| pair[0] < pair[1]);
    require(ascending, "solve_ix is not ascending")?;
    let master = master_ix.map(|column| inside(column).ok_or_else(outside)).transpose()?;
    let network = self::network(network)?;
    let method = self::method(method)?;
    let covariance = columns_of(&ifg_vcm.as_array());
    let (phase_rad, bperp_m) = (columns_of(&ph_uw.as_array()), columns_of(&bperp.as_array()));
    let found = run(py, threads, || {
        let settings = Settings {
            columns: &columns,
            day: &day,
            covariance: &covariance,
            master,
            network,
            method,
            velocity,
        };
        let observations = Observations { rows, phase_rad: &phase_rad, bperp_m: &bperp_m };
        estimate(&observations, &settings)
    })?;
    let found = found.map_err(|error| PyValueError::new_err(format!("ifg_vcm: {error}")))?;
    let phase_rad = rows_of(&found.phase_rad, rows, total);
    Ok((
        found.slope_rad_per_m.into_pyarray(py),
        found.offset_rad.into_pyarray(py),
        phase_rad.into_pyarray(py).reshape([rows, total])?,
        rows_of(&covariance, total, total).into_pyarray(py).reshape([total, total])?,
    ))
}

fn network(name: &str) -> PyResult<Network> {
    match name {
        "single_master" => Ok(Network::SingleMaster),
        "small_baselines" => Ok(Network::SmallBaselines),
        _ => Err(PyValueError::new_err(format!(
            "network {name:?}: single_master or small_baselines"
        ))),
    }
}

fn method(name: &str) -> PyResult<Method> {
    match name {
        "L2" => Ok(Method::LeastSquares),
        "L1" => Ok(Method::LeastAbsolute),
        _ => Err(PyValueError::new_err(format!("method {name:?}: L2 or L1"))),
    }
}
