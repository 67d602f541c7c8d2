//! Has the kernels analyse all edges, tile by tile, and keeps their series.

use std::ops::Range;

use pystamps_kernels::edge_series::{
    EdgeSeries, GradientTile, Method, Moments, Tile, smooth_along_gradients,
};
use pystamps_kernels::node_edges::NodeEdges;
use rayon::prelude::*;

use super::costs::{variance_of_length, variance_of_noise};
use super::node_phase::NodePhase;
use super::nodes::Nodes;
use crate::error::Result;
use crate::progress::Progress;
use crate::samples::row_blocks;
use crate::scratch::{Room, ScratchColumns};

/// Edges analysed together by one thread.
pub(super) const TILE_EDGES: usize = 1024;

/// Series of all edges, one column an interferogram.
pub(super) struct EdgeAnalysis {
    /// Difference of the nodes' phase, unwrapped in time, rad.
    pub(super) difference_rad: ScratchColumns,
    /// What the expected series leaves of it, rad; the method `2D` expects nothing.
    pub(super) noise_rad: Option<ScratchColumns>,
    /// Standard deviation of the noise of every edge, rad; NaN without statistics. The method `2D` has
    /// none.
    pub(super) deviation_rad: Vec<f32>,
    /// Variance of every edge in square cycles; NaN without statistics.
    pub(super) variance_cycles2: Vec<f32>,
    /// What local gradients have replaced.
    pub(super) by_gradients: Option<ByGradients>,
}

/// Edges whose expected difference comes from local gradients.
pub(super) struct ByGradients {
    /// Which edges.
    pub(super) shaky: Vec<bool>,
    /// What the gradients of both nodes leave uncertain in every interferogram: edges and cycles a
    /// cell.
    pub(super) spread: Vec<Vec<(u32, f64)>>,
}

/// Analyses the edges between the nodes.
///
/// # Errors
/// I/O errors where series are kept in files.
pub(super) fn analyse_edges(
    plan: &mut EdgeSeries,
    method: Method,
    edges: &NodeEdges,
    nodes: &Nodes,
    phase: &NodePhase,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<EdgeAnalysis> {
    let (ends, used) = (&edges.ends, plan.interferograms());
    let tiles = row_blocks(ends.len(), TILE_EDGES);
    settle_contests(plan, ends, phase, &tiles);
    if let Some(low_pass) = &phase.low_pass {
        plan.weigh(&phase.phasors, low_pass, ends);
    }
    let plan = &*plan;
    let keeps_noise = method != Method::Spatial2D;
    let by_gradients = phase.gradients_rad.is_some();
    let mut analysis = EdgeAnalysis {
        difference_rad: room.columns(ends.len(), used)?,
        noise_rad: if keeps_noise { Some(room.columns(ends.len(), used)?) } else { None },
        deviation_rad: Vec::with_capacity(if keeps_noise { ends.len() } else { 0 }),
        variance_cycles2: Vec::with_capacity(ends.len()),
        by_gradients: by_gradients
            .then(|| ByGradients { shaky: Vec::new(), spread: vec![Vec::new(); used] }),
    };
    let places = nodes.places();
    let counted = progress.phase("series of edges", ends.len() as u64, "edges");
    for batch in tiles.chunks(rayon::current_num_threads()) {
        let made: Vec<(Tile, Option<GradientTile>)> = batch
            .par_iter()
            .map_init(
                || plan.scratch(),
                |scratch, block| {
                    let ends = &ends[block.clone()];
                    let mut tile = plan.analyse_edges(&phase.phasors, ends, scratch);
                    let chosen = phase.gradients_rad.as_ref().map(|[row_rad, column_rad]| {
                        smooth_along_gradients(&mut tile, ends, &places, [row_rad, column_rad])
                    });
                    (tile, chosen)
                },
            )
            .collect();
        for (block, (tile, chosen)) in batch.iter().zip(&made) {
            analysis.keep(block.start, tile, &ends[block.clone()], nodes)?;
            if let Some(chosen) = chosen {
                analysis.keep_chosen(block.start, chosen);
            }
            counted.advance(block.len() as u64);
        }
    }
    Ok(analysis)
}

/// Has the images that several interferograms could be smoothed by chosen from all edges.
fn settle_contests(
    plan: &mut EdgeSeries,
    ends: &[[u32; 2]],
    phase: &NodePhase,
    tiles: &[Range<usize>],
) {
    if !plan.contested() {
        return;
    }
    let moments = tiles.par_iter().map_init(
        || plan.scratch(),
        |scratch, tile| plan.moments(&phase.phasors, &ends[tile.clone()], scratch),
    );
    let moments: Vec<Moments> = moments.collect();
    let mut all = Moments::default();
    for of_tile in &moments {
        all.join(of_tile);
    }
    plan.settle(&all);
}

impl ByGradients {
    /// The spread of all of `edge_count` edges in one interferogram.
    pub(super) fn spread_column(&self, column: usize, edge_count: usize) -> Vec<f64> {
        let mut full = vec![0.0; edge_count];
        for &(edge, value) in &self.spread[column] {
            full[edge as usize] = value;
        }
        full
    }
}

impl EdgeAnalysis {
    /// Takes over the series of the edges from `first` on, whose ends are given.
    fn keep(&mut self, first: usize, tile: &Tile, ends: &[[u32; 2]], nodes: &Nodes) -> Result<()> {
        let count = ends.len();
        for (column, values) in tile.dph_space_uw_rad.chunks_exact(count).enumerate() {
            self.difference_rad.write(column, first, values)?;
        }
        if let Some(noise_rad) = &mut self.noise_rad {
            for (column, values) in tile.dph_noise_rad.chunks_exact(count).enumerate() {
                noise_rad.write(column, first, values)?;
            }
            let first = self.deviation_rad.len();
            let deviations = (0..count).map(|edge| deviation_rad(&tile.dph_noise_rad, edge, count));
            self.deviation_rad.extend(deviations);
            let made =
                self.deviation_rad[first..].iter().map(|&deviation| variance_of_noise(deviation));
            self.variance_cycles2.extend(made);
        } else {
            let variances = ends.iter().map(|&edge| variance_of_length(edge, nodes));
            self.variance_cycles2.extend(variances);
        }
        Ok(())
    }

    /// Takes over which edges from `first` on follow gradients.
    fn keep_chosen(&mut self, first: usize, chosen: &GradientTile) {
        let Some(by_gradients) = &mut self.by_gradients else { return };
        by_gradients.shaky.extend(&chosen.shaky);
        let columns = chosen.spread.chunks_exact(chosen.shaky.len());
        for (all, column) in by_gradients.spread.iter_mut().zip(columns) {
            for (edge, &value) in column.iter().enumerate() {
                // NaN is kept as such: the original does not tell it from a number.
                if value != 0.0 {
                    let edge =
                        u32::try_from(first + edge).expect("invariant: fewer than 2^32 edges");
                    all.push((edge, value.into()));
                }
            }
        }
    }
}

/// Standard deviation of the noise of an edge in a tile of `count`, with N - 1, rad.
fn deviation_rad(noise_rad: &[f32], edge: usize, count: usize) -> f32 {
    let series = || noise_rad[edge..].iter().step_by(count).map(|&noise| f64::from(noise));
    let length = noise_rad.len() / count;
    let mean = series().sum::<f64>() / length as f64;
    let squares: f64 = series().map(|noise| (noise - mean).powi(2)).sum();
    #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
    let deviation = (squares / length.saturating_sub(1).max(1) as f64).sqrt() as f32;
    deviation
}
