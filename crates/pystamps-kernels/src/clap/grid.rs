//! Filters a whole grid with overlapping tapered windows, in double precision (stage 2).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use num_complex::{Complex, Complex64};

use super::Plane;
use super::low_pass::LowPass;
use super::response::{Response, ResponseScratch};
use super::transform::{Transform, TransformScratch};
use super::window::gather_window;
use crate::simd::{Kernel, run_widest};

/// Number of windows along a side of `cells` cells for windows of `window_cells`, the padding not
/// counted: `ceil(cells / floor(window_cells / 4)) - 3` (stage2.md 7).
///
/// With 0 or less the filter gives zeros (18 cells or fewer for windows of 24); so it does where
/// there is a window but fewer cells than it needs (19 to 23), for which original StaMPS fails.
/// Callers tell their users about both.
pub fn window_count(cells: usize, window_cells: usize) -> isize {
    let step = (window_cells / 4).max(1);
    cells.div_ceil(step).cast_signed() - 3
}

/// Filter of a whole grid.
///
/// Windows are three quarters of the low-pass window wide, padded by the other quarter, overlap by
/// three quarters, and are weighted with a pyramid. Where the last window would leave the grid it
/// moves back inside, and its weights move the other way. The sum is not normalised: only its phase
/// has a meaning.
#[derive(Clone, Debug)]
pub struct ClapFilter {
    window: usize,
    /// Weights over the number of transformed cells, column-major.
    taper: Vec<f64>,
    response: Response<f64>,
    transform: Transform<f64>,
}

/// Memory of [`ClapFilter`], made once a thread.
#[derive(Clone, Debug, Default)]
pub struct ClapScratch {
    plane: Vec<Complex64>,
    sum: Vec<Complex64>,
    window: WindowScratch,
}

#[derive(Clone, Debug, Default)]
struct WindowScratch {
    cells: Vec<Complex64>,
    spectrum: Vec<Complex64>,
    response: ResponseScratch<f64>,
    transform: TransformScratch<f64>,
}

impl ClapFilter {
    /// A filter with windows of three quarters of `low_pass.window()` cells.
    ///
    /// # Panics
    /// If the window of the low pass is not a multiple of 8 cells: the pyramid needs a window of an
    /// even number of cells. Original StaMPS fails as well.
    pub fn new(alpha: f64, beta: f64, low_pass: &LowPass) -> Self {
        let size = low_pass.window();
        assert!(size.is_multiple_of(8), "a window of a multiple of 8 cells");
        let window = size / 4 * 3;
        let ramp = |k: usize| k.min(window - 1 - k) as f64;
        let transformed = (size * size) as f64;
        let taper = (0..window * window)
            .map(|k| (ramp(k % window) + ramp(k / window) + 1e-6) / transformed)
            .collect();
        let response = Response::new(alpha, beta, low_pass);
        Self { window, taper, response, transform: Transform::new(size) }
    }

    /// Cells of a window along a side, the padding not counted.
    pub fn window_cells(&self) -> usize {
        self.window
    }

    /// Filters `plane` into `filtered`, in the same layout; NaN cells count as 0.
    ///
    /// Grids too small for a window give zeros: see [`window_count`].
    ///
    /// # Panics
    /// If the lengths of `plane` and `filtered` do not fit together.
    pub fn filter(&self, plane: &Plane, scratch: &mut ClapScratch, filtered: &mut [Complex<f32>]) {
        assert_eq!(filtered.len(), plane.values.len(), "as many cells out as in");
        let cells = plane.values.iter().map(|z| Complex64::new(z.re.into(), z.im.into()));
        self.sum_windows(plane.rows, plane.columns, cells, scratch);
        for (out, sum) in filtered.iter_mut().zip(&scratch.sum) {
            #[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
            let single = Complex::new(sum.re as f32, sum.im as f32);
            *out = single;
        }
    }

