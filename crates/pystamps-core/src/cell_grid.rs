//! Places candidates or PS into the cells of a square grid (stage2.md 2.6, stage6.md 3).

use crate::error::{Diagnostic, Result};

/// Cells for each candidate beyond which a grid is taken for a mistake in the coordinates …
const MOST_CELLS_A_CANDIDATE: usize = 1000;
/// … unless it is small anyway.
const ALLOWED_CELLS: usize = 1 << 20;

/// How a stage lays out its grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CellRule {
    /// Side of a cell, m.
    pub(crate) size_m: f64,
    /// What is added to a distance from the least coordinate, m, before it is divided by the size.
    pub(crate) margin_m: f32,
    /// Cells that both sides must have: the window of the filter.
    pub(crate) least: usize,
    /// The parameter that sets the size.
    pub(crate) size_parameter: &'static str,
    /// The parameter that sets the window.
    pub(crate) window_parameter: &'static str,
    /// What to do about a grid that is too small.
    pub(crate) remedy: &'static str,
}

/// Cells that cover the rows of a patch or a project.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellGrid {
    /// Cells along y and along x.
    pub(crate) shape: [usize; 2],
    /// Cell of every row along y and x, from 1, as `grid_ij` stores them.
    pub(crate) row_cells: Vec<[f32; 2]>,
    /// The same as a place in a plane stored column by column.
    pub(crate) places: Vec<u32>,
}

impl CellGrid {
    /// Places rows at `xy_m` into cells.
    ///
    /// # Errors
    /// `grid-too-small` unless both sides have at least as many cells as the window of the filter;
    /// `grid-too-large` for a thousand cells a row, or 2^32 cells.
    ///
    /// # StaMPS compatibility
    /// Single arithmetic throughout; the largest index of either axis is decremented, so that a
    /// grid has one cell less than its extent asks for. In stage 2 the original fails with an index
    /// error on 19 to 23 cells, and loses every candidate with fewer: both are refused here.
    pub(crate) fn covering(xy_m: &[[f32; 2]], rule: &CellRule) -> Result<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
        let size = rule.size_m as f32;
        let y = cells_of_axis(xy_m.iter().map(|p| p[1]), size, rule.margin_m);
        let x = cells_of_axis(xy_m.iter().map(|p| p[0]), size, rule.margin_m);
        Self::of_cells(y.into_iter().zip(x).map(|(i, j)| [i, j]).collect(), xy_m, rule)
    }

    /// The grid whose cells, along y and x from 1, are known.
    ///
    /// # Errors
    /// As for [`CellGrid::covering`].
    pub(crate) fn of_cells(
        row_cells: Vec<[f32; 2]>,
        xy_m: &[[f32; 2]],
        rule: &CellRule,
    ) -> Result<Self> {
        let shape = [0, 1].map(|axis| largest(row_cells.iter().map(|cells| cells[axis])));
        let [rows, columns] = shape;
        if rows < rule.least || columns < rule.least {
            return Err(too_small(shape, rule).data());
        }
        let most = MOST_CELLS_A_CANDIDATE.saturating_mul(xy_m.len()).max(ALLOWED_CELLS);
        let excessive = |cells: usize| cells > most || u32::try_from(cells).is_err();
        if rows.checked_mul(columns).is_none_or(excessive) {
            return Err(too_large(shape, rule, xy_m).data());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cells from 1 to `shape`, whose product fits 32 bits"
        )]
        let places =
            row_cells.iter().map(|&[i, j]| (j as u32 - 1) * rows as u32 + (i as u32 - 1)).collect();
        Ok(Self { shape, row_cells, places })
    }

    /// Cells of a plane.
    pub(crate) fn cell_count(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}

/// Index of the cell of every coordinate, from 1.
fn cells_of_axis(
    coordinates_m: impl Iterator<Item = f32> + Clone,
    size_m: f32,
    margin_m: f32,
) -> Vec<f32> {
    let least = coordinates_m.clone().fold(f32::INFINITY, f32::min);
    let mut cells: Vec<f32> =
        coordinates_m.map(|value| ((value - least + margin_m) / size_m).ceil()).collect();
    let last = cells.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for cell in &mut cells {
        if *cell == last {
            *cell -= 1.0;
        }
    }
    cells
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number; what is none becomes 0"
)]
fn largest(cells: impl Iterator<Item = f32>) -> usize {
    cells.fold(0.0, f32::max) as usize
}

fn too_large([rows, columns]: [usize; 2], rule: &CellRule, xy_m: &[[f32; 2]]) -> Diagnostic {
    let distance = |p: &[f32; 2]| p[0].hypot(p[1]);
    let far = |a: &&[f32; 2], b: &&[f32; 2]| distance(a).total_cmp(&distance(b));
    let farthest = xy_m.iter().max_by(far).map_or(String::new(), |p| {
        format!("; the farthest point is at x = {} m, y = {} m", p[0], p[1])
    });
    Diagnostic::new("grid-too-large", "there are too many grid cells for so few points")
        .variable(format!("xy, {}", rule.size_parameter))
        .expected(format!("at most {MOST_CELLS_A_CANDIDATE} cells for each candidate or PS"))
        .found(format!("{rows} x {columns} cells of {} m{farthest}", rule.size_m))
        .remedy(format!("look for outliers in the coordinates, or raise {}", rule.size_parameter))
}

fn too_small([rows, columns]: [usize; 2], rule: &CellRule) -> Diagnostic {
    let CellRule { least, size_m, .. } = rule;
    Diagnostic::new("grid-too-small", "the grid is smaller than the window of the filter")
        .variable(format!("{}, {}", rule.size_parameter, rule.window_parameter))
        .expected(format!("at least {least} x {least} cells of {size_m} m"))
        .found(format!("{rows} x {columns} cells (azimuth x range)"))
        .remedy(rule.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(least: usize) -> CellRule {
        CellRule {
            size_m: 50.0,
            margin_m: 1e-6,
            least,
            size_parameter: "filter_grid_size",
            window_parameter: "clap_win",
            remedy: "",
        }
    }

    #[test]
    fn an_edge_belongs_to_the_lower_cell_and_the_last_cell_is_merged() {
        let cells = cells_of_axis([0.0, 50.0, 50.1, 100.0, 149.0, 151.0].into_iter(), 50.0, 1e-6);
        // 0 lies in cell 1 because of the 1e-6 added; 151 would be cell 4.
        assert_eq!(cells, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn places_run_down_the_columns() {
        let xy_m = [[0.0, 0.0], [120.0, 60.0], [160.0, 160.0]];
        let grid = CellGrid::covering(&xy_m, &rule(3)).unwrap();
        assert_eq!(grid.shape, [3, 3]);
        assert_eq!(grid.row_cells[1], [2.0, 3.0]);
        assert_eq!(grid.places, [0, 7, 8]);
    }

    #[test]
    fn an_outlier_is_named() {
        let mut xy_m = vec![[0.0, 0.0], [5000.0, 5000.0]];
        xy_m.push([3_000_000.0, 2_000_000.0]);
        let error = CellGrid::covering(&xy_m, &rule(24)).unwrap_err();
        assert_eq!(error.name(), "grid-too-large");
        assert!(error.to_string().contains("x = 3000000 m"), "{error}");
    }

    #[test]
    fn a_small_patch_is_refused() {
        for xy_m in [vec![[0.0, 0.0]], vec![[0.0, 0.0], [5000.0, 60.0]]] {
            assert_eq!(CellGrid::covering(&xy_m, &rule(24)).unwrap_err().name(), "grid-too-small");
        }
    }
}
