//! Filters gridded phasors with an adaptive and a low-pass response together (CLAP).
//!
//! # StaMPS compatibility
//! `clap_filt` (stage2.md, section 7) and `clap_filt_patch` (stage3.md, section 6). The smoothing of
//! the spectrum is done one direction after the other and the median taken by selection, which
//! changes roundings only. Windows without a single nonzero cell are skipped: they add exact zeros.
//!
//! # Algorithm
//! 1. Spectrum `F` of a window of cells (NaN counts as 0).
//! 2. `H` = modulus of `F`, smoothed with a 7 x 7 Gaussian around zero frequency in the middle and
//!    nothing beyond the edges, divided by its median unless that is 0, raised to `alpha`, less 1,
//!    not below 0.
//! 3. Filtered cells: inverse transform of `F (beta H + low pass)`.
//!
//! # Layout
//! Planes and windows are column-major as in MATLAB: cell (i, j) of a plane of `rows` rows is at
//! `j * rows + i`.

mod grid;
mod low_pass;
pub(crate) mod median;
mod patch;
pub(crate) mod real;
pub(crate) mod response;
pub(crate) mod transform;
pub(crate) mod window;

pub use grid::{ClapFilter, ClapScratch, window_count};
pub use low_pass::LowPass;
pub use patch::{ClapPatchFilter, ClapPatchScratch};

use num_complex::Complex;

/// Gridded phasors of one interferogram, column-major.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Number of rows (cells in the direction of y).
    pub rows: usize,
    /// Number of columns (cells in the direction of x).
    pub columns: usize,
    /// Cells, `rows * columns`: (i, j) at `j * rows + i`.
    pub values: &'a [Complex<f32>],
}

#[cfg(test)]
mod tests;
