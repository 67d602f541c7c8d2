//! Rejects candidates whose coherence varies much from one choice of interferograms to another
//! (stage3.md 5).

use num_complex::Complex;
use pystamps_kernels::random::{MatlabV5Uniform, OctaveTwister, STAMPS_SEED, UniformGenerator};

use crate::stage::RandomEngine;

/// Choices of interferograms.
const RESAMPLES: usize = 100;

/// Choices of as many interferograms as there are, with replacement.
///
/// # StaMPS compatibility
/// The original means to draw 100 choices for every candidate but stops at a misspelt name. Here
/// the 100 choices are the same for every candidate, so that no result depends on another.
#[derive(Debug)]
pub(super) struct Resamples {
    /// Columns of every choice, one choice after another.
    choices: Vec<Vec<usize>>,
}

impl Resamples {
    /// Draws choices among `columns` interferograms.
    pub(super) fn draw(engine: RandomEngine, columns: usize) -> Self {
        match engine {
            RandomEngine::Matlab => {
                Self::from_generator(MatlabV5Uniform::new(STAMPS_SEED), columns)
            }
            RandomEngine::Octave => Self::from_generator(OctaveTwister::new(STAMPS_SEED), columns),
        }
    }

    /// The matrix of draws is filled column by column, as both engines do.
    fn from_generator(mut generator: impl UniformGenerator, columns: usize) -> Self {
        let mut choices = vec![vec![0; columns]; RESAMPLES];
        for position in 0..columns {
            for choice in &mut choices {
                let draw = generator.next_uniform() * columns as f64;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a draw from 0 to the number of columns"
                )]
                let one_based = draw.ceil() as usize;
                choice[position] = one_based.clamp(1, columns) - 1;
            }
        }
        Self { choices }
    }

    /// Standard deviation of the coherence of one candidate over all choices; its residual phase in
    /// every interferogram, rad.
    pub(super) fn deviation(&self, residual_rad: &[f64]) -> f64 {
        let phasors: Vec<Complex<f64>> =
            residual_rad.iter().map(|&phase| Complex::from_polar(1.0, phase)).collect();
        let coherence: Vec<f64> = self
            .choices
            .iter()
            .map(|choice| {
                let sum: Complex<f64> = choice.iter().map(|&column| phasors[column]).sum();
                sum.norm() / choice.len() as f64
            })
            .collect();
        let mean = coherence.iter().sum::<f64>() / RESAMPLES as f64;
        let squares: f64 = coherence.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (RESAMPLES - 1) as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_phase_does_not_vary() {
        let resamples = Resamples::draw(RandomEngine::Matlab, 20);
        assert!(resamples.deviation(&[0.7; 20]) < 1e-14);
        let scattered: Vec<f64> = (0..20).map(|k| f64::from(k * k % 7)).collect();
        let deviation = resamples.deviation(&scattered);
        assert!(deviation > 0.05 && deviation < 0.5, "{deviation}");
    }
}
