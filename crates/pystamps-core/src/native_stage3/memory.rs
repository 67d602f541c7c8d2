//! Predicts the memory of stage 3.

use crate::samples::Residence;

/// Memory of the process itself.
const BASE_BYTES: u64 = 24 << 20;
/// What one candidate takes besides its samples: coordinates, cell, dispersion, estimates of stage 2.
const ROW_BYTES: u64 = 160;
/// What one sample takes when it is held: phase 8, baseline 4.
const SAMPLE_BYTES: u64 = 12;
/// What one sample of a selected candidate takes when it is held: patch phase 8, residual 4.
const SELECTED_SAMPLE_BYTES: u64 = 12;
/// What one filtered phasor of a cell takes when it is held.
const CELL_SAMPLE_BYTES: u64 = 8;
/// What one cell takes in a thread that filters: a plane as stored and as it is used.
const THREAD_CELL_BYTES: u64 = 16;
/// What one selected candidate takes in a thread that makes a column of the result.
const THREAD_ROW_BYTES: u64 = 24;

/// Sizes that decide about the memory of stage 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Candidates.
    pub(crate) rows: u64,
    /// Candidates of the first selection.
    pub(crate) selected: u64,
    /// Measured interferograms.
    pub(crate) columns: u64,
    /// Cells of the grid.
    pub(crate) cells: u64,
    /// Worker threads.
    pub(crate) threads: u64,
    /// Arrays that cannot be left in their files, bytes.
    pub(crate) compressed_bytes: u64,
}

impl Need {
    /// Peak memory with the samples held or read again, bytes.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        // No more cells are filtered than there are selected candidates.
        let filtered = self.cells.min(self.selected);
        let held = match residence {
            Residence::Memory => {
                self.columns
                    * (self.rows * SAMPLE_BYTES
                        + self.selected * SELECTED_SAMPLE_BYTES
                        + filtered * CELL_SAMPLE_BYTES)
            }
            Residence::File => 0,
        };
        BASE_BYTES
            + held
            + self.compressed_bytes
            + self.rows * ROW_BYTES
            + self.threads * (self.selected * THREAD_ROW_BYTES + self.cells * THREAD_CELL_BYTES)
    }
}
