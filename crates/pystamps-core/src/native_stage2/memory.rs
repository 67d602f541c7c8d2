//! Predicts the memory of stage 2. The constants are fitted to resident sets;
//! `python -m parity.bench_stages` prints prediction and measurement.

use pystamps_kernels::random::{MatlabV5Uniform, OctaveTwister};
use pystamps_kernels::random_coherence::memory_bytes;

use super::reference_histogram::RANDOM_ROWS;
use crate::samples::Residence;
use crate::stage::RandomEngine;

/// Memory of the process itself.
const BASE_BYTES: u64 = 12 << 20;
/// What one candidate takes besides its samples: coordinates, cell, estimates, weights.
const ROW_BYTES: u64 = 150;
/// What one sample takes when it is held: phase 8, baseline 4, residual 4.
const SAMPLE_BYTES: u64 = 16;
/// What one cell of one interferogram takes: gridded 8, filtered 8.
const CELL_BYTES: u64 = 16;
/// What one cell takes in a thread that filters.
const THREAD_CELL_BYTES: u64 = 24;
/// What one candidate takes in a thread that makes a column of the result.
const THREAD_ROW_BYTES: u64 = 16;
/// What one interferogram takes in a thread that fits: the residuals of 16 blocks of 256 rows, and
/// the samples of one block.
const THREAD_COLUMN_BYTES: u64 = 16 * 256 * 4 + 256 * 24;

/// Sizes that decide about the memory of stage 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Candidates.
    pub(crate) rows: u64,
    /// Measured interferograms.
    pub(crate) columns: u64,
    /// Cells of the grid.
    pub(crate) cells: u64,
    /// Worker threads.
    pub(crate) threads: u64,
    /// What simulating random phase takes, before the planes exist.
    pub(crate) simulation_bytes: u64,
    /// Arrays that cannot be left in their files, bytes.
    pub(crate) compressed_bytes: u64,
}

impl Need {
    /// Peak memory with the samples held or read again and again, bytes.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        let held = match residence {
            Residence::Memory => self.rows * self.columns * SAMPLE_BYTES,
            Residence::File => 0,
        };
        let estimating = self.cells
            * (self.columns * CELL_BYTES + self.threads * THREAD_CELL_BYTES)
            + self.threads * self.columns * THREAD_COLUMN_BYTES;
        BASE_BYTES
            + held
            + self.compressed_bytes
            + self.rows * (ROW_BYTES + self.threads * THREAD_ROW_BYTES)
            + estimating.max(self.simulation_bytes)
    }
}

/// What simulating random phase for `columns` interferograms takes with `threads` threads, bytes.
pub(crate) fn simulation_bytes(engine: RandomEngine, columns: usize, threads: usize) -> u64 {
    let bytes = match engine {
        RandomEngine::Matlab => memory_bytes::<MatlabV5Uniform>,
        RandomEngine::Octave => memory_bytes::<OctaveTwister>,
    };
    bytes(RANDOM_ROWS, columns, threads) as u64
}
