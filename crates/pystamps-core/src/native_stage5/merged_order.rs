//! Orders the rows of the merged project: duplicates out, sorted by position.

use crate::local_frame::{LocalCoordinates, sort_by_position};
use crate::native_stage4::neighbours::best_of_coincident;

/// Candidates for rows of the merged project, one element each.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Azimuth line and range sample, from 0.
    pub(super) pixels: Vec<[f64; 2]>,
    /// Longitude and latitude, deg.
    pub(super) lonlat_deg: Vec<[f64; 2]>,
    /// Coherence.
    pub(super) coherence: Vec<f64>,
    /// Which are left out already.
    pub(super) removed: Vec<bool>,
}

/// Rows of the merged project.
#[derive(Debug)]
pub(super) struct MergedOrder {
    /// Candidate of every row.
    pub(super) sources: Vec<u32>,
    /// Local coordinates of every row, m, not rounded.
    pub(super) xy_m: Vec<[f32; 2]>,
    /// Candidates left out because a better one has the same position.
    pub(super) duplicates: usize,
}

impl MergedOrder {
    /// Orders `places`; `heading_deg` is that of the satellite, NaN if unknown.
    ///
    /// # StaMPS compatibility
    /// Stage5.md B3, 1 to 3. With an unknown heading nothing is rotated.
    pub(super) fn of(places: &Places, heading_deg: f64) -> Self {
        let pick = |kept: &[u32]| -> (Vec<[f64; 2]>, Vec<f64>) {
            kept.iter()
                .map(|&k| (places.lonlat_deg[k as usize], places.coherence[k as usize]))
                .unzip()
        };
        let mut kept: Vec<u32> = (0_u32..)
            .zip(&places.removed)
            .filter(|(_, removed)| !**removed)
            .map(|(k, _)| k)
            .collect();
        let (lonlat_deg, coherence) = pick(&kept);
        let before = kept.len();
        let mut best = best_of_coincident(&lonlat_deg, &coherence).into_iter();
        kept.retain(|_| best.next() == Some(true));
        let (lonlat_deg, _) = pick(&kept);
        let local = LocalCoordinates::of(&lonlat_deg, heading_deg);
        let order = sort_by_position(&local.xy_m);
        Self {
            sources: order.iter().map(|&k| kept[k as usize]).collect(),
            xy_m: order.iter().map(|&k| local.xy_m[k as usize]).collect(),
            duplicates: before - kept.len(),
        }
    }

    /// Row of the merged project of each of `count` candidates; `None` for those left out.
    pub(super) fn rows_of_sources(&self, count: usize) -> Vec<Option<u32>> {
        let mut rows = vec![None; count];
        for (row, &source) in (0_u32..).zip(&self.sources) {
            rows[source as usize] = Some(row);
        }
        rows
    }
}
