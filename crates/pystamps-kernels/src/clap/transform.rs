//! Two-dimensional Fourier transforms of square windows.

use std::fmt;
use std::sync::Arc;

use num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::real::Real;

/// Transforms of windows of `size` x `size` cells.
///
/// Cells are column-major, spectra row-major: transforming the contiguous lines, transposing and
/// transforming again leaves it so, and transposing back would gain nothing.
#[derive(Clone)]
pub(crate) struct Transform<T> {
    size: usize,
    forward: Arc<dyn Fft<T>>,
    inverse: Arc<dyn Fft<T>>,
}

/// Memory of a transform.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransformScratch<T> {
    work: Vec<Complex<T>>,
}

impl<T> fmt::Debug for Transform<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transform").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<T: Real> Transform<T> {
    /// Plans the transforms of windows of `size` x `size` cells.
    pub(crate) fn new(size: usize) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            size,
            forward: planner.plan_fft_forward(size),
            inverse: planner.plan_fft_inverse(size),
        }
    }

    fn prepare(&self, scratch: &mut TransformScratch<T>) {
        let zero = Complex::new(T::zero(), T::zero());
        let work =
            self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len());
        scratch.work.resize(work, zero);
    }

    /// Spectra of lines of `size` values, in place.
    pub(crate) fn forward_lines(
        &self,
        lines: &mut [Complex<T>],
        scratch: &mut TransformScratch<T>,
    ) {
        self.prepare(scratch);
        self.forward.process_with_scratch(lines, &mut scratch.work);
    }

    /// Spectrum, row-major, of `cells`, column-major, whose columns from `columns` on are zero. Leaves
    /// other values in `cells`.
    pub(crate) fn forward(
        &self,
        cells: &mut [Complex<T>],
        columns: usize,
        spectrum: &mut [Complex<T>],
        scratch: &mut TransformScratch<T>,
    ) {
        self.prepare(scratch);
        self.forward.process_with_scratch(&mut cells[..columns * self.size], &mut scratch.work);
        transpose(cells, spectrum, self.size);
        self.forward.process_with_scratch(spectrum, &mut scratch.work);
    }

    /// Cells times `size * size`, column-major, of a row-major spectrum: the first `columns` columns
    /// only. Leaves other values in `spectrum`.
    pub(crate) fn inverse(
        &self,
        spectrum: &mut [Complex<T>],
        cells: &mut [Complex<T>],
        columns: usize,
        scratch: &mut TransformScratch<T>,
    ) {
        self.prepare(scratch);
        self.inverse.process_with_scratch(spectrum, &mut scratch.work);
        transpose(spectrum, cells, self.size);
        self.inverse.process_with_scratch(&mut cells[..columns * self.size], &mut scratch.work);
    }
}

fn transpose<T: Copy>(from: &[T], to: &mut [T], size: usize) {
    for (i, line) in to.chunks_exact_mut(size).enumerate() {
        for (j, out) in line.iter_mut().enumerate() {
            *out = from[j * size + i];
        }
    }
}
