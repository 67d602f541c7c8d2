//! What one estimate found.

use std::path::Path;

use pystamps_kernels::look_angle_error::DesignColumn;

use super::rules::Columns;
use super::series_baselines::SeriesBaselines;
use crate::error::{Diagnostic, Error};
use crate::phase_series::PhaseSeries;
use crate::series_covariance::Covariance;

/// Look-angle error and master of every PS, and what they come from.
pub(super) struct Estimate<'a> {
    pub(super) slope_rad_per_m: Vec<f64>,
    /// Phase of the master; small-baseline interferograms have none.
    pub(super) offset_rad: Option<Vec<f32>>,
    pub(super) covariance: Covariance,
    /// The phase looked at, with its ramps.
    pub(super) series: PhaseSeries,
    pub(super) baselines: SeriesBaselines<'a>,
    pub(super) observations: usize,
    /// Unknowns that the observations cannot tell from the others.
    pub(super) dropped: Vec<DesignColumn>,
}

impl Estimate<'_> {
    /// Says how many PS have no estimate.
    pub(super) fn without_values(&self) -> Option<String> {
        let count = self.slope_rad_per_m.iter().filter(|slope| !slope.is_finite()).count();
        (count > 0).then(|| format!("{count} PS without, for want of phase"))
    }

    /// Says which unknowns depend on others.
    pub(super) fn not_told_apart(&self) -> Option<String> {
        if self.dropped.contains(&DesignColumn::Baseline) {
            return Some(
                "baselines depend on constant and time: the look-angle error cannot be told, 0"
                    .to_owned(),
            );
        }
        let constant = self.dropped.contains(&DesignColumn::Constant);
        (constant || self.dropped.contains(&DesignColumn::Velocity))
            .then(|| "constant repeat interval: constant and velocity are fitted as one".to_owned())
    }
}

/// Refuses a series with fewer than two observations.
pub(super) fn too_few(root: &Path, which: Columns, slaves: usize) -> Error {
    let (file, needed) = match which {
        Columns::Interferograms => ("phuw2.mat", "two interferograms besides the master's slot"),
        Columns::SmallBaselines => ("phuw_sb2.mat", "two interferograms"),
        Columns::Images => ("phuw2.mat", "three images besides the master"),
    };
    Diagnostic::new("interferograms-too-few", "phase cannot be compared with baselines")
        .path(root.join(file))
        .variable("drop_ifg_index, scla_drop_index, sb_scla_drop_index")
        .expected(format!("at least {needed}"))
        .found(format!("{slaves} in use"))
        .remedy("drop fewer, or prepare the project with more interferograms")
        .data()
}
