//! Noise of edges between PS or nodes.

use super::{Phasors, Vector, columns_of, require, rows_of, run};
use numpy::{
    Complex32, IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pystamps_kernels::edge_differences::edge_differences;
use pystamps_kernels::edge_noise::{
    Baselines, NoiseModel, Phasors as UnitPhasors, edge_noise, quietest_edges,
};
use pystamps_kernels::edge_series::{
    EdgeSeries, EdgeSeriesOptions, Method, Moments, Network, Tile,
};
use rayon::prelude::*;

/// Edges analysed together by one thread.
const TILE_EDGES: usize = 1024;

/// Differences along edges and their noise, both [E, m].
type EdgeArrays<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>);

/// Standard deviation and maximum of every PS, both [n].
type NoiseArrays<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>);

/// Smallest standard deviation [n] and smallest maximum [n] among the edges of every PS.
#[pyfunction]
#[pyo3(signature = (
    phases, node_a, node_b, bperp, day, time_win, mode = "single_master", *, threads = None
))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
#[expect(clippy::too_many_arguments, reason = "the signature of the kernel")]
#[expect(clippy::cast_possible_truncation, reason = "the kernel takes single-precision phasors")]
pub(super) fn stage4_edge_stats<'py>(
    py: Python<'py>,
    phases: Phasors<'py>,
    node_a: PyReadonlyArray1<'py, i64>,
    node_b: PyReadonlyArray1<'py, i64>,
    bperp: Vector<'py>,
    day: Vector<'py>,
    time_win: f64,
    mode: &str,
    threads: Option<usize>,
) -> PyResult<NoiseArrays<'py>> {
    let (rows, columns, values): (usize, usize, Vec<Complex32>) = match &phases {
        Phasors::Single(array) => {
            let view = array.as_array();
            (view.nrows(), view.ncols(), view.iter().copied().map(phase_or_nan).collect())
        }
        Phasors::Double(array) => {
            let view = array.as_array();
            let single = view.iter().map(|z| Complex32::new(z.re as f32, z.im as f32));
            (view.nrows(), view.ncols(), single.map(phase_or_nan).collect())
        }
    };
    let edges = edges(&node_a, &node_b, rows)?;
    let (bperp_m, days) = (bperp.to_vec(), day.to_vec());
    require(bperp_m.len() == columns, "bperp has another length than the rows of phases")?;
    let small_baselines = match mode {
        "single_master" => false,
        "small_baselines" => true,
        _ => return Err(unknown("mode", mode, "single_master or small_baselines")),
    };
    let dated = small_baselines || days.len() == columns;
    require(dated, "day has another length than the rows of phases")?;
    require(small_baselines || time_win > 0.0, "time_win is not above 0 days")?;
    let noise = run(py, threads, || {
        let model = if small_baselines {
            NoiseModel::BaselineTerm
        } else {
            NoiseModel::Smooth { days: &days, window_days: time_win }
        };
        let baselines = Baselines { bperp_m: &bperp_m, single_precision: false };
        let phasors = UnitPhasors { columns, values: &values };
        let noise = edge_noise(&phasors, &edges, &baselines, model, |_| ());
        quietest_edges(&noise, &edges, rows)
    })?;
    Ok((noise.deviation_rad.into_pyarray(py), noise.maximum_rad.into_pyarray(py)))
}

/// NaN for a phasor without phase: 0 or infinite.
fn phase_or_nan(phasor: Complex32) -> Complex32 {
    let has_phase = phasor.is_finite() && phasor != Complex32::ZERO;
    if has_phase { phasor } else { Complex32::new(f32::NAN, f32::NAN) }
}

/// Differences of the nodes' phase [`n_node`, m] along the edges, and their noise.
#[pyfunction]
#[pyo3(signature = (
    node_phase, node_a, node_b, mode = "space_time", *, bperp = None, day = None,
    ifgday_ix = None, n_trial_wraps = None, time_win = 730.0, unwrap_method = "3D_FULL",
    la_error = true, threads = None
))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
#[expect(clippy::too_many_arguments, reason = "the signature of the kernel")]
pub(super) fn stage8_edge_noise<'py>(
    py: Python<'py>,
    node_phase: PyReadonlyArray2<'py, Complex32>,
    node_a: PyReadonlyArray1<'py, i64>,
    node_b: PyReadonlyArray1<'py, i64>,
    mode: &str,
    bperp: Option<Vector<'py>>,
    day: Option<Vector<'py>>,
    ifgday_ix: Option<PyReadonlyArray2<'py, i64>>,
    n_trial_wraps: Option<f64>,
    time_win: f64,
    unwrap_method: &str,
    la_error: bool,
    threads: Option<usize>,
) -> PyResult<EdgeArrays<'py>> {
    let view = node_phase.as_array();
    let columns = view.ncols();
    let edges = edges(&node_a, &node_b, view.nrows())?;
    let shape = [edges.len(), columns];
    if mode == "simple" {
        let phases: Vec<Complex32> = view.iter().copied().collect();
        let found = run(py, threads, || edge_differences(&phases, columns, &edges))?;
        let difference = found.difference_rad.into_pyarray(py).reshape(shape)?;
        return Ok((difference, found.noise_rad.into_pyarray(py).reshape(shape)?));
    }
    if mode != "space_time" {
        return Err(unknown("mode", mode, "space_time or simple"));
    }
    let options = EdgeSeriesOptions {
        method: method(unwrap_method)?,
        look_angle_error: la_error,
        time_window_days: time_win,
        trial_wraps: n_trial_wraps.unwrap_or(f64::NAN),
    };
    let series = [bperp, day].map(|given| given.map(|values| values.to_vec()));
    let plan = plan(series, ifgday_ix.as_ref(), columns, &options)?;
    let phases = columns_of(&view);
    let tiles = run(py, threads, || analysed(plan.clone(), &phases, &edges))?;
    let joined = |part: fn(&Tile) -> &[f32]| -> Vec<f32> {
        let of_tile = |tile| rows_of(part(tile), part(tile).len() / columns, columns);
        tiles.iter().flat_map(of_tile).collect()
    };
    let difference = joined(|tile| &tile.dph_space_uw_rad).into_pyarray(py).reshape(shape)?;
    let noise = joined(|tile| &tile.dph_noise_rad).into_pyarray(py);
    let without_noise = options.method == Method::Spatial2D;
    Ok((difference, noise.reshape(if without_noise { [0, 0] } else { shape })?))
}

