//! Fits a group of rows side by side.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::refine::Refinement;
use super::trials::{PhasorTable, TrialSums, Trials, slope_step};
use super::{Block, Rounding};

/// Rows fitted side by side: four AVX2 registers. A loop over four independent vectors keeps the
/// processor busy while each waits for its own last operation; with two, fits take a quarter longer.
pub(super) const LANES: usize = 16;

/// Where the baselines come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Baselines<'a> {
    /// Every sample has its own, in the layout of the block.
    Each(&'a [f64]),
    /// All rows share those of the columns, and the trial phasors made from them.
    Common {
        /// One baseline for each column, m.
        bperp_m: &'a [f64],
        /// Their trial phasors.
        table: &'a PhasorTable,
    },
}

/// Results of a group of rows.
#[derive(Clone, Debug)]
pub(super) struct GroupFit {
    pub(super) slope_rad_per_m: [f64; LANES],
    pub(super) offset_rad: [f64; LANES],
    pub(super) coherence: [f64; LANES],
    pub(super) trial_margin: [f64; LANES],
}

/// The samples of a group of rows, lane after lane for every column. Lanes beyond the last row hold
/// phasors 0.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    pub(super) re: Vec<f64>,
    pub(super) im: Vec<f64>,
    /// Baselines, m; 0 where the sample is left out.
    pub(super) bperp_m: Vec<f64>,
    /// Moduli.
    pub(super) weight: Vec<f64>,
}

/// Sums over the samples of a group.
pub(super) struct Census {
    /// Of the weights.
    pub(super) weight_sum: [f64; LANES],
    /// Trial slope of multiplier 1, rad/m.
    pub(super) slope_step: [f64; LANES],
    /// Every sample of every live row counts.
    complete: bool,
}

/// Memory for the work on one group.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    samples: Samples,
    sums: TrialSums,
    refinement: Refinement,
}

impl Scratch {
    /// Memory for groups of `columns` samples a row.
    pub(super) fn new(columns: usize, trials: Trials) -> Self {
        let zeros = vec![0.0; columns * LANES];
        let samples =
            Samples { re: zeros.clone(), im: zeros.clone(), bperp_m: zeros.clone(), weight: zeros };
        Self { samples, sums: TrialSums::new(trials), refinement: Refinement::new(columns) }
    }

    /// Residual phase of the group fitted last, lane after lane for every column, rad.
    #[inline(always)]
    pub(super) fn residual_rad(&self) -> &[f64] {
        self.refinement.residual_rad()
    }

    /// Fits the rows from `first_row` on.
    #[inline(always)]
    pub(super) fn fit(
        &mut self,
        block: &Block,
        baselines: &Baselines,
        first_row: usize,
        rounding: Rounding,
    ) -> GroupFit {
        let live = (block.rows - first_row).min(LANES);
        self.samples.gather(block, baselines, first_row, live);
        let census = self.samples.census(live);
        self.sums.clear();
        let columns = self.samples.re.as_chunks().0.iter().zip(self.samples.im.as_chunks().0);
        match baselines {
            // A row that lacks a sample may have another range of baselines than the table's.
            Baselines::Common { table, .. } if census.complete => {
                for (column, (re, im)) in columns.enumerate() {
                    self.sums.add_from_table(re, im, table, column);
                }
            }
            _ => {
                let steps = self.refinement.trial_steps(&self.samples, &census);
                for ((re, im), step) in columns.zip(steps) {
                    self.sums.add(re, im, &step);
                }
            }
        }
        let best = self.sums.best(&census.weight_sum);
        self.refinement.refine(&self.samples, &census, &best, rounding)
    }
}

impl Samples {
    #[inline(always)]
    fn gather(&mut self, block: &Block, baselines: &Baselines, first_row: usize, live: usize) {
        let lanes = self
            .re
            .as_chunks_mut::<LANES>()
            .0
            .iter_mut()
            .zip(self.im.as_chunks_mut::<LANES>().0)
            .zip(self.bperp_m.as_chunks_mut::<LANES>().0)
            .enumerate();
        for (column, ((re, im), bperp_m)) in lanes {
            let start = column * block.rows + first_row;
            *re = lanes_from(&block.re[start..], live);
            *im = lanes_from(&block.im[start..], live);
            *bperp_m = match baselines {
                Baselines::Each(each) => lanes_from(&each[start..], live),
                Baselines::Common { bperp_m, .. } => [bperp_m[column]; LANES],
            };
        }
    }

    /// Computes the weights, voids the baselines of what is left out, and sums up.
    #[inline(always)]
    fn census(&mut self, live: usize) -> Census {
        let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let mut weight_sum = [0.0; LANES];
        let mut missing = [0.0; LANES];
        let lanes = self
            .re
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(self.im.as_chunks::<LANES>().0)
            .zip(self.bperp_m.as_chunks_mut::<LANES>().0)
            .zip(self.weight.as_chunks_mut::<LANES>().0);
        for (((re, im), bperp_m), weight) in lanes {
            for lane in 0..LANES {
                let b = bperp_m[lane];
                let absent = re[lane].abs() + im[lane].abs() == 0.0;
                bperp_m[lane] = if absent { 0.0 } else { b };
                missing[lane] += if absent { 1.0 } else { 0.0 };
                let (floor, ceiling) =
                    if absent { (f64::INFINITY, f64::NEG_INFINITY) } else { (b, b) };
                low[lane] = if floor < low[lane] { floor } else { low[lane] };
                high[lane] = if ceiling > high[lane] { ceiling } else { high[lane] };
                weight[lane] = (re[lane] * re[lane] + im[lane] * im[lane]).sqrt();
                weight_sum[lane] += weight[lane];
            }
        }
        let mut steps = [0.0; LANES];
        for lane in 0..LANES {
            steps[lane] = slope_step(high[lane] - low[lane]);
        }
        let complete = missing[..live].iter().all(|&count| count == 0.0);
        Census { weight_sum, slope_step: steps, complete }
    }
}

/// The first `live` values, followed by zeros.
#[inline(always)]
fn lanes_from(values: &[f64], live: usize) -> [f64; LANES] {
    if live == LANES
        && let Some(lanes) = values.first_chunk()
    {
        return *lanes;
    }
    let mut lanes = [0.0; LANES];
    lanes[..live].copy_from_slice(&values[..live]);
    lanes
}
