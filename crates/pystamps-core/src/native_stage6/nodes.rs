//! Nodes: the cells of the grid that hold PS. They are numbered down the columns of the grid.

use num_complex::Complex;
use pystamps_mat::{NumericData, Value};

use super::rules::Rules;
use crate::cell_grid::{CellGrid, CellRule};
use crate::error::{Diagnostic, Result};
use crate::mat_output::matrix;

/// The grid, its nodes, and the node of every PS.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    grid: CellGrid,
    /// Place of every node in a plane stored column by column.
    cells: Vec<u32>,
    /// Node of every PS.
    of_ps: Vec<u32>,
    /// Side of a cell, m; 0 if coordinates are cells.
    cell_m: f32,
    /// Least coordinates along x and y, m.
    origin_m: [f32; 2],
}

impl Nodes {
    /// Places PS at `xy_m` into cells.
    ///
    /// # StaMPS compatibility
    /// `uw_grid_wrapped`, stage6.md 3. Nodes are the cells with PS; the original takes the cells where
    /// the first interferogram's sum is not 0, which only differs if phasors cancel exactly.
    ///
    /// # Errors
    /// `grid-too-small`, `grid-too-large`; `cells-impossible` if coordinates should be cells.
    pub(super) fn of(xy_m: &[[f32; 2]], rules: &Rules) -> Result<Self> {
        let rule = CellRule {
            size_m: f64::from(rules.cell_m),
            margin_m: 1e-3,
            least: rules.window_cells,
            size_parameter: "unwrap_grid_size",
            window_parameter: "unwrap_gold_n_win",
            remedy: "pystamps-native params set --dataset … unwrap_grid_size SIZE: a smaller one, or a \
                     smaller unwrap_gold_n_win",
        };
        let grid = if rules.cell_m > 0.0 {
            CellGrid::covering(xy_m, &rule)?
        } else {
            CellGrid::of_cells(cells_as_they_are(xy_m)?, xy_m, &rule)?
        };
        let mut number = vec![u32::MAX; grid.cell_count()];
        for &place in &grid.places {
            number[place as usize] = 0;
        }
        let mut cells = Vec::new();
        for (number, cell) in number.iter_mut().zip(0..) {
            if *number == 0 {
                #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32 cells")]
                let node = cells.len() as u32;
                *number = node;
                cells.push(cell);
            }
        }
        let of_ps = grid.places.iter().map(|&place| number[place as usize]).collect();
        let least = |axis: usize| xy_m.iter().map(|p| p[axis]).fold(f32::INFINITY, f32::min);
        let origin_m = [least(0), least(1)];
        Ok(Self { grid, cells, of_ps, cell_m: rules.cell_m, origin_m })
    }

    /// Rows and columns of the grid.
    pub(super) fn shape(&self) -> [usize; 2] {
        self.grid.shape
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Place of every node in a plane stored column by column.
    pub(super) fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Row and column of every node, from 0.
    pub(super) fn places(&self) -> Vec<[i32; 2]> {
        let rows = self.shape()[0];
        let index =
            |number: usize| i32::try_from(number).expect("invariant: fewer than 2^31 cells");
        self.cells
            .iter()
            .map(|&cell| [index(cell as usize % rows), index(cell as usize / rows)])
            .collect()
    }

    /// Node of every PS.
    pub(super) fn of_ps(&self) -> &[u32] {
        &self.of_ps
    }

    /// Side of a cell, m.
    pub(super) fn cell_m(&self) -> f32 {
        self.cell_m
    }

    /// Which cells are nodes, column by column.
    pub(super) fn occupied(&self) -> Vec<bool> {
        let mut occupied = vec![false; self.grid.cell_count()];
        for &cell in &self.cells {
            occupied[cell as usize] = true;
        }
        occupied
    }

    /// The plane of the sums of the PS's phasors, single precision in the order of the PS. Where
    /// coordinates are cells the last PS of a cell stands for all.
    pub(super) fn gridded(&self, phasors: &[Complex<f32>]) -> Vec<Complex<f32>> {
        let mut plane = vec![Complex::new(0.0, 0.0); self.grid.cell_count()];
        for (&place, &phasor) in self.grid.places.iter().zip(phasors) {
            let cell = &mut plane[place as usize];
            *cell = if self.cell_m > 0.0 { *cell + phasor } else { phasor };
        }
        plane
    }

    /// What `uw_grid.mat` says of the grid besides phase.
    pub(super) fn described(&self) -> Vec<(&'static str, Value)> {
        let [rows, columns] = self.shape();
        let count = self.len();
        let along = |node: usize| self.cells[node] as usize;
        let row = |node: usize| (along(node) % rows + 1) as f64;
        let column = |node: usize| (along(node) / rows + 1) as f64;
        let ij: Vec<f64> = (0..count).map(row).chain((0..count).map(column)).collect();
        let size = f64::from(self.cell_m);
        let xy: Vec<f64> = (1..=count)
            .map(|node| node as f64)
            .chain((0..count).map(|node| (column(node) - 0.5) * size))
            .chain((0..count).map(|node| (row(node) - 0.5) * size))
            .collect();
        let cells = &self.grid.row_cells;
        let grid_ij: Vec<f32> =
            [0, 1].into_iter().flat_map(|axis| cells.iter().map(move |c| c[axis])).collect();
        vec![
            ("xy", matrix(count, 3, NumericData::F64(xy))),
            ("ij", matrix(count, 2, NumericData::F64(ij))),
            ("nzix", logical_plane(rows, columns, self.occupied())),
            ("grid_x_min", single(self.origin_m[0])),
            ("grid_y_min", single(self.origin_m[1])),
            ("n_i", single(rows as f32)),
            ("n_j", single(columns as f32)),
            ("n_ps", Value::scalar(count as f64)),
            ("grid_ij", matrix(cells.len(), 2, NumericData::F32(grid_ij))),
            ("pix_size", Value::scalar(size)),
        ]
    }
}

fn single(number: f32) -> Value {
    Value::column_f32(&[number])
}

fn logical_plane(rows: usize, columns: usize, values: Vec<bool>) -> Value {
    let plane = pystamps_mat::LogicalArray::new(vec![rows, columns], values);
    Value::Logical(plane.expect("invariant: one flag a cell"))
}

/// Coordinates that count cells: x the column, y the row.
fn cells_as_they_are(xy: &[[f32; 2]]) -> Result<Vec<[f32; 2]>> {
    let possible = |value: f32| value >= 1.0 && value.fract() == 0.0 && value < 65536.0;
    let wrong = xy.iter().position(|point| !point.iter().all(|&value| possible(value)));
    match wrong {
        None => Ok(xy.iter().map(|&[x, y]| [y, x]).collect()),
        Some(row) => Err(Diagnostic::new("cells-impossible", "coordinates are no cells of a grid")
            .variable("xy, unwrap_grid_size")
            .expected("whole numbers from 1 to 65535 where unwrap_grid_size is 0")
            .found(format!("x = {}, y = {} at PS {}", xy[row][0], xy[row][1], row + 1))
            .remedy("set unwrap_grid_size to the side of a cell in metres, for example 200")
            .data()),
    }
}
