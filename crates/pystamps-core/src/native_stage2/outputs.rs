//! Writes `pm1.mat` (stage2.md 9, matfiles.md).

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::clap::LowPass;
use pystamps_mat::{ElementType, Numeric, NumericData, Value, Variables};

use super::estimate::{Estimates, Planes, WeightedPhase, unit_phasor};
use super::inputs::{Inputs, Settings};
use super::iterate::Outcome;
use super::weighting::{BIN_COUNT, bin_centres};
use crate::cell_grid::CellGrid;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, count, matrix, write_streamed, write_variables};
use crate::progress::Progress;
use crate::project::stack::Stack;

/// Everything `pm1.mat` is written from.
pub(super) struct Results<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) grid: &'a CellGrid,
    pub(super) cell_size_m: f64,
    pub(super) low_pass: &'a LowPass,
    pub(super) estimates: &'a Estimates,
    pub(super) planes: &'a Planes,
    pub(super) outcome: &'a Outcome,
}

/// Writes `pm1.mat` into `folder`.
///
/// # Errors
/// I/O and MATLAB file errors.
pub(super) fn write(results: &Results<'_>, folder: &Path, progress: &Progress) -> Result<()> {
    let Results { inputs, grid, planes, .. } = *results;
    let (rows, columns) = (inputs.stack.row_count(), inputs.phase.column_count());
    let phase = progress.phase("writing pm1.mat", 3 * columns as u64, "columns");
    let cells = grid.cell_count();
    let mut patch_phase = Columns::new(
        rows,
        columns,
        |column| {
            let plane = &planes.filtered[column * cells..][..cells];
            Ok(grid.places.iter().map(|&place| unit_phasor(plane[place as usize])).collect())
        },
        &phase,
    );
    let mut residual =
        Columns::new(rows, columns, |column| results.estimates.residual_rad.column(column), &phase);
    let mut weighted =
        Columns::new(rows, columns, |column| weighted_column(results, column), &phase);
    let silent = Progress::silent();
    let grid_phase = silent.phase("", 0, "");
    let mut gridded = Columns::new(
        cells,
        columns,
        |column| Ok(planes.gridded[column * cells..][..cells].to_vec()),
        &grid_phase,
    );
    let dims = vec![rows, columns];
    let grid_dims = vec![grid.shape[0], grid.shape[1], columns];
    let mut streamed = [
        Streamed {
            name: "ph_patch",
            element: ElementType::C32,
            dims: dims.clone(),
            source: &mut patch_phase,
        },
        Streamed {
            name: "ph_res",
            element: ElementType::F32,
            dims: dims.clone(),
            source: &mut residual,
        },
        Streamed { name: "ph_weight", element: ElementType::C32, dims, source: &mut weighted },
        Streamed {
            name: "ph_grid",
            element: ElementType::C32,
            dims: grid_dims,
            source: &mut gridded,
        },
    ];
    write_streamed(folder, "pm1.mat", &mut streamed, &small_variables(results))
}

/// Writes the `pm1.mat` of a patch without candidates: every variable, none with a row.
///
/// # Errors
/// I/O and MATLAB file errors.
pub(super) fn write_empty(stack: &Stack, settings: &Settings, folder: &Path) -> Result<()> {
    let columns = stack.measured().len();
    let low_pass =
        LowPass::new(settings.window, settings.cell_size_m, settings.low_pass_wavelength_m);
    let mut variables = Variables::new();
    for name in ["ph_patch", "ph_weight"] {
        variables.insert(name, matrix(0, columns, NumericData::C32(Vec::new())));
    }
    variables.insert("ph_res", matrix(0, columns, NumericData::F32(Vec::new())));
    let no_cells = Numeric::new(vec![0, 0, columns], NumericData::C32(Vec::new()));
    let no_cells = no_cells.expect("invariant: no elements");
    variables.insert("ph_grid", Value::Numeric(no_cells));
    for name in ["K_ps", "C_ps", "coh_ps", "N_opt", "coh_ps_save"] {
        variables.insert(name, Value::column_f64(&[]));
    }
    variables.insert("grid_ij", matrix(0, 2, NumericData::F32(Vec::new())));
    for name in ["Nr_max_nz_ix", "i_loop", "gamma_change_save"] {
        variables.insert(name, Value::scalar(0.0));
    }
    variables.insert("step_number", Value::scalar(1.0));
    variables.insert("n_trial_wraps", wraps_value(f64::NAN, stack.single_precision));
    variables.insert("grid_size", Value::scalar(settings.cell_size_m));
    variables.insert("low_pass", low_pass_value(&low_pass));
    variables.insert("Nr", Value::row_f64(&[0.0; BIN_COUNT]));
    variables.insert("coh_bins", Value::row_f64(&bin_centres()));
    write_variables(folder, "pm1.mat", &variables)
}

/// `ph_weight` as it was gridded in the last iteration, with the slopes and weights of before.
fn weighted_column(results: &Results<'_>, column: usize) -> Result<Vec<Complex<f32>>> {
    let rows = results.inputs.stack.row_count();
    let outcome = results.outcome;
    let mut samples = WeightedPhase::default();
    let (slope, weight) = (&outcome.gridded_slope_rad_per_m, &outcome.gridded_weight);
    samples.read(results.inputs, column, 0..rows, slope, weight)?;
    Ok(samples.re.iter().zip(&samples.im).map(|(&re, &im)| Complex::new(re, im)).collect())
}

fn small_variables(results: &Results<'_>) -> Variables {
    let Results { inputs, grid, estimates, outcome, .. } = *results;
    let rows = inputs.stack.row_count();
    let mut variables = Variables::new();
    let mut set = |name: &str, value: Value| {
        variables.insert(name, value);
    };
    set("K_ps", Value::column_f64(&estimates.slope_rad_per_m));
    set("C_ps", Value::column_f64(&estimates.offset_rad));
    set("coh_ps", Value::column_f64(&estimates.coherence));
    let estimated: Vec<f64> =
        estimates.estimated.iter().map(|&made| f64::from(u8::from(made))).collect();
    set("N_opt", Value::column_f64(&estimated));
    set("step_number", Value::scalar(1.0));
    set("n_trial_wraps", wraps_value(inputs.trial_wraps, inputs.stack.single_precision));
    let cells = (0..2).flat_map(|axis| grid.row_cells.iter().map(move |cell| cell[axis]));
    set("grid_ij", matrix(rows, 2, NumericData::F32(cells.collect())));
    set("grid_size", Value::scalar(results.cell_size_m));
    set("low_pass", low_pass_value(results.low_pass));
    set("i_loop", count(outcome.iterations));
    set("Nr", Value::row_f64(&outcome.reference.counts));
    set("Nr_max_nz_ix", count(outcome.reference.occupied));
    set("coh_bins", Value::row_f64(&bin_centres()));
    set("coh_ps_save", Value::column_f64(&estimates.coherence));
    set("gamma_change_save", Value::scalar(outcome.coherence_change));
    variables
}

fn low_pass_value(low_pass: &LowPass) -> Value {
    let side = low_pass.window();
    matrix(side, side, NumericData::F64(low_pass.values().to_vec()))
}

/// `n_trial_wraps` in the class of the baselines it was computed from.
fn wraps_value(trial_wraps: f64, single_precision: bool) -> Value {
    if single_precision {
        #[expect(clippy::cast_possible_truncation, reason = "a single-precision value")]
        return Value::column_f32(&[trial_wraps as f32]);
    }
    Value::scalar(trial_wraps)
}
