//! Smooth part of the series of one master: straight lines in Gaussian windows in time.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use super::lanes::{LANES, Lanes, Phasors, angles, whole, wrapped};
use super::network::{Design, Link};
use crate::edge_noise::window::Window;

/// Fixed point of [`Moments`]: 2^40 to a radian.
const FIXED_POINT: f64 = 1_099_511_627_776.0;

/// The images that most others have an interferogram with, and which of them smooths which
/// interferogram.
#[derive(Clone, Debug)]
pub(super) struct Full {
    masters: Vec<Master>,
    /// For every interferogram the place in `masters` of the one whose smooth part is taken.
    chosen: Vec<Option<usize>>,
    /// Interferograms with several masters: candidates, in the order of the masters.
    contests: Vec<Contest>,
}

/// One image and its series.
#[derive(Clone, Debug)]
struct Master {
    /// Its interferograms in the order of dates.
    links: Vec<Link>,
    /// The window around every date.
    windows: Vec<Window>,
    /// Places of the dates whose mean phase is brought into one cycle.
    anchor: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Contest {
    interferogram: usize,
    /// Places in `masters`.
    candidates: Vec<usize>,
}

/// Sums over edges of what candidates leave of the phase of interferograms that have several: see
/// [`EdgeSeries::settle`](super::EdgeSeries::settle). Fixed-point numbers, so that the order of
/// edges and tiles does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    sums: Vec<Sums>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    count: u64,
    sum: i128,
    squares: i128,
}

impl Moments {
    /// Adds the sums over other edges.
    pub fn join(&mut self, other: &Self) {
        self.sums.resize(self.sums.len().max(other.sums.len()), Sums::default());
        for (own, other) in self.sums.iter_mut().zip(&other.sums) {
            own.count += other.count;
            own.sum += other.sum;
            own.squares += other.squares;
        }
    }
}

impl Sums {
    #[expect(clippy::cast_possible_truncation, reason = "residuals lie within pi")]
    fn add(&mut self, residual_rad: f64) {
        if !residual_rad.is_nan() {
            let fixed = i128::from((residual_rad * FIXED_POINT).round() as i64);
            self.count += 1;
            self.sum += fixed;
            self.squares += fixed * fixed;
        }
    }

    /// Variance, rad^2; 0 of a single edge, infinite without one.
    fn variance(self) -> f64 {
        if self.count == 0 {
            return f64::INFINITY;
        }
        let count = self.count as f64;
        let mean = self.sum as f64 / count / FIXED_POINT;
        let squares = self.squares as f64 / FIXED_POINT / FIXED_POINT;
        (squares - count * mean * mean).max(0.0) / (count - 1.0).max(1.0)
    }
}

/// Memory of the smoothing of one series.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    series: Phasors,
    /// Angles of the series, cycles.
    angle: Vec<Lanes>,
    /// Smoothed angles, cycles; at the end those of the links, in their direction.
    smooth: Vec<Lanes>,
    /// Lanes whose smoothed phasor is 0, which has no angle.
    vanished: Vec<[bool; LANES]>,
}

impl Full {
    pub(super) fn new(design: &Design, window_days: f64) -> Self {
        let images = design.images();
        let shared = |&image: &usize| design.interferograms_of(image).len() + 2 >= images;
        let masters: Vec<Master> = (0..images)
            .filter(shared)
            .map(|image| Master::new(image, design.series_of(image), window_days))
            .collect();
        let candidates = |interferogram: usize| -> Vec<usize> {
            let has =
                |&m: &usize| masters[m].links.iter().any(|l| l.interferogram == interferogram);
            (0..masters.len()).filter(has).collect()
        };
        let of_each: Vec<Vec<usize>> = (0..design.pairs.len()).map(candidates).collect();
        let chosen = of_each.iter().map(|candidates| candidates.first().copied()).collect();
        let contests = (0..).zip(of_each).filter(|(_, candidates)| candidates.len() > 1);
        let contests = contests
            .map(|(interferogram, candidates)| Contest { interferogram, candidates })
            .collect();
        Self { masters, chosen, contests }
    }

    pub(super) fn contested(&self) -> bool {
        !self.contests.is_empty()
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        let of_master = |master: &Master| 5 * 8 * (master.links.len() as u64).pow(2);
        self.masters.iter().map(of_master).sum()
    }

    pub(super) fn scratch(&self) -> Scratch {
        let longest = self.masters.iter().map(|master| master.links.len()).max().unwrap_or(0);
        let lanes = vec![[0.0; LANES]; longest];
        Scratch {
            series: Phasors::new(longest),
            angle: lanes.clone(),
            smooth: lanes,
            vanished: vec![[false; LANES]; longest],
        }
    }

    /// Smooth part of all interferograms, cycles; `angle` are the angles of `phasors`, cycles.
    #[inline(always)]
    pub(super) fn smooth(
        &self,
        phasors: &Phasors,
        angle: &[Lanes],
        scratch: &mut Scratch,
        smooth: &mut [Lanes],
    ) {
        for (values, chosen) in smooth.iter_mut().zip(&self.chosen) {
            *values = if chosen.is_some() { [0.0; LANES] } else { [f64::NAN; LANES] };
        }
        for (number, master) in self.masters.iter().enumerate() {
            master.smooth(phasors, angle, scratch);
            for (link, values) in master.links.iter().zip(&scratch.smooth) {
                if self.chosen[link.interferogram] == Some(number) {
                    smooth[link.interferogram] = *values;
                }
            }
        }
    }

