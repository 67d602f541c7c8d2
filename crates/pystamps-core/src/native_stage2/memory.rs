//! Predicts the memory of stage 2. The constants are fitted to resident sets;
//! `python -m parity.bench_stages` prints prediction and measurement.

use crate::samples::Residence;

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
}

impl Need {
    /// Peak memory with the samples held or read again and again, bytes.
    pub(crate) const fn bytes(&self, residence: Residence) -> u64 {
        let held = match residence {
            Residence::Memory => self.rows * self.columns * SAMPLE_BYTES,
            Residence::File => 0,
        };
        BASE_BYTES
            + held
            + self.rows * (ROW_BYTES + self.threads * THREAD_ROW_BYTES)
            + self.cells * (self.columns * CELL_BYTES + self.threads * THREAD_CELL_BYTES)
            + self.threads * self.columns * THREAD_COLUMN_BYTES
    }
}
