//! Finds out how large the work on a patch is: what is known of it, and what has to be assumed.

use std::path::Path;

use pystamps_mat::Value;
use serde::Serialize;

use crate::error::{IoContext, Result};
use crate::project::dataset::candidate_count;
use crate::project::layout::patch;

/// Share of the candidates that the first selection of stage 3 takes, where it has not run.
const ASSUMED_SELECTED: f64 = 0.5;
/// Share of the candidates that stage 3 keeps.
const ASSUMED_KEPT: f64 = 0.35;
/// Length of one degree of latitude, m; good enough for an area.
const DEGREE_M: f64 = 111_200.0;

/// Sizes of one patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PatchSizes {
    /// Candidates that preparation selected.
    pub candidates: u64,
    /// Cells of the filter grid along its sides, the longer one first; 0 if positions are missing.
    pub cells: [u64; 2],
    /// Candidates of the first selection of stage 3.
    pub selected: u64,
    /// Persistent scatterers that stage 3 keeps.
    pub kept: u64,
    /// Whether the last two are assumed shares of the candidates; they are known after stage 3.
    pub assumed: bool,
}

impl PatchSizes {
    /// Examines the patch `folder`; its grid has cells of `cell_size_m`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn of(folder: &Path, cell_size_m: f64) -> Result<Self> {
        let candidates = candidate_count(folder)?;
        let extent_m = extent_m(folder)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of cells; what is none becomes 0"
        )]
        let cells = extent_m.map(|extent_m| (extent_m / cell_size_m).ceil() as u64);
        let select1 = folder.join("select1.mat");
        let kept = select1.is_file().then(|| pystamps_mat::read_variable(&select1, "keep_ix"));
        if let Some(Ok(Value::Logical(kept))) = kept {
            let selected = kept.data().len() as u64;
            let kept = kept.data().iter().filter(|&&kept| kept).count() as u64;
            return Ok(Self { candidates, cells, selected, kept, assumed: false });
        }
        Ok(Self {
            candidates,
            cells,
            selected: share(candidates, ASSUMED_SELECTED),
            kept: share(candidates, ASSUMED_KEPT),
            assumed: true,
        })
    }

    /// Cells of the grid.
    pub(super) fn cell_count(&self) -> u64 {
        self.cells[0] * self.cells[1]
    }

    /// Cells that hold a selected candidate, if they are spread evenly.
    pub(super) fn filtered_cells(&self) -> f64 {
        let cells = self.cell_count() as f64;
        if cells == 0.0 { 0.0 } else { cells * (1.0 - (-(self.selected as f64) / cells).exp()) }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn share(count: u64, share: f64) -> u64 {
    (count as f64 * share) as u64
}

/// Sides of the smallest rectangle that holds the candidates' positions, m: stage 1 turns them by
/// the heading, which is not known before. The longer side comes first.
fn extent_m(folder: &Path) -> Result<[f64; 2]> {
    let path = folder.join(patch::CANDIDATES_LL);
    if !path.is_file() {
        return Ok([0.0; 2]);
    }
    let bytes = fs_err::read(&path).while_doing("read the positions of the candidates")?;
    Ok(extent_of(&bytes))
}

/// As [`extent_m`], from the content of `pscands.1.ll`.
pub(crate) fn extent_of(bytes: &[u8]) -> [f64; 2] {
    let (pairs, _) = bytes.as_chunks::<8>();
    let positions_deg = pairs.iter().filter_map(|pair| {
        let (words, _) = pair.as_chunks::<4>();
        let position = [words[0], words[1]].map(|word| f64::from(f32::from_be_bytes(word)));
        let known = position.iter().all(|degrees| degrees.abs() <= 360.0);
        (known && position != [0.0, 0.0]).then_some(position)
    });
    let Some([_, latitude_deg]) = positions_deg.clone().next() else { return [0.0; 2] };
    let east_m = DEGREE_M * latitude_deg.to_radians().cos();
    let mut boxes = [Bounds::EMPTY; TRIED_DIRECTIONS];
    for [longitude, latitude] in positions_deg {
        let (x, y) = (longitude * east_m, latitude * DEGREE_M);
        for (direction, bounds) in boxes.iter_mut().enumerate() {
            let (sin, cos) = direction_rad(direction).sin_cos();
            bounds.add([x * cos + y * sin, y * cos - x * sin]);
        }
    }
    let sides = boxes.iter().map(Bounds::sides_m);
    let smallest = sides.min_by(|a, b| (a[0] * a[1]).total_cmp(&(b[0] * b[1])));
    let [a, b] = smallest.unwrap_or_default();
    [a.max(b), a.min(b)]
}

/// Directions of a rectangle that are tried over a quarter turn.
const TRIED_DIRECTIONS: usize = 15;

fn direction_rad(number: usize) -> f64 {
    std::f64::consts::FRAC_PI_2 * number as f64 / TRIED_DIRECTIONS as f64
}

/// Extremes of two coordinates.
#[derive(Clone, Copy)]
struct Bounds {
    least: [f64; 2],
    most: [f64; 2],
}

impl Bounds {
    const EMPTY: Self = Self { least: [f64::INFINITY; 2], most: [f64::NEG_INFINITY; 2] };

    fn add(&mut self, point: [f64; 2]) {
        for (axis, value) in point.into_iter().enumerate() {
            self.least[axis] = self.least[axis].min(value);
            self.most[axis] = self.most[axis].max(value);
        }
    }

    fn sides_m(&self) -> [f64; 2] {
        [self.most[0] - self.least[0], self.most[1] - self.least[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_leave_missing_positions_out() {
        let folder = tempfile::tempdir().unwrap();
        let degrees = [[11.0_f32, 44.0], [0.0, 0.0], [11.1, 44.05], [f32::NAN, 44.0]];
        let bytes: Vec<u8> = degrees.iter().flatten().flat_map(|d| d.to_be_bytes()).collect();
        fs_err::write(folder.path().join(patch::CANDIDATES_LL), bytes).unwrap();
        // Two points 7997 m and 5560 m apart: nearly a line in one of the directions.
        let [length, width] = extent_m(folder.path()).unwrap();
        assert!((length - 9740.0).abs() < 60.0, "{length}");
        assert!(width < 600.0, "{width}");
    }

    #[test]
    fn cells_fill_up() {
        let sizes =
            PatchSizes { candidates: 0, cells: [10, 10], selected: 100, kept: 0, assumed: true };
        assert!((sizes.filtered_cells() - 63.2).abs() < 0.1);
    }
}
