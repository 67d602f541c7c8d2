//! Writes `select1.mat` (stage3.md 7, matfiles.md).

use std::path::Path;

use num_complex::Complex;
use pystamps_mat::{ElementType, Value, Variables};

use super::inputs::Settings;
use super::selection::Selected;
use super::threshold::{Target, Threshold};
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, count, flags, write_streamed};
use crate::progress::Progress;
use crate::project::stack::Network;

/// Everything `select1.mat` is written from.
pub(super) struct Results<'a> {
    pub(super) settings: &'a Settings,
    pub(super) network: Network,
    pub(super) selected: &'a Selected,
    pub(super) kept: &'a [bool],
    pub(super) threshold: &'a Threshold,
    /// The thresholds that acted: one, or one for every candidate they were compared with.
    pub(super) threshold_values: Vec<f64>,
    pub(super) target: Target,
}

/// Writes `select1.mat` into `folder`.
///
/// # Errors
/// I/O and MATLAB file errors.
pub(super) fn write(results: &Results<'_>, folder: &Path, progress: &Progress) -> Result<()> {
    let selected = results.selected;
    let (rows, columns) = (selected.rows.len(), selected.residual_rad.column_count());
    let phase = progress.phase("writing select1.mat", 2 * columns as u64, "columns");
    let mut patch_phase = Columns::new(
        rows,
        columns,
        |column| {
            let (re, im) = (selected.patch_re.column(column)?, selected.patch_im.column(column)?);
            Ok(re.into_iter().zip(im).map(|(re, im)| Complex::new(re, im)).collect())
        },
        &phase,
    );
    let mut residual =
        Columns::new(rows, columns, |column| selected.residual_rad.column(column), &phase);
    let dims = vec![rows, columns];
    let mut streamed = [
        Streamed {
            name: "ph_patch2",
            element: ElementType::C32,
            dims: dims.clone(),
            source: &mut patch_phase,
        },
        Streamed { name: "ph_res2", element: ElementType::F32, dims, source: &mut residual },
    ];
    write_streamed(folder, "select1.mat", &mut streamed, &small_variables(results))
}

fn small_variables(results: &Results<'_>) -> Variables {
    let Results { settings, selected, .. } = *results;
    let mut variables = Variables::new();
    let mut set = |name: &str, value: Value| {
        variables.insert(name, value);
    };
    let one_based = |indices: &[usize]| -> Vec<f64> {
        indices.iter().map(|&index| (index + 1) as f64).collect()
    };
    set("ix", Value::column_f64(&one_based(&selected.rows)));
    set("keep_ix", flags(results.kept));
    set("K_ps2", Value::column_f64(&selected.slope_rad_per_m));
    set("C_ps2", Value::column_f64(&selected.offset_rad));
    set("coh_ps2", Value::column_f64(&selected.coherence));
    set("coh_thresh", Value::column_f64(&results.threshold_values));
    set(
        "coh_thresh_coeffs",
        match *results.threshold {
            Threshold::Constant(_) => Value::empty(),
            Threshold::Line { slope, intercept } => Value::row_f64(&[slope, intercept]),
        },
    );
    set("clap_alpha", Value::scalar(settings.clap_alpha));
    set("clap_beta", Value::scalar(settings.clap_beta));
    set("n_win", count(settings.window));
    set(
        "max_percent_rand",
        match results.target {
            Target::Count(target) => Value::column_f32(&[target]),
            Target::Percent(target) => Value::scalar(target),
        },
    );
    set("gamma_stdev_reject", Value::scalar(settings.largest_deviation));
    let flag = if results.network == Network::SmallBaselines { "y" } else { "n" };
    set("small_baseline_flag", Value::text(flag));
    set("ifg_index", Value::row_f64(&one_based(&settings.used)));
    variables
}
