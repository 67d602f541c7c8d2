//! Combines the PS of a patch that lie in one cell of a grid.

use std::collections::BTreeMap;

use pystamps_kernels::elementary::{atan2, sin_cos};
use pystamps_kernels::merge_max_coherence::{
    MATLAB_MERGE_MAX_COHERENCE, OCTAVE_MERGE_MAX_COHERENCE,
};

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
        RandomEngine::Matlab => MATLAB_MERGE_MAX_COHERENCE,
        RandomEngine::Octave => OCTAVE_MERGE_MAX_COHERENCE,
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
/// pass through 1 m in x and y.
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
///
/// # StaMPS compatibility
/// In single precision, summed interferogram by interferogram, as Octave does: the weights decide
/// the last bits of merged positions, and these the order of the rows.
fn weights(patch: &PatchRows, resampling: &Resampling) -> Result<[Vec<f32>; 2]> {
    let lengths = patch.stack.axis_lengths();
    let residual = StoredArray::open(&patch.folder, &stage4::RESIDUAL, &lengths)?;
    let offset_rad = column(&patch.folder, &stage4::OFFSET, &lengths)?;
    let with_offset = patch.stack.network == Network::SingleMaster;
    let mut scatter = vec![Scatter::default(); patch.len()];
    for pass in [Scatter::add_to_mean, Scatter::add_to_squares] {
        for index in 0..residual.column_count() {
            let residual_rad = residual.real_column::<f32>(index)?;
            for (row, scatter) in scatter.iter_mut().enumerate() {
                pass(scatter, remaining_phase(residual_rad[row], offset_rad[row]));
            }
        }
        if with_offset {
            for (scatter, &offset_rad) in scatter.iter_mut().zip(&offset_rad) {
                pass(scatter, single(offset_rad));
            }
        }
    }
    let interferograms = patch.stack.interferogram_count() as f32;
    Ok([
        scatter.iter().map(Scatter::inverse_variance).collect(),
        scatter.iter().map(|scatter| scatter.signal_to_noise(interferograms, resampling)).collect(),
    ])
}

/// Residual phase without the master's contribution, wrapped.
fn remaining_phase(residual_rad: f32, offset_rad: f64) -> f32 {
    let (sin, cos) = sin_cos(f64::from(residual_rad - single(offset_rad)));
    single(atan2(f64::from(single(sin)), f64::from(single(cos))))
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is meant")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Moments of the residual phase of one row, in two passes.
#[derive(Clone, Copy, Debug, Default)]
struct Scatter {
    count: f32,
    sum: f32,
    phasor: [f32; 2],
    squares: f32,
}

impl Scatter {
    fn add_to_mean(&mut self, phase_rad: f32) {
        self.count += 1.0;
        self.sum += phase_rad;
        let (sin, cos) = sin_cos(f64::from(phase_rad));
        self.phasor = [self.phasor[0] + single(cos), self.phasor[1] + single(sin)];
    }

    fn add_to_squares(&mut self, phase_rad: f32) {
        let difference = phase_rad - self.sum / self.count;
        self.squares += difference * difference;
    }

    fn inverse_variance(&self) -> f32 {
        let variance = self.squares / (self.count - 1.0).max(1.0);
        let floor = single(PHASE_ACCURACY_RAD * PHASE_ACCURACY_RAD);
        // Written so that NaN stays.
        1.0 / if variance < floor { floor } else { variance }
    }

    fn signal_to_noise(&self, interferograms: f32, resampling: &Resampling) -> f32 {
        let [re, im] = self.phasor.map(f64::from);
        let coherence = single((re * re + im * im).sqrt()) / interferograms;
        let largest = single(resampling.largest_coherence);
        let coherence = if coherence > largest { largest } else { coherence };
        1.0 / (1.0 / (coherence * coherence) - 1.0)
    }
}
