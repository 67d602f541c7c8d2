//! How far a look-angle error is searched for: cycles of phase over the range of the baselines.

use pystamps_kernels::topofit::Trials;

use crate::error::Result;
use crate::parameter_checks::out_of_range;

/// Mean distance from the satellite that StaMPS assumes, m.
const RANGE_M: f64 = 830_000.0;

/// The largest DEM error that is looked for, by a radar of some wavelength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LargestDemError {
    /// `max_topo_err`, m.
    pub(crate) height_m: f64,
    /// `lambda`, m.
    pub(crate) wavelength_m: f64,
}

impl LargestDemError {
    /// Cycles that the error makes over the range of `bperp_m` (stage2.md 2.4, stage6.md 2).
    ///
    /// # StaMPS compatibility
    /// In single precision where the baselines are.
    ///
    /// # Errors
    /// `parameter-range` for more than can be tried.
    pub(crate) fn trial_wraps(
        &self,
        bperp_m: &[f64],
        single: bool,
        incidence_rad: f64,
    ) -> Result<f64> {
        use std::f64::consts::PI;
        let phase_of_metre = self.wavelength_m * RANGE_M * incidence_rad.sin() / 4.0 / PI;
        let largest_slope = self.height_m / phase_of_metre;
        let most = bperp_m.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = bperp_m.iter().copied().fold(f64::INFINITY, f64::min);
        #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
        let wraps = if single {
            ((most as f32 - least as f32) * largest_slope as f32 / (2.0 * PI) as f32).into()
        } else {
            (most - least) * largest_slope / (2.0 * PI)
        };
        if wraps > Trials::MOST_WRAPS {
            let expected = format!("a DEM error of up to {} cycles", Trials::MOST_WRAPS);
            let found = format!("{} m, {wraps:.0} cycles", self.height_m);
            return Err(out_of_range("max_topo_err", &expected, found));
        }
        Ok(wraps)
    }
}
