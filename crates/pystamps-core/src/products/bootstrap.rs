//! Standard deviation of the mean velocity, by drawing interferograms again and again.
//!
//! The slope of one resample is a fixed weighted sum of the phases, so that the variance over all of
//! them is a quadratic form: its matrix is made once, and no resample is ever computed for a PS.

use pystamps_kernels::look_angle_error::line_weights;
use rayon::prelude::*;

use super::velocity::VelocitySeries;
use crate::error::Result;
use crate::progress::Progress;
use crate::samples::row_blocks;
use crate::scratch::Room;

/// PS whose phase is held at a time by a thread.
const BLOCK_ROWS: usize = 1024;
/// Fewer columns, and every resample has the same slope: nothing can be said of its deviation.
const LEAST_COLUMNS: usize = 3;
/// Draws after which a resample with one date only is given up.
const MOST_DRAWS: usize = 1000;

/// How resamples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bootstrap {
    /// Number of resamples; 0 for no standard deviation.
    pub resamples: u32,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 200, seed: 1 }
    }
}

/// Standard deviation of the slope of every PS, rad a day; NaN where a phase is, and for fewer than three
/// columns.
///
/// # StaMPS compatibility
/// `ps_mean_v`, products.md 4: the covariance is not reordered with the resample, the deviation has
/// N - 1. The original seeds its generator from the clock; a resample of one date only, whose slope
/// is undetermined, is drawn again.
///
/// # Errors
/// `covariance-impossible`; I/O errors.
pub(crate) fn slope_deviation(
    series: &VelocitySeries,
    bootstrap: Bootstrap,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<Vec<f64>> {
    let rows = series.phase.row_count();
    if series.columns.len() < LEAST_COLUMNS {
        return Ok(vec![f64::NAN; rows]);
    }
    let matrix = SlopeCovariance::of(series, bootstrap)?;
    let count = series.columns.len();
    let mut kept = room.columns(rows, count)?;
    series.phase.each(&series.columns, |place, phase_rad| kept.write(place, 0, phase_rad))?;
    let counted = progress.phase("deviation of the velocity", rows as u64, "PS");
    let blocks: Vec<Vec<f64>> = row_blocks(rows, BLOCK_ROWS)
        .into_par_iter()
        .map(|block| {
            let mut phase_rad = vec![0.0_f32; count * block.len()];
            for (place, out) in phase_rad.chunks_exact_mut(block.len()).enumerate() {
                kept.read(place, block.clone(), out)?;
            }
            counted.advance(block.len() as u64);
            Ok(matrix.deviations(&phase_rad, block.len()))
        })
        .collect::<Result<_>>()?;
    Ok(blocks.concat())
}

/// Covariance of the weights over the resamples.
struct SlopeCovariance {
    count: usize,
    values: Vec<f64>,
}

impl SlopeCovariance {
    fn of(series: &VelocitySeries, bootstrap: Bootstrap) -> Result<Self> {
        let count = series.days.len();
        let mut random = SplitMix64(bootstrap.seed);
        let mut weights: Vec<Vec<f64>> = Vec::new();
        for _ in 0..bootstrap.resamples {
            let drawn = resample(&series.days, &mut random);
            let days: Vec<f64> = drawn.iter().map(|&place| series.days[place]).collect();
            let fitted = line_weights(&days, &series.covariance);
            // The whole series has been weighed with this covariance already.
            let Ok([_, slope]) = fitted else {
                series.weights()?;
                continue;
            };
            let mut folded = vec![0.0; count];
            for (&place, weight) in drawn.iter().zip(slope) {
                folded[place] += weight;
            }
            weights.push(folded);
        }
        let mean = |place: usize| {
            weights.iter().map(|of| of[place]).sum::<f64>() / weights.len().max(1) as f64
        };
        let means: Vec<f64> = (0..count).map(mean).collect();
        let mut values = vec![0.0; count * count];
        for of in &weights {
            for a in 0..count {
                for b in 0..count {
                    values[a * count + b] += (of[a] - means[a]) * (of[b] - means[b]);
                }
            }
        }
        let divisor = weights.len().saturating_sub(1).max(1) as f64;
        for value in &mut values {
            *value /= divisor;
        }
        Ok(Self { count, values })
    }

    /// Deviations of `rows` PS whose phases are given column by column.
    fn deviations(&self, phase_rad: &[f32], rows: usize) -> Vec<f64> {
        let mut variance = vec![0.0_f64; rows];
        let column = |place: usize| &phase_rad[place * rows..(place + 1) * rows];
        let mut weighed = vec![0.0_f64; rows];
        for a in 0..self.count {
            weighed.fill(0.0);
            // The matrix is symmetric: half of it, twice.
            for b in 0..=a {
                let factor = if a == b { 1.0 } else { 2.0 } * self.values[a * self.count + b];
                for (sum, &value) in weighed.iter_mut().zip(column(b)) {
                    *sum += factor * f64::from(value);
                }
            }
            for ((sum, &weighed), &value) in variance.iter_mut().zip(&weighed).zip(column(a)) {
                *sum += weighed * f64::from(value);
            }
        }
        // Rounding may leave a vanishing variance below 0.
        variance.into_iter().map(|value| if value < 0.0 { 0.0 } else { value.sqrt() }).collect()
    }
}

/// As many places as there are `days`, drawn with replacement, not all of one day.
fn resample(days: &[f64], random: &mut SplitMix64) -> Vec<usize> {
    let mut drawn = Vec::new();
    for _ in 0..MOST_DRAWS {
        drawn = (0..days.len()).map(|_| random.below(days.len())).collect();
        if drawn.iter().any(|&place: &usize| days[place] != days[drawn[0]]) {
            break;
        }
    }
    drawn
}

/// Steele, Lea and Flood's generator (2014): small, and the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of the bound"
    )]
    fn below(&mut self, bound: usize) -> usize {
        let fraction = (self.next() >> 11) as f64 / 2_f64.powi(53);
        (fraction * bound as f64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        let mut random = SplitMix64(1_234_567);
        // The published test vector of the algorithm.
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!(expected, [random.next(), random.next()]);
    }

    #[test]
    fn the_quadratic_form_is_the_variance_over_resamples() {
        let matrix = SlopeCovariance { count: 2, values: vec![2.0, -1.0, -1.0, 3.0] };
        let phase = [1.0, 0.0, f32::NAN, 2.0, 0.0, 1.0];
        let deviations = matrix.deviations(&phase, 3);
        assert!((deviations[0].powi(2) - (2.0 - 4.0 + 12.0)).abs() < 1e-12);
        assert_eq!(deviations[1], 0.0);
        assert!(deviations[2].is_nan());
    }

    #[test]
    fn a_resample_is_never_of_one_day() {
        let mut random = SplitMix64(1);
        for _ in 0..200 {
            let drawn = resample(&[0.0, 1.0], &mut random);
            assert_ne!(drawn[0], drawn[1]);
        }
    }
}
