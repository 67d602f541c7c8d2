//! Estimates the noise of PS from the phase differences along edges between them.
//!
//! ```text
//! phasors [n_ps, n_ifg] --edges--> D = w(e2) conj(w(e1))          never held for all edges
//!   first pass   variance over edges of what differs from the other dates    -> weights [n_ifg]
//!   second pass  noise = D without its smooth part and its look-angle error  -> deviation, maximum
//! each PS takes the quietest of its edges
//! ```
//!
//! Edges are worked on in blocks, each block in groups that fill the vector lanes. What is summed
//! over edges is summed block by block in the order of the edges, so that the bytes do not depend
//! on the number of threads.
//!
//! # StaMPS compatibility
//! `ps_weed`, stage4.md section 5. The original keeps all phase differences and several arrays of
//! that size; here they are made again in the second pass. Angles are computed in double precision
//! from differences rounded to single, and no phasor is turned where adding angles does the same:
//! `angle(D conj(s))` is the wrapped difference of two angles. Against the oracle's edges the
//! deviations agree to 2e-6 rad.

mod group;
mod single_master;
mod small_baselines;
#[cfg(test)]
mod tests;
mod variance;
pub(crate) mod window;

use num_complex::Complex;
use rayon::prelude::*;

use group::{Group, LANES};
use single_master::SingleMaster;
use small_baselines::SmallBaselines;
use variance::EdgeMoments;

use crate::simd::{Kernel, run_widest};

/// Edges one thread works on at a time, and the unit of summation: changing it changes last bits.
const BLOCK_EDGES: usize = 512;

/// Unit phasors of PS, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Phasors<'a> {
    /// Interferograms.
    pub columns: usize,
    /// `[n_ps, columns]`, row-major; modulus 1, or NaN where there is no phase.
    pub values: &'a [Complex<f32>],
}

/// How the noise of an edge is told from its signal.
#[derive(Clone, Copy, Debug)]
pub enum NoiseModel<'a> {
    /// Signal is what varies slowly in time (single master).
    Smooth {
        /// Date of every column, days.
        days: &'a [f64],
        /// Standard deviation of the Gaussian window in time, days.
        window_days: f64,
    },
    /// There is no signal but a term in the baseline, taken from the phasor itself (small
    /// baselines).
    BaselineTerm,
}

/// Perpendicular baselines of the columns.
#[derive(Clone, Copy, Debug)]
pub struct Baselines<'a> {
    /// Mean of every column, m.
    pub bperp_m: &'a [f64],
    /// Whether they are stored in single precision: slopes on them then are, too.
    pub single_precision: bool,
}

/// Noise of edges or of PS, rad.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    /// Standard deviation over interferograms, with divisor n - 1.
    pub deviation_rad: Vec<f32>,
    /// Largest absolute value.
    pub maximum_rad: Vec<f32>,
}

/// Noise of every edge (pairs of rows of `phasors`), edge by edge. `report` is told how many edges
/// a pass has finished; there are two passes.
///
/// NaN in a column makes the variance of that interferogram NaN, and so every result; a single
/// edge has no variance and yields NaN, too.
pub fn edge_noise(
    phasors: &Phasors<'_>,
    edges: &[[u32; 2]],
    baselines: &Baselines<'_>,
    model: NoiseModel<'_>,
    report: impl Fn(u64) + Sync,
) -> Noise {
    match model {
        NoiseModel::Smooth { days, window_days } => {
            passes(phasors, edges, &SingleMaster::new(days, window_days, baselines), report)
        }
        NoiseModel::BaselineTerm => passes(phasors, edges, &SmallBaselines::new(baselines), report),
    }
}

/// What the two passes do with a group of edges. Everything is `#[inline(always)]`, so that it is
/// compiled for wide vectors.
trait Model: Sync {
    /// Room that a thread needs.
    type Scratch: Send;
    /// Quantities an interferogram whose variances add up to its variance.
    const PARTS: usize;

    /// Makes that room.
    fn scratch(&self) -> Self::Scratch;

    /// First pass: adds the group's quantities, all interferograms of the first part before the
    /// next, to the moments.
    fn add_moments(&self, group: &Group, scratch: &mut Self::Scratch, moments: &mut EdgeMoments);

