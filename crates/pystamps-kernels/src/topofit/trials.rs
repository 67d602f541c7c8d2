//! Defines the trial slopes and sums the phasors of a group of rows at each of them.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]
#![expect(clippy::needless_range_loop, reason = "a lane indexes several arrays at once")]

use std::f64::consts::FRAC_PI_4;

use super::group::LANES;
use crate::elementary::sin_cos;

/// After so many steps a phasor is computed afresh: each step adds about 2e-16, so that none is off
/// by more than 2e-14.
const RESTART: usize = 64;

/// Trial multipliers: the whole numbers from `-ceil(8 n)` to `ceil(8 n)` for `n` trial wraps. One
/// multiplier is a quarter of pi over the range of the baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trials {
    half: usize,
}

impl Trials {
    /// The most wraps that are tried; they take 16,001 trials.
    pub const MOST_WRAPS: f64 = 1e3;

    /// Trials for `n_trial_wraps`, the wraps that the largest admitted topographic error makes over
    /// the range of the baselines (stage2.md 2.4). NaN and negative numbers mean 0.
    ///
    /// # Panics
    /// Above [`Trials::MOST_WRAPS`].
    pub fn for_wraps(n_trial_wraps: f64) -> Self {
        let excessive = n_trial_wraps > Self::MOST_WRAPS;
        assert!(!excessive, "at most {} trial wraps, not {n_trial_wraps}", Self::MOST_WRAPS);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded above, negative numbers and NaN become 0"
        )]
        let half = (8.0 * n_trial_wraps).ceil() as usize;
        Self { half }
    }

    /// Number of trials, 1 at least.
    pub fn count(&self) -> usize {
        2 * self.half + 1
    }

    /// The largest multiplier.
    pub(super) fn half(self) -> usize {
        self.half
    }
}

/// Step of the trial slope for a range of baselines, rad/m; NaN unless the range is positive.
#[inline(always)]
pub(super) fn slope_step(range_m: f64) -> f64 {
    if range_m > 0.0 { FRAC_PI_4 / range_m } else { f64::NAN }
}

/// `(cos, sin)` of `t * bperp * step` for every column and t = 1 …: common to all rows.
#[derive(Clone, Debug)]
pub(super) struct PhasorTable {
    half: usize,
    phasors: Vec<(f64, f64)>,
}

impl PhasorTable {
    /// The table of baselines that all rows share.
    pub(super) fn new(bperp_m: &[f64], trials: Trials) -> Self {
        let low = bperp_m.iter().fold(f64::INFINITY, |low, &b| if b < low { b } else { low });
        let high =
            bperp_m.iter().fold(f64::NEG_INFINITY, |high, &b| if b > high { b } else { high });
        let step = slope_step(high - low);
        let half = trials.half();
        let mut phasors = vec![(0.0, 0.0); half * bperp_m.len()];
        if half > 0 {
            for (b, phasors) in bperp_m.iter().zip(phasors.chunks_exact_mut(half)) {
                let (sin, cos) = sin_cos(b * step);
                let step = Step { angle_rad: [b * step], cos: [cos], sin: [sin] };
                step.for_each_power(phasors, |phasor, cos, sin| *phasor = (cos[0], sin[0]));
            }
        }
        Self { half, phasors }
    }

    /// The phasors of one column.
    #[inline(always)]
    fn column(&self, column: usize) -> &[(f64, f64)] {
        &self.phasors[column * self.half..][..self.half]
    }
}

/// A quarter of pi over the range of the baselines, for `N` samples side by side.
#[derive(Clone, Copy)]
pub(super) struct Step<const N: usize> {
    /// Change of phase from one trial to the next, rad.
    pub(super) angle_rad: [f64; N],
    /// Its cosine.
    pub(super) cos: [f64; N],
    /// Its sine.
    pub(super) sin: [f64; N],
}

