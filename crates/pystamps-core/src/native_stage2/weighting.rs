//! How much each candidate counts in the next estimate of the spatially correlated phase
//! (stage2.md 6).

use pystamps_kernels::gauss_window::gauss_window;
use pystamps_kernels::histogram::histogram;
use pystamps_kernels::interpolate::interpolate;

use super::reference_histogram::ReferenceHistogram;
use crate::error::{Diagnostic, Result};
use crate::project::stack::Network;

/// Bins of coherence.
pub(crate) const BIN_COUNT: usize = 100;
/// Length of the smoothing window, bins.
const SMOOTHING_BINS: usize = 7;
/// Shape of that window: its half width in standard deviations.
const GAUSS_ALPHA: f64 = 2.5;
/// Samples that interpolation makes of one bin.
const SAMPLES_A_BIN: usize = 10;

/// Centres of the bins of coherence: 0.005, 0.015, … 0.995.
pub(crate) fn bin_centres() -> Vec<f64> {
    (0..BIN_COUNT).map(|bin| 0.005 + 0.01 * bin as f64).collect()
}

/// Bins of coherence so low that only random phase has it.
pub(crate) const fn low_coherence_bins(network: Network) -> usize {
    match network {
        Network::SingleMaster => 31,
        Network::SmallBaselines => 15,
    }
}

/// Weights by the probability that a candidate is not random ("P-square"). The reference histogram
/// is scaled to the candidates of low coherence and stays so.
///
/// # Errors
/// `no-low-coherence` if no candidate, or no random phase, has low coherence: the histograms cannot
/// be compared then.
pub(super) fn by_probability(
    coherence: &[f64],
    reference: &mut ReferenceHistogram,
    network: Network,
) -> Result<Vec<f64>> {
    let low = low_coherence_bins(network);
    let mut observed = histogram(coherence, &bin_centres());
    let observed_low: f64 = observed[..low].iter().sum();
    let random_low: f64 = reference.counts[..low].iter().sum();
    if observed_low == 0.0 || random_low == 0.0 {
        return Err(no_low_coherence(coherence.len(), low, observed_low == 0.0).data());
    }
    for count in &mut reference.counts {
        *count = *count * observed_low / random_low;
    }
    for count in &mut observed {
        if *count == 0.0 {
            *count = 1.0;
        }
    }
    let random_probability = sampled_probability(&observed, reference, low);
    Ok(coherence
        .iter()
        .map(|&coherence| (1.0 - random_probability[sample_of(coherence)]).powi(2))
        .collect())
}

/// Probability of being random at coherence 0, 0.001, … 1.
fn sampled_probability(observed: &[f64], reference: &ReferenceHistogram, low: usize) -> Vec<f64> {
    let mut probability: Vec<f64> = reference
        .counts
        .iter()
        .zip(observed)
        .enumerate()
        .map(|(bin, (random, observed))| match bin {
            // With many interferograms random phase does not even reach the end of the low bins.
            _ if bin >= reference.occupied => 0.0,
            _ if bin < low => 1.0,
            _ => (random / observed).min(1.0),
        })
        .collect();
    smooth(&mut probability);
    probability.insert(0, 1.0);
    let mut samples = interpolate(&probability, SAMPLES_A_BIN);
    samples.truncate(samples.len() - (SAMPLES_A_BIN - 1));
    samples
}

/// Smooths causally: every bin becomes a weighted mean of itself and the six before it, ones before
/// the first. The shift of three bins is the original's.
fn smooth(values: &mut [f64]) {
    let window = gauss_window(SMOOTHING_BINS, GAUSS_ALPHA);
    let total: f64 = window.iter().sum();
    let padded: Vec<f64> =
        std::iter::repeat_n(1.0, SMOOTHING_BINS).chain(values.iter().copied()).collect();
    for (n, value) in values.iter_mut().enumerate() {
        let taps = window.iter().enumerate();
        let sum: f64 = taps.map(|(k, weight)| weight * padded[n + SMOOTHING_BINS - k]).sum();
        *value = sum / total;
    }
}

