//! Finds the look-angle error of edges: the slope of their phase on the baselines.
//!
//! # Algorithm
//! Stage6.md section 5, step 4: coherence of the series at slopes `t * (pi/4) / range`, the largest
//! accepted if it stands out by more than 0.1 against all beyond the nearest minima, one linear step
//! from there, and the result kept if the coherence is then 0.31 or more.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::f64::consts::{FRAC_PI_4, TAU};

use super::EdgeSeriesError;
use super::lanes::{LANES, Lanes, Phasors, angles, single, unit};
use super::network::Design;
use crate::elementary::sin_cos;

/// The largest trial must stand out by more than this.
const LEAST_MARGIN: f32 = 0.1;
/// The slope must bring the series to this coherence.
const LEAST_COHERENCE: f64 = 0.31;
/// Trials on each side of 0 that are still tried: 2,000 cycles. More is a mistake in a parameter.
const MOST_TRIALS: f64 = 16_384.0;

/// The series that the slope is searched in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Series {
    /// Some interferograms as they are.
    Direct(Vec<usize>),
    /// Differences between one and the next.
    Consecutive(Vec<Member>),
}

/// One date of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Member {
    /// The image all others refer to.
    Master,
    /// An interferogram, conjugated where the master is its second image.
    Interferogram { number: usize, reversed: bool },
}

/// The search of slopes, the same for all edges.
#[derive(Clone, Debug)]
pub(super) struct LookAngle {
    series: Series,
    /// Baselines of the series, m.
    bperp_m: Vec<f64>,
    /// Trials on each side of 0.
    half: usize,
    /// Slope from one trial to the next, rad/m.
    step_rad_per_m: f64,
    /// `(cos, sin)` of trial t = 1 … at every baseline: that of baseline k at `(t - 1) * count + k`.
    phasors: Vec<(f64, f64)>,
}

/// Memory of the search.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    series: Phasors,
    coherence: Vec<[f32; LANES]>,
    /// The coherence of one lane.
    line: Vec<f32>,
}

impl LookAngle {
    /// Plans the search; `None` where baselines do not differ, so that there is no slope.
    pub(super) fn new(
        design: &Design,
        bperp_m: &[f64],
        trial_wraps: f64,
    ) -> Result<Option<Self>, EdgeSeriesError> {
        let series = choose_series(design);
        let of_series = series.baselines(bperp_m);
        let (range, range_of_series) = (range(bperp_m), range(&of_series));
        if range == 0.0 || range_of_series == 0.0 {
            return Ok(None);
        }
        let wraps = trial_wraps * range_of_series / range;
        let half = (8.0 * wraps).ceil();
        if !(0.0..=MOST_TRIALS).contains(&half) {
            return Err(EdgeSeriesError::InvalidTrials { wraps });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let half = half as usize;
        let step_rad_per_m = FRAC_PI_4 / range_of_series;
        let angles =
            (1..=half).flat_map(|t| of_series.iter().map(move |b| t as f64 * step_rad_per_m * b));
        let phasor = |angle: f64| {
            let (sin, cos) = sin_cos(angle);
            (cos, sin)
        };
        let phasors = angles.map(phasor).collect();
        Ok(Some(Self { series, bperp_m: of_series, half, step_rad_per_m, phasors }))
    }

    pub(super) fn trials(&self) -> usize {
        2 * self.half + 1
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        let (trials, members) = (self.trials() as u64, self.bperp_m.len() as u64);
        16 * self.phasors.len() as u64
            + trials * (4 * LANES as u64 + 4)
            + members * 16 * LANES as u64
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            series: Phasors::new(self.bperp_m.len()),
            coherence: vec![[0.0; LANES]; self.trials()],
            line: Vec::with_capacity(self.trials()),
        }
    }

    /// Slopes, rad/m, in single precision; 0 where none was found.
    #[inline(always)]
    pub(super) fn slopes(&self, differences: &Phasors, scratch: &mut Scratch) -> Lanes {
        self.series.gather(differences, &mut scratch.series);
        let total = moduli_sum(&scratch.series);
        self.scan(&scratch.series, &total, &mut scratch.coherence);
        let mut slopes = [0.0; LANES];
        let mut found = [false; LANES];
        for lane in 0..LANES {
            scratch.line.clear();
            scratch.line.extend(scratch.coherence.iter().map(|trial| trial[lane]));
            if let Some(trial) = distinct_peak(&scratch.line) {
                slopes[lane] = (trial as f64 - self.half as f64) * self.step_rad_per_m;
                found[lane] = true;
            }
        }
        if !found.contains(&true) {
            return slopes;
        }
        let (refined, coherence) = self.refine(&scratch.series, &slopes, &total);
        for lane in 0..LANES {
            let keep = found[lane] && coherence[lane] >= LEAST_COHERENCE;
            slopes[lane] = if keep { single(refined[lane]) } else { 0.0 };
        }
        slopes
    }

