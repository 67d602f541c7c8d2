//! Takes the linear step from the best trial and measures what is left.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]
#![expect(clippy::needless_range_loop, reason = "a lane indexes several arrays at once")]

use super::Rounding;
use super::group::{Census, GroupFit, LANES, Samples};
use super::trials::{BestTrials, Step};
use crate::elementary::{atan2, sin_cos_each, wrap};

/// Memory of the linear step, lane after lane for every column.
#[derive(Clone, Debug)]
pub(super) struct Refinement {
    /// Angles of the phasors; with the trial slope removed, from the direction of their sum; in the
    /// end the residual, rad.
    angle_rad: Vec<f64>,
    cos: Vec<f64>,
    sin: Vec<f64>,
}

/// Sum of the phasors with the trial slope removed.
struct Direction {
    angle_rad: [f64; LANES],
    /// The phasors cancel: there is no direction, and the angles are from the real axis.
    cancelled: [bool; LANES],
}

impl Refinement {
    /// Memory for `columns` samples a row.
    pub(super) fn new(columns: usize) -> Self {
        let zeros = vec![0.0; columns * LANES];
        Self { angle_rad: zeros.clone(), cos: zeros.clone(), sin: zeros }
    }

    /// The residual phase, rad.
    #[inline(always)]
    pub(super) fn residual_rad(&self) -> &[f64] {
        &self.angle_rad
    }