    /// The same for a plane in double precision, column-major with `rows` rows.
    ///
    /// # Panics
    /// If the cells are not whole columns of `rows` cells, or `filtered` has another length.
    pub fn filter_double(
        &self,
        rows: usize,
        cells: &[Complex64],
        scratch: &mut ClapScratch,
        filtered: &mut [Complex64],
    ) {
        let columns = cells.len() / rows.max(1);
        self.sum_windows(rows, columns, cells.iter().copied(), scratch);
        filtered.copy_from_slice(&scratch.sum);
    }

    fn sum_windows(
        &self,
        rows: usize,
        columns: usize,
        cells: impl Iterator<Item = Complex64>,
        scratch: &mut ClapScratch,
    ) {
        scratch.plane.clear();
        scratch.plane.extend(cells.map(|z| if z.is_nan() { Complex64::ZERO } else { z }));
        assert_eq!(scratch.plane.len(), rows * columns, "a plane of rows * columns cells");
        scratch.sum.clear();
        scratch.sum.resize(rows * columns, Complex64::ZERO);
        let size = self.response.size();
        scratch.window.cells.resize(size * size, Complex64::ZERO);
        scratch.window.spectrum.resize(size * size, Complex64::ZERO);
        if rows >= self.window && columns >= self.window {
            run_widest(SumWindows { filter: self, rows, columns, scratch });
        }
    }
}

struct SumWindows<'a> {
    filter: &'a ClapFilter,
    rows: usize,
    columns: usize,
    scratch: &'a mut ClapScratch,
}

/// Where a window lies along one side.
struct Place {
    /// Its first cell in the grid.
    first: usize,
    /// So many cells further than it should begin the window lies back: its weights begin there.
    shift: usize,
}

fn places(cells: usize, window: usize) -> impl Iterator<Item = Place> {
    let count = window_count(cells, window).max(0).unsigned_abs();
    (0..count).map(move |k| {
        let wanted = k * (window / 4);
        let first = wanted.min(cells - window);
        Place { first, shift: wanted - first }
    })
}

impl Kernel for SumWindows<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { filter, rows, columns, scratch } = self;
        for down in places(rows, filter.window) {
            for across in places(columns, filter.window) {
                let ClapScratch { plane, sum, window } = scratch;
                let first = [down.first, across.first];
                let sizes = [filter.window, filter.response.size()];
                if gather_window(plane, rows, first, sizes, &mut window.cells) {
                    filter.filter_window(window);
                    filter.add(&window.cells, sum, rows, [&down, &across]);
                }
            }
        }
    }
}

impl ClapFilter {
    /// Replaces the cells by filtered ones, times the number of transformed cells.
    #[inline(always)]
    fn filter_window(&self, scratch: &mut WindowScratch) {
        let WindowScratch { cells, spectrum, response, transform } = scratch;
        self.transform.forward(cells, self.window, spectrum, transform);
        self.response.compute(spectrum, response);
        for (bin, gain) in spectrum.iter_mut().zip(response.gain()) {
            *bin = Complex64::new(bin.re * gain, bin.im * gain);
        }
        self.transform.inverse(spectrum, cells, self.window, transform);
    }

    #[inline(always)]
    fn add(
        &self,
        cells: &[Complex64],
        sum: &mut [Complex64],
        rows: usize,
        [down, across]: [&Place; 2],
    ) {
        let (window, size) = (self.window, self.response.size());
        let length = window.saturating_sub(down.shift);
        for column in across.shift..window {
            let taper = &self.taper[(column - across.shift) * window..][..length];
            let from = &cells[column * size + down.shift..][..length];
            let start = (across.first + column) * rows + down.first + down.shift;
            for ((sum, cell), weight) in sum[start..start + length].iter_mut().zip(from).zip(taper)
            {
                sum.re += weight * cell.re;
                sum.im += weight * cell.im;
            }
        }
    }
}
