//! Predicts the memory of stage 6. The constants are fitted to resident sets;
//! `python -m parity.bench_stages` prints prediction and measurement.

use super::edge_analysis::TILE_EDGES;
use crate::samples::Residence;

/// Memory of the process itself.
const BASE_BYTES: u64 = 9 << 20;
/// What one PS takes: coordinates, cell, node, slopes, order.
const PS_BYTES: u64 = 130;
/// What one PS takes in a thread that assembles a column.
const THREAD_PS_BYTES: u64 = 32;
/// What one cell takes: node, arcs' edges in both orders.
const CELL_BYTES: u64 = 36;
/// What one cell takes in a thread: filter and solver never meet, the larger counts.
const THREAD_CELL_BYTES: u64 = 26;
/// What one edge takes: ends, variance, occurrences.
const EDGE_BYTES: u64 = 40;

/// Sizes that decide about the memory of stage 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// PS.
    pub(crate) rows: u64,
    /// Interferograms to unwrap.
    pub(crate) columns: u64,
    /// Cells of the grid.
    pub(crate) cells: u64,
    /// Cells with PS.
    pub(crate) nodes: u64,
    /// Edges between them.
    pub(crate) edges: u64,
    /// Worker threads.
    pub(crate) threads: u64,
    /// Arrays that cannot be left in their files, bytes.
    pub(crate) resident_bytes: u64,
}

impl Need {
    /// Peak memory with the series of the edges held or kept in files, bytes.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        let held = match residence {
            Residence::Memory => 8 * self.edges * self.columns,
            Residence::File => 0,
        };
        let tile = 16 * TILE_EDGES as u64 * self.columns;
        let threads = self.rows * THREAD_PS_BYTES + self.cells * THREAD_CELL_BYTES + tile;
        // Phase of the nodes, wrapped and unwrapped.
        let of_nodes = 12 * self.nodes * self.columns;
        BASE_BYTES
            + self.resident_bytes
            + self.rows * PS_BYTES
            + self.cells * CELL_BYTES
            + self.edges * EDGE_BYTES
            + of_nodes
            + held
            + self.threads * threads
    }
}
