//! Filters the surroundings of one cell without the cell itself, in single precision (stage 3).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use std::f64::consts::TAU;
use std::ops::Range;

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
    lines: Lines,
    /// A column without the cells that are left out.
    own_line: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    /// Of every column of the spectrum, the sum over the rows: real, then imaginary parts.
    sums: [Vec<f32>; 2],
    response: ResponseScratch<f32>,
    transform: TransformScratch<f32>,
}

/// Columns of a plane, `size` cells from one row on, transformed: windows that begin at the same row
/// share them.
#[derive(Clone, Debug, Default)]
struct Lines {
    first_row: usize,
    /// Spectra, frequency after frequency: that of column c at frequency k is at
    /// `k * columns + c`.
    spectra: Vec<Complex32>,
    state: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Unknown,
    Zero,
    Transformed,
}

/// A window and the cell whose value is wanted.
struct Target {
    first_row: usize,
    first_column: usize,
    /// The cell, from the beginning of the window.
    cell: [usize; 2],
    /// Rows and columns of the window that are left out.
    without: [Range<usize>; 2],
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

    /// Filtered value at every one of `cells` (row, column from 0) of the plane with that cell set to
    /// zero, and with it the cells within `reach` cells of it in both directions; not normalised.
    ///
    /// A window begins half its size before the cell, or where it has to for lying inside the grid.
    /// `None` if the grid is smaller than the window: such a patch loses every scatterer.
    ///
    /// Cells of one row after another are quickest: their windows begin at the same row and share
    /// the transforms of all columns but those of the cells that are left out. The same is computed
    /// for every cell as for that cell alone.
    ///
    /// # StaMPS compatibility
    /// Everything is in single precision. Only the one sample of the inverse transform is summed
    /// up, which rounds differently (stage3.md 6.4).
    ///
    /// # Panics
    /// If a cell is not in the plane or the plane's length is not `rows * columns`.
    pub fn values_without_cells(
        &self,
        plane: &Plane,
        cells: impl IntoIterator<Item = [usize; 2]>,
        reach: usize,
        scratch: &mut ClapPatchScratch,
    ) -> Option<Vec<Complex32>> {
        let size = self.response.size();
        assert_eq!(plane.values.len(), plane.rows * plane.columns, "a plane of whole columns");
        let last = [plane.rows.checked_sub(size)?, plane.columns.checked_sub(size)?];
        self.prepare(plane, scratch);
        let value = |cell| self.value_without_cell(plane, cell, last, reach, scratch);
        Some(cells.into_iter().map(value).collect())
    }

    /// The value of one cell. Not generic, so that its loops are compiled here, with what they call.
    fn value_without_cell(
        &self,
        plane: &Plane,
        cell: [usize; 2],
        last: [usize; 2],
        reach: usize,
        scratch: &mut ClapPatchScratch,
    ) -> Complex32 {
        assert!(cell[0] < plane.rows && cell[1] < plane.columns, "a cell of the plane");
        let target = self.target(cell, last, reach);
        let mut value = Complex32::ZERO;
        run_widest(OneValue { filter: self, plane, target, scratch, value: &mut value });
        value
    }

    fn prepare(&self, plane: &Plane, scratch: &mut ClapPatchScratch) {
        let size = self.response.size();
        scratch.spectrum.resize(size * size, Complex32::ZERO);
        scratch.own_line.resize(size, Complex32::ZERO);
        for sums in &mut scratch.sums {
            sums.resize(size, 0.0);
        }
        scratch.lines.spectra.resize(size * plane.columns, Complex32::ZERO);
        scratch.lines.state.clear();
        scratch.lines.state.resize(plane.columns, Line::Unknown);
    }

    /// The window around `cell`, of those that begin at `last` at the latest.
    fn target(&self, cell: [usize; 2], last: [usize; 2], reach: usize) -> Target {
        let size = self.response.size();
        let first = |axis: usize| cell[axis].saturating_sub(size / 2).min(last[axis]);
        let (first_row, first_column) = (first(0), first(1));
        let cell = [cell[0] - first_row, cell[1] - first_column];
        let without = cell.map(|at| at.saturating_sub(reach)..(at + reach + 1).min(size));
        Target { first_row, first_column, cell, without }
    }
}

