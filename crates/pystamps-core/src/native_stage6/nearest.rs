//! Gives the node of every cell of the grid: our own search, or the plane of another program's file.

use std::path::{Path, PathBuf};

use pystamps_kernels::nearest_node::nearest_nodes;

use crate::error::{Diagnostic, Error, Result};
use crate::project::ledger::Ledger;

/// What a plane is called that does not hold the nearest nodes.
pub(super) const WRONG_NODES: &str = "nearest-nodes";
/// How the ledger names a plane of nearest nodes that was handed in.
pub(super) const GIVEN_NODES: &str = "nearest_nodes";
/// The variable that holds the plane, in `uw_interp.mat` of the original and of ours.
const PLANE: &str = "Z";

/// The occupied cells of a grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct OccupiedCells<'a> {
    /// Rows and columns.
    pub(super) shape: [usize; 2],
    /// Which cells are nodes, column by column; nodes are numbered in that order.
    pub(super) occupied: &'a [bool],
}

impl OccupiedCells<'_> {
    /// Node of every cell, column by column, from 0: that of the least distance, the smallest number on
    /// ties, or what `given` has.
    ///
    /// # Errors
    /// As [`OccupiedCells::read`].
    pub(super) fn nearest(&self, given: Option<&Path>) -> Result<Vec<u32>> {
        match given {
            Some(path) => self.read(path),
            None => Ok(self.searched()),
        }
    }

    fn searched(&self) -> Vec<u32> {
        let [rows, columns] = self.shape;
        nearest_nodes(self.occupied, rows, columns)
    }

    /// The nodes that `Z` of the file `path` names.
    ///
    /// # StaMPS compatibility
    /// `Z` of stage6.md section 4: the original breaks ties by chance of its triangulation, MATLAB other
    /// than Octave. Any node at the least distance is right, so that a run of the original's can be
    /// followed; everything else is refused.
    ///
    /// # Errors
    /// `nearest-nodes` for a plane of another shape, numbers that name no node, an occupied cell that does
    /// not name its own, and a node that is farther away than another; MATLAB file errors.
    fn read(&self, path: &Path) -> Result<Vec<u32>> {
        let [rows, columns] = self.shape;
        let stored = pystamps_mat::read_variable(path, PLANE)?;
        let numbers = stored.to_f64_vec().filter(|_| stored.dims() == self.shape);
        let Some(numbers) = numbers else {
            let found = format!("{:?} of class {}", stored.dims(), stored.class());
            return Err(unfit(path, PLANE, format!("numbers, {rows} x {columns}"), found));
        };
        let cells: Vec<usize> = (0..self.occupied.len()).filter(|&k| self.occupied[k]).collect();
        let searched = self.searched();
        let mut nodes = Vec::with_capacity(numbers.len());
        for ((cell, number), best) in numbers.into_iter().enumerate().zip(searched) {
            nodes.push(self.checked(number, cell, best, &cells).map_err(|expected| {
                let place = format!("{PLANE}({}, {})", cell % rows + 1, cell / rows + 1);
                let distance = node_of(number, cells.len())
                    .map(|node| squared_distance(cell, cells[node as usize], rows));
                let found = distance.map_or_else(
                    || format!("{number}"),
                    |squared| format!("{number}, at {:.3} cells", (squared as f64).sqrt()),
                );
                unfit(path, &place, expected, found)
            })?);
        }
        Ok(nodes)
    }

    /// The node of one cell, if `number` names one at the distance of `best`; otherwise what is expected.
    fn checked(
        &self,
        number: f64,
        cell: usize,
        best: u32,
        cells: &[usize],
    ) -> std::result::Result<u32, String> {
        let rows = self.shape[0];
        let Some(node) = node_of(number, cells.len()) else {
            return Err(format!("the number of a node, a whole number from 1 to {}", cells.len()));
        };
        let least = squared_distance(cell, cells[best as usize], rows);
        if squared_distance(cell, cells[node as usize], rows) == least {
            return Ok(node);
        }
        Err(if least == 0 {
            format!("{}, the cell's own node", best + 1)
        } else {
            format!("a node at {:.3} cells, such as {}", (least as f64).sqrt(), best + 1)
        })
    }
}