    /// Adds what every candidate leaves of the phase of the first `count` lanes.
    pub(super) fn add_moments(
        &self,
        phasors: &Phasors,
        angle: &[Lanes],
        count: usize,
        scratch: &mut Scratch,
        moments: &mut Moments,
    ) {
        let total = self.contests.iter().map(|contest| contest.candidates.len()).sum();
        moments.sums.resize(total, Sums::default());
        for (number, master) in self.masters.iter().enumerate() {
            master.smooth(phasors, angle, scratch);
            let mut place = 0;
            for contest in &self.contests {
                let candidate = contest.candidates.iter().position(|&m| m == number);
                let link = |link: &Link| link.interferogram == contest.interferogram;
                let link = master.links.iter().position(link);
                if let (Some(candidate), Some(link)) = (candidate, link) {
                    let smooth = &scratch.smooth[link];
                    for (angle, smooth) in
                        angle[contest.interferogram].iter().zip(smooth).take(count)
                    {
                        let left = angle - smooth;
                        let residual_rad = std::f64::consts::TAU * wrapped(left);
                        moments.sums[place + candidate].add(residual_rad);
                    }
                }
                place += contest.candidates.len();
            }
        }
    }

    /// Chooses the candidates that leave least.
    pub(super) fn settle(&mut self, moments: &Moments) {
        let mut sums = moments.sums.iter();
        for contest in &self.contests {
            let mut least = f64::INFINITY;
            for (&candidate, sums) in contest.candidates.iter().zip(&mut sums) {
                let variance = sums.variance();
                if variance < least {
                    least = variance;
                    self.chosen[contest.interferogram] = Some(candidate);
                }
            }
        }
    }
}

impl Master {
    fn new(image: usize, links: Vec<Link>, window_days: f64) -> Self {
        let days: Vec<f64> = links.iter().map(|link| link.day).collect();
        let windows = (0..days.len()).map(|date| Window::new(&days, date, window_days)).collect();
        let anchor = match links.iter().position(|link| link.other > image) {
            Some(0) => vec![0],
            Some(after) => vec![after - 1, after],
            None => vec![links.len() - 1],
        };
        Self { links, windows, anchor }
    }

    #[inline(always)]
    fn smooth(&self, phasors: &Phasors, angle: &[Lanes], scratch: &mut Scratch) {
        for (date, link) in self.links.iter().enumerate() {
            let sign = if link.reversed { -1.0 } else { 1.0 };
            scratch.series.re[date] = phasors.re[link.interferogram];
            scratch.series.im[date] = phasors.im[link.interferogram].map(|value| sign * value);
            scratch.angle[date] = angle[link.interferogram].map(|value| sign * value);
        }
        for (date, window) in self.windows.iter().enumerate() {
            let [re, im] = scratch.weighted_sum(&window.weight);
            let mean = angles(&im, &re);
            let line = scratch.line_at_date(&mean, window);
            for lane in 0..LANES {
                scratch.smooth[date][lane] = mean[lane] + line[lane];
                scratch.vanished[date][lane] = re[lane] == 0.0 && im[lane] == 0.0;
            }
        }
        self.unwrap(scratch);
    }

    /// Adds up the wrapped steps from date to date, brings the anchor into one cycle, and turns
    /// every date into the direction of its interferogram.
    #[inline(always)]
    fn unwrap(&self, scratch: &mut Scratch) {
        let (mut before, mut sum) = ([0.0; LANES], [0.0; LANES]);
        let mut vanished_before = [false; LANES];
        let count = self.links.len();
        for (values, vanished) in scratch.smooth[..count].iter_mut().zip(&scratch.vanished) {
            for lane in 0..LANES {
                let step = wrapped(values[lane] - before[lane]);
                // The angle of 0 is 0, and so is the angle of what is multiplied by 0.
                let no_step = vanished[lane] || vanished_before[lane];
                sum[lane] += if no_step { 0.0 } else { step };
            }
            before = *values;
            *values = sum;
            vanished_before = *vanished;
        }
        let mut anchor = [0.0; LANES];
        for &date in &self.anchor {
            for (mean, value) in anchor.iter_mut().zip(&scratch.smooth[date]) {
                *mean += value / self.anchor.len() as f64;
            }
        }
        let cycles = anchor.map(whole);
        for (values, link) in scratch.smooth.iter_mut().zip(&self.links) {
            let sign = if link.reversed { -1.0 } else { 1.0 };
            for lane in 0..LANES {
                values[lane] = sign * (values[lane] - cycles[lane]);
            }
        }
    }
}

impl Scratch {
    /// Weighted sum over the dates: real and imaginary part.
    #[inline(always)]
    fn weighted_sum(&self, weight: &[f64]) -> [Lanes; 2] {
        let (mut sum_re, mut sum_im) = ([0.0; LANES], [0.0; LANES]);
        for ((re, im), &weight) in self.series.re.iter().zip(&self.series.im).zip(weight) {
            for lane in 0..LANES {
                sum_re[lane] += weight * re[lane];
                sum_im[lane] += weight * im[lane];
            }
        }
        [sum_re, sum_im]
    }

    /// Value at the window's date of the line through the angles around their mean, cycles. The
    /// line of a single date is 0.
    #[inline(always)]
    fn line_at_date(&self, mean: &Lanes, window: &Window) -> Lanes {
        let mut value = [0.0; LANES];
        if window.weight.len() == 1 {
            return value;
        }
        for (angle, &factor) in self.angle.iter().zip(&window.intercept) {
            let mut around = [0.0; LANES];
            for lane in 0..LANES {
                around[lane] = wrapped(angle[lane] - mean[lane]);
            }
            for lane in 0..LANES {
                value[lane] += factor * around[lane];
            }
        }
        value
    }
}
