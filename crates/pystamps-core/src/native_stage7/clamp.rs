//! Brings estimates that stand out back within those of the neighbours.

use pystamps_kernels::look_angle_error::clamp_to_neighbours;
use pystamps_kernels::triangulation::delaunay_edges;

use super::solution::Estimate;
use crate::error::{Diagnostic, Result};
use crate::phase_series::singles;

/// Which PS are neighbours.
pub(super) struct Neighbours {
    edges: Vec<[u32; 2]>,
}

impl Neighbours {
    /// Neighbours in the Delaunay triangulation of the PS.
    ///
    /// # Errors
    /// `position-missing` for coordinates that are no numbers.
    pub(super) fn of(xy_m: &[[f32; 2]]) -> Result<Self> {
        let edges = delaunay_edges(xy_m).map_err(|nowhere| {
            Diagnostic::new("position-missing", "a PS has no position")
                .path("ps2.mat")
                .variable("xy")
                .expected("coordinates in metres")
                .found(format!("{:?} for PS {}", xy_m[nowhere.point], nowhere.point + 1))
                .remedy("run stage 5 again")
                .data()
        })?;
        Ok(Self { edges })
    }

    /// Clamps slope and offset; returns how many PS have changed.
    ///
    /// # StaMPS compatibility
    /// `ps_smooth_scla`, stage7.md 5: one pass over the original estimates. A PS without neighbours,
    /// whose slope becomes infinite in the original, keeps its own.
    pub(super) fn clamp(&self, estimate: &mut Estimate<'_>) -> usize {
        let slope = clamp_to_neighbours(&estimate.slope_rad_per_m, &self.edges);
        let differs = |a: f64, b: f64| a.to_bits() != b.to_bits();
        let mut changed: Vec<bool> =
            slope.iter().zip(&estimate.slope_rad_per_m).map(|(&a, &b)| differs(a, b)).collect();
        estimate.slope_rad_per_m = slope;
        if let Some(offset_rad) = &mut estimate.offset_rad {
            let before: Vec<f64> = offset_rad.iter().map(|&value| f64::from(value)).collect();
            let clamped = clamp_to_neighbours(&before, &self.edges);
            for (changed, (&a, &b)) in changed.iter_mut().zip(clamped.iter().zip(&before)) {
                *changed |= differs(a, b);
            }
            *offset_rad = singles(&clamped);
        }
        changed.into_iter().filter(|&changed| changed).count()
    }
}
