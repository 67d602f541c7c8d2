//! Takes Gaussian means of the surroundings of PS.

use std::ops::Range;

use rayon::prelude::*;

use super::cells::Cells;
use super::weighted_sums::{NARROW, Room, WeightedSums, Window};
use crate::simd::run_widest;

/// Groups of targets whose results wait in memory together.
const BATCH: usize = 256;

/// A Gaussian low-pass in space over scattered PS.
///
/// # StaMPS compatibility
/// Stage8.md section 2 step 9: sources count within four standard deviations (strictly), with
/// weights that sum to 1, the PS itself among them. Distances, weights and their products with values
/// are single, as there; products are summed in single over a few dozen sources and in double
/// beyond, so that the error stays below 1e-6 of the largest value.
///
/// # Algorithm
/// PS are sorted into square cells. All PS of a cell share the sources of the cells in reach: for
/// a group of them the weights are made once, and the means of all columns are a dense product of
/// the matrix of weights and that of values.
#[derive(Clone, Debug)]
pub struct SpatialLowPass {
    cells: Cells,
    /// Places in the order of the cells, m.
    x_m: Vec<f32>,
    y_m: Vec<f32>,
    window: Window,
}

impl SpatialLowPass {
    /// The low-pass over PS at `xy_m`, m, with a standard deviation of `sigma_m`.
    ///
    /// Where nothing is in reach (a coordinate that is NaN, a deviation that is not above 0) the PS
    /// keeps its own value.
    pub fn new(xy_m: &[[f32; 2]], sigma_m: f64) -> Self {
        let cells = Cells::new(xy_m, sigma_m);
        let place = |axis: usize| cells.order().iter().map(|&ps| xy_m[ps as usize][axis]).collect();
        let (x_m, y_m) = (place(0), place(1));
        Self { cells, x_m, y_m, window: Window::new(sigma_m) }
    }

    /// Writes the means around PS `rows` to `out`: row-major `[rows, columns]`, as `values` are for
    /// all PS. Every row is the same whatever the range and the number of threads.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn smooth(&self, rows: Range<usize>, values: &[f32], columns: usize, out: &mut [f32]) {
        assert_eq!(values.len(), self.x_m.len() * columns, "a value for every PS and column");
        assert_eq!(out.len(), rows.len() * columns, "room for every mean");
        if out.is_empty() {
            return;
        }
        let stride = columns.next_multiple_of(NARROW);
        let mut sorted = vec![0.0; self.x_m.len() * stride];
        for (place, &ps) in sorted.chunks_exact_mut(stride).zip(self.cells.order()) {
            place[..columns].copy_from_slice(&values[ps as usize * columns..][..columns]);
        }
        let groups: Vec<(usize, Vec<u32>)> = (0..self.cells.count())
            .map(|cell| (cell, self.targets(cell, &rows)))
            .filter(|(_, targets)| !targets.is_empty())
            .collect();
        for batch in groups.chunks(BATCH) {
            let made = batch.par_iter().map_init(Room::default, |room, (cell, targets)| {
                self.means(*cell, targets, &sorted, stride, room)
            });
            let made: Vec<Vec<f32>> = made.collect();
            for ((_, targets), means) in batch.iter().zip(made) {
                for (&target, mean) in targets.iter().zip(means.chunks_exact(stride)) {
                    let row = self.cells.order()[target as usize] as usize - rows.start;
                    out[row * columns..][..columns].copy_from_slice(&mean[..columns]);
                }
            }
        }
    }

    /// Places of the PS of a cell, in the order of cells, that are among `rows`.
    fn targets(&self, cell: usize, rows: &Range<usize>) -> Vec<u32> {
        let order = self.cells.order();
        let inside = |at: &usize| rows.contains(&(order[*at] as usize));
        let places = self.cells.members(cell).filter(inside);
        places.map(|at| u32::try_from(at).expect("invariant: fewer than 2^32 PS")).collect()
    }

    /// Means at some targets of one cell, `[targets, stride]`, row-major.
    fn means(
        &self,
        cell: usize,
        targets: &[u32],
        sorted: &[f32],
        stride: usize,
        room: &mut Room,
    ) -> Vec<f32> {
        let mut means = vec![0.0; targets.len() * stride];
        run_widest(WeightedSums {
            runs: &self.cells.in_reach(cell),
            targets,
            x_m: &self.x_m,
            y_m: &self.y_m,
            window: self.window,
            values: sorted,
            stride,
            room,
            means: &mut means,
        });
        means
    }
}
