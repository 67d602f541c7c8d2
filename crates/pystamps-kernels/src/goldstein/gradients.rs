//! Finds the strongest frequency in every window of a grid.

use std::f64::consts::TAU;

use num_complex::{Complex, Complex64};

use super::windows::{Place, places};
use crate::clap::transform::{Transform, TransformScratch};

/// Windows with fewer cells that are not zero have no gradient.
const LEAST_CELLS: usize = 6;

/// The strongest frequency of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowGradient {
    /// Middle of the window, row and column in cells counted from 1.
    pub centre: [f64; 2],
    /// Frequency down the rows, rad a cell. StaMPS: `ifreq`.
    pub row_rad: f64,
    /// Frequency across the columns with its sign turned, rad a cell. StaMPS: `jfreq`.
    pub column_rad: f64,
    /// Its modulus over the mean of all moduli. StaMPS: `Hmag`.
    pub peak: f64,
}

/// Gradients of overlapping windows of `window_cells` cells along a side; the grid is column-major,
/// `rows * columns`. Windows come row by row; those with fewer than six cells other than 0 have NaN
/// for everything but the centre. A grid smaller than a window has none.
///
/// # StaMPS compatibility
/// `gradient_filt` (stage6.md section 3). Windows begin every quarter window and are
/// `ceil(cells / step) - 3` along a side. Of frequencies equally strong the first, columns before
/// rows, counts. NaN cells count as 0. For odd windows, whose frequencies the original numbers by
/// halves, the middle is zero frequency.
///
/// # Panics
/// If the grid has another number of cells.
pub fn window_gradients(
    grid: &[Complex<f32>],
    rows: usize,
    columns: usize,
    window_cells: usize,
) -> Vec<WindowGradient> {
    assert_eq!(grid.len(), rows * columns, "a grid of rows * columns cells");
    let step = (window_cells / 4).max(1);
    if window_cells < 2 || rows.min(columns) < window_cells {
        return Vec::new();
    }
    let along = |cells: usize| {
        places(cells, window_cells, step, cells.div_ceil(step).saturating_sub(3).max(1))
    };
    let mut search = Search::new(window_cells);
    along(rows)
        .flat_map(|down| along(columns).map(move |across| [down, across]))
        .map(|place| search.gradient(grid, rows, place))
        .collect()
}

struct Search {
    window: usize,
    transform: Transform<f64>,
    cells: Vec<Complex64>,
    spectrum: Vec<Complex64>,
    scratch: TransformScratch<f64>,
}

impl Search {
    fn new(window: usize) -> Self {
        let zeros = vec![Complex64::ZERO; window * window];
        Self {
            window,
            transform: Transform::new(window),
            cells: zeros.clone(),
            spectrum: zeros,
            scratch: TransformScratch::default(),
        }
    }

    fn gradient(
        &mut self,
        grid: &[Complex<f32>],
        rows: usize,
        [down, across]: [Place; 2],
    ) -> WindowGradient {
        let window = self.window;
        let middle = |place: Place| place.first as f64 + f64::midpoint(window as f64, 1.0);
        let centre = [middle(down), middle(across)];
        for (k, line) in self.cells.chunks_exact_mut(window).enumerate() {
            let from = &grid[(across.first + k) * rows + down.first..][..window];
            for (cell, value) in line.iter_mut().zip(from) {
                let value = if value.is_nan() { Complex::ZERO } else { *value };
                *cell = Complex64::new(value.re.into(), value.im.into());
            }
        }
        let filled = self.cells.iter().filter(|&&cell| cell != Complex64::ZERO).count();
        if filled < LEAST_CELLS {
            let nan = f64::NAN;
            return WindowGradient { centre, row_rad: nan, column_rad: nan, peak: nan };
        }
        self.transform.forward(&mut self.cells, window, &mut self.spectrum, &mut self.scratch);
        let (mut strongest, mut at, mut sum) = (-1.0, [0, 0], 0.0);
        for column in 0..window {
            for row in 0..window {
                let modulus = self.spectrum[row * window + column].norm();
                sum += modulus;
                if modulus > strongest {
                    (strongest, at) = (modulus, [row, column]);
                }
            }
        }
        let frequency = |bin: usize| {
            let centred = (bin + window / 2) % window;
            (centred as f64 - (window / 2) as f64) * TAU / window as f64
        };
        WindowGradient {
            centre,
            row_rad: frequency(at[0]),
            column_rad: -frequency(at[1]),
            peak: strongest / (sum / (window * window) as f64),
        }
    }
}
