//! Predicts the memory of stage 6. The constants are bounds of what each step holds, compared with
//! resident sets: `python -m parity.bench_stages` prints prediction and measurement.

use super::edge_analysis::TILE_EDGES;
use crate::samples::Residence;

/// Memory of the process itself.
const BASE_BYTES: u64 = 9 << 20;
/// What one PS takes: coordinates, cell, node, slopes, order.
const PS_BYTES: u64 = 130;
/// What one cell takes throughout: its node, the edges of its arcs in both orders.
const CELL_BYTES: u64 = 24;
/// What one edge takes: ends, deviation, variance, occurrences.
const EDGE_BYTES: u64 = 44;
/// What one PS takes in a thread that assembles a column.
const THREAD_PS_BYTES: u64 = 32;
/// What one cell takes in a thread that filters: the plane, its windows' sum, the result.
const FILTERED_CELL_BYTES: u64 = 50;
/// What one cell takes while the nearest nodes and edges are written.
const WRITTEN_CELL_BYTES: u64 = 24;
/// What one cell takes in a thread that solves: costs, flows, potentials, search, proof.
const SOLVED_CELL_BYTES: u64 = 48;

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
    /// Arrays of one number a node and interferogram besides the wrapped and unwrapped phase, bytes a
    /// number: gradients, low-pass phase.
    pub(crate) extra_node_bytes: u64,
    /// The same for an edge: what gradients replace, the noise that weighs interferograms.
    pub(crate) extra_edge_bytes: u64,
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
        // Phase of the nodes, wrapped and unwrapped.
        let of_nodes = (12 + self.extra_node_bytes) * self.nodes * self.columns;
        let of_edges = self.edges * (EDGE_BYTES + self.extra_edge_bytes * self.columns);
        let threads = self.threads * self.thread_bytes();
        let steps = [
            threads + self.threads * self.cells * FILTERED_CELL_BYTES,
            self.cells * WRITTEN_CELL_BYTES,
            held + threads + self.threads * self.cells * SOLVED_CELL_BYTES,
        ];
        BASE_BYTES
            + self.resident_bytes
            + self.rows * PS_BYTES
            + self.cells * CELL_BYTES
            + of_nodes
            + of_edges
            + steps.into_iter().max().unwrap_or(0)
    }

    /// What a thread takes whatever it does.
    const fn thread_bytes(&self) -> u64 {
        self.rows * THREAD_PS_BYTES + 16 * TILE_EDGES as u64 * self.columns
    }
}