    /// Coherence at every trial.
    #[inline(always)]
    fn scan(&self, series: &Phasors, total: &Lanes, coherence: &mut [[f32; LANES]]) {
        let count = self.bperp_m.len();
        let still = sum_each(series);
        coherence[self.half] = relative(&still[0], &still[1], total);
        for t in 1..=self.half {
            let table = &self.phasors[(t - 1) * count..][..count];
            let [mut re_cos, mut im_sin, mut im_cos, mut re_sin] = [[0.0; LANES]; 4];
            for ((re, im), &(cos, sin)) in series.re.iter().zip(&series.im).zip(table) {
                for lane in 0..LANES {
                    re_cos[lane] += re[lane] * cos;
                    im_sin[lane] += im[lane] * sin;
                    im_cos[lane] += im[lane] * cos;
                    re_sin[lane] += re[lane] * sin;
                }
            }
            let [mut re, mut im] = [[0.0; LANES]; 2];
            for lane in 0..LANES {
                re[lane] = re_cos[lane] + im_sin[lane];
                im[lane] = im_cos[lane] - re_sin[lane];
            }
            coherence[self.half + t] = relative(&re, &im, total);
            for lane in 0..LANES {
                re[lane] = re_cos[lane] - im_sin[lane];
                im[lane] = im_cos[lane] + re_sin[lane];
            }
            coherence[self.half - t] = relative(&re, &im, total);
        }
    }

    /// Slopes after a linear step, and the coherence there.
    #[inline(always)]
    fn refine(&self, series: &Phasors, slopes: &Lanes, total: &Lanes) -> (Lanes, Lanes) {
        let [sum_re, sum_im] = self.turned_sum(series, slopes);
        let (mut product, mut squares) = ([0.0; LANES], [0.0; LANES]);
        for ((re, im), &b) in series.re.iter().zip(&series.im).zip(&self.bperp_m) {
            let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                let [x, y] = turned(re[lane], im[lane], slopes[lane] * b);
                real[lane] = x * sum_re[lane] + y * sum_im[lane];
                imaginary[lane] = y * sum_re[lane] - x * sum_im[lane];
            }
            let residual = angles(&imaginary, &real);
            for lane in 0..LANES {
                let weight = b * (re[lane] * re[lane] + im[lane] * im[lane]);
                product[lane] += weight * (TAU * residual[lane]);
                squares[lane] += weight * b;
            }
        }
        let mut refined = [0.0; LANES];
        for lane in 0..LANES {
            refined[lane] = slopes[lane] + product[lane] / squares[lane];
        }
        let [sum_re, sum_im] = self.turned_sum(series, &refined);
        let mut coherence = [0.0; LANES];
        for lane in 0..LANES {
            let (re, im) = (sum_re[lane], sum_im[lane]);
            coherence[lane] = (re * re + im * im).sqrt() / total[lane];
        }
        (refined, coherence)
    }

    #[inline(always)]
    fn turned_sum(&self, series: &Phasors, slopes: &Lanes) -> [Lanes; 2] {
        let [mut sum_re, mut sum_im] = [[0.0; LANES]; 2];
        for ((re, im), &b) in series.re.iter().zip(&series.im).zip(&self.bperp_m) {
            for lane in 0..LANES {
                let [x, y] = turned(re[lane], im[lane], slopes[lane] * b);
                sum_re[lane] += x;
                sum_im[lane] += y;
            }
        }
        [sum_re, sum_im]
    }
}

/// Rules a to c of the specification.
pub(super) fn choose_series(design: &Design) -> Series {
    let images = design.images();
    let neighbours: Vec<usize> = (0..design.pairs.len())
        .filter(|&k| design.pairs[k][0].abs_diff(design.pairs[k][1]) == 1)
        .collect();
    if neighbours.len() >= images - 1 {
        return Series::Direct(neighbours);
    }
    let counts: Vec<usize> = (0..images).map(|i| design.interferograms_of(i).len()).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    if most + 2 < images {
        return Series::Direct((0..design.pairs.len()).collect());
    }
    let master = counts.iter().position(|&count| count == most).unwrap_or(0);
    let mut dated: Vec<(f64, Member)> = design
        .series_of(master)
        .into_iter()
        .map(|link| {
            let (number, reversed) = (link.interferogram, link.reversed);
            (link.day, Member::Interferogram { number, reversed })
        })
        .collect();
    dated.push((design.day[master], Member::Master));
    dated.sort_by(|a, b| a.0.total_cmp(&b.0));
    Series::Consecutive(dated.into_iter().map(|(_, member)| member).collect())
}