impl Lines {
    /// Makes the spectra of `columns` there, of the rows from `first_row` on.
    fn make(
        &mut self,
        filter: &ClapPatchFilter,
        plane: &Plane,
        first_row: usize,
        columns: Range<usize>,
        line: &mut [Complex32],
        transform: &mut TransformScratch<f32>,
    ) {
        if self.first_row != first_row {
            self.first_row = first_row;
            self.state.fill(Line::Unknown);
        }
        for column in columns {
            if self.state[column] != Line::Unknown {
                continue;
            }
            load(plane, first_row, column, line);
            self.state[column] = if is_zero(line) { Line::Zero } else { Line::Transformed };
            filter.transform.forward_lines(line, transform);
            for (k, &bin) in line.iter().enumerate() {
                self.spectra[k * plane.columns + column] = bin;
            }
        }
    }
}

/// Copies the cells of a column from `first_row` on; NaN becomes 0.
fn load(plane: &Plane, first_row: usize, column: usize, line: &mut [Complex32]) {
    let start = column * plane.rows + first_row;
    for (cell, &value) in line.iter_mut().zip(&plane.values[start..]) {
        *cell = if value.is_nan() { Complex32::ZERO } else { value };
    }
}

fn is_zero(line: &[Complex32]) -> bool {
    line.iter().all(|&cell| cell == Complex32::ZERO)
}

struct OneValue<'a> {
    filter: &'a ClapPatchFilter,
    plane: &'a Plane<'a>,
    target: Target,
    scratch: &'a mut ClapPatchScratch,
    value: &'a mut Complex32,
}

impl OneValue<'_> {
    /// Transforms the columns of the window; whether there is anything in it.
    #[inline(always)]
    fn transform_columns(&mut self) -> bool {
        let Self { filter, plane, target, scratch, .. } = self;
        let size = filter.response.size();
        let ClapPatchScratch { lines, own_line, spectrum, transform, .. } = &mut **scratch;
        let columns = target.first_column..target.first_column + size;
        lines.make(filter, plane, target.first_row, columns.clone(), own_line, transform);
        for (k, bins) in spectrum.chunks_exact_mut(size).enumerate() {
            let start = k * plane.columns + target.first_column;
            bins.copy_from_slice(&lines.spectra[start..start + size]);
        }
        let [rows_out, columns_out] = &target.without;
        let mut empty = columns
            .enumerate()
            .all(|(k, column)| columns_out.contains(&k) || lines.state[column] == Line::Zero);
        for column in columns_out.clone() {
            load(plane, target.first_row, target.first_column + column, own_line);
            own_line[rows_out.clone()].fill(Complex32::ZERO);
            empty &= is_zero(own_line);
            filter.transform.forward_lines(own_line, transform);
            for (k, &bin) in own_line.iter().enumerate() {
                spectrum[k * size + column] = bin;
            }
        }
        !empty
    }
}

impl Kernel for OneValue<'_> {
    #[inline(always)]
    fn run(mut self) {
        if !self.transform_columns() {
            return;
        }
        let Self { filter, target, scratch, value, .. } = self;
        let ClapPatchScratch { spectrum, sums, response, transform, .. } = scratch;
        let size = filter.response.size();
        filter.transform.forward_lines(spectrum, transform);
        filter.response.compute(spectrum, response);
        let [sum_re, sum_im] = sums;
        sum_re.fill(0.0);
        sum_im.fill(0.0);
        let rows = spectrum.chunks_exact(size).zip(response.gain().chunks_exact(size));
        for (row, (bins, gains)) in rows.enumerate() {
            let root = filter.roots[row * target.cell[0] % size];
            let sums = sum_re.iter_mut().zip(sum_im.iter_mut());
            for ((bin, gain), (re, im)) in bins.iter().zip(gains).zip(sums) {
                *re += gain * (bin.re * root.re - bin.im * root.im);
                *im += gain * (bin.re * root.im + bin.im * root.re);
            }
        }
        let mut sum = Complex32::ZERO;
        for (column, (&re, &im)) in sum_re.iter().zip(sum_im.iter()).enumerate() {
            sum += Complex::new(re, im) * filter.roots[column * target.cell[1] % size];
        }
        *value = sum / (size * size) as f32;
    }
}
