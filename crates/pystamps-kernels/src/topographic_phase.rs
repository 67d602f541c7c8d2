//! Turns phase back by its topographic part: slope times perpendicular baseline.

use crate::elementary::sin_cos;
use crate::simd::{Kernel, run_widest};

/// Multiplies every sample by `weight * exp(-j slope b)`, in double precision, and rounds it to
/// single. All slices have one element a sample: baseline `bperp_m` (m), slope (rad/m), weight.
///
/// # Panics
/// If the slices differ in length.
///
/// # StaMPS compatibility
/// Stage 2 before gridding (stage2.md 5.1), where the original rounds after every operation.
pub fn remove_topographic_phase(
    re: &mut [f32],
    im: &mut [f32],
    bperp_m: &[f64],
    slope_rad_per_m: &[f64],
    weight: &[f64],
) {
    let count = re.len();
    let lengths = [im.len(), bperp_m.len(), slope_rad_per_m.len(), weight.len()];
    assert!(lengths.iter().all(|&length| length == count), "one value for every sample");
    run_widest(Removal { re, im, bperp_m, slope_rad_per_m, weight });
}

struct Removal<'a> {
    re: &'a mut [f32],
    im: &'a mut [f32],
    bperp_m: &'a [f64],
    slope_rad_per_m: &'a [f64],
    weight: &'a [f64],
}

impl Kernel for Removal<'_> {
    #[expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]
    #[expect(clippy::cast_possible_truncation, reason = "results are in single precision")]
    #[inline(always)]
    fn run(self) {
        let samples = self.re.iter_mut().zip(self.im);
        let factors = self.bperp_m.iter().zip(self.slope_rad_per_m).zip(self.weight);
        for ((re, im), ((bperp_m, slope), weight)) in samples.zip(factors) {
            let (sin, cos) = sin_cos(slope * bperp_m);
            let (x, y) = (f64::from(*re), f64::from(*im));
            *re = ((x * cos + y * sin) * weight) as f32;
            *im = ((y * cos - x * sin) * weight) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_proportional_to_the_baseline_becomes_constant() {
        let bperp_m: Vec<f64> = (0..21).map(|k| 37.0 * f64::from(k) - 300.0).collect();
        let phase = |b: f64| 0.02 * b + 0.7;
        #[expect(clippy::cast_possible_truncation, reason = "single-precision samples")]
        let mut re: Vec<f32> = bperp_m.iter().map(|&b| phase(b).cos() as f32).collect();
        #[expect(clippy::cast_possible_truncation, reason = "single-precision samples")]
        let mut im: Vec<f32> = bperp_m.iter().map(|&b| phase(b).sin() as f32).collect();
        remove_topographic_phase(&mut re, &mut im, &bperp_m, &[0.02; 21], &[2.0; 21]);
        for (re, im) in re.iter().zip(&im) {
            assert!((re - 2.0 * 0.7_f32.cos()).abs() < 1e-6, "{re}");
            assert!((im - 2.0 * 0.7_f32.sin()).abs() < 1e-6, "{im}");
        }
    }

    #[test]
    fn an_unknown_slope_gives_no_number() {
        let (mut re, mut im) = ([1.0], [0.0]);
        remove_topographic_phase(&mut re, &mut im, &[10.0], &[f64::NAN], &[1.0]);
        assert!(re[0].is_nan() && im[0].is_nan());
    }
}
