//! Tropospheric correction of images, from that of small-baseline interferograms.

use pystamps_kernels::least_squares::Weighting;
use rayon::prelude::*;

use crate::error::{Diagnostic, Result};
use crate::image_network::{image_weights, images_tied_to_master};
use crate::phase_series::{accumulate, singles};
use crate::project::stack::Stack;
use crate::scratch::{Room, ScratchColumns};
use crate::stored_array::StoredArray;

/// The correction of every image, inverted without weights from that of the interferograms.
///
/// # StaMPS compatibility
/// `sb_invert_aps`, small-baseline.md 3: of the interferograms `kept`, those whose correction is
/// 0 on average have none.
pub(crate) fn inverted_correction(
    stored: &StoredArray,
    stack: &Stack,
    kept: &[usize],
    field: &str,
    room: &Room<'_>,
) -> Result<ScratchColumns> {
    let rows = stack.row_count();
    let corrected: Vec<bool> = kept
        .par_iter()
        .map(|&column| {
            let values: Vec<f64> = stored.real_column(column)?;
            Ok(values.iter().filter(|value| !value.is_nan()).sum::<f64>() != 0.0)
        })
        .collect::<Result<_>>()?;
    let pairs = kept.iter().zip(corrected);
    let used: Vec<usize> = pairs.filter_map(|(&column, used)| used.then_some(column)).collect();
    if used.is_empty() {
        return Err(Diagnostic::new("correction-empty", "no interferogram has a correction")
            .path("tca_sb2.mat")
            .variable(field)
            .expected("tropospheric phase of the interferograms")
            .found("0 or NaN everywhere")
            .remedy("make the correction with TRAIN, or params set --dataset … subtr_tropo n")
            .data());
    }
    let images = images_tied_to_master(stack, &used)?;
    let weights = image_weights(stack, &used, &images, Weighting::Equal)
        .expect("invariant: equal weights need no covariance");
    let mut made = room.columns(rows, stack.day.len())?;
    for (place, &image) in images.iter().enumerate() {
        let mut sums = vec![0.0; rows];
        for (k, &column) in used.iter().enumerate() {
            let values: Vec<f64> = stored.real_column(column)?;
            accumulate(&mut sums, weights[k * images.len() + place], |row| values[row]);
        }
        made.write(image, 0, &singles(&sums))?;
    }
    Ok(made)
}
