//! Prepares a project folder: runs a plan and publishes its result as one step.

use std::collections::BTreeMap;
use std::path::Path;

use super::plan::PrepPlan;
use super::raster::Raster;
use super::run::run;
use super::summary::PrepSummary;
use crate::error::{Diagnostic, IoContext, Result};
use crate::progress::Progress;
use crate::project::checksums::{Checksums, content_record, folder_records, raster_record};
use crate::project::commit::Transaction;
use crate::project::dataset::candidate_count;
use crate::project::layout::{
    MERGED_RESULTS, PARMS_MAT, PATCH_LIST, patch as files, patch_folder, root,
};
use crate::project::ledger::{FileRecord, Ledger, LedgerEntry, Recipe};
use crate::project::lock::{PARAMETERS_LOCK, short_lock};
use crate::project::parameters::Parameters;
use crate::stage::open_scope;

/// Name of preparation in the ledger.
const STAGE: &str = "prep";

/// Raised whenever preparation may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// What to do with a preparation that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Keep it: accepted if it was made from the same inputs, refused otherwise.
    Keep,
    /// Replace it, and everything that was computed from it.
    Replace,
}

/// How a preparation ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Prepared {
    /// The project was written.
    Completed(Box<PrepSummary>),
    /// The same preparation was there already.
    SkippedExisting,
}

/// Prepares the project folder `dataset` (made if missing) as planned.
///
/// # Errors
/// `already-prepared` if there is another preparation and it is to be kept; `scope-locked`; those
/// of [`run`]; I/O errors. The folder then holds what it held before.
pub fn prepare(
    plan: &PrepPlan,
    dataset: &Path,
    existing: Existing,
    progress: &Progress,
) -> Result<Prepared> {
    fs_err::create_dir_all(dataset).while_doing("make the project folder")?;
    let lock = open_scope(dataset, "prep", progress)?;
    let recipe = recipe(plan)?;
    let mut ledger = Ledger::load(dataset)?;
    let outdated = outdated_entries(dataset)?;
    if existing == Existing::Keep && !outdated.is_empty() {
        let entry = ledger.stage(STAGE);
        return match entry.map(|entry| what_differs(entry, &recipe, plan, dataset)).transpose()? {
            Some(None) => Ok(Prepared::SkippedExisting),
            Some(Some(reason)) => Err(already_prepared(dataset, &reason).data()),
            None => Err(already_prepared(dataset, &outdated.join(", ")).data()),
        };
    }
    let transaction = Transaction::begin(&lock)?;
    let staging = transaction.folder();
    let summary = run(plan, &staging, progress)?;
    // No `params set` in between: it would put the old parameters back.
    let _parameters_stay = short_lock(dataset, PARAMETERS_LOCK)?;
    Parameters::create(&staging, plan.export.small_baselines, plan.processor.name())?
        .write_to(&staging.join(PARMS_MAT))?;
    // The root's control files. Candidate files are inputs of stage 1, which records them; parameters
    // are changed by users and by stage 1, which does not outdate the preparation.
    let outputs = folder_records(&staging, &[PARMS_MAT])?;
    ledger.record(STAGE, LedgerEntry::new(recipe, outputs), &["5", "6", "7", "8"]);
    transaction.publish(&outdated, &[PATCH_LIST], &ledger)?;
    Ok(Prepared::Completed(Box::new(summary)))
}

/// Why the preparation in the folder is not the one planned, or not whole; `None` if it is.
fn what_differs(
    entry: &LedgerEntry,
    recipe: &Recipe,
    plan: &PrepPlan,
    dataset: &Path,
) -> Result<Option<String>> {
    let mut checksums = Checksums::load(dataset);
    let staleness = entry.staleness(recipe, dataset, &mut checksums)?;
    checksums.save();
    let missing_patch = (1..=plan.patches.len())
        .map(patch_folder)
        .find(|patch| !is_whole(&dataset.join(patch), plan.export.interferograms.len()))
        .map(|patch| format!("{patch} is missing or not whole"));
    Ok(staleness.or(missing_patch))
}

/// Whether a patch has all its candidate files, as long as its list of candidates demands.
fn is_whole(patch: &Path, interferograms: usize) -> bool {
    let size = |name: &str| fs_err::metadata(patch.join(name)).map(|metadata| metadata.len()).ok();
    let Ok(candidates) = candidate_count(patch) else { return false };
    let expected = [
        (files::CANDIDATES_LL, 8 * candidates),
        (files::CANDIDATES_HGT, 4 * candidates),
        (files::CANDIDATES_PH, 8 * candidates * interferograms as u64),
    ];
    let others = [
        files::CANDIDATES_IJ,
        files::CANDIDATES_IJ_INT,
        files::CANDIDATES_DA,
        files::PATCH_IN,
        files::PATCH_NOOVER_IN,
    ];
    expected.into_iter().all(|(name, bytes)| size(name) == Some(bytes))
        && others.into_iter().all(|name| size(name).is_some())
}

/// What decides the result: settings, the content of text files, size and time of rasters.
fn recipe(plan: &PrepPlan) -> Result<Recipe> {
    let windows: Vec<String> =
        plan.patches.iter().map(|patch| format!("{:?} {:?}", patch.core, patch.window)).collect();
    let parameters = BTreeMap::from([
        ("processor".to_owned(), plan.processor.name().into()),
        ("master".to_owned(), plan.export.master.to_string().into()),
        ("amp_dispersion".to_owned(), plan.amplitude_dispersion.to_string().into()),
        ("patches".to_owned(), windows.into()),
        ("export".to_owned(), plan.export.root.to_string_lossy().into()),
    ]);
    let mut inputs = vec![text_record(&plan.export.master_par)?];
    for interferogram in &plan.export.interferograms {
        inputs.push(text_record(&interferogram.with_extension("base"))?);
    }
    let rasters = [plan.slcs(), plan.interferograms(), plan.geometry().into()];
    for Raster { path, .. } in rasters.iter().flatten().chain(&plan.mask_raster()) {
        inputs.push(raster_record(path)?);
    }
    Ok(Recipe { algorithm_version: ALGORITHM_VERSION, parameters, inputs })
}

fn text_record(path: &Path) -> Result<FileRecord> {
    content_record(path, &path.to_string_lossy())
}

/// Entries of the folder that a new preparation replaces or makes void: control files, patches,
/// merged results. Anything else (the export, a user's notes) stays.
fn outdated_entries(dataset: &Path) -> Result<Vec<String>> {
    let control = [
        PATCH_LIST,
        PARMS_MAT,
        root::PROCESSOR_TXT,
        root::WIDTH_TXT,
        root::LEN_TXT,
        root::RSC_TXT,
        root::CALAMP_IN,
        root::CALAMP_OUT,
        root::SELPSC_IN,
        root::SELSBC_IN,
        root::PSCPHASE_IN,
        root::PSCDEM_IN,
        root::PSCLONLAT_IN,
        root::SMALL_BASELINES_LIST,
    ];
    let mut names = Vec::new();
    for entry in fs_err::read_dir(dataset).while_doing("look for an older preparation")? {
        let entry = entry.while_doing("look for an older preparation")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_patch = name.starts_with("PATCH_") && entry.path().is_dir();
        if is_patch || control.contains(&name.as_str()) || MERGED_RESULTS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn already_prepared(dataset: &Path, found: &str) -> Diagnostic {
    Diagnostic::new("already-prepared", "the folder holds another preparation")
        .path(dataset)
        .expected("a new or empty folder, or the same preparation")
        .found(found)
        .remedy("choose another --dataset, or replace all of this with --force")
}
