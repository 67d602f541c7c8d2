//! Filters the surroundings of one cell without the cell itself, in single precision (stage 3).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use std::f64::consts::TAU;

use num_complex::{Complex, Complex32, Complex64};

use super::Plane;
use super::low_pass::LowPass;
use super::response::{Response, ResponseScratch};
use super::transform::{Transform, TransformScratch};
use crate::simd::{Kernel, run_widest};

/// Filter of single cells: one window of the size of the low pass, without padding or taper.
#[derive(Clone, Debug)]
pub struct ClapPatchFilter {
    response: Response<f32>,
    transform: Transform<f32>,
    /// `exp(j 2 pi k / size)`.
    roots: Vec<Complex32>,
}

/// Memory of [`ClapPatchFilter`], made once a thread.
#[derive(Clone, Debug, Default)]
pub struct ClapPatchScratch {
    cells: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    /// Of every column of the spectrum, the sum over the rows: real, then imaginary parts.
    sums: [Vec<f32>; 2],
    response: ResponseScratch<f32>,
    transform: TransformScratch<f32>,
}

impl ClapPatchFilter {
    /// A filter with windows of `low_pass.window()` cells.
    pub fn new(alpha: f64, beta: f64, low_pass: &LowPass) -> Self {
        let size = low_pass.window();
        let root = |k: usize| Complex64::cis(TAU * k as f64 / size as f64);
        #[expect(clippy::cast_possible_truncation, reason = "the filter works in single precision")]
        let roots = (0..size).map(root).map(|z| Complex::new(z.re as f32, z.im as f32)).collect();
        let response = Response::new(alpha, beta, low_pass);
        Self { response, transform: Transform::new(size), roots }
    }

    /// Filtered value at `cell` (row, column from 0) of the plane with that cell set to zero, and
    /// with it the cells within `reach` cells of it in both directions; not normalised.
    ///
    /// `None` if the grid is smaller than the window: such a patch loses every scatterer. The window
    /// begins half its size before the cell, or where it has to for lying inside the grid.
    ///
    /// # StaMPS compatibility
    /// Everything is in single precision. Only the one sample of the inverse transform is summed
    /// up, which rounds differently (stage3.md 6.4).
    ///
    /// # Panics
    /// If `cell` is not in the plane or the plane's length is not `rows * columns`.
    pub fn value_without_cell(
        &self,
        plane: &Plane,
        cell: [usize; 2],
        reach: usize,
        scratch: &mut ClapPatchScratch,
    ) -> Option<Complex32> {
        let size = self.response.size();
        assert_eq!(plane.values.len(), plane.rows * plane.columns, "a plane of whole columns");
        assert!(cell[0] < plane.rows && cell[1] < plane.columns, "a cell of the plane");
        let first_row = cell[0].saturating_sub(size / 2).min(plane.rows.checked_sub(size)?);
        let first_column = cell[1].saturating_sub(size / 2).min(plane.columns.checked_sub(size)?);
        scratch.cells.clear();
        for column in first_column..first_column + size {
            let start = column * plane.rows + first_row;
            scratch.cells.extend_from_slice(&plane.values[start..start + size]);
        }
        let target = [cell[0] - first_row, cell[1] - first_column];
        let around = |at: usize| at.saturating_sub(reach)..(at + reach + 1).min(size);
        for column in around(target[1]) {
            for row in around(target[0]) {
                scratch.cells[column * size + row] = Complex32::ZERO;
            }
        }
        Some(self.value(target, scratch))
    }

    /// Filtered value at `target` of the window in `scratch.cells`.
    fn value(&self, target: [usize; 2], scratch: &mut ClapPatchScratch) -> Complex32 {
        let size = self.response.size();
        scratch.spectrum.resize(size * size, Complex32::ZERO);
        for sums in &mut scratch.sums {
            sums.clear();
            sums.resize(size, 0.0);
        }
        let mut value = Complex32::ZERO;
        run_widest(OneValue { filter: self, target, scratch, value: &mut value });
        value
    }
}

struct OneValue<'a> {
    filter: &'a ClapPatchFilter,
    target: [usize; 2],
    scratch: &'a mut ClapPatchScratch,
    value: &'a mut Complex32,
}

impl Kernel for OneValue<'_> {
    #[inline(always)]
    fn run(self) {
        let ClapPatchScratch { cells, spectrum, sums, response, transform } = self.scratch;
        let mut total = 0.0;
        for cell in cells.iter_mut() {
            let present = !(cell.re.is_nan() || cell.im.is_nan());
            *cell = if present { *cell } else { Complex32::ZERO };
            total += cell.re.abs() + cell.im.abs();
        }
        if total == 0.0 {
            return;
        }
        let filter = self.filter;
        let size = filter.response.size();
        filter.transform.forward(cells, size, spectrum, transform);
        filter.response.compute(spectrum, response);
        let [sum_re, sum_im] = sums;
        let rows = spectrum.chunks_exact(size).zip(response.gain().chunks_exact(size));
        for (row, (bins, gains)) in rows.enumerate() {
            let root = filter.roots[row * self.target[0] % size];
            let sums = sum_re.iter_mut().zip(sum_im.iter_mut());
            for ((bin, gain), (re, im)) in bins.iter().zip(gains).zip(sums) {
                *re += gain * (bin.re * root.re - bin.im * root.im);
                *im += gain * (bin.re * root.im + bin.im * root.re);
            }
        }
        let mut value = Complex32::ZERO;
        for (column, (&re, &im)) in sum_re.iter().zip(sum_im.iter()).enumerate() {
            value += Complex::new(re, im) * filter.roots[column * self.target[1] % size];
        }
        *self.value = value / (size * size) as f32;
    }
}
