//! Combines the PS of a patch that lie in one cell of a grid.

use std::collections::BTreeMap;

use pystamps_kernels::elementary::{sin_cos, wrap};

use super::contribution::Cell;
use super::merge_inputs::PatchRows;
use crate::error::Result;
use crate::project::artifacts::stage4;
use crate::project::stack::Network;
use crate::stage::RandomEngine;
use crate::stored_array::{StoredArray, column};

/// Accuracy that phase cannot surpass, rad: 10 degrees.
const PHASE_ACCURACY_RAD: f64 = 10.0 * std::f64::consts::PI / 180.0;

/// How rows are combined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Resampling {
    /// Side of a cell, m.
    pub(super) cell_m: f64,
    /// Sum of inverse variances that a cell must have, rad^-2.
    pub(super) smallest_weight: f64,
    /// Largest coherence that is believed.
    pub(super) largest_coherence: f64,
}

/// Coherence of 1000 phases of the accuracy above, as `randn('state', 1001)` draws them.
///
/// # StaMPS compatibility
/// Stage5.md B: the value depends on the generator of the program StaMPS runs under.
pub(super) const fn largest_coherence(engine: RandomEngine) -> f64 {
    match engine {
        RandomEngine::Matlab => 0.985_723_131_556_56,
        RandomEngine::Octave => 0.983_993_623_311_826_5,
    }
}

/// Where the grid begins in both coordinates, m.
const GRID_ORIGIN_M: f32 = 1.0;

/// The cells of a patch that have enough weight, sorted by y, then x. Only PS in the patch's own
/// window count.
///
/// # StaMPS compatibility
/// Stage5.md B2, but for the grid's origin: the specification has the least x and y of the patch,
/// while the cells of the oracle's scene S (both patches, 1,074 cells) are those of a grid whose lines
/// pass through 1 m in x and y, and of no other (0.8 to 1.7 m and 1.0 to 1.1 m fit). The least
/// number of a numbering from 1 in the place of the coordinate explains it.
///
/// # Errors
/// MATLAB file errors.
pub(super) fn cells_of(patch: &PatchRows, resampling: &Resampling) -> Result<Vec<Cell>> {
    let [inverse_variance, signal_to_noise] = weights(patch, resampling)?;
    let mut cells: BTreeMap<[i64; 2], Cell> = BTreeMap::new();
    for (row, place) in grid_places(patch, resampling.cell_m) {
        let cell = cells.entry(place).or_default();
        cell.rows.push(row);
        cell.inverse_variance.push(inverse_variance[row as usize]);
        cell.signal_to_noise.push(signal_to_noise[row as usize]);
    }
    let enough = |cell: &Cell| {
        let weight: f32 = cell.inverse_variance.iter().sum();
        f64::from(weight) >= resampling.smallest_weight || weight.is_nan()
    };
    Ok(cells.into_values().filter(enough).collect())
}

/// Rows in the patch's own window with the cell of each: y first, in single precision.
#[expect(clippy::cast_possible_truncation, reason = "the original computes cells in single")]
fn grid_places(patch: &PatchRows, cell_m: f64) -> Vec<(u32, [i64; 2])> {
    let index = |value: f32| (((value - GRID_ORIGIN_M) + 1e-9) / cell_m as f32).ceil() as i64;
    (0_u32..)
        .zip(&patch.stack.xy_m)
        .filter(|(row, _)| patch.own[*row as usize])
        .map(|(row, [x, y])| (row, [index(*y), index(*x)]))
        .collect()
}

/// Inverse variance of the residual phase and squared ratio of signal to noise of every row.
fn weights(patch: &PatchRows, resampling: &Resampling) -> Result<[Vec<f32>; 2]> {
    let lengths = patch.stack.axis_lengths();
    let residual = StoredArray::open(&patch.folder, &stage4::RESIDUAL, &lengths)?;
    let offset_rad = column(&patch.folder, &stage4::OFFSET, &lengths)?;
    let mut scatter = vec![Scatter::default(); patch.len()];
    for index in 0..residual.column_count() {
        let residual_rad = residual.real_column::<f64>(index)?;
        for ((scatter, residual_rad), offset_rad) in
            scatter.iter_mut().zip(residual_rad).zip(&offset_rad)
        {
            scatter.add(wrap(residual_rad - offset_rad));
        }
    }
    if patch.stack.network == Network::SingleMaster {
        for (scatter, &offset_rad) in scatter.iter_mut().zip(&offset_rad) {
            scatter.add(offset_rad);
        }
    }
    let interferograms = patch.stack.interferogram_count() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    let (inverse_variance, signal_to_noise) = scatter
        .iter()
        .map(|scatter| {
            let ratio = scatter.signal_to_noise(interferograms, resampling);
            (scatter.inverse_variance() as f32, ratio as f32)
        })
        .unzip();
    Ok([inverse_variance, signal_to_noise])
}

/// Moments of the residual phase of one row.
#[derive(Clone, Copy, Debug, Default)]
struct Scatter {
    count: f64,
    mean: f64,
    squares: f64,
    phasor: [f64; 2],
}

impl Scatter {
    fn add(&mut self, phase_rad: f64) {
        self.count += 1.0;
        let difference = phase_rad - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (phase_rad - self.mean);
        let (sin, cos) = sin_cos(phase_rad);
        self.phasor = [self.phasor[0] + cos, self.phasor[1] + sin];
    }

    fn inverse_variance(&self) -> f64 {
        let variance = self.squares / (self.count - 1.0).max(1.0);
        // Written so that NaN stays.
        let floor = PHASE_ACCURACY_RAD * PHASE_ACCURACY_RAD;
        1.0 / if variance < floor { floor } else { variance }
    }

    fn signal_to_noise(&self, interferograms: f64, resampling: &Resampling) -> f64 {
        let coherence = self.phasor[0].hypot(self.phasor[1]) / interferograms;
        let largest = resampling.largest_coherence;
        let coherence = if coherence > largest { largest } else { coherence };
        1.0 / (1.0 / (coherence * coherence) - 1.0)
    }
}