impl Series {
    fn baselines(&self, bperp_m: &[f64]) -> Vec<f64> {
        let of_member = |member: &Member| match *member {
            Member::Master => 0.0,
            Member::Interferogram { number, reversed: false } => bperp_m[number],
            Member::Interferogram { number, reversed: true } => -bperp_m[number],
        };
        match self {
            Self::Direct(numbers) => numbers.iter().map(|&k| bperp_m[k]).collect(),
            Self::Consecutive(members) => {
                members.windows(2).map(|pair| of_member(&pair[1]) - of_member(&pair[0])).collect()
            }
        }
    }

    #[inline(always)]
    fn gather(&self, differences: &Phasors, series: &mut Phasors) {
        match self {
            Self::Direct(numbers) => {
                for (place, &number) in numbers.iter().enumerate() {
                    series.re[place] = differences.re[number];
                    series.im[place] = differences.im[number];
                }
            }
            Self::Consecutive(members) => {
                for (place, pair) in members.windows(2).enumerate() {
                    let [from_re, from_im] = differences.member(&pair[0]);
                    let [to_re, to_im] = differences.member(&pair[1]);
                    for lane in 0..LANES {
                        let [re, im] =
                            quotient([from_re[lane], from_im[lane]], [to_re[lane], to_im[lane]]);
                        series.re[place][lane] = re;
                        series.im[place][lane] = im;
                    }
                }
            }
        }
    }
}

impl Phasors {
    #[inline(always)]
    fn member(&self, member: &Member) -> [Lanes; 2] {
        match *member {
            Member::Master => [[1.0; LANES], [0.0; LANES]],
            Member::Interferogram { number, reversed } => {
                let mut im = self.im[number];
                if reversed {
                    im = im.map(|value| -value);
                }
                [self.re[number], im]
            }
        }
    }
}

/// `to conj(from)` over its modulus, in single precision.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers are single")]
fn quotient([from_re, from_im]: [f64; 2], [to_re, to_im]: [f64; 2]) -> [f64; 2] {
    let (from_re, from_im) = (from_re as f32, from_im as f32);
    let (to_re, to_im) = (to_re as f32, to_im as f32);
    unit([to_re * from_re + to_im * from_im, to_im * from_re - to_re * from_im]).map(f64::from)
}

/// `(re + i im) exp(-i angle)`.
#[inline(always)]
fn turned(re: f64, im: f64, angle_rad: f64) -> [f64; 2] {
    let (sin, cos) = sin_cos(angle_rad);
    [re * cos + im * sin, im * cos - re * sin]
}

#[inline(always)]
fn sum_each(series: &Phasors) -> [Lanes; 2] {
    let mut sums = [[0.0; LANES]; 2];
    for (re, im) in series.re.iter().zip(&series.im) {
        for lane in 0..LANES {
            sums[0][lane] += re[lane];
            sums[1][lane] += im[lane];
        }
    }
    sums
}

#[inline(always)]
fn moduli_sum(series: &Phasors) -> Lanes {
    let mut sum = [0.0; LANES];
    for (re, im) in series.re.iter().zip(&series.im) {
        for lane in 0..LANES {
            sum[lane] += (re[lane] * re[lane] + im[lane] * im[lane]).sqrt();
        }
    }
    sum
}

/// Modulus over `total`, in single precision.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "coherences are single")]
fn relative(re: &Lanes, im: &Lanes, total: &Lanes) -> [f32; LANES] {
    let mut relative = [0.0; LANES];
    for lane in 0..LANES {
        relative[lane] = ((re[lane] * re[lane] + im[lane] * im[lane]).sqrt() / total[lane]) as f32;
    }
    relative
}

fn range(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() { 0.0 } else { high - low }
}

/// The first of the largest values, if it stands out against all beyond the minima next to it.
pub(super) fn distinct_peak(coherence: &[f32]) -> Option<usize> {
    let mut peak = None;
    for (trial, &value) in coherence.iter().enumerate() {
        let larger = peak.is_none_or(|best: usize| value > coherence[best]);
        if larger && !value.is_nan() {
            peak = Some(trial);
        }
    }
    let peak = peak?;
    // From the peak down to where the values rise again, on both sides.
    let falls = |&k: &usize| coherence[k + 1] < coherence[k];
    let rises = |&k: &usize| coherence[k + 1] > coherence[k];
    let start = (0..peak).rev().find(falls).map_or(0, |k| k + 1);
    let end = (peak..coherence.len() - 1).find(rises).map_or(coherence.len() - 1, |k| k);
    let beyond = coherence[..start].iter().chain(&coherence[end + 1..]);
    let second = beyond.copied().fold(0.0, f32::max);
    (coherence[peak] - second > LEAST_MARGIN).then_some(peak)
}
