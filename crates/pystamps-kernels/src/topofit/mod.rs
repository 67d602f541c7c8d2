//! Fits the topographic phase error: slope against perpendicular baseline, offset, coherence.
//!
//! # StaMPS compatibility
//! `ps_topofit` (stage2.md, section 4), in double precision. [`Rounding::Single`] rounds the slope
//! where StaMPS holds it in single precision; StaMPS's own single-precision sums differ from these
//! by their rounding, a few 1e-7 in coherence. Where two trials are that close, StaMPS may pick the
//! other one; [`Fits::trial_margin`] tells how close they are. Decided here, where the
//! specification is silent: the residual of a dropped sample is 0 unless the whole row is NaN, a single
//! trial has an infinite margin, and a row whose phasors cancel exactly keeps its trial slope.
//!
//! # Algorithm
//! Per row, samples with phasor 0 left out everywhere:
//! 1. Trial slopes `K_t = t * pi/4 / (max b - min b)` for the multipliers of [`Trials`]; the first
//!    trial with the largest `|sum z exp(-j K_t b)| / sum |z|` wins.
//! 2. One linear step without intercept: `r = z exp(-j K0 b)`, `phi = arg(r conj(sum r))`,
//!    `K = K0 + sum(w² b phi) / sum(w² b²)` with `w = |z|`.
//! 3. `m = sum z exp(-j K b)`: offset `arg m`, coherence `|m| / sum w`, residual `arg(z exp(-j K b))`
//!    with the offset still in it.
//!
//! # Layout
//! A block holds one sample for every row (candidate) and column (interferogram), column after
//! column: sample (row, column) is at `column * rows + row`. Sixteen rows are fitted side by side, in
//! the lanes of the vector registers, so that every row's sums run over the interferograms in
//! order: its result depends on no other row.

mod group;
mod refine;
mod trials;

use group::{Baselines, GroupFit, LANES, Scratch};
use trials::PhasorTable;
pub use trials::Trials;

use crate::simd::{Kernel, run_widest};

/// Phasors of `rows` candidates in `columns` interferograms, column after column.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Number of candidates.
    pub rows: usize,
    /// Number of interferograms.
    pub columns: usize,
    /// Real parts, `rows * columns`. The modulus is the weight of a sample; 0 leaves it out.
    pub re: &'a [f64],
    /// Imaginary parts, `rows * columns`.
    pub im: &'a [f64],
}

/// The precision in which StaMPS would hold slope, offset and coherence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Double: nothing is rounded.
    Double,
    /// Single: trial slope and slope are rounded before they are used, offset and coherence when
    /// they are returned.
    Single,
    /// Slopes in double, offset and coherence in single: small baselines, whose baselines are double
    /// and phasors single (the class table of stage2.md 4).
    SingleResults,
}

/// Results of a fit. Made once and reused: every call replaces what is in it.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    /// Slope of every row, rad/m; NaN if its baselines do not differ.
    pub slope_rad_per_m: Vec<f64>,
    /// Phase at baseline 0 of every row, rad.
    pub offset_rad: Vec<f64>,
    /// Coherence of every row, 0 to 1 (above 1 by rounding only).
    pub coherence: Vec<f64>,
    /// Phase left over after the slope, rad, in the layout of the block; contains the offset.
    pub residual_rad: Vec<f32>,
    /// Coherence of the best trial less that of the second best, for every row.
    pub trial_margin: Vec<f64>,
}

impl Fits {
    fn prepare(&mut self, block: &Block) {
        for values in [
            &mut self.slope_rad_per_m,
            &mut self.offset_rad,
            &mut self.coherence,
            &mut self.trial_margin,
        ] {
            values.resize(block.rows, 0.0);
        }
        self.residual_rad.resize(block.rows * block.columns, 0.0);
    }

