//! Filters a whole grid with overlapping tapered windows, in double precision.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use num_complex::{Complex, Complex64};

use super::GoldsteinError;
use super::response::{Response, ResponseScratch, low_pass};
use super::windows::{Place, places, ramp};
use crate::clap::transform::{Transform, TransformScratch};
use crate::clap::window::gather_window;
use crate::simd::{Kernel, run_widest};

/// Goldstein's filter for grids of one size: plans and tapers, made once and shared by threads.
#[derive(Clone, Debug)]
pub struct GoldsteinFilter {
    rows: usize,
    columns: usize,
    window: usize,
    /// Cells along a side of what is transformed: window and padding.
    size: usize,
    /// Weights `window * window`, column-major.
    taper: Vec<f64>,
    response: Response,
    /// Row-major, like the spectra.
    low_pass: Vec<f64>,
    transform: Transform<f64>,
}

/// Memory of a filter, made once a thread.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// The grid in double precision, NaN cells 0.
    plane: Vec<Complex64>,
    sum: Vec<Complex64>,
    window: WindowScratch,
}

#[derive(Clone, Debug)]
struct WindowScratch {
    cells: Vec<Complex64>,
    spectrum: Vec<Complex64>,
    response: ResponseScratch,
    transform: TransformScratch<f64>,
}

/// What a spectrum is multiplied by.
#[derive(Clone, Copy)]
enum Weighting {
    Goldstein,
    LowPass,
}

impl GoldsteinFilter {
    /// A filter for grids of `rows x columns` cells with windows of `window_cells` cells along a
    /// side, padded by a quarter, and Goldstein's exponent `alpha`.
    ///
    /// # Errors
    /// If the window is larger than the grid, or has less than 2 cells along a side.
    pub fn new(
        rows: usize,
        columns: usize,
        window_cells: usize,
        alpha: f64,
    ) -> Result<Self, GoldsteinError> {
        let cells = rows.min(columns);
        if window_cells < 2 {
            return Err(GoldsteinError::WindowTooSmall { window_cells });
        }
        if cells < window_cells {
            return Err(GoldsteinError::GridTooSmall { cells, window_cells });
        }
        // MATLAB's rounding of a quarter: halves go up.
        let size = window_cells + (window_cells + 2) / 4;
        let line = ramp(window_cells);
        let taper = line.clone().flat_map(|a| line.clone().map(move |b| (a + b) as f64)).collect();
        let response = Response::new(size, alpha);
        let (low_pass, transform) = (low_pass(size), Transform::new(size));
        Ok(Self { rows, columns, window: window_cells, size, taper, response, low_pass, transform })
    }

    /// Memory for calls of this filter.
    pub fn scratch(&self) -> Scratch {
        let zeros = |count| vec![Complex64::ZERO; count];
        let (cells, transformed) = (self.rows * self.columns, self.size * self.size);
        Scratch {
            plane: zeros(cells),
            sum: zeros(cells),
            window: WindowScratch {
                cells: zeros(transformed),
                spectrum: zeros(transformed),
                response: ResponseScratch::default(),
                transform: TransformScratch::default(),
            },
        }
    }

    /// Bytes of one [`Scratch`], and of the result of one call.
    pub fn memory_bytes(&self) -> u64 {
        let cells = self.rows as u64 * self.columns as u64;
        // Beside two complex planes, moduli, smoothed moduli and their order.
        let transformed = (self.size as u64 + 6).pow(2);
        cells * (16 + 16 + 8) + transformed * (2 * 16 + 3 * 8)
    }

    /// The grid, column-major, with its moduli and the phase of the adaptive filter. NaN cells count
    /// as 0 and give 0.
    ///
    /// # Panics
    /// If the grid has another number of cells.
    pub fn filter(&self, grid: &[Complex<f32>], scratch: &mut Scratch) -> Vec<Complex<f32>> {
        self.run(grid, Weighting::Goldstein, scratch)
    }

    /// The same with the phase of a fixed low pass.
    ///
    /// # Panics
    /// If the grid has another number of cells.
    pub fn low_pass(&self, grid: &[Complex<f32>], scratch: &mut Scratch) -> Vec<Complex<f32>> {
        self.run(grid, Weighting::LowPass, scratch)
    }

    fn run(
        &self,
        grid: &[Complex<f32>],
        weighting: Weighting,
        scratch: &mut Scratch,
    ) -> Vec<Complex<f32>> {
        assert_eq!(grid.len(), self.rows * self.columns, "the cells of the grid");
        for (cell, value) in scratch.plane.iter_mut().zip(grid) {
            let value = if value.is_nan() { Complex::ZERO } else { *value };
            *cell = Complex64::new(value.re.into(), value.im.into());
        }
        scratch.sum.fill(Complex64::ZERO);
        run_widest(SumWindows { filter: self, weighting, scratch });
        scratch.plane.iter().zip(&scratch.sum).map(|(cell, sum)| turned(*cell, *sum)).collect()
    }
}

/// The modulus of `cell` with the phase of `sum`; a sum of 0 has phase 0.
fn turned(cell: Complex64, sum: Complex64) -> Complex<f32> {
    let modulus = cell.norm();
    let length = sum.norm();
    let phasor = if length == 0.0 { Complex64::ONE } else { sum / length };
    #[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
    let single = Complex::new((modulus * phasor.re) as f32, (modulus * phasor.im) as f32);
    single
}

struct SumWindows<'a> {
    filter: &'a GoldsteinFilter,
    weighting: Weighting,
    scratch: &'a mut Scratch,
}

impl Kernel for SumWindows<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { filter, weighting, scratch } = self;
        let Scratch { plane, sum, window } = scratch;
        for down in filter.places(filter.rows) {
            for across in filter.places(filter.columns) {
                let first = [down.first, across.first];
                let sizes = [filter.window, filter.size];
                if gather_window(plane, filter.rows, first, sizes, &mut window.cells) {
                    filter.filter_window(weighting, window);
                    filter.add(&window.cells, sum, [down, across]);
                }
            }
        }
    }
}

impl GoldsteinFilter {
    /// Windows begin every half window.
    fn places(&self, cells: usize) -> impl Iterator<Item = Place> + use<> {
        let step = self.window / 2;
        places(cells, self.window, step, cells.div_ceil(step) - 1)
    }

    /// Replaces the cells by filtered ones, times a constant.
    #[inline(always)]
    fn filter_window(&self, weighting: Weighting, scratch: &mut WindowScratch) {
        let WindowScratch { cells, spectrum, response, transform } = scratch;
        self.transform.forward(cells, self.window, spectrum, transform);
        match weighting {
            Weighting::Goldstein => self.response.apply(spectrum, response),
            Weighting::LowPass => {
                for (bin, gain) in spectrum.iter_mut().zip(&self.low_pass) {
                    *bin = Complex64::new(bin.re * gain, bin.im * gain);
                }
            }
        }
        self.transform.inverse(spectrum, cells, self.window, transform);
    }

    /// Adds the tapered window. Where it lies back the taper stays where it should have been.
    #[inline(always)]
    fn add(&self, cells: &[Complex64], sum: &mut [Complex64], [down, across]: [Place; 2]) {
        let length = self.window - down.shift;
        for column in across.shift..self.window {
            let taper = &self.taper[(column - across.shift) * self.window..][..length];
            let from = &cells[column * self.size + down.shift..][..length];
            let start = (across.first + column) * self.rows + down.first + down.shift;
            for ((sum, cell), weight) in sum[start..start + length].iter_mut().zip(from).zip(taper)
            {
                sum.re += weight * cell.re;
                sum.im += weight * cell.im;
            }
        }
    }
}
