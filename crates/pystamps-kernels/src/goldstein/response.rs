//! Computes Goldstein's response of a window from its spectrum.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use num_complex::Complex64;

use crate::clap::median::MedianScratch;
use crate::clap::response::{
    CentredModuli, REACH, reciprocal_of_median, smooth_across, smooth_along,
};
use crate::elementary::power;
use crate::gauss_window::gauss_window;

/// What turns a spectrum of `size * size` into a response.
#[derive(Clone, Debug)]
pub(super) struct Response {
    size: usize,
    alpha: f64,
    /// The smoothing kernel from its centre, which is 1, outwards.
    kernel: [f64; REACH + 1],
}

/// Memory of a response.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseScratch {
    modulus: CentredModuli<f64>,
    /// One row of it, smoothed across the rows.
    line: Vec<f64>,
    /// Smoothed moduli with zero frequency in the middle.
    smooth: Vec<f64>,
    median: MedianScratch<f64>,
}

impl Response {
    pub(super) fn new(size: usize, alpha: f64) -> Self {
        let window = gauss_window(2 * REACH + 1, 2.5);
        Self { size, alpha, kernel: std::array::from_fn(|k| window[REACH + k]) }
    }

    /// Multiplies a row-major spectrum by its smoothed modulus over the median of it, to the power
    /// of alpha.
    #[inline(always)]
    pub(super) fn apply(&self, spectrum: &mut [Complex64], scratch: &mut ResponseScratch) {
        // The compiler unrolls what it knows the size of, and 40 is what StaMPS uses.
        if self.size == 40 {
            self.apply_sized(40, spectrum, scratch);
        } else {
            self.apply_sized(self.size, spectrum, scratch);
        }
    }

    #[inline(always)]
    fn apply_sized(&self, size: usize, spectrum: &mut [Complex64], scratch: &mut ResponseScratch) {
        let width = size + 2 * REACH;
        // Only the inner part is ever written to: the margins stay zero.
        scratch.line.resize(width, 0.0);
        scratch.smooth.resize(size * size, 0.0);
        let half = size / 2;
        let modulus = scratch.modulus.of(spectrum, size);
        for row in 0..size {
            let rows = &modulus[row * width..][..(2 * REACH + 1) * width];
            smooth_across(rows, width, &self.kernel, &mut scratch.line[REACH..REACH + size]);
            smooth_along(&scratch.line, &self.kernel, &mut scratch.smooth[row * size..][..size]);
        }
        let scale = reciprocal_of_median(&scratch.smooth, &mut scratch.median);
        for (row, bins) in spectrum.chunks_exact_mut(size).enumerate() {
            let smooth = &scratch.smooth[(row + half) % size * size..][..size];
            let (low, high) = bins.split_at_mut(size - half);
            self.weigh(scale, &smooth[half..], low);
            self.weigh(scale, &smooth[..half], high);
        }
    }

    #[inline(always)]
    fn weigh(&self, scale: f64, smooth: &[f64], bins: &mut [Complex64]) {
        for (bin, &smooth) in bins.iter_mut().zip(smooth) {
            let gain = power(smooth * scale, self.alpha);
            *bin = Complex64::new(bin.re * gain, bin.im * gain);
        }
    }
}

/// The fixed low-pass response of `size * size` in the order of a spectrum: a Gaussian around zero
/// frequency that reaches 16 standard deviations at both ends.
pub(super) fn low_pass(size: usize) -> Vec<f64> {
    let line = gauss_window(size, 16.0);
    let ordered: Vec<f64> = (0..size).map(|k| line[(k + size / 2) % size]).collect();
    ordered.iter().flat_map(|x| ordered.iter().map(move |y| x * y)).collect()
}
