//! Carries out a plan.

use std::path::Path;

use super::candidates::PatchFiles;
use super::plan::PrepPlan;
use super::raster::Raster;
use super::summary::PrepSummary;
use super::{calibrate, control_files, extract, scan};
use crate::Result;
use crate::progress::Progress;
use crate::project::layout::patch_folder;

/// Writes all root files but `parms.mat`, and all patch folders, below the empty folder `staging`.
///
/// Runs on the ambient rayon pool. The output does not depend on its size. Nothing is synced to
/// disk: publication is the caller's.
///
/// # Errors
/// [`crate::Error::Io`], or `raster-size` when a raster shrinks while it is read.
pub fn run(plan: &PrepPlan, staging: &Path, progress: &Progress) -> Result<PrepSummary> {
    let constants = calibrate::constants(plan, progress)?;
    control_files::write(plan, &constants, staging)?;
    let lists_low = !plan.export.small_baselines;
    let mut files = plan
        .patches
        .iter()
        .enumerate()
        .map(|(index, patch)| {
            PatchFiles::create(&staging.join(patch_folder(index + 1)), &patch.window, lists_low)
        })
        .collect::<Result<Vec<_>>>()?;
    scan::select(plan, &constants, &mut files, progress)?;
    let (positions, extracted_bytes) = extract::extract(plan, &files, progress)?;
    let images = plan.slcs();
    let calibrated_bytes: u64 = images.iter().map(Raster::bytes).sum();
    let covered = plan.covered_lines() as u64;
    let selected_bytes: u64 = images.iter().map(|slc| slc.line_bytes() as u64 * covered).sum();
    let bytes_read = calibrated_bytes + selected_bytes + extracted_bytes;
    Ok(PrepSummary::new(plan, &constants, &files, &positions, bytes_read))
}