    /// For every column, the step from one trial to the next.
    #[inline(always)]
    pub(super) fn trial_steps(
        &mut self,
        samples: &Samples,
        census: &Census,
    ) -> impl Iterator<Item = Step<LANES>> {
        let lanes = self.angle_rad.as_chunks_mut::<LANES>().0.iter_mut();
        for (angle, bperp_m) in lanes.zip(samples.bperp_m.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                angle[lane] = bperp_m[lane] * census.slope_step[lane];
            }
        }
        sin_cos_each(&self.angle_rad, &mut self.sin, &mut self.cos);
        let lanes = self.angle_rad.as_chunks().0.iter().zip(self.cos.as_chunks().0);
        let lanes = lanes.zip(self.sin.as_chunks().0);
        lanes.map(|((angle, cos), sin)| Step { angle_rad: *angle, cos: *cos, sin: *sin })
    }

    /// Steps 2 and 3 of the algorithm.
    ///
    /// Works on angles: one arc tangent a sample serves the linear step and the residual, and the
    /// sum over the trial slope is the one that made it win. This differs from turning phasors by
    /// double rounding.
    #[inline(always)]
    pub(super) fn refine(
        &mut self,
        samples: &Samples,
        census: &Census,
        best: &BestTrials,
        rounding: Rounding,
    ) -> GroupFit {
        let slopes_single = rounding == Rounding::Single;
        let results_single = rounding != Rounding::Double;
        let mut start = [0.0; LANES];
        for lane in 0..LANES {
            start[lane] = rounded(best.multiplier[lane] * census.slope_step[lane], slopes_single);
        }
        let direction = direction(best, census, &start);
        self.angles_from(samples, &direction, &start);
        let step = self.linear_step(samples, &direction);
        let (mut slope, mut change) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            slope[lane] = rounded(start[lane] + step[lane], slopes_single);
            change[lane] = slope[lane] - start[lane];
        }
        self.angles_to_residuals(samples, &change, &direction.angle_rad);
        let [re, im] = self.sum_of_residuals(samples);
        let (mut offset_rad, mut coherence) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            offset_rad[lane] = rounded(atan2(im[lane], re[lane]), results_single);
            let modulus = (re[lane] * re[lane] + im[lane] * im[lane]).sqrt();
            coherence[lane] = rounded(modulus / census.weight_sum[lane], results_single);
        }
        GroupFit { slope_rad_per_m: slope, offset_rad, coherence, trial_margin: best.margin }
    }

    /// Angles of the phasors with the slope removed, from `direction`.
    #[inline(always)]
    fn angles_from(&mut self, samples: &Samples, direction: &Direction, slope: &[f64; LANES]) {
        for ((angle, re), im) in self.angle_rad.iter_mut().zip(&samples.re).zip(&samples.im) {
            *angle = atan2(*im, *re);
        }
        let baselines = samples.bperp_m.as_chunks::<LANES>().0;
        for (angle, bperp_m) in self.angle_rad.as_chunks_mut::<LANES>().0.iter_mut().zip(baselines)
        {
            for lane in 0..LANES {
                let turn = slope[lane] * bperp_m[lane] + direction.angle_rad[lane];
                angle[lane] = wrap(angle[lane] - turn);
            }
        }
    }

    /// Weighted least squares of the angles against the baselines, without intercept, rad/m.
    #[inline(always)]
    fn linear_step(&self, samples: &Samples, direction: &Direction) -> [f64; LANES] {
        let (mut numerator, mut denominator) = ([0.0; LANES], [0.0; LANES]);
        let lanes = self
            .angle_rad
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(samples.bperp_m.as_chunks::<LANES>().0)
            .zip(samples.weight.as_chunks::<LANES>().0);
        for ((angle, bperp_m), weight) in lanes {
            for lane in 0..LANES {
                let weighted = weight[lane] * weight[lane] * bperp_m[lane];
                numerator[lane] += weighted * angle[lane];
                denominator[lane] += weighted * bperp_m[lane];
            }
        }
        let mut step = [0.0; LANES];
        for lane in 0..LANES {
            let quotient = numerator[lane] / denominator[lane];
            // NaN stays: a baseline that is no number leaves no slope even so.
            step[lane] = if direction.cancelled[lane] { 0.0 * quotient } else { quotient };
        }
        step
    }

    /// Turns angles from the direction into residuals: `angle + turn - change * bperp`, wrapped.
    #[inline(always)]
    fn angles_to_residuals(
        &mut self,
        samples: &Samples,
        change: &[f64; LANES],
        turn: &[f64; LANES],
    ) {
        // NaN for the rows that could not be fitted.
        let nothing = change.map(|change| (0.0 * change).abs());
        let lanes = self
            .angle_rad
            .as_chunks_mut::<LANES>()
            .0
            .iter_mut()
            .zip(samples.bperp_m.as_chunks::<LANES>().0)
            .zip(samples.weight.as_chunks::<LANES>().0);
        for ((angle, bperp_m), weight) in lanes {
            for lane in 0..LANES {
                let residual = wrap(angle[lane] + turn[lane] - change[lane] * bperp_m[lane]);
                angle[lane] = if weight[lane] == 0.0 { nothing[lane] } else { residual };
            }
        }
    }

    #[inline(always)]
    fn sum_of_residuals(&mut self, samples: &Samples) -> [[f64; LANES]; 2] {
        sin_cos_each(&self.angle_rad, &mut self.sin, &mut self.cos);
        let mut sum = [[0.0; LANES]; 2];
        let lanes = self
            .cos
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(self.sin.as_chunks::<LANES>().0)
            .zip(samples.weight.as_chunks::<LANES>().0);
        for ((cos, sin), weight) in lanes {
            for lane in 0..LANES {
                sum[0][lane] += weight[lane] * cos[lane];
                sum[1][lane] += weight[lane] * sin[lane];
            }
        }
        sum
    }
}

/// Direction of the sum over the slopes `start`, which are the best trials' up to rounding.
///
/// Rounding a trial slope to single precision turns the sum by some 1e-7 rad. That turn is taken from
/// the sums of the neighbouring trials, which give it to some ten percent; summing again would cost
/// a sine and a cosine a sample for nothing else.
#[inline(always)]
fn direction(best: &BestTrials, census: &Census, start: &[f64; LANES]) -> Direction {
    let (mut angle_rad, mut cancelled) = ([0.0; LANES], [false; LANES]);
    for lane in 0..LANES {
        let (re, im) = (best.sum[0][lane], best.sum[1][lane]);
        cancelled[lane] = re.abs() + im.abs() == 0.0;
        let offset = start[lane] / census.slope_step[lane] - best.multiplier[lane];
        let re = re + offset * best.gradient[0][lane];
        let im = im + offset * best.gradient[1][lane];
        angle_rad[lane] = atan2(im, re);
    }
    Direction { angle_rad, cancelled }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to single is the purpose")]
#[inline(always)]
fn rounded(value: f64, single: bool) -> f64 {
    if single { f64::from(value as f32) } else { value }
}
