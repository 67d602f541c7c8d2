//! Finds out how large the work on a patch is: what is known of it, and what has to be assumed.

use std::path::Path;

use pystamps_kernels::local_coordinates::heading_rotation;
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
    /// Examines the patch `folder`; its grid has cells of `cell_size_m`, along the flight direction if
    /// that encloses the candidates more tightly.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn of(folder: &Path, cell_size_m: f64, heading_deg: f64) -> Result<Self> {
        let candidates = candidate_count(folder)?;
        let extent_m = extent_m(folder, heading_deg)?;
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

/// Sides of the rectangle that stage 1 lays around the candidates' positions, m, the longer one first.
fn extent_m(folder: &Path, heading_deg: f64) -> Result<[f64; 2]> {
    let path = folder.join(patch::CANDIDATES_LL);
    if !path.is_file() {
        return Ok([0.0; 2]);
    }
    let bytes = fs_err::read(&path).while_doing("read the positions of the candidates")?;
    Ok(extent_of(&bytes, heading_deg))
}

/// As [`extent_m`], from the content of `pscands.1.ll`.
pub(crate) fn extent_of(bytes: &[u8], heading_deg: f64) -> [f64; 2] {
    let (pairs, _) = bytes.as_chunks::<8>();
    let positions_deg = pairs.iter().filter_map(|pair| {
        let (words, _) = pair.as_chunks::<4>();
        let position = [words[0], words[1]].map(|word| f64::from(f32::from_be_bytes(word)));
        let known = position.iter().all(|degrees| degrees.abs() <= 360.0);
        (known && position != [0.0, 0.0]).then_some(position)
    });
    let Some([_, latitude_deg]) = positions_deg.clone().next() else { return [0.0; 2] };
    let east_m = DEGREE_M * latitude_deg.to_radians().cos();
    let rotate = heading_rotation(heading_deg);
    let [mut as_they_are, mut rotated] = [Bounds::EMPTY; 2];
    for [longitude_deg, latitude_deg] in positions_deg {
        let xy_m = [longitude_deg * east_m, latitude_deg * DEGREE_M];
        as_they_are.add(xy_m);
        rotated.add(rotate(xy_m));
    }
    let [before, after] = [as_they_are.sides_m(), rotated.sides_m()];
    let shrinks = heading_deg.is_finite() && after[0] < before[0] && after[1] < before[1];
    let [a, b] = if shrinks { after } else { before };
    [a.max(b), a.min(b)]
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
    fn extents_leave_missing_positions_out_and_turn_as_stage_1_does() {
        let folder = tempfile::tempdir().unwrap();
        let degrees =
            [[11.0_f32, 44.0], [0.0, 0.0], [11.1, 44.05], [11.05, 44.0], [f32::NAN, 44.0]];
        let bytes: Vec<u8> = degrees.iter().flatten().flat_map(|d| d.to_be_bytes()).collect();
        fs_err::write(folder.path().join(patch::CANDIDATES_LL), bytes).unwrap();
        let sides = |heading_deg: f64| extent_m(folder.path(), heading_deg).unwrap();
        let close = |[a, b]: [f64; 2], [c, d]: [f64; 2]| (a - c).abs().max((b - d).abs()) < 60.0;
        assert!(close(sides(f64::NAN), [7997.0, 5560.0]), "{:?}", sides(f64::NAN));
        // Turned along their longest distance they would be thinner but longer.
        assert_eq!(sides(55.0), sides(f64::NAN));
    }

    #[test]
    fn a_square_along_the_flight_direction() {
        let corners = [[0.0_f32, 0.01], [0.01, 0.0], [0.0, -0.01], [-0.01, 0.0]];
        let bytes: Vec<u8> = corners
            .iter()
            .flat_map(|[east, north]| [11.0 + east, north + 1e-4])
            .flat_map(f32::to_be_bytes)
            .collect();
        let across_m = 0.02 * DEGREE_M;
        let side = |heading_deg: f64| extent_of(&bytes, heading_deg)[1] / across_m;
        assert!((side(0.0) - 1.0).abs() < 1e-3, "{}", side(0.0));
        assert!((side(45.0) - std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-3, "{}", side(45.0));
    }

    #[test]
    fn cells_fill_up() {
        let sizes =
            PatchSizes { candidates: 0, cells: [10, 10], selected: 100, kept: 0, assumed: true };
        assert!((sizes.filtered_cells() - 63.2).abs() < 0.1);
    }
}
