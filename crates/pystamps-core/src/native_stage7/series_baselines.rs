//! Baselines of every PS in every column of a series.

use std::path::Path;

use pystamps_kernels::least_squares::Weighting;

use crate::baselines::Baselines;
use crate::error::{Diagnostic, Result};
use crate::image_network::image_weights;
use crate::phase_series::{accumulate, singles};
use crate::project::stack::Stack;
use crate::scratch::{Room, ScratchColumns};

/// Baselines, m.
pub(super) enum SeriesBaselines<'a> {
    /// Of interferograms, as `bp2.mat` has them; 0 in the master's slot.
    Interferograms(Baselines<'a>),
    /// Of images against the master, from those of small baselines; 0 for images without estimate.
    Images(ScratchColumns),
}

impl<'a> SeriesBaselines<'a> {
    /// Baselines of interferograms.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-range` for a baseline that is no number.
    pub(super) fn of_interferograms(root: &Path, stack: &'a Stack) -> Result<Self> {
        Ok(Self::Interferograms(Baselines::open(root, stack)?))
    }

    /// Baselines of the `images`.
    ///
    /// # StaMPS compatibility
    /// Stage7.md 4, step 8: least squares with the rows of all interferograms, also of dropped ones.
    ///
    /// # Errors
    /// As [`SeriesBaselines::of_interferograms`].
    pub(super) fn of_images(
        root: &Path,
        stack: &Stack,
        images: &[usize],
        room: &Room<'_>,
    ) -> Result<Self> {
        let stored = Baselines::open(root, stack)?;
        let all: Vec<usize> = (0..stack.interferogram_count()).collect();
        let weights = image_weights(stack, &all, images, Weighting::Equal)
            .expect("invariant: equal weights need no covariance");
        let rows = stack.row_count();
        let mut made = room.columns(rows, stack.day.len())?;
        for (place, &image) in images.iter().enumerate() {
            let mut sums = vec![0.0; rows];
            for &column in &all {
                let weight = weights[column * images.len() + place];
                if weight != 0.0 {
                    let bperp_m = stored.column(column)?;
                    accumulate(&mut sums, weight, |row| f64::from(bperp_m[row]));
                }
            }
            made.write(image, 0, &singles(&sums))?;
        }
        Ok(Self::Images(made))
    }

    /// Baselines in a column, m.
    ///
    /// # Errors
    /// `variable-range`; I/O errors.
    pub(super) fn column(&self, column: usize) -> Result<Vec<f32>> {
        let bperp_m = match self {
            Self::Interferograms(stored) => stored.column(column)?,
            Self::Images(made) => made.column(column)?,
        };
        match bperp_m.iter().position(|value| !value.is_finite()) {
            None => Ok(bperp_m),
            Some(row) => Err(Diagnostic::new("variable-range", "a baseline is no number")
                .path("bp2.mat")
                .variable("bperp_mat")
                .expected("metres")
                .found(format!("{} at PS {}, column {}", bperp_m[row], row + 1, column + 1))
                .remedy("run stages 1 to 5 again")
                .data()),
        }
    }
}
