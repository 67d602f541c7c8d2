//! Predicts memory, disk and time of every stage of a patch.

use pystamps_kernels::clap::window_count;
use serde::Serialize;

use super::rates::Rates;
use super::sizes::PatchSizes;
use super::stage1_memory_bytes;
use crate::native_stage2::memory::Need as Stage2Need;
use crate::native_stage3::memory::Need as Stage3Need;
use crate::native_stage4::stage4_memory_bytes;
use crate::native_stage5::{merge_memory_bytes, resampling_bytes, stage5_patch_memory_bytes};
use crate::samples::Residence;

/// Rows of random phase that stage 2 simulates.
const RANDOM_ROWS: f64 = 300_000.0;

/// What one stage will need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StagePlan {
    /// Stage number.
    pub stage: u8,
    /// Peak memory, bytes.
    pub memory_bytes: u64,
    /// Least `--memory-limit` it can keep to, bytes.
    pub least_memory_bytes: u64,
    /// What it writes, bytes.
    pub disk_bytes: u64,
    /// Time, s.
    pub seconds: f64,
}

/// What the stages of every patch have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    /// Interferograms without the master's slot.
    pub(super) interferograms: u64,
    /// 1 if the master has a slot.
    pub(super) master: u64,
    pub(super) threads: u64,
    pub(super) iterations: f64,
    /// Side of the windows that the filter of stage 2 moves over the grid, cells.
    pub(super) window_cells: usize,
    /// What simulating random phase takes, bytes.
    pub(super) simulation_bytes: u64,
    pub(super) rates: Rates,
    /// Whether the merge puts the PS on a coarser grid.
    pub(super) resampled: bool,
}

impl Common {
    /// Plans of the stages of a patch of these sizes.
    pub(super) fn stages(&self, sizes: &PatchSizes) -> Vec<StagePlan> {
        vec![
            self.stage1(sizes),
            self.stage2(sizes),
            self.stage3(sizes),
            self.stage4(sizes),
            self.stage5(sizes),
        ]
    }

    /// Plan of the merge of so many PS.
    pub(super) fn merge(&self, scatterers: u64) -> StagePlan {
        let extra_bytes = if self.resampled { resampling_bytes(scatterers) } else { 0 };
        let memory_bytes = merge_memory_bytes(scatterers, self.threads) + extra_bytes;
        // ph, ph_rc, ph_reref, ph_patch 8 B, ph_res, bperp, ph_uw 4 B a sample.
        let disk_bytes = scatterers * (44 * (self.interferograms + self.master) + 150);
        let seconds = 2.0 * self.io_seconds(disk_bytes);
        StagePlan { stage: 5, memory_bytes, least_memory_bytes: memory_bytes, disk_bytes, seconds }
    }

    fn io_seconds(&self, bytes: u64) -> f64 {
        bytes as f64 * self.rates.byte
    }

    fn stage1(&self, sizes: &PatchSizes) -> StagePlan {
        let memory_bytes = stage1_memory_bytes(sizes.candidates, self.threads);
        // ph 8 B and bperp 4 B a sample; coordinates, angles and indices 108 B a row.
        let disk_bytes = sizes.candidates * (12 * self.interferograms + 8 * self.master + 108);
        let seconds = 2.0 * self.io_seconds(disk_bytes);
        StagePlan { stage: 1, memory_bytes, least_memory_bytes: memory_bytes, disk_bytes, seconds }
    }

    fn stage2(&self, sizes: &PatchSizes) -> StagePlan {
        let need = Stage2Need {
            rows: sizes.candidates,
            columns: self.interferograms,
            cells: sizes.cell_count(),
            threads: self.threads,
            simulation_bytes: self.simulation_bytes,
            compressed_bytes: 0,
        };
        let samples = sizes.candidates * self.interferograms;
        let read_bytes = 12 * samples;
        let disk_bytes =
            20 * samples + 8 * need.cells * self.interferograms + 70 * sizes.candidates;
        let windows: f64 = sizes
            .cells
            .map(|cells| {
                let cells = usize::try_from(cells).unwrap_or(0);
                window_count(cells, self.window_cells).max(0) as f64
            })
            .iter()
            .product();
        let iteration = sizes.candidates as f64 * self.rates.fit
            + windows * self.interferograms as f64 * self.rates.window;
        let computing = self.iterations * iteration + RANDOM_ROWS * self.rates.fit;
        StagePlan {
            stage: 2,
            memory_bytes: need.bytes(Residence::Memory),
            least_memory_bytes: need.bytes(Residence::File),
            disk_bytes,
            seconds: computing / self.threads as f64 + self.io_seconds(read_bytes + disk_bytes),
        }
    }

    fn stage3(&self, sizes: &PatchSizes) -> StagePlan {
        let need = Stage3Need {
            rows: sizes.candidates,
            selected: sizes.selected,
            columns: self.interferograms,
            cells: sizes.cell_count(),
            threads: self.threads,
            compressed_bytes: 0,
        };
        let columns = self.interferograms;
        let read_bytes = 12 * sizes.candidates * columns + 8 * need.cells * columns;
        let disk_bytes = 12 * sizes.selected * columns + 50 * sizes.selected;
        let computing = sizes.filtered_cells() * columns as f64 * self.rates.cell
            + sizes.selected as f64 * self.rates.fit;
        StagePlan {
            stage: 3,
            memory_bytes: need.bytes(Residence::Memory),
            least_memory_bytes: need.bytes(Residence::File),
            disk_bytes,
            seconds: computing / self.threads as f64 + self.io_seconds(read_bytes + disk_bytes),
        }
    }

    fn stage4(&self, sizes: &PatchSizes) -> StagePlan {
        let columns = self.interferograms + self.master;
        let edges = 3 * sizes.kept;
        let memory_bytes =
            stage4_memory_bytes(sizes.candidates, sizes.kept, columns, edges, self.threads);
        let read_bytes = 20 * sizes.candidates * columns;
        let disk_bytes = sizes.kept * (24 * columns + 120);
        let computing = edges as f64 * self.rates.edge / self.threads as f64;
        let seconds = computing + self.io_seconds(read_bytes + disk_bytes);
        StagePlan { stage: 4, memory_bytes, least_memory_bytes: memory_bytes, disk_bytes, seconds }
    }

    fn stage5(&self, sizes: &PatchSizes) -> StagePlan {
        let memory_bytes = stage5_patch_memory_bytes(sizes.kept, self.threads);
        let columns = self.interferograms + self.master;
        let disk_bytes = 16 * sizes.kept * columns;
        let seconds = 2.5 * self.io_seconds(disk_bytes);
        StagePlan { stage: 5, memory_bytes, least_memory_bytes: memory_bytes, disk_bytes, seconds }
    }
}
