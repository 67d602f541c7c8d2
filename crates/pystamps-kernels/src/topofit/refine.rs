//! Takes the linear step from the best trial and measures what is left.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::Rounding;
use super::group::{GroupFit, LANES, Samples};
use crate::elementary::{atan2, sin_cos, wrap};

/// Memory of the linear step, lane after lane for every column.
#[derive(Clone, Debug)]
pub(super) struct Refinement {
    /// Phasors with the trial slope removed.
    re: Vec<f64>,
    im: Vec<f64>,
    /// Their angles from the direction of their sum, then the residual, rad.
    angle_rad: Vec<f64>,
}

/// Sum of the phasors with the trial slope removed.
struct Direction {
    re: [f64; LANES],
    im: [f64; LANES],
    /// The phasors cancel: there is no direction, and the angles are from the real axis.
    cancelled: [bool; LANES],
}

impl Refinement {
    /// Memory for `columns` samples a row.
    pub(super) fn new(columns: usize) -> Self {
        let zeros = vec![0.0; columns * LANES];
        Self { re: zeros.clone(), im: zeros.clone(), angle_rad: zeros }
    }

    /// The residual phase, rad.
    #[inline(always)]
    pub(super) fn residual_rad(&self) -> &[f64] {
        &self.angle_rad
    }

    /// Steps 2 and 3 of the algorithm.
    ///
    /// The residual's angle is taken from the angles of the linear step, which spares an arc
    /// tangent a sample; it differs from the direct one by double rounding.
    #[inline(always)]
    pub(super) fn refine(
        &mut self,
        samples: &Samples,
        trial_slope: [f64; LANES],
        weight_sum: &[f64; LANES],
        trial_margin: [f64; LANES],
        rounding: Rounding,
    ) -> GroupFit {
        let start = trial_slope.map(|slope| rounded(slope, rounding));
        let direction = self.remove_slope(samples, &start);
        self.angles_from(&direction);
        let step = self.linear_step(samples, &direction);
        let mut slope = [0.0; LANES];
        let mut turn = [0.0; LANES];
        let mut change = [0.0; LANES];
        for lane in 0..LANES {
            slope[lane] = rounded(start[lane] + step[lane], rounding);
            change[lane] = slope[lane] - start[lane];
            turn[lane] = atan2(direction.im[lane], direction.re[lane]);
        }
        self.angles_to_residuals(samples, &change, &turn);
        let [re, im] = self.sum_of_residuals(samples);
        let (mut offset_rad, mut coherence) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            offset_rad[lane] = rounded(atan2(im[lane], re[lane]), rounding);
            let modulus = (re[lane] * re[lane] + im[lane] * im[lane]).sqrt();
            coherence[lane] = rounded(modulus / weight_sum[lane], rounding);
        }
        GroupFit { slope_rad_per_m: slope, offset_rad, coherence, trial_margin }
    }

    #[inline(always)]
    fn remove_slope(&mut self, samples: &Samples, slope: &[f64; LANES]) -> Direction {
        multiply_lanes(&samples.bperp_m, slope, &mut self.angle_rad);
        for ((angle, re), im) in self.angle_rad.iter().zip(&mut self.re).zip(&mut self.im) {
            (*im, *re) = sin_cos(*angle);
        }
        let (mut sum_re, mut sum_im) = ([0.0; LANES], [0.0; LANES]);
        let phasors =
            samples.re.as_chunks::<LANES>().0.iter().zip(samples.im.as_chunks::<LANES>().0);
        let turned = self.re.as_chunks_mut::<LANES>().0.iter_mut().zip(self.im.as_chunks_mut().0);
        for ((re, im), (cos, sin)) in phasors.zip(turned) {
            let sin: &mut [f64; LANES] = sin;
            for lane in 0..LANES {
                let real = re[lane] * cos[lane] + im[lane] * sin[lane];
                let imaginary = im[lane] * cos[lane] - re[lane] * sin[lane];
                sum_re[lane] += real;
                sum_im[lane] += imaginary;
                (cos[lane], sin[lane]) = (real, imaginary);
            }
        }
        let mut cancelled = [false; LANES];
        for lane in 0..LANES {
            cancelled[lane] = sum_re[lane].abs() + sum_im[lane].abs() == 0.0;
            sum_re[lane] = if cancelled[lane] { 1.0 } else { sum_re[lane] };
        }
        Direction { re: sum_re, im: sum_im, cancelled }
    }

    #[inline(always)]
    fn angles_from(&mut self, direction: &Direction) {
        let lanes = self.re.as_chunks_mut::<LANES>().0.iter_mut().zip(self.im.as_chunks_mut().0);
        for (re, im) in lanes {
            let im: &mut [f64; LANES] = im;
            for lane in 0..LANES {
                let (real, imaginary) = (re[lane], im[lane]);
                re[lane] = real * direction.re[lane] + imaginary * direction.im[lane];
                im[lane] = imaginary * direction.re[lane] - real * direction.im[lane];
            }
        }
        for ((angle, re), im) in self.angle_rad.iter_mut().zip(&self.re).zip(&self.im) {
            *angle = atan2(*im, *re);
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
            step[lane] = if direction.cancelled[lane] { 0.0 } else { quotient };
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
                angle[lane] = if weight[lane] == 0.0 { 0.0 } else { residual };
            }
        }
    }

    #[inline(always)]
    fn sum_of_residuals(&mut self, samples: &Samples) -> [[f64; LANES]; 2] {
        for ((angle, re), im) in self.angle_rad.iter().zip(&mut self.re).zip(&mut self.im) {
            (*im, *re) = sin_cos(*angle);
        }
        let mut sum = [[0.0; LANES]; 2];
        let lanes = self
            .re
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(self.im.as_chunks::<LANES>().0)
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

/// `values[i] * factors[lane of i]`.
#[inline(always)]
fn multiply_lanes(values: &[f64], factors: &[f64; LANES], products: &mut [f64]) {
    let lanes = values.as_chunks::<LANES>().0.iter().zip(products.as_chunks_mut::<LANES>().0);
    for (values, products) in lanes {
        for lane in 0..LANES {
            products[lane] = values[lane] * factors[lane];
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to single is the purpose")]
#[inline(always)]
fn rounded(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Double => value,
        Rounding::Single => f64::from(value as f32),
    }
}
