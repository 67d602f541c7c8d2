//! Repeats the estimate until the coherence settles (stage2.md 5, 6).

use pystamps_kernels::topofit::Rounding;

use super::estimate::{Estimates, Estimator, Planes};
use super::inputs::Settings;
use super::reference_histogram::ReferenceHistogram;
use super::weighting::{by_probability, by_signal_to_noise};
use crate::error::Result;
use crate::progress::Progress;
use crate::samples::row_blocks;

/// Rows whose signal to noise is computed at a time.
const BLOCK_ROWS: usize = 1024;

/// How the iteration ended.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Iterations done.
    pub(super) iterations: usize,
    /// Root mean square change of coherence in the last iteration.
    pub(super) coherence_change: f64,
    /// Slopes and weights that the last grid was made with.
    pub(super) gridded_slope_rad_per_m: Vec<f64>,
    pub(super) gridded_weight: Vec<f64>,
    /// The reference histogram as it was scaled last.
    pub(super) reference: ReferenceHistogram,
}

/// Estimates coherence again and again, each time with weights from the last estimate.
///
/// # Errors
/// As `by_probability`; I/O errors.
pub(super) fn iterate(
    estimator: &Estimator<'_>,
    settings: &Settings,
    mut reference: ReferenceHistogram,
    estimates: &mut Estimates,
    planes: &mut Planes,
    progress: &Progress,
) -> Result<Outcome> {
    let mut weight = initial_weights(&estimator.inputs.amplitude_dispersion, progress);
    let mut saved = estimates.coherence.clone();
    let mut change_before = 0.0;
    let mut iteration = 1;
    loop {
        let gridded_slope_rad_per_m = estimates.slope_rad_per_m.clone();
        let columns = estimator.inputs.phase.column_count() as u64;
        let name = format!("iteration {iteration}, filtering");
        let filtering = progress.phase(name, columns, "interferograms");
        estimator.estimate_planes(&gridded_slope_rad_per_m, &weight, planes, &filtering)?;
        drop(filtering);
        let name = format!("iteration {iteration}, estimating coherence");
        let rows = estimates.coherence.len() as u64;
        let fitting = progress.phase(name, rows, "candidates");
        estimator.fit(&planes.filtered, estimates, &fitting)?;
        drop(fitting);
        let change = root_mean_square_difference(&estimates.coherence, &saved);
        let settled = (change - change_before).abs() < settings.convergence;
        change_before = change;
        saved.clone_from(&estimates.coherence);
        if settled || iteration >= settings.most_iterations {
            return Ok(Outcome {
                iterations: iteration,
                coherence_change: change,
                gridded_slope_rad_per_m,
                gridded_weight: weight,
                reference,
            });
        }
        iteration += 1;
        weight = if settings.weights_by_probability {
            let network = estimator.inputs.stack.network;
            by_probability(&estimates.coherence, &mut reference, network)?
        } else {
            signal_to_noise(estimator, estimates)?
        };
    }
}

/// Weights of the first iteration: the inverse amplitude dispersion.
///
/// # StaMPS compatibility
/// A dispersion of 0 has an infinite weight in the original, which voids its surroundings; here it
/// counts as the least one above 0. One that is no number counts as 1.
fn initial_weights(amplitude_dispersion: &[f64], progress: &Progress) -> Vec<f64> {
    let usable = |dispersion: f64| dispersion > 0.0 && dispersion.is_finite();
    let least = amplitude_dispersion.iter().copied().filter(|&d| usable(d)).reduce(f64::min);
    let odd = amplitude_dispersion.iter().filter(|&&dispersion| !usable(dispersion)).count();
    if odd > 0 {
        progress.note(&format!("{odd} candidates have an amplitude dispersion of 0 or none"));
    }
    amplitude_dispersion
        .iter()
        .map(|&dispersion| match dispersion {
            _ if usable(dispersion) => 1.0 / dispersion,
            0.0 => 1.0 / least.unwrap_or(1.0),
            _ => 1.0,
        })
        .collect()
}

fn root_mean_square_difference(now: &[f64], before: &[f64]) -> f64 {
    let squares: f64 = now.iter().zip(before).map(|(now, before)| (now - before).powi(2)).sum();
    (squares / now.len() as f64).sqrt()
}

/// Weights by signal to noise: residual phase against the amplitudes of the interferograms.
fn signal_to_noise(estimator: &Estimator<'_>, estimates: &Estimates) -> Result<Vec<f64>> {
    let phase = &estimator.inputs.phase;
    let columns = phase.column_count();
    let mut weights = Vec::with_capacity(estimates.coherence.len());
    for rows in row_blocks(estimates.coherence.len(), BLOCK_ROWS) {
        let count = rows.len();
        let mut amplitudes = vec![0.0_f32; count * columns];
        let mut residual_rad = amplitudes.clone();
        let (mut re, mut im) = (vec![0.0; count], vec![0.0; count]);
        let mut column_residual = vec![0.0; count];
        for column in 0..columns {
            phase.read(column, rows.clone(), &mut re, &mut im)?;
            estimates.residual_rad.read(column, rows.clone(), &mut column_residual)?;
            for n in 0..count {
                let amplitude = re[n].hypot(im[n]);
                amplitudes[n * columns + column] = if amplitude == 0.0 { 1.0 } else { amplitude };
                residual_rad[n * columns + column] = column_residual[n];
            }
        }
        let rows = amplitudes.chunks_exact(columns).zip(residual_rad.chunks_exact(columns));
        weights.extend(rows.map(|(amplitudes, residual)| by_signal_to_noise(amplitudes, residual)));
    }
    Ok(weights)
}

/// How fits are rounded: as the original's classes would, by the class of the baselines
/// (stage2.md 4, class table).
pub(crate) const fn rounding(single_baselines: bool) -> Rounding {
    if single_baselines { Rounding::Single } else { Rounding::SingleResults }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_dispersions_never_give_infinite_weights() {
        let weights = initial_weights(&[0.25, 0.0, f64::NAN, 0.5], &Progress::silent());
        assert_eq!(weights, [4.0, 4.0, 1.0, 2.0]);
    }

    #[test]
    fn change_of_coherence() {
        assert_eq!(root_mean_square_difference(&[0.3, 0.5], &[0.0, 0.1]), 0.125_f64.sqrt());
    }
}