    fn store(&mut self, block: &Block, first_row: usize, fit: &GroupFit, residual_rad: &[f64]) {
        let live = (block.rows - first_row).min(LANES);
        let rows = first_row..first_row + live;
        self.slope_rad_per_m[rows.clone()].copy_from_slice(&fit.slope_rad_per_m[..live]);
        self.offset_rad[rows.clone()].copy_from_slice(&fit.offset_rad[..live]);
        self.coherence[rows.clone()].copy_from_slice(&fit.coherence[..live]);
        self.trial_margin[rows].copy_from_slice(&fit.trial_margin[..live]);
        for (column, lanes) in residual_rad.as_chunks::<LANES>().0.iter().enumerate() {
            let start = column * block.rows + first_row;
            for (out, residual) in self.residual_rad[start..start + live].iter_mut().zip(lanes) {
                #[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
                let single = *residual as f32;
                *out = single;
            }
        }
    }
}

/// Fits every row against its own baselines; `bperp_m` in the layout of the block.
///
/// # Panics
/// If the lengths of `block` and `bperp_m` do not fit together.
pub fn topofit(
    block: &Block,
    bperp_m: &[f64],
    trials: &Trials,
    rounding: Rounding,
    fits: &mut Fits,
) {
    assert_eq!(bperp_m.len(), block.rows * block.columns, "one baseline for every sample");
    fits.prepare(block);
    let baselines = Baselines::Each(bperp_m);
    fit_groups(block, baselines, *trials, rounding, |first_row, fit, residual_rad| {
        fits.store(block, first_row, fit, residual_rad);
    });
}

/// Fits every row against the same baselines, one for each column: what [`topofit`] gives with the
/// baselines repeated, to the bit, with the trial phasors made once.
///
/// # Panics
/// If the lengths of `block` and `bperp_m` do not fit together.
pub fn topofit_row_invariant(
    block: &Block,
    bperp_m: &[f64],
    trials: &Trials,
    rounding: Rounding,
    fits: &mut Fits,
) {
    assert_eq!(bperp_m.len(), block.columns, "one baseline for every column");
    fits.prepare(block);
    let table = PhasorTable::new(bperp_m, *trials);
    let baselines = Baselines::Common { bperp_m, table: &table };
    fit_groups(block, baselines, *trials, rounding, |first_row, fit, residual_rad| {
        fits.store(block, first_row, fit, residual_rad);
    });
}

/// Coherence alone of every row, as [`topofit_row_invariant`] gives it in double precision.
///
/// # Panics
/// If the lengths of `block`, `bperp_m` and `coherence` do not fit together.
pub fn topofit_coherence_row_invariant(
    block: &Block,
    bperp_m: &[f64],
    trials: &Trials,
    coherence: &mut [f64],
) {
    assert_eq!(bperp_m.len(), block.columns, "one baseline for every column");
    assert_eq!(coherence.len(), block.rows, "one coherence for every row");
    let table = PhasorTable::new(bperp_m, *trials);
    let baselines = Baselines::Common { bperp_m, table: &table };
    fit_groups(block, baselines, *trials, Rounding::Double, |first_row, fit, _| {
        let live = (block.rows - first_row).min(LANES);
        coherence[first_row..first_row + live].copy_from_slice(&fit.coherence[..live]);
    });
}

fn fit_groups(
    block: &Block,
    baselines: Baselines,
    trials: Trials,
    rounding: Rounding,
    store: impl FnMut(usize, &GroupFit, &[f64]),
) {
    assert_eq!(block.re.len(), block.rows * block.columns, "one real part for every sample");
    assert_eq!(block.im.len(), block.re.len(), "as many imaginary as real parts");
    let scratch = Scratch::new(block.columns, trials);
    run_widest(FitGroups { block, baselines, rounding, scratch, store });
}

struct FitGroups<'a, S> {
    block: &'a Block<'a>,
    baselines: Baselines<'a>,
    rounding: Rounding,
    scratch: Scratch,
    store: S,
}

impl<S: FnMut(usize, &GroupFit, &[f64])> Kernel for FitGroups<'_, S> {
    #[expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]
    #[inline(always)]
    fn run(mut self) {
        for first_row in (0..self.block.rows).step_by(LANES) {
            let fit = self.scratch.fit(self.block, &self.baselines, first_row, self.rounding);
            (self.store)(first_row, &fit, self.scratch.residual_rad());
        }
    }
}

#[cfg(test)]
mod tests;
