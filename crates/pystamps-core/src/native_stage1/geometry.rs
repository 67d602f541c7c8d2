//! Computes angles and baselines of the candidates.

use pystamps_kernels::imaging_geometry::Baseline;
use rayon::prelude::*;

use super::inputs::MasterGeometry;

/// Viewing geometry of every candidate, in file order.
#[derive(Debug)]
pub(super) struct Viewing {
    pub(super) look_angle_rad: Vec<f64>,
    pub(super) incidence_angle_rad: Vec<f64>,
    /// Cosine and sine of the look angle.
    look_cos_sin: Vec<[f64; 2]>,
    /// Time after the scene's middle line, s.
    time_s: Vec<f64>,
}

impl Viewing {
    /// Angles and times of `pixels` (azimuth, range).
    ///
    /// # StaMPS compatibility
    /// Stage1.md B.5, in double precision.
    pub(super) fn of(pixels: &[[u32; 2]], geometry: &MasterGeometry) -> Self {
        let slant_range_m = |pixel: &[u32; 2]| geometry.slant_range_m(pixel[1]);
        let mean_line = geometry.azimuth_lines as f64 / 2.0 - 0.5;
        let sphere = geometry.sphere;
        let look_angle_rad: Vec<f64> =
            pixels.par_iter().map(|p| sphere.look_angle_rad(slant_range_m(p))).collect();
        Self {
            look_cos_sin: look_angle_rad.par_iter().map(|look| [look.cos(), look.sin()]).collect(),
            look_angle_rad,
            incidence_angle_rad: pixels
                .par_iter()
                .map(|p| sphere.incidence_angle_rad(slant_range_m(p)))
                .collect(),
            time_s: pixels
                .par_iter()
                .map(|p| (f64::from(p[0]) - mean_line) / geometry.pulse_repetition_hz)
                .collect(),
        }
    }

    /// The first of `pixels` that the radar cannot have seen, if any.
    pub(super) fn impossible_pixel(&self, pixels: &[[u32; 2]]) -> Option<[u32; 2]> {
        let angles = self.look_angle_rad.iter().zip(&self.incidence_angle_rad);
        let first = angles.into_iter().position(|(look, incidence)| {
            look.is_nan() || !(0.0..=std::f64::consts::FRAC_PI_2).contains(incidence)
        });
        first.map(|candidate| pixels[candidate])
    }

    /// Perpendicular baseline of `candidate`, m.
    pub(super) fn bperp_m(&self, baseline: &Baseline, candidate: usize) -> f64 {
        let [cos, sin] = self.look_cos_sin[candidate];
        baseline.perpendicular_m(self.time_s[candidate], cos, sin)
    }

    /// Number of candidates.
    pub(super) fn count(&self) -> usize {
        self.time_s.len()
    }
}

/// Mean of an interferogram's baseline over all candidates, as StaMPS under Octave computes it: a
/// single-precision running sum in file order, divided in single precision.
///
/// # StaMPS compatibility
/// Stage1.md B.5. Candidates that are removed later count; without any the mean is NaN.
pub(super) fn mean_bperp_single_m(viewing: &Viewing, baseline: &Baseline) -> f32 {
    let mut sum = 0.0_f32;
    for candidate in 0..viewing.count() {
        sum += single(viewing.bperp_m(baseline, candidate));
    }
    sum / viewing.count() as f32
}

/// The same in double precision, for small baselines (stage1.md C).
pub(super) fn mean_bperp_double_m(viewing: &Viewing, baseline: &Baseline) -> f64 {
    let mut sum = 0.0_f64;
    for candidate in 0..viewing.count() {
        sum += viewing.bperp_m(baseline, candidate);
    }
    sum / viewing.count() as f64
}

/// Rounds to the nearest single.
#[expect(clippy::cast_possible_truncation, reason = "stored in single precision by definition")]
pub(super) fn single(value: f64) -> f32 {
    value as f32
}
