//! Brings the phase of every interferogram to the nodes: sums the phasors of each cell and filters
//! the plane.

use bytemuck::zeroed_vec;
use num_complex::Complex;
use pystamps_kernels::edge_series::Method;
use pystamps_kernels::goldstein::{
    GoldsteinFilter, NodeGradients, node_gradients, window_gradients,
};
use rayon::prelude::*;

use super::nodes::Nodes;
use super::phase::WrappedPhase;
use super::rules::Rules;
use crate::error::{Diagnostic, Result};
use crate::progress::Progress;

/// Phase of the nodes; all arrays one column an interferogram, one element a node.
pub(super) struct NodePhase {
    /// Filtered phasors with the length of the sum.
    pub(super) phasors: Vec<Complex<f32>>,
    /// The same after a low-pass filter, where the analysis of several masters needs it.
    pub(super) low_pass: Option<Vec<Complex<f32>>>,
    /// Local frequencies along rows and columns, rad a cell, where they are asked for.
    pub(super) gradients_rad: Option<[Vec<f32>; 2]>,
    node_count: usize,
}

impl NodePhase {
    /// Phasors of the interferogram at `place` among those unwrapped.
    pub(super) fn column(&self, place: usize) -> &[Complex<f32>] {
        &self.phasors[place * self.node_count..(place + 1) * self.node_count]
    }
}

/// Phase of the nodes in the interferograms `used`.
///
/// # Errors
/// As for [`WrappedPhase::phasors`].
pub(super) fn node_phase(
    wrapped: &WrappedPhase<'_>,
    nodes: &Nodes,
    used: &[usize],
    rules: &Rules,
    method: Method,
    progress: &Progress,
) -> Result<NodePhase> {
    let [rows, columns] = nodes.shape();
    let filter = GoldsteinFilter::new(rows, columns, rules.window_cells, rules.alpha)
        .expect("invariant: the grid is not smaller than the window");
    let phase = progress.phase("phase on the grid", used.len() as u64, "interferograms");
    let node_count = nodes.len();
    let mut phasors: Vec<Complex<f32>> = zeroed_vec(node_count * used.len());
    let several = method == Method::MultiMaster;
    let mut low_pass: Vec<Complex<f32>> = zeroed_vec(if several { phasors.len() } else { 0 });
    // Without low-pass phase its columns are empty.
    let low_columns: Vec<&mut [Complex<f32>]> = if several {
        low_pass.chunks_mut(node_count).collect()
    } else {
        used.iter().map(|_| &mut [][..]).collect()
    };
    phasors.par_chunks_mut(node_count).zip(low_columns).zip(used).try_for_each_init(
        || filter.scratch(),
        |scratch, ((out, low), &column)| {
            let summed = nodes.gridded(&wrapped.phasors(column)?);
            if several {
                pick(&filter.low_pass(&summed, scratch), nodes, low);
            }
            let plane = if rules.prefilter { filter.filter(&summed, scratch) } else { summed };
            pick(&plane, nodes, out);
            if let Some(node) = out.iter().position(|phasor| !phasor.is_finite()) {
                return Err(filter_failed(column, node));
            }
            phase.advance(1);
            Ok::<(), crate::Error>(())
        },
    )?;
    let low_pass = several.then_some(low_pass);
    let gradients_rad =
        rules.uses_gradients(method).then(|| gradients(&phasors, nodes, rules.window_cells));
    Ok(NodePhase { phasors, low_pass, gradients_rad, node_count })
}

fn filter_failed(column: usize, node: usize) -> crate::Error {
    Diagnostic::new("filter-overflow", "the filter leaves no phase")
        .variable(format!("unwrap_gold_alpha, interferogram {}", column + 1))
        .expected("finite numbers at every node")
        .found(format!("NaN or Inf at node {}", node + 1))
        .remedy("pystamps-native params set --dataset … unwrap_gold_alpha 0.8")
        .data()
}

/// Copies the cells with PS.
fn pick(plane: &[Complex<f32>], nodes: &Nodes, out: &mut [Complex<f32>]) {
    for (phasor, &cell) in out.iter_mut().zip(nodes.cells()) {
        *phasor = plane[cell as usize];
    }
}

/// Local frequencies of the nodes in every interferogram.
fn gradients(phasors: &[Complex<f32>], nodes: &Nodes, window_cells: usize) -> [Vec<f32>; 2] {
    let [rows, columns] = nodes.shape();
    let places: Vec<[f64; 2]> =
        nodes.places().into_iter().map(|place| place.map(|index| f64::from(index) + 1.0)).collect();
    let each: Vec<NodeGradients> = phasors
        .par_chunks(nodes.len())
        .map(|column| {
            let mut plane = vec![Complex::default(); rows * columns];
            for (&phasor, &cell) in column.iter().zip(nodes.cells()) {
                plane[cell as usize] = phasor;
            }
            node_gradients(&window_gradients(&plane, rows, columns, window_cells), &places)
        })
        .collect();
    [
        each.iter().flat_map(|gradients| gradients.row_rad.iter().copied()).collect(),
        each.iter().flat_map(|gradients| gradients.column_rad.iter().copied()).collect(),
    ]
}