    /// Second pass: deviation and maximum of the group's edges.
    fn noise(
        &self,
        group: &Group,
        inverse_variance: &[f64],
        scratch: &mut Self::Scratch,
    ) -> [[f64; LANES]; 2];
}

fn passes<M: Model>(
    phasors: &Phasors<'_>,
    edges: &[[u32; 2]],
    model: &M,
    report: impl Fn(u64) + Sync,
) -> Noise {
    let room = || (Group::new(phasors.columns), model.scratch());
    let moments: Vec<EdgeMoments> = edges
        .par_chunks(BLOCK_EDGES)
        .map_init(room, |(group, scratch), block| {
            let mut moments = EdgeMoments::new(M::PARTS * phasors.columns);
            let out = &mut moments;
            run_widest(FirstPass { phasors, block, model, group, scratch, moments: out });
            report(block.len() as u64);
            moments
        })
        .collect();
    let mut all = EdgeMoments::new(M::PARTS * phasors.columns);
    for block in &moments {
        all.join(block);
    }
    let variances = all.variances();
    let variance = |column| variances.iter().skip(column).step_by(phasors.columns).sum::<f64>();
    let inverse_variance: Vec<f64> = (0..phasors.columns).map(|c| 1.0 / variance(c)).collect();
    let mut noise =
        Noise { deviation_rad: vec![0.0; edges.len()], maximum_rad: vec![0.0; edges.len()] };
    edges
        .par_chunks(BLOCK_EDGES)
        .zip(noise.deviation_rad.par_chunks_mut(BLOCK_EDGES))
        .zip(noise.maximum_rad.par_chunks_mut(BLOCK_EDGES))
        .for_each_init(room, |(group, scratch), ((block, deviation), maximum)| {
            let (weights, out) = (&inverse_variance[..], [deviation, maximum]);
            run_widest(SecondPass { phasors, block, model, weights, group, scratch, out });
            report(block.len() as u64);
        });
    noise
}

/// The first pass over one block.
struct FirstPass<'a, 'p, M: Model> {
    phasors: &'a Phasors<'p>,
    block: &'a [[u32; 2]],
    model: &'a M,
    group: &'a mut Group,
    scratch: &'a mut M::Scratch,
    moments: &'a mut EdgeMoments,
}

impl<M: Model> Kernel for FirstPass<'_, '_, M> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]
    fn run(self) {
        for edges in self.block.chunks(LANES) {
            self.group.load(self.phasors, edges);
            self.model.add_moments(self.group, self.scratch, self.moments);
        }
    }
}

/// The second pass over one block.
struct SecondPass<'a, 'p, M: Model> {
    phasors: &'a Phasors<'p>,
    block: &'a [[u32; 2]],
    model: &'a M,
    weights: &'a [f64],
    group: &'a mut Group,
    scratch: &'a mut M::Scratch,
    /// Deviation and maximum of the block's edges.
    out: [&'a mut [f32]; 2],
}

impl<M: Model> Kernel for SecondPass<'_, '_, M> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]
    #[expect(clippy::cast_possible_truncation, reason = "results are single precision")]
    fn run(self) {
        let [deviation, maximum] = self.out;
        let places = deviation.chunks_mut(LANES).zip(maximum.chunks_mut(LANES));
        for (edges, (deviation, maximum)) in self.block.chunks(LANES).zip(places) {
            self.group.load(self.phasors, edges);
            let [spread, largest] = self.model.noise(self.group, self.weights, self.scratch);
            for (lane, (deviation, maximum)) in deviation.iter_mut().zip(maximum).enumerate() {
                (*deviation, *maximum) = (spread[lane] as f32, largest[lane] as f32);
            }
        }
    }
}

/// Noise of every PS: the smallest of its edges; infinite without an edge. NaN counts as no edge.
pub fn quietest_edges(noise: &Noise, edges: &[[u32; 2]], scatterers: usize) -> Noise {
    let smallest = |of_edges: &[f32]| {
        let mut smallest = vec![f32::INFINITY; scatterers];
        for (&value, edge) in of_edges.iter().zip(edges) {
            for &end in edge {
                // `min` gives the other operand where one is NaN.
                smallest[end as usize] = smallest[end as usize].min(value);
            }
        }
        smallest
    };
    Noise {
        deviation_rad: smallest(&noise.deviation_rad),
        maximum_rad: smallest(&noise.maximum_rad),
    }
}
