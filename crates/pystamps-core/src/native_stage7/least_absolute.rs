//! Fits the look-angle error of every PS by least absolute deviations.

use pystamps_kernels::look_angle_error::{SlopeWeights, slope_least_absolute};
use rayon::prelude::*;

use crate::error::Result;
use crate::progress::Progress;
use crate::samples::row_blocks;
use crate::scratch::ScratchColumns;

/// PS whose observations are held at a time.
const BLOCK_ROWS: usize = 4096;

/// What is fitted.
pub(super) struct Observations<'a> {
    /// One column an observation, rad.
    pub(super) phase_rad: &'a ScratchColumns,
    /// Baseline of every observation, m.
    pub(super) bperp_m: &'a [f64],
    /// Days that each spans, where the velocity is fitted too.
    pub(super) interval_days: Option<&'a Vec<f64>>,
    /// The least-squares fit, where the search begins.
    pub(super) weights: &'a SlopeWeights,
}

/// Slope of every PS, rad/m.
///
/// # StaMPS compatibility
/// `scla_method = L1`, stage7.md 4, step 12: a simplex search from the least-squares solution.
///
/// # Errors
/// I/O errors.
pub(super) fn least_absolute_slopes(
    fit: &Observations<'_>,
    rows: usize,
    progress: &Progress,
) -> Result<Vec<f64>> {
    let counted = progress.phase("least absolute deviations", rows as u64, "PS");
    let columns = fit.bperp_m.len();
    let mut slopes = Vec::with_capacity(rows);
    for block in row_blocks(rows, BLOCK_ROWS) {
        let mut held = vec![0.0_f32; columns * block.len()];
        for (column, out) in held.chunks_exact_mut(block.len()).enumerate() {
            fit.phase_rad.read(column, block.clone(), out)?;
        }
        let of_block = (0..block.len()).into_par_iter().map(|row| {
            let series = held[row..].iter().step_by(block.len()).map(|&value| f64::from(value));
            let series: Vec<f64> = series.collect();
            let interval_days = fit.interval_days.map(Vec::as_slice);
            let start = fit.weights.coefficients(&series);
            slope_least_absolute(&series, fit.bperp_m, interval_days, &start)
        });
        slopes.par_extend(of_block);
        counted.advance(block.len() as u64);
    }
    Ok(slopes)
}