impl<const N: usize> Step<N> {
    /// Hands `(cos, sin)` of t steps to `each`, one after the other for t = 1 … `trials.len()`.
    #[inline(always)]
    fn for_each_power<T>(&self, trials: &mut [T], each: impl Fn(&mut T, &[f64; N], &[f64; N])) {
        let (mut cos, mut sin) = (self.cos, self.sin);
        for (number, trials) in trials.chunks_mut(RESTART).enumerate() {
            if number > 0 {
                (cos, sin) = self.power(number * RESTART + 1);
            }
            let Some((first, rest)) = trials.split_first_mut() else { return };
            each(first, &cos, &sin);
            for trial in rest {
                for lane in 0..N {
                    let (c, s) = (cos[lane], sin[lane]);
                    cos[lane] = c * self.cos[lane] - s * self.sin[lane];
                    sin[lane] = c * self.sin[lane] + s * self.cos[lane];
                }
                each(trial, &cos, &sin);
            }
        }
    }

    /// `(cos, sin)` of `t` steps.
    #[inline(never)]
    fn power(&self, t: usize) -> ([f64; N], [f64; N]) {
        let (mut cos, mut sin) = ([0.0; N], [0.0; N]);
        for lane in 0..N {
            (sin[lane], cos[lane]) = sin_cos(t as f64 * self.angle_rad[lane]);
        }
        (cos, sin)
    }
}

/// For one t and a group of rows: the sums of re cos, im sin, im cos and re sin over the samples.
/// Together they give the sums at both +t and -t.
type PairSums = [[f64; LANES]; 4];

/// Sums of the phasors of a group of rows at every trial.
#[derive(Clone, Debug)]
pub(super) struct TrialSums {
    still: [[f64; LANES]; 2],
    pairs: Vec<PairSums>,
}

/// The winning trial of each row of a group.
#[derive(Clone, Debug)]
pub(super) struct BestTrials {
    /// Its multiplier.
    pub(super) multiplier: [f64; LANES],
    /// Its coherence less that of the second best.
    pub(super) margin: [f64; LANES],
    /// Its sum of phasors, real and imaginary; NaN if no trial won.
    pub(super) sum: [[f64; LANES]; 2],
    /// Change of the sum from one multiplier to the next, there.
    pub(super) gradient: [[f64; LANES]; 2],
}

impl TrialSums {
    /// Room for the sums of `trials`.
    pub(super) fn new(trials: Trials) -> Self {
        Self { still: [[0.0; LANES]; 2], pairs: vec![[[0.0; LANES]; 4]; trials.half()] }
    }

    /// Starts at zero.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.still = [[0.0; LANES]; 2];
        self.pairs.fill([[0.0; LANES]; 4]);
    }

    /// Adds one column.
    #[inline(always)]
    pub(super) fn add(&mut self, re: &[f64; LANES], im: &[f64; LANES], step: &Step<LANES>) {
        self.add_still(re, im);
        step.for_each_power(&mut self.pairs, |pair, cos, sin| add_pair(pair, re, im, cos, sin));
    }

    /// Adds one column of a table.
    #[inline(always)]
    pub(super) fn add_from_table(
        &mut self,
        re: &[f64; LANES],
        im: &[f64; LANES],
        table: &PhasorTable,
        column: usize,
    ) {
        self.add_still(re, im);
        for (pair, &(cos, sin)) in self.pairs.iter_mut().zip(table.column(column)) {
            add_pair(pair, re, im, &[cos; LANES], &[sin; LANES]);
        }
    }

    #[inline(always)]
    fn add_still(&mut self, re: &[f64; LANES], im: &[f64; LANES]) {
        for lane in 0..LANES {
            self.still[0][lane] += re[lane];
            self.still[1][lane] += im[lane];
        }
    }

    /// The first trial with the largest coherence, in the order of the multipliers.
    #[inline(always)]
    pub(super) fn best(&self, weight_sum: &[f64; LANES]) -> BestTrials {
        let half = self.pairs.len();
        let mut race = Race::new(-(half as f64), weight_sum);
        for t in (1..=half).rev() {
            let [re_cos, im_sin, im_cos, re_sin] = &self.pairs[t - 1];
            let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                re[lane] = re_cos[lane] - im_sin[lane];
                im[lane] = im_cos[lane] + re_sin[lane];
            }
            race.enter(-(t as f64), [re, im]);
        }
        race.enter(0.0, self.still);
        for t in 1..=half {
            let [re_cos, im_sin, im_cos, re_sin] = &self.pairs[t - 1];
            let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                re[lane] = re_cos[lane] + im_sin[lane];
                im[lane] = im_cos[lane] - re_sin[lane];
            }
            race.enter(t as f64, [re, im]);
        }
        race.finish()
    }
}

