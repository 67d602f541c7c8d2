//! Defines the highest coherence that resampling gives a scatterer when patches are merged.

use crate::elementary::sin_cos;

/// Phase noise that no scatterer is believed to be below, rad: 10 degrees.
const PHASE_ACCURACY_RAD: f64 = 10.0 * std::f64::consts::PI / 180.0;

/// [`merge_max_coherence`] of MATLAB's 1,000 numbers after `randn('state', 1001)` (stage5.md B).
/// Octave's give 0.983 993 62. It acts only where merging resamples to a grid.
pub const MATLAB_MERGE_MAX_COHERENCE: f64 = 0.985_723_131_556_56;

/// Coherence of phase noise of 10 degrees drawn as `draws`, numbers with normal distribution and
/// variance 1: `|sum exp(j s0 r)| / n`.
pub fn merge_max_coherence(draws: &[f64]) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for draw in draws {
        let (sin, cos) = sin_cos(PHASE_ACCURACY_RAD * draw);
        re += cos;
        im += sin;
    }
    (re * re + im * im).sqrt() / draws.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_lowers_coherence() {
        assert_eq!(merge_max_coherence(&[0.0; 4]), 1.0);
        // A quarter of a turn apart: 9 draws of 10 degrees.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert!((merge_max_coherence(&[0.0, 9.0]) - half).abs() < 1e-15);
        // Normal noise of variance s² has coherence exp(-s²/2); MATLAB's thousand draws come near
        // it.
        let expected = (-PHASE_ACCURACY_RAD.powi(2) / 2.0).exp();
        assert!((MATLAB_MERGE_MAX_COHERENCE - expected).abs() < 2e-3);
    }
}
