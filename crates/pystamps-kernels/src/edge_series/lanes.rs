//! Holds the phase differences of a few edges, one edge a vector lane.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::f64::consts::TAU;

use num_complex::Complex;

use crate::elementary::atan2;

/// Edges that are worked on together.
pub(super) const LANES: usize = 8;

/// One value for each of them.
pub(super) type Lanes = [f64; LANES];

/// Adding and subtracting it rounds to the nearest integer.
const ROUNDER: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// Bytes of what is held of a group of edges.
pub(super) fn memory_bytes(columns: u64) -> u64 {
    columns * 10 * (8 * LANES as u64)
}

/// Unit phasors of `LANES` edges, interferogram by interferogram: single precision in wide numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Phasors {
    pub(super) re: Vec<Lanes>,
    pub(super) im: Vec<Lanes>,
}

impl Phasors {
    pub(super) fn new(columns: usize) -> Self {
        Self { re: vec![[0.0; LANES]; columns], im: vec![[0.0; LANES]; columns] }
    }
}

/// `high conj(low)` over its modulus, all in single precision; NaN where a phase is 0.
#[inline(always)]
pub(super) fn unit_difference(low: Complex<f32>, high: Complex<f32>) -> [f32; 2] {
    unit([high.re * low.re + high.im * low.im, high.im * low.re - high.re * low.im])
}

/// A number over its modulus.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "moduli are single")]
pub(super) fn unit([re, im]: [f32; 2]) -> [f32; 2] {
    let (wide_re, wide_im) = (f64::from(re), f64::from(im));
    let modulus = (wide_re * wide_re + wide_im * wide_im).sqrt() as f32;
    [re / modulus, im / modulus]
}

/// Angles of complex numbers, cycles, lane by lane.
#[inline(always)]
pub(super) fn angles(im: &Lanes, re: &Lanes) -> Lanes {
    let mut angles = [0.0; LANES];
    for lane in 0..LANES {
        angles[lane] = atan2(im[lane], re[lane]) * (1.0 / TAU);
    }
    angles
}

/// Cycles brought to [-0.5, 0.5].
#[inline(always)]
pub(super) fn wrapped(cycles: f64) -> f64 {
    cycles - whole(cycles)
}

/// The nearest whole number of cycles.
#[inline(always)]
pub(super) fn whole(cycles: f64) -> f64 {
    (cycles + ROUNDER) - ROUNDER
}

/// Rounds to single precision.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "rounding is the point")]
pub(super) fn single(value: f64) -> f64 {
    f64::from(value as f32)
}
