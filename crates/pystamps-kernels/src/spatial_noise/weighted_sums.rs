//! Multiplies Gaussian weights of near sources with their values.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::ops::Range;

use super::cells::REACH;
use crate::elementary::exp_single;
use crate::simd::Kernel;

/// Targets whose sums are kept in registers together, and columns of them.
const TARGETS: usize = 4;
const WIDE: usize = 16;
/// The unit of columns.
pub(super) const NARROW: usize = 8;
/// Sources summed in single precision. Where they begin and end depends on the cell alone, so that
/// the sums of a target do not depend on the targets it is worked on with.
const SOURCES: usize = 32;

/// The shape of the weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Squared distance from which on sources do not count, m².
    reach2_m2: f32,
    /// `1 / (2 sigma²)`, 1/m².
    steepness: f32,
}

impl Window {
    /// Weights with this standard deviation; none at all where it is not above 0.
    #[expect(clippy::cast_possible_truncation, reason = "distances are single")]
    pub(super) fn new(sigma_m: f64) -> Self {
        let reach_m = if sigma_m > 0.0 { REACH * sigma_m } else { 0.0 };
        let steepness = (0.5 / (sigma_m * sigma_m)).min(f32::MAX.into());
        Self { reach2_m2: (reach_m * reach_m) as f32, steepness: steepness as f32 }
    }
}

/// Weights of one source for a group of targets, or coordinates of the targets.
type Weights = [f32; TARGETS];

/// Memory for the targets of one cell, made once a thread.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Sources in reach of any target of a group, and their weights.
    near: Vec<(usize, Weights)>,
    /// Sums of weighted values, `[groups, TARGETS, stride]`.
    totals: Vec<f64>,
    /// Sums of weights, by groups.
    sums: Vec<[f64; TARGETS]>,
}

/// Weighted means of values at some targets. Points are given as places in the order of the cells.
pub(super) struct WeightedSums<'a> {
    /// Runs of sources.
    pub(super) runs: &'a [Range<usize>],
    /// Targets, worked on in groups of [`TARGETS`].
    pub(super) targets: &'a [u32],
    /// Coordinates of all points, m.
    pub(super) x_m: &'a [f32],
    pub(super) y_m: &'a [f32],
    pub(super) window: Window,
    /// Values of all points, `[points, stride]`, row-major.
    pub(super) values: &'a [f32],
    /// A multiple of [`NARROW`].
    pub(super) stride: usize,
    pub(super) room: &'a mut Room,
    /// Results, `[targets, stride]`, row-major.
    pub(super) means: &'a mut [f32],
}

impl Kernel for WeightedSums<'_> {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "results are single")]
    fn run(mut self) {
        let (targets, stride) = (self.targets, self.stride);
        self.sum_up();
        let totals = self.room.totals.chunks_exact(stride);
        let sums = self.room.sums.as_flattened();
        let means = self.means.chunks_exact_mut(stride);
        for (((mean, totals), sum), &target) in means.zip(totals).zip(sums).zip(targets) {
            if *sum > 0.0 {
                for (mean, total) in mean.iter_mut().zip(totals) {
                    *mean = (total / sum) as f32;
                }
            } else {
                mean.copy_from_slice(&self.values[target as usize * stride..][..stride]);
            }
        }
    }
}

impl WeightedSums<'_> {
    /// Sums up weights and weighted values of all targets.
    ///
    /// The values of some sources are used for all targets before the next ones: they stay in the
    /// nearest cache.
    #[inline(always)]
    fn sum_up(&mut self) {
        let groups: Vec<[Weights; 2]> =
            self.targets.chunks(TARGETS).map(|group| self.places(group)).collect();
        self.room.totals.clear();
        self.room.totals.resize(groups.len() * TARGETS * self.stride, 0.0);
        self.room.sums.clear();
        self.room.sums.resize(groups.len(), [0.0; TARGETS]);
        for run in self.runs {
            for first in run.clone().step_by(SOURCES) {
                let sources = first..run.end.min(first + SOURCES);
                for (group, at) in groups.iter().enumerate() {
                    self.weigh(sources.clone(), group, at);
                    if !self.room.near.is_empty() {
                        self.add_values(group);
                    }
                }
            }
        }
    }

    /// Coordinates of up to [`TARGETS`] targets; places beyond the last repeat it.
    #[inline(always)]
    fn places(&self, group: &[u32]) -> [Weights; 2] {
        [self.x_m, self.y_m]
            .map(|axis| std::array::from_fn(|k| axis[group[k.min(group.len() - 1)] as usize]))
    }

    /// Finds the sources in reach of any target of a group, and their weights.
    #[inline(always)]
    fn weigh(&mut self, sources: Range<usize>, group: usize, at: &[Weights; 2]) {
        let Window { reach2_m2, steepness } = self.window;
        let mut weights = [[0.0_f32; SOURCES]; TARGETS];
        let (x_m, y_m) = (&self.x_m[sources.clone()], &self.y_m[sources.clone()]);
        for (target, weights) in weights.iter_mut().enumerate() {
            let (x0, y0) = (at[0][target], at[1][target]);
            for ((weight, x), y) in weights.iter_mut().zip(x_m).zip(y_m) {
                let (dx, dy) = (x - x0, y - y0);
                let squared = dx * dx + dy * dy;
                let value = exp_single((-(squared * steepness)).max(-80.0));
                *weight = if squared < reach2_m2 { value } else { 0.0 };
            }
        }
        for (sum, weights) in self.room.sums[group].iter_mut().zip(&weights) {
            *sum += weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
        }
        self.room.near.clear();
        for (k, source) in sources.enumerate() {
            let of_source: Weights = std::array::from_fn(|target| weights[target][k]);
            if of_source.iter().any(|&weight| weight > 0.0) {
                self.room.near.push((source, of_source));
            }
        }
    }

    /// Adds the weighted values of the near sources to the totals.
    #[inline(always)]
    fn add_values(&mut self, group: usize) {
        let wide = self.stride / WIDE * WIDE;
        for column in (0..wide).step_by(WIDE) {
            self.add_columns::<WIDE>(group, column);
        }
        if wide < self.stride {
            self.add_columns::<NARROW>(group, wide);
        }
    }

    #[inline(always)]
    fn add_columns<const WIDTH: usize>(&mut self, group: usize, column: usize) {
        let mut sums = [[0.0_f32; WIDTH]; TARGETS];
        for (source, weights) in &self.room.near {
            let values: &[f32; WIDTH] = self.values[*source * self.stride + column..]
                .first_chunk()
                .expect("invariant: whole groups of columns");
            for (sums, weight) in sums.iter_mut().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
        for (target, sums) in sums.iter().enumerate() {
            let at = (group * TARGETS + target) * self.stride + column;
            let totals: &mut [f64; WIDTH] = self.room.totals[at..]
                .first_chunk_mut()
                .expect("invariant: whole groups of columns");
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += f64::from(*sum);
            }
        }
    }
}
