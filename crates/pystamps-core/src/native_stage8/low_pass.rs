//! Keeps what varies slowly in space.

use std::ops::Range;

use pystamps_kernels::spatial_noise::SpatialLowPass;
use rayon::prelude::*;

use crate::error::Result;

/// Smooths some columns at once: `column` gives each, the result has one column for each, relative to
/// the first PS.
///
/// # Errors
/// Those of `column`.
pub(super) fn smoothed(
    filter: &SpatialLowPass,
    rows: usize,
    places: Range<usize>,
    column: impl Fn(usize) -> Result<Vec<f32>> + Sync + Send,
) -> Result<Vec<Vec<f64>>> {
    let width = places.len();
    let columns: Vec<Vec<f32>> = places.into_par_iter().map(column).collect::<Result<_>>()?;
    let mut by_row = vec![0.0_f32; rows * width];
    by_row.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
        for (value, column) in out.iter_mut().zip(&columns) {
            *value = column[row];
        }
    });
    drop(columns);
    let mut smooth = vec![0.0_f32; rows * width];
    filter.smooth(0..rows, &by_row, width, &mut smooth);
    drop(by_row);
    let first: Vec<f32> = smooth[..width].to_vec();
    let of_column = |place: usize| {
        smooth[place..].iter().step_by(width).map(|value| f64::from(value - first[place])).collect()
    };
    Ok((0..width).into_par_iter().map(of_column).collect())
}
