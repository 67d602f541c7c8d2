//! Predicts memory, disk and time of stage 6 from the merged project, or from its patches.

use std::path::Path;

use pystamps_mat::Value;
use serde::Serialize;

use super::rates::UnwrappingRates;
use super::sizes::PatchSizes;
use super::stages::StagePlan;
use crate::error::Result;
use crate::native_stage6::grid_counts;
use crate::native_stage6::memory::Need;
use crate::parameter_checks::not_negative;
use crate::project::parameters::Parameters;
use crate::samples::Residence;

/// Sizes of the merged project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MergedSizes {
    /// PS.
    pub scatterers: u64,
    /// Cells of the grid.
    pub cells: u64,
    /// Cells with PS.
    pub nodes: u64,
    /// Edges between them.
    pub edges: u64,
    /// Whether these are guesses from the patches; they are known after the merge.
    pub assumed: bool,
}

impl MergedSizes {
    /// Sizes of the merged project in `root`, or what its `patches` let expect.
    ///
    /// # Errors
    /// Parameters that cannot work.
    pub(super) fn of<'a>(
        root: &Path,
        parameters: &Parameters,
        patches: impl Iterator<Item = &'a PatchSizes> + Clone,
    ) -> Result<Self> {
        let merged = root.join("ps2.mat").is_file() && root.join("ifgstd2.mat").is_file();
        // What cannot be unwrapped is refused by stage 6, with the reason.
        if merged && let Ok([scatterers, cells, nodes, edges]) = grid_counts(root, parameters) {
            return Ok(Self { scatterers, cells, nodes, edges, assumed: false });
        }
        let scatterers = patches.clone().map(|patch| patch.kept).sum::<u64>();
        let filter_cells: u64 = patches.map(PatchSizes::cell_count).sum();
        let side_m = not_negative(parameters, "unwrap_grid_size")?.max(1.0);
        let ratio = crate::parameter_checks::positive(parameters, "filter_grid_size")? / side_m;
        let cells = (filter_cells as f64 * ratio * ratio).max(1.0);
        let nodes = cells * (1.0 - (-(scatterers as f64) / cells).exp());
        // Between the triangulation of a few nodes, three edges each, and a full grid, two each.
        let edges = nodes * (3.0 - nodes / cells);
        let [cells, nodes, edges] = [cells, nodes, edges].map(whole);
        Ok(Self { scatterers, cells, nodes, edges, assumed: true })
    }

    /// Plan of stage 6 for `interferograms`.
    pub(super) fn plan(
        &self,
        interferograms: u64,
        threads: u64,
        rates: &UnwrappingRates,
        byte_seconds: f64,
    ) -> StagePlan {
        let need = Need {
            rows: self.scatterers,
            columns: interferograms,
            cells: self.cells,
            nodes: self.nodes,
            edges: self.edges,
            threads,
            extra_node_bytes: 0,
            extra_edge_bytes: 0,
            resident_bytes: 0,
        };
        // ph_in 8 B and ph_uw 4 B a PS, ph 8 B and ph_uw 4 B a node, two series of 4 B and an offset of
        // 2 B an edge.
        let disk_bytes = interferograms * (12 * (self.scatterers + self.nodes) + 10 * self.edges)
            + 40 * self.cells
            + 40 * self.edges;
        let read_bytes = interferograms * 12 * self.scatterers * 3;
        let columns = interferograms as f64;
        let computing = columns
            * (self.cells as f64 * rates.cell + self.scatterers as f64 * rates.sample)
            + self.edges as f64 * rates.edge;
        StagePlan {
            stage: 6,
            memory_bytes: need.bytes(Residence::Memory),
            least_memory_bytes: need.bytes(Residence::File),
            disk_bytes,
            seconds: computing / threads as f64 + (read_bytes + disk_bytes) as f64 * byte_seconds,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}

/// Interferograms that are not dropped.
pub(super) fn unwrapped_count(parameters: &Parameters, interferograms: u64) -> u64 {
    let dropped = parameters.get("drop_ifg_index").ok();
    let dropped = dropped.and_then(|(_, value)| Value::to_f64_vec(value)).unwrap_or_default();
    interferograms.saturating_sub(dropped.len() as u64)
}