/// The file whose plane stage 6 has used in the project `root`, if one was handed to it: its own
/// `uw_interp.mat` holds the same.
///
/// # Errors
/// As `Ledger::load`.
pub(super) fn given_before(root: &Path) -> Result<Option<PathBuf>> {
    let ledger = Ledger::load(root)?;
    let inputs = ledger.stage("6").map(|entry| entry.recipe.inputs.as_slice()).unwrap_or_default();
    let given = inputs.iter().any(|input| input.path == GIVEN_NODES);
    Ok(given.then(|| root.join("uw_interp.mat")))
}

/// The node, from 0, that a number from 1 names.
fn node_of(number: f64, node_count: usize) -> Option<u32> {
    let possible = number.fract() == 0.0 && number >= 1.0 && number <= node_count as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number in the range of the nodes"
    )]
    possible.then(|| number as u32 - 1)
}

/// Squared distance between two places of a plane stored column by column, in cells.
fn squared_distance(from: usize, to: usize, rows: usize) -> u64 {
    let apart = |a: usize, b: usize| (a.abs_diff(b) as u64).pow(2);
    apart(from % rows, to % rows) + apart(from / rows, to / rows)
}

fn unfit(path: &Path, variable: &str, expected: String, found: String) -> Error {
    Diagnostic::new(WRONG_NODES, "these are not the nearest nodes of this grid")
        .path(path)
        .variable(variable)
        .expected(expected)
        .found(found)
        .remedy(
            "give uw_interp.mat of step 6 of the same PS with the same unwrap_grid_size, or leave \
             --nearest-nodes out and run stage 6 again",
        )
        .data()
}

#[cfg(test)]
mod tests {
    use pystamps_mat::{NumericData, Variables, WriteOptions, write};

    use super::OccupiedCells;
    use crate::mat_output::matrix;

    /// The corners of a square of three cells: every other cell has a tie.
    const CORNERS: [bool; 9] = [true, false, true, false, false, false, true, false, true];
    const OURS: [f64; 9] = [1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0];

    fn read(shape: [usize; 2], values: &[f64]) -> Result<Vec<u32>, String> {
        let folder = tempfile::tempdir().expect("a folder for a test");
        let path = folder.path().join("uw_interp.mat");
        let plane = matrix(shape[0], shape[1], NumericData::F64(values.to_vec()));
        let variables: Variables = [("Z", plane)].into_iter().collect();
        write(&path, &variables, &WriteOptions::default()).expect("a file for a test");
        let cells = OccupiedCells { shape: [3, 3], occupied: &CORNERS };
        cells.nearest(Some(&path)).map_err(|error| error.to_string())
    }

    #[test]
    fn any_of_several_nodes_at_the_least_distance_is_taken() {
        assert_eq!(read([3, 3], &OURS), Ok(vec![0, 0, 1, 0, 0, 1, 2, 2, 3]));
        let highest = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 3.0, 4.0, 4.0];
        assert_eq!(read([3, 3], &highest), Ok(vec![0, 1, 1, 2, 3, 3, 2, 3, 3]));
    }

    #[test]
    fn everything_else_names_file_cell_expected_and_found() {
        let changed = |place: usize, number: f64| {
            let mut values = OURS;
            values[place] = number;
            read([3, 3], &values).expect_err("a wrong plane is refused")
        };
        let cases = [
            (changed(0, 2.0), "Z(1, 1)", "1, the cell's own node", "2, at 2.000 cells"),
            (changed(1, 4.0), "Z(2, 1)", "a node at 1.000 cells, such as 1", "4, at 2.236 cells"),
            (changed(4, 0.0), "Z(2, 2)", "a whole number from 1 to 4", "0"),
            (changed(4, 5.0), "Z(2, 2)", "a whole number from 1 to 4", "5"),
            (changed(5, 1.5), "Z(3, 2)", "a whole number from 1 to 4", "1.5"),
            (changed(8, f64::NAN), "Z(3, 3)", "a whole number from 1 to 4", "NaN"),
            (read([1, 9], &OURS).expect_err("a line"), "Z", "numbers, 3 x 3", "[1, 9]"),
        ];
        for (text, place, expected, found) in cases {
            for words in ["uw_interp.mat", place, expected, found] {
                assert!(text.contains(words), "{words} in {text}");
            }
        }
    }
}
