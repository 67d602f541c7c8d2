//! Noise of an edge of a small-baseline network (stage4.md 5, small baselines).

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use super::group::{Group, LANES, angles, spread};
use super::variance::EdgeMoments;
use super::{Baselines, Model};

/// The fit of a term in the baseline to the phasors themselves.
///
/// # StaMPS compatibility
/// Literal: taking a term linear in the baseline from a phasor is dimensionally odd.
pub(super) struct SmallBaselines<'a> {
    baselines: Baselines<'a>,
}

impl<'a> SmallBaselines<'a> {
    pub(super) fn new(baselines: &Baselines<'a>) -> Self {
        Self { baselines: *baselines }
    }
}

impl Model for SmallBaselines<'_> {
    type Scratch = Vec<[f64; LANES]>;
    const PARTS: usize = 2;

    fn scratch(&self) -> Self::Scratch {
        vec![[0.0; LANES]; self.baselines.bperp_m.len()]
    }

    /// The variance of a complex number is that of its two parts together.
    #[inline(always)]
    fn add_moments(&self, group: &Group, _: &mut Self::Scratch, moments: &mut EdgeMoments) {
        moments.add([&group.re, &group.im], group.count);
    }

    #[inline(always)]
    fn noise(
        &self,
        group: &Group,
        inverse_variance: &[f64],
        scratch: &mut Self::Scratch,
    ) -> [[f64; LANES]; 2] {
        let [slope_re, slope_im] = self.slopes(group, inverse_variance);
        let differences = group.re.iter().zip(&group.im);
        let noise = scratch.iter_mut().zip(self.baselines.bperp_m);
        for ((re, im), (noise_rad, &bperp_m)) in differences.zip(noise) {
            let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                real[lane] = re[lane] - slope_re[lane] * bperp_m;
                imaginary[lane] = im[lane] - slope_im[lane] * bperp_m;
            }
            *noise_rad = angles(&imaginary, &real);
        }
        spread(scratch)
    }
}

impl SmallBaselines<'_> {
    /// Complex weighted slope of the differences on the baseline.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "single where baselines are")]
    fn slopes(&self, group: &Group, inverse_variance: &[f64]) -> [[f64; LANES]; 2] {
        let (mut slope_re, mut slope_im) = ([0.0; LANES], [0.0; LANES]);
        let mut squares = 0.0;
        let weights = self.baselines.bperp_m.iter().zip(inverse_variance);
        for ((re, im), (&bperp_m, &weight)) in group.re.iter().zip(&group.im).zip(weights) {
            squares += bperp_m * bperp_m * weight;
            for lane in 0..LANES {
                slope_re[lane] += bperp_m * weight * re[lane];
                slope_im[lane] += bperp_m * weight * im[lane];
            }
        }
        let single = self.baselines.single_precision;
        let quotient = |sum: f64| {
            let slope = sum / squares;
            if single { f64::from(slope as f32) } else { slope }
        };
        [slope_re.map(quotient), slope_im.map(quotient)]
    }
}
