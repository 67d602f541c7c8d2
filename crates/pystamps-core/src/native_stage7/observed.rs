//! The phase that the look-angle error is estimated from: unwrapped, without known terms and ramps,
//! referred to the reference area.

use std::path::Path;

use pystamps_kernels::least_squares::Weighting;
use pystamps_kernels::ramp::RampDesign;
use rayon::prelude::*;

use super::rules::{Columns, Rules};
use crate::error::{Diagnostic, Result};
use crate::image_network::{image_weights, images_tied_to_master};
use crate::phase_series::{PhaseSeries, Term, accumulate};
use crate::project::artifacts::{Axis, stage6, stage7};
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::ramp_degree;
use crate::scratch::{Room, ScratchColumns};
use crate::stored_array::StoredArray;

/// Opens the series `which` and takes out what is known.
///
/// # StaMPS compatibility
/// `ps_calc_scla`, stage7.md 4, steps 3 to 7: the correction, then ramps, then the atmosphere that an
/// older program has estimated, then the mean of the reference area. Corrections of small baselines are
/// inverted to images without being written to `tca2.mat`.
///
/// # Errors
/// MATLAB file errors; `variable-shape`; `images-isolated`; I/O errors.
pub(super) fn observed(
    root: &Path,
    rules: &Rules,
    stack: &Stack,
    which: Columns,
    reference: &[usize],
    room: &Room<'_>,
) -> Result<PhaseSeries> {
    let lengths = stack.axis_lengths();
    let (variable, axis, legacy) = match which {
        Columns::Interferograms => (stage6::UNWRAPPED_PHASE, Axis::Interferogram, "aps2.mat"),
        Columns::SmallBaselines => {
            (stage6::UNWRAPPED_SMALL_BASELINES, Axis::Interferogram, "aps_sb2.mat")
        }
        Columns::Images => (stage6::INVERTED_PHASE, Axis::Image, "aps2.mat"),
    };
    let mut series = PhaseSeries::open(root, &variable, &lengths)?;
    if let Some(field) = rules.troposphere {
        let variable = stage6::tropospheric_phase(rules.network, field);
        let stored = StoredArray::open(root, &variable, &lengths)?;
        series.subtract(match (rules.network, which) {
            (Network::SmallBaselines, Columns::Images) => {
                Term::Made(inverted_correction(&stored, stack, field, room)?)
            }
            _ => Term::Stored(stored),
        });
    }
    if rules.deramp {
        series.deramp(RampDesign::new(&stack.xy_m, ramp_degree(root)?))?;
    }
    if root.join(legacy).is_file() {
        let variable = stage7::legacy_atmosphere(legacy, axis);
        series.subtract(Term::Stored(StoredArray::open(root, &variable, &lengths)?));
    }
    series.refer(reference)?;
    Ok(series)
}

/// The correction of every image, inverted without weights from that of the interferograms.
///
/// # StaMPS compatibility
/// `sb_invert_aps`, small-baseline.md 3: interferograms whose correction is 0 on average have none.
fn inverted_correction(
    stored: &StoredArray,
    stack: &Stack,
    field: &str,
    room: &Room<'_>,
) -> Result<ScratchColumns> {
    let rows = stack.row_count();
    let corrected: Vec<bool> = (0..stack.interferogram_count())
        .into_par_iter()
        .map(|column| {
            let values: Vec<f64> = stored.real_column(column)?;
            Ok(values.iter().filter(|value| !value.is_nan()).sum::<f64>() != 0.0)
        })
        .collect::<Result<_>>()?;
    let used: Vec<usize> = (0..corrected.len()).filter(|&column| corrected[column]).collect();
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

/// Values in the precision they are stored in.
pub(super) fn singles(values: &[f64]) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    values.iter().map(|&value| value as f32).collect()
}