/// Place of a coherence among the samples; rounding may lift it a little above 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1000 after clamping"
)]
fn sample_of(coherence: f64) -> usize {
    (1000.0 * coherence).round().clamp(0.0, 1000.0) as usize
}

fn no_low_coherence(candidates: usize, low: usize, of_candidates: bool) -> Diagnostic {
    let whose = if of_candidates { "no candidate" } else { "no random phase" };
    let diagnostic =
        Diagnostic::new("no-low-coherence", "random and observed coherence cannot be compared")
            .variable("coh_ps, Nr")
            .expected(format!(
                "candidates and random phase with coherence up to {:.2}",
                low as f64 / 100.0
            ))
            .found(format!("{whose} of low coherence; {candidates} candidates"));
    if of_candidates {
        diagnostic.remedy(
            "add interferograms (with few, everything is coherent), or accept more candidates (a larger \
             amplitude dispersion in preparation)",
        )
    } else {
        diagnostic.remedy("add interferograms: with so few, random phase is always coherent")
    }
}

/// Weight by signal to noise of one candidate: its amplitudes and residual phases (rad).
pub(super) fn by_signal_to_noise(amplitudes: &[f32], residual_rad: &[f32]) -> f64 {
    let count = amplitudes.len() as f32;
    let (mut signal, mut power) = (0.0_f32, 0.0_f32);
    for (&amplitude, &residual) in amplitudes.iter().zip(residual_rad) {
        signal += amplitude * residual.cos();
        power += amplitude * amplitude;
    }
    let (signal, power) = (signal / count, power / count);
    // Rounding may leave a little less than nothing.
    let variance = 0.5 * (power - signal * signal);
    if variance <= 0.0 { 0.0 } else { f64::from(signal / variance.sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_looks_back_only() {
        let mut values = vec![1.0; 20];
        values[10..].fill(0.0);
        smooth(&mut values);
        assert!(values[..10].iter().all(|&value| (value - 1.0).abs() < 1e-12));
        let first = 0.043_936_93 / 2.999_874_84;
        assert!((values[10] - (1.0 - first)).abs() < 1e-6, "{}", values[10]);
        assert!(values[16..].iter().all(|&value| value.abs() < 1e-12));
    }

    #[test]
    fn probability_is_one_below_the_threshold_and_falls() {
        let mut reference = ReferenceHistogram { counts: vec![0.0; 100], occupied: 60 };
        reference.counts[..60].fill(100.0);
        let mut coherence: Vec<f64> = (0..100).map(|k| 0.003 * f64::from(k)).collect();
        coherence.extend([0.95; 50]);
        let weights = by_probability(&coherence, &mut reference, Network::SingleMaster).unwrap();
        assert!(weights[0] < 1e-6 && weights[80] < 1e-6);
        assert!(weights[140] > 0.999, "{}", weights[140]);
        // Scaled to the hundred candidates of low coherence, spread over 31 bins.
        let scaled: f64 = reference.counts[..31].iter().sum();
        assert!((scaled - 100.0).abs() < 1e-9);
    }

    #[test]
    fn what_random_phase_never_reaches_is_not_random() {
        // As with 300 interferograms: random coherence ends below the bins that count as low.
        let reference = ReferenceHistogram { counts: vec![1.0; 100], occupied: 20 };
        let probability = sampled_probability(&[1.0; 100], &reference, 31);
        assert!((probability[100] - 1.0).abs() < 1e-9);
        assert!(probability[320..].iter().all(|probability| probability.abs() < 1e-9));
    }

    #[test]
    fn without_low_coherence_nothing_can_be_scaled() {
        let mut reference = ReferenceHistogram { counts: vec![1.0; 100], occupied: 100 };
        let error = by_probability(&[0.9, 0.8], &mut reference, Network::SingleMaster).unwrap_err();
        assert_eq!(error.name(), "no-low-coherence");
        reference.counts[..31].fill(0.0);
        let error = by_probability(&[0.1, 0.8], &mut reference, Network::SingleMaster).unwrap_err();
        assert!(error.to_string().contains("add interferograms"), "{error}");
    }
}
