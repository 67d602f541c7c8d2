//! Filters gridded phasors with Goldstein's adaptive filter, and finds their local gradients
//! (stage 6).
//!
//! ```text
//! grid [rows x columns] --> overlapping windows --> transform, weigh, transform back
//!       |                                                    | tapered sum
//!       +------------ modulus -------------------> result <--+ phase
//! ```
//!
//! # StaMPS compatibility
//! `wrap_filt` and `gradient_filt` (stage6.md section 3). Sums are taken in double precision as
//! there; the smoothing of the spectrum is done one direction after the other and the median taken
//! by selection, which changes roundings only. Windows without a single nonzero cell are skipped:
//! they add exact zeros. The original fails for windows of an odd number of cells, whose pyramid has
//! no middle; here it has one.
//!
//! # Layout
//! Grids are column-major: cell (i, j) of a grid of `rows` rows is at `j * rows + i`.

mod filter;
mod gradients;
mod response;
mod scattered;
#[cfg(test)]
mod tests;
mod windows;

pub use filter::{GoldsteinFilter, Scratch};
pub use gradients::{WindowGradient, window_gradients};
pub use scattered::{NodeGradients, node_gradients};

/// A grid and a window that do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoldsteinError {
    /// The grid is smaller than the window along a side.
    GridTooSmall {
        /// Cells of the shorter side of the grid.
        cells: usize,
        /// Cells of the window along a side.
        window_cells: usize,
    },
    /// Windows of less than two cells cannot overlap.
    WindowTooSmall {
        /// Cells of the window along a side.
        window_cells: usize,
    },
}

impl std::fmt::Display for GoldsteinError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::GridTooSmall { cells, window_cells } => write!(
                formatter,
                "a grid of {cells} cells along a side is smaller than the window of {window_cells}"
            ),
            Self::WindowTooSmall { window_cells } => {
                write!(formatter, "a window of {window_cells} cells: 2 or more are needed")
            }
        }
    }
}

impl std::error::Error for GoldsteinError {}
