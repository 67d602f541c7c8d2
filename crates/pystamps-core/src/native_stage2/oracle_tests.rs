//! Single iterations against original StaMPS, each started from the state it had stored.

#![expect(clippy::print_stderr, reason = "says why a test has nothing to do")]

use std::path::{Path, PathBuf};

use num_complex::Complex;
use pystamps_kernels::clap::{ClapFilter, LowPass};
use pystamps_kernels::topofit::Trials;
use pystamps_mat::{NumericData, Value, Variables};

use super::estimate::{Estimates, Estimator, Planes, unit_phasor};
use super::inputs::{Inputs, Settings};
use super::iterate::rounding;
use crate::cell_grid::CellGrid;
use crate::progress::Progress;
use crate::project::stack::{Network, Stack};
use crate::samples::Residence;
use crate::scratch::Room;

/// The oracle's scene T, or `None` (said so) where there is no oracle and none is required.
fn scene() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("PYSTAMPS_SHARED").map_or(beside, PathBuf::from);
    let scene = shared.join("oracle/T");
    if scene.is_dir() {
        return Some(scene);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no oracle in {}", shared.display());
    eprintln!("skipped: no oracle in {}", shared.display());
    None
}

/// StaMPS's defaults, and what stage 1 found out about the scene.
fn settings(parameters: &Variables) -> Settings {
    Settings {
        cell_size_m: 50.0,
        window: 32,
        low_pass_wavelength_m: 800.0,
        clap_alpha: 1.0,
        clap_beta: 0.3,
        largest_dem_error_m: 20.0,
        wavelength_m: parameters.get("lambda").and_then(Value::to_scalar).unwrap(),
        convergence: 0.005,
        most_iterations: 3,
        weights_by_probability: true,
    }
}

fn numbers(variables: &Variables, name: &str) -> Vec<f64> {
    variables.get(name).and_then(Value::to_f64_vec).unwrap()
}

fn complex(variables: &Variables, name: &str) -> Vec<Complex<f32>> {
    let Some(Value::Numeric(numeric)) = variables.get(name) else { panic!("no {name}") };
    let NumericData::C32(values) = numeric.data() else { panic!("{name} is not complex single") };
    values.clone()
}

/// The phase at every candidate's cell, column after column.
fn grid_values(grid: &CellGrid, planes: &[Complex<f32>], columns: usize) -> Vec<Complex<f32>> {
    let column = |column: usize| {
        let plane = &planes[column * grid.cell_count()..][..grid.cell_count()];
        grid.places.iter().map(|&place| unit_phasor(plane[place as usize]))
    };
    (0..columns).flat_map(column).collect()
}

fn assert_close(name: &str, found: &[Complex<f32>], expected: &[Complex<f32>], most: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).norm());
    let largest = difference.fold(0.0, f32::max);
    assert!(largest <= most, "{name}: off by up to {largest}");
}

/// One iteration of `patch` from the state stored in `before`; its result is stored in `after`.
fn assert_one_iteration(patch: &str, before: &str, after: &str) {
    let Some(scene) = scene() else { return };
    let stored =
        |file: &str| pystamps_mat::read(scene.join("stage2").join(patch).join(file)).unwrap();
    let (before, after) = (stored(before), stored(after));
    let settings = settings(&pystamps_mat::read(scene.join("stage1/parms.mat")).unwrap());
    let folder = scene.join("stage1").join(patch);
    let stack = Stack::load(&folder, 1, Network::SingleMaster).unwrap();
    let inputs = Inputs::load(&folder, stack, &settings, Residence::Memory).unwrap();
    let (rows, columns) = (inputs.stack.row_count(), inputs.phase.column_count());
    let grid = CellGrid::covering(&inputs.stack.xy_m, &super::cell_rule(settings.cell_size_m, 24))
        .unwrap();
    let low_pass = LowPass::new(settings.window, settings.cell_size_m, 800.0);
    let estimator = Estimator {
        inputs: &inputs,
        grid: &grid,
        filter: ClapFilter::new(settings.clap_alpha, settings.clap_beta, &low_pass),
        trials: Trials::for_wraps(inputs.trial_wraps),
        rounding: rounding(inputs.bperp_m.is_single()),
    };
    let room = Room { residence: Residence::Memory, folder: Path::new(".") };
    let mut estimates = Estimates::initial(rows, room.columns(rows, columns).unwrap());
    let mut planes = Planes::empty(grid.cell_count(), columns);
    let progress = Progress::silent();
    let phase = progress.phase("", 0, "");
    let (slope, weight) = (numbers(&before, "K_ps"), numbers(&before, "weighting"));
    estimator.estimate_planes(&slope, &weight, &mut planes, &phase).unwrap();
    estimator.fit(&planes.filtered, &mut estimates, &phase).unwrap();
    let (coherence, slope) = (numbers(&after, "coh_ps"), numbers(&after, "K_ps"));
    let mut near_ties = 0;
    for row in 0..rows {
        let tie = estimates.trial_margin[row] <= 1e-5;
        near_ties += usize::from(tie);
        let coherence = (estimates.coherence[row] - coherence[row]).abs();
        let slope = (estimates.slope_rad_per_m[row] - slope[row]).abs();
        let far = coherence > 2e-6 || slope > 1e-7;
        assert!(tie || !far, "row {row}: coherence off by {coherence}, slope by {slope}");
    }
    eprintln!("{patch}: {near_ties} of {rows} rows are near ties");
    let patch_phase = grid_values(&grid, &planes.filtered, columns);
    assert_close("ph_patch", &patch_phase, &complex(&after, "ph_patch"), 1e-4);
    assert_close("ph_grid", &planes.gridded, &complex(&after, "ph_grid"), 1e-5);
    assert!(near_ties * 200 < rows, "{near_ties} of {rows} rows are near ties");
}

#[test]
fn second_iteration() {
    for patch in ["PATCH_1", "PATCH_2"] {
        assert_one_iteration(patch, "oracle_iter2_end0.mat", "oracle_iter3_end0.mat");
    }
}

#[test]
fn third_iteration() {
    for patch in ["PATCH_1", "PATCH_2"] {
        assert_one_iteration(patch, "oracle_iter3_end0.mat", "pm1.mat");
    }
}