/// Plans the analysis of interferograms with these baselines and days of images.
fn plan(
    series: [Option<Vec<f64>>; 2],
    ifgday_ix: Option<&PyReadonlyArray2<i64>>,
    columns: usize,
    options: &EdgeSeriesOptions,
) -> PyResult<EdgeSeries> {
    let needed = "mode space_time needs bperp, day, ifgday_ix, and with la_error n_trial_wraps";
    let complete = !(options.look_angle_error && options.trial_wraps.is_nan());
    let ([Some(bperp_m), Some(day)], Some(ifgday_ix), true) = (series, ifgday_ix, complete) else {
        return Err(PyValueError::new_err(needed));
    };
    require(bperp_m.len() == columns, "bperp has another length than the rows of node_phase")?;
    let pairs = pairs(ifgday_ix, columns, day.len())?;
    let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
    let plan = EdgeSeries::new(&network, options);
    plan.map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The analysis of all edges, tile by tile.
fn analysed(mut plan: EdgeSeries, phases: &[Complex32], edges: &[[u32; 2]]) -> Vec<Tile> {
    if plan.contested() {
        let moments: Vec<Moments> = edges
            .par_chunks(TILE_EDGES)
            .map_init(|| plan.scratch(), |scratch, tile| plan.moments(phases, tile, scratch))
            .collect();
        let mut all = Moments::default();
        for of_tile in &moments {
            all.join(of_tile);
        }
        plan.settle(&all);
    }
    edges
        .par_chunks(TILE_EDGES)
        .map_init(|| plan.scratch(), |scratch, tile| plan.analyse_edges(phases, tile, scratch))
        .collect()
}

/// Pairs of ends, which must be among the rows.
fn edges(
    node_a: &PyReadonlyArray1<i64>,
    node_b: &PyReadonlyArray1<i64>,
    rows: usize,
) -> PyResult<Vec<[u32; 2]>> {
    let (node_a, node_b) = (node_a.as_array(), node_b.as_array());
    require(node_a.len() == node_b.len(), "node_a and node_b differ in length")?;
    let inside = |node: i64| {
        u32::try_from(node).ok().filter(|&node| usize::try_from(node).is_ok_and(|n| n < rows))
    };
    let pairs = node_a.iter().zip(&node_b).map(|(&a, &b)| Some([inside(a)?, inside(b)?]));
    let outside = || PyValueError::new_err("node_a or node_b has a number outside the rows");
    pairs.collect::<Option<Vec<_>>>().ok_or_else(outside)
}

/// Images of every interferogram.
fn pairs(
    ifgday_ix: &PyReadonlyArray2<i64>,
    columns: usize,
    images: usize,
) -> PyResult<Vec<[usize; 2]>> {
    let view = ifgday_ix.as_array();
    let fits = view.dim() == (columns, 2);
    require(fits, "ifgday_ix is not [m, 2] for node_phase [n_node, m]")?;
    let inside = |image: i64| usize::try_from(image).ok().filter(|&image| image < images);
    let pairs = view.rows().into_iter().map(|pair| Some([inside(pair[0])?, inside(pair[1])?]));
    let outside = || PyValueError::new_err("ifgday_ix has a number outside day");
    pairs.collect::<Option<Vec<_>>>().ok_or_else(outside)
}

fn method(name: &str) -> PyResult<Method> {
    match name {
        "2D" => Ok(Method::Spatial2D),
        "3D_NO_DEF" => Ok(Method::NoDeformation),
        "3D_FULL" => Ok(Method::Full),
        "3D_QUICK" => Ok(Method::Quick),
        "3D_SMALL_DEF" => Ok(Method::SmallDeformation),
        _ => {
            Err(unknown("unwrap_method", name, "2D, 3D_NO_DEF, 3D_FULL, 3D_QUICK or 3D_SMALL_DEF"))
        }
    }
}

fn unknown(argument: &str, got: &str, expected: &str) -> PyErr {
    PyValueError::new_err(format!("{argument} {got:?} is unknown: {expected}"))
}
