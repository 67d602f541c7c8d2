//! Computes the adaptive response of a window from its spectrum.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use num_complex::Complex;

use super::low_pass::LowPass;
use super::median::{MedianScratch, median};
use super::real::Real;
use crate::gauss_window::gauss_window;

/// Cells of the smoothing kernel on each side of its centre.
pub(crate) const REACH: usize = 3;

/// What turns a spectrum into a response.
#[derive(Clone, Debug)]
pub(super) struct Response<T> {
    size: usize,
    alpha: T,
    beta: T,
    /// Row-major, like the spectra.
    low_pass: Vec<T>,
    /// The smoothing kernel from its centre, which is 1, outwards.
    kernel: [T; REACH + 1],
}

/// Memory of a response.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseScratch<T: Real> {
    modulus: CentredModuli<T>,
    /// One row of it, smoothed across the rows.
    line: Vec<T>,
    /// Smoothed moduli with zero frequency in the middle.
    smooth: Vec<T>,
    median: MedianScratch<T>,
    /// The response in the order of the spectrum.
    gain: Vec<T>,
}

impl<T: Real> ResponseScratch<T> {
    /// The response computed last, row-major.
    #[inline(always)]
    pub(super) fn gain(&self) -> &[T] {
        &self.gain
    }
}

impl<T: Real> Response<T> {
    pub(super) fn new(alpha: f64, beta: f64, low_pass: &LowPass) -> Self {
        let window = gauss_window(2 * REACH + 1, 2.5);
        Self {
            size: low_pass.window(),
            alpha: T::rounded(alpha),
            beta: T::rounded(beta),
            low_pass: low_pass.row_major().into_iter().map(T::rounded).collect(),
            kernel: std::array::from_fn(|k| T::rounded(window[REACH + k])),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Computes `beta H + low pass` of a row-major spectrum.
    #[inline(always)]
    pub(super) fn compute(&self, spectrum: &[Complex<T>], scratch: &mut ResponseScratch<T>) {
        // The compiler unrolls what it knows the size of, and 32 is what StaMPS uses.
        if self.size == 32 {
            self.compute_sized(32, spectrum, scratch);
        } else {
            self.compute_sized(self.size, spectrum, scratch);
        }
    }

    #[inline(always)]
    fn compute_sized(
        &self,
        size: usize,
        spectrum: &[Complex<T>],
        scratch: &mut ResponseScratch<T>,
    ) {
        let width = size + 2 * REACH;
        // Only the inner part is ever written to: the margins stay zero.
        scratch.line.resize(width, T::zero());
        scratch.smooth.resize(size * size, T::zero());
        scratch.gain.resize(size * size, T::zero());
        let half = size / 2;
        let modulus = scratch.modulus.of(spectrum, size);
        for row in 0..size {
            let rows = &modulus[row * width..][..7 * width];
            smooth_across(rows, width, &self.kernel, &mut scratch.line[REACH..REACH + size]);
            smooth_along(&scratch.line, &self.kernel, &mut scratch.smooth[row * size..][..size]);
        }
        let scale = reciprocal_of_median(&scratch.smooth, &mut scratch.median);
        for row in 0..size {
            let shifted = &scratch.smooth[(row + half) % size * size..][..size];
            let gain = &mut scratch.gain[row * size..][..size];
            let low_pass = &self.low_pass[row * size..][..size];
            self.gain(scale, &shifted[half..], &low_pass[..half], &mut gain[..half]);
            self.gain(scale, &shifted[..half], &low_pass[half..], &mut gain[half..]);
        }
    }

    #[inline(always)]
    fn gain(&self, scale: T, smooth: &[T], low_pass: &[T], gain: &mut [T]) {
        let plain = self.alpha == T::one();
        for ((gain, &smooth), &low_pass) in gain.iter_mut().zip(smooth).zip(low_pass) {
            let relative = smooth * scale;
            let raised = if plain { relative } else { relative.power(self.alpha) };
            let excess = raised - T::one();
            let excess = if excess < T::zero() { T::zero() } else { excess };
            *gain = self.beta * excess + low_pass;
        }
    }
}

/// Moduli of a spectrum with zero frequency in the middle and a margin of zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct CentredModuli<T> {
    moduli: Vec<T>,
    /// Only the inner part is ever written to: the margins stay zero.
    padded: Vec<T>,
}

impl<T: Real> CentredModuli<T> {
    /// Computes those of a row-major spectrum of `size * size`; gives `size + 2 * REACH` rows of as
    /// many.
    ///
    /// All moduli first, in one long loop: half a row at a time is short enough to be unrolled, and
    /// what was unrolled is no longer compiled for vectors.
    #[inline(always)]
    pub(crate) fn of(&mut self, spectrum: &[Complex<T>], size: usize) -> &[T] {
        let width = size + 2 * REACH;
        self.moduli.resize(size * size, T::zero());
        self.padded.resize(width * width, T::zero());
        for (modulus, bin) in self.moduli.iter_mut().zip(spectrum) {
            *modulus = (bin.re * bin.re + bin.im * bin.im).root();
        }
        // Zero frequency goes to element `half`; with an odd size one more element lies behind it.
        let half = size / 2;
        for (row, moduli) in self.moduli.chunks_exact(size).enumerate() {
            let start = ((row + half) % size + REACH) * width + REACH;
            let (low, high) = moduli.split_at(size - half);
            let (first, second) = self.padded[start..start + size].split_at_mut(half);
            first.copy_from_slice(high);
            second.copy_from_slice(low);
        }
        &self.padded
    }
}

/// One row smoothed across seven rows of `width` values, margins left out.
#[inline(always)]
pub(crate) fn smooth_across<T: Real>(rows: &[T], width: usize, kernel: &[T; 4], out: &mut [T]) {
    let size = out.len();
    let row = |k: usize| &rows[k * width + REACH..][..size];
    let (r0, r1, r2, r3, r4, r5, r6) = (row(0), row(1), row(2), row(3), row(4), row(5), row(6));
    for c in 0..size {
        out[c] = r3[c]
            + (kernel[1] * (r2[c] + r4[c])
                + (kernel[2] * (r1[c] + r5[c]) + kernel[3] * (r0[c] + r6[c])));
    }
}

/// The same along one row that has its margins.
#[inline(always)]
pub(crate) fn smooth_along<T: Real>(line: &[T], kernel: &[T; 4], out: &mut [T]) {
    let size = out.len();
    let from = |k: usize| &line[k..][..size];
    let (r0, r1, r2, r3, r4, r5, r6) =
        (from(0), from(1), from(2), from(3), from(4), from(5), from(6));
    for c in 0..size {
        out[c] = r3[c]
            + (kernel[1] * (r2[c] + r4[c])
                + (kernel[2] * (r1[c] + r5[c]) + kernel[3] * (r0[c] + r6[c])));
    }
}

/// One over the median of `values`, or 1 if that is 0.
#[inline(always)]
pub(crate) fn reciprocal_of_median<T: Real>(values: &[T], scratch: &mut MedianScratch<T>) -> T {
    let median = median(values, scratch);
    if median == T::zero() { T::one() } else { T::one() / median }
}
