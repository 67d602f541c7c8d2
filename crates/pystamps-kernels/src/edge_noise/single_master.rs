//! Noise of an edge where signal is what varies slowly in time (stage4.md 5, single master).

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::f64::consts::TAU;

use super::group::{Group, LANES, angles, spread};
use super::variance::EdgeMoments;
use super::window::Window;
use super::{Baselines, Model};

/// Adding and subtracting it rounds to the nearest integer.
const ROUNDER: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// Windows of all dates, and the fit of the look-angle error.
pub(super) struct SingleMaster<'a> {
    windows: Vec<Window>,
    baselines: Baselines<'a>,
}

/// Values of a group, one row a column of the phasors.
pub(super) struct Scratch {
    /// Angles of the differences, cycles.
    angle: Vec<[f64; LANES]>,
    /// Angles after the window's mean is removed, cycles.
    remainder: Vec<[f64; LANES]>,
    /// Result of a pass, rad.
    noise_rad: Vec<[f64; LANES]>,
}

impl<'a> SingleMaster<'a> {
    pub(super) fn new(days: &[f64], window_days: f64, baselines: &Baselines<'a>) -> Self {
        let windows =
            (0..days.len()).map(|center| Window::new(days, center, window_days)).collect();
        Self { windows, baselines: *baselines }
    }
}

impl Model for SingleMaster<'_> {
    type Scratch = Scratch;
    const PARTS: usize = 1;

    fn scratch(&self) -> Scratch {
        let rows = vec![[0.0; LANES]; self.windows.len()];
        Scratch { angle: rows.clone(), remainder: rows.clone(), noise_rad: rows }
    }

    /// Difference of every date from the weighted mean of the others.
    #[inline(always)]
    fn add_moments(&self, group: &Group, scratch: &mut Scratch, moments: &mut EdgeMoments) {
        for (column, window) in self.windows.iter().enumerate() {
            let [sum_re, sum_im] = weighted_sum(group, &window.weight_of_others);
            let (re, im) = (&group.re[column], &group.im[column]);
            let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                real[lane] = re[lane] * sum_re[lane] + im[lane] * sum_im[lane];
                imaginary[lane] = im[lane] * sum_re[lane] - re[lane] * sum_im[lane];
            }
            scratch.noise_rad[column] = angles(&imaginary, &real);
        }
        moments.add([&scratch.noise_rad], group.count);
    }

    /// Difference of every date from the line fitted around it, without the look-angle error.
    #[inline(always)]
    fn noise(
        &self,
        group: &Group,
        inverse_variance: &[f64],
        scratch: &mut Scratch,
    ) -> [[f64; LANES]; 2] {
        for column in 0..group.columns() {
            scratch.angle[column] = cycles(angles(&group.im[column], &group.re[column]));
        }
        for (column, window) in self.windows.iter().enumerate() {
            let [sum_re, sum_im] = weighted_sum(group, &window.weight);
            let mean = cycles(angles(&sum_im, &sum_re));
            let fit = fitted_value(&scratch.angle, &mean, window, &mut scratch.remainder);
            for lane in 0..LANES {
                let noise = scratch.angle[column][lane] - mean[lane] - fit[lane];
                scratch.noise_rad[column][lane] = TAU * wrapped(noise);
            }
        }
        remove_look_angle_error(&mut scratch.noise_rad, &self.baselines, inverse_variance);
        spread(&scratch.noise_rad)
    }
}

/// Sum over columns of the weighted differences: real and imaginary part.
#[inline(always)]
fn weighted_sum(group: &Group, weight: &[f64]) -> [[f64; LANES]; 2] {
    let (mut sum_re, mut sum_im) = ([0.0; LANES], [0.0; LANES]);
    for ((re, im), &weight) in group.re.iter().zip(&group.im).zip(weight) {
        for lane in 0..LANES {
            sum_re[lane] += weight * re[lane];
            sum_im[lane] += weight * im[lane];
        }
    }
    [sum_re, sum_im]
}

/// Value at the window's date of the line through the angles around their mean, cycles: fitted
/// once, then once more to what is left, wrapped.
#[inline(always)]
fn fitted_value(
    angle: &[[f64; LANES]],
    mean: &[f64; LANES],
    window: &Window,
    remainder: &mut [[f64; LANES]],
) -> [f64; LANES] {
    let (mut intercept, mut slope) = ([0.0; LANES], [0.0; LANES]);
    let fit = window.intercept.iter().zip(&window.slope);
    for ((angle, remainder), (&at_date, &per_day)) in angle.iter().zip(&mut *remainder).zip(fit) {
        // One simple loop after another: together they are not turned into vector instructions.
        let mut values = [0.0; LANES];
        for lane in 0..LANES {
            values[lane] = wrapped(angle[lane] - mean[lane]);
        }
        *remainder = values;
        for lane in 0..LANES {
            intercept[lane] += at_date * values[lane];
            slope[lane] += per_day * values[lane];
        }
    }
    let mut correction = [0.0; LANES];
    let fit = window.intercept.iter().zip(&window.days);
    for (remainder, (&at_date, &days)) in remainder.iter().zip(fit) {
        for lane in 0..LANES {
            let value = remainder[lane] - intercept[lane] - slope[lane] * days;
            correction[lane] += at_date * wrapped(value);
        }
    }
    for lane in 0..LANES {
        intercept[lane] += correction[lane];
    }
    intercept
}

/// Takes away the part proportional to the baseline, each column weighted by `inverse_variance`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "single precision where baselines have it")]
fn remove_look_angle_error(
    noise_rad: &mut [[f64; LANES]],
    baselines: &Baselines<'_>,
    inverse_variance: &[f64],
) {
    let mut slope = [0.0; LANES];
    let mut squares = 0.0;
    for ((noise, &bperp_m), &weight) in
        noise_rad.iter().zip(baselines.bperp_m).zip(inverse_variance)
    {
        squares += bperp_m * bperp_m * weight;
        for lane in 0..LANES {
            slope[lane] += bperp_m * weight * noise[lane];
        }
    }
    for value in &mut slope {
        *value /= squares;
        *value = if baselines.single_precision { f64::from(*value as f32) } else { *value };
    }
    for (noise, &bperp_m) in noise_rad.iter_mut().zip(baselines.bperp_m) {
        for lane in 0..LANES {
            noise[lane] -= slope[lane] * bperp_m;
        }
    }
}

#[inline(always)]
fn cycles(angles_rad: [f64; LANES]) -> [f64; LANES] {
    angles_rad.map(|angle| angle * (1.0 / TAU))
}

/// Cycles brought to [-0.5, 0.5].
#[inline(always)]
fn wrapped(cycles: f64) -> f64 {
    cycles - ((cycles + ROUNDER) - ROUNDER)
}