#[inline(always)]
fn add_pair(
    pair: &mut PairSums,
    re: &[f64; LANES],
    im: &[f64; LANES],
    cos: &[f64; LANES],
    sin: &[f64; LANES],
) {
    let [re_cos, im_sin, im_cos, re_sin] = pair;
    for lane in 0..LANES {
        re_cos[lane] += re[lane] * cos[lane];
        im_sin[lane] += im[lane] * sin[lane];
        im_cos[lane] += im[lane] * cos[lane];
        re_sin[lane] += re[lane] * sin[lane];
    }
}

/// Keeps the best trial so far, the sums next to it, and the coherence of the second best.
struct Race<'a> {
    weight_sum: &'a [f64; LANES],
    multiplier: [f64; LANES],
    best: [f64; LANES],
    second: [f64; LANES],
    sum: [[f64; LANES]; 2],
    before: [[f64; LANES]; 2],
    after: [[f64; LANES]; 2],
    /// The trial entered last, and whether it won.
    last: [[f64; LANES]; 2],
    won: [bool; LANES],
}

impl<'a> Race<'a> {
    #[inline(always)]
    fn new(first_multiplier: f64, weight_sum: &'a [f64; LANES]) -> Self {
        let none = [f64::NEG_INFINITY; LANES];
        let unknown = [[f64::NAN; LANES]; 2];
        Self {
            weight_sum,
            multiplier: [first_multiplier; LANES],
            best: none,
            second: none,
            sum: unknown,
            before: unknown,
            after: unknown,
            last: unknown,
            won: [false; LANES],
        }
    }

    #[inline(always)]
    fn enter(&mut self, multiplier: f64, sum: [[f64; LANES]; 2]) {
        for lane in 0..LANES {
            let (re, im) = (sum[0][lane], sum[1][lane]);
            let entry = (re * re + im * im).sqrt() / self.weight_sum[lane];
            let (best, second) = (self.best[lane], self.second[lane]);
            let wins = entry > best;
            let runner_up = if entry > second { entry } else { second };
            self.second[lane] = if wins { best } else { runner_up };
            self.best[lane] = if wins { entry } else { best };
            self.multiplier[lane] = if wins { multiplier } else { self.multiplier[lane] };
            for part in 0..2 {
                let (own, last) = (sum[part][lane], self.last[part][lane]);
                let after = self.after[part][lane];
                self.after[part][lane] = if self.won[lane] { own } else { after };
                self.before[part][lane] = if wins { last } else { self.before[part][lane] };
                self.sum[part][lane] = if wins { own } else { self.sum[part][lane] };
                self.last[part][lane] = own;
            }
            self.won[lane] = wins;
        }
    }

    #[inline(always)]
    fn finish(self) -> BestTrials {
        let mut margin = [0.0; LANES];
        let mut gradient = [[0.0; LANES]; 2];
        for lane in 0..LANES {
            margin[lane] = self.best[lane] - self.second[lane];
            for part in 0..2 {
                let sum = self.sum[part][lane];
                // The first and the last trial have one neighbour, a single trial has none.
                let after = if self.won[lane] { f64::NAN } else { self.after[part][lane] };
                let before = self.before[part][lane];
                let step = f64::midpoint(
                    if after.is_nan() { 0.0 } else { after - sum },
                    if before.is_nan() { 0.0 } else { sum - before },
                );
                gradient[part][lane] = step;
            }
        }
        BestTrials { multiplier: self.multiplier, margin, sum: self.sum, gradient }
    }
}
