//! Predicts the memory of stage 3. The constants are fitted to resident sets;
//! `python -m parity.bench_stages` prints prediction and measurement.

use crate::samples::Residence;

/// Memory of the process itself.
const BASE_BYTES: u64 = 9 << 20;
/// What one candidate takes besides its samples: coordinates, cell, dispersion, estimates of stage 2.
const ROW_BYTES: u64 = 60;
/// What one sample takes when it is held: phase 8, baseline 4.
const SAMPLE_BYTES: u64 = 12;
/// What one sample of a selected candidate takes when it is held: patch phase 8, residual 4.
const SELECTED_SAMPLE_BYTES: u64 = 12;
/// What one filtered phasor of a cell takes when it is held.
const CELL_SAMPLE_BYTES: u64 = 8;
/// What one cell takes in a thread that filters: a plane as stored and as it is used.
const THREAD_CELL_BYTES: u64 = 16;
/// What one selected candidate takes besides its samples: row, estimates, threshold.
const SELECTED_BYTES: u64 = 70;
/// Blocks of candidates that a thread fits before their results are gathered, and their rows.
const THREAD_FITS: [u64; 2] = [16, 256];
/// What one sample of a fitted candidate takes until then: patch phase 8, residual 4.
const FIT_SAMPLE_BYTES: u64 = 12;
/// What one sample takes of the block that a thread is fitting: as read, and as it is fitted.
const BLOCK_SAMPLE_BYTES: u64 = 48;

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
    /// Peak memory with the samples held or read again, bytes: that of filtering or of fitting,
    /// whichever takes more.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        // No more cells are filtered than there are selected candidates.
        let filtered = self.cells.min(self.selected);
        let held = |bytes: u64| match residence {
            Residence::Memory => self.columns * bytes,
            Residence::File => 0,
        };
        let filtering = self.threads * self.cells * THREAD_CELL_BYTES;
        let fitting = held(self.selected * SELECTED_SAMPLE_BYTES) + self.fitting_bytes();
        BASE_BYTES
            + self.compressed_bytes
            + self.rows * ROW_BYTES
            + self.selected * SELECTED_BYTES
            + held(self.rows * SAMPLE_BYTES + filtered * CELL_SAMPLE_BYTES)
            + filtering.max(fitting)
    }

    /// What the threads take that fit.
    fn fitting_bytes(&self) -> u64 {
        let [blocks, rows] = THREAD_FITS;
        let fitted = self.selected.min(self.threads * blocks * rows);
        let block = self.threads * rows;
        self.columns * (fitted * FIT_SAMPLE_BYTES + block * BLOCK_SAMPLE_BYTES)
    }
}
