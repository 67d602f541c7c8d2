//! Says which files of a folder are the results of a stage, and whether they are whole.

use std::path::Path;

use crate::error::{Diagnostic, Result};
use crate::stage_definition::{StageFiles, has_variable};

/// The file of zeros that the merge leaves and stage 6 replaces.
const ZEROS: &str = "phuw2.mat";

/// Names of the results of a stage in the folder `from`; those that the scope `keeps` may be missing.
///
/// # Errors
/// `bundle-incomplete`, naming every file that is missing.
pub(super) fn whole(
    from: &Path,
    files: &StageFiles,
    keeps: impl Fn(&str) -> bool,
) -> Result<Vec<&'static str>> {
    let mut missing = files.lacking_of_bundle(from);
    missing.retain(|name| !keeps(name));
    if !missing.is_empty() {
        return Err(incomplete(from, files, &missing).data());
    }
    // Links are followed; what is no file at their end is no result.
    let there = |name: &&&str| from.join(name).is_file();
    let extra = files.extra.iter().filter(|name| there(name) && belongs(from, files, name));
    Ok(files.bundle.iter().filter(there).chain(extra).copied().collect())
}

/// Whether a file that may belong to the stage does: once unwrapped, the zeros of the merge are another
/// stage's.
fn belongs(from: &Path, files: &StageFiles, name: &str) -> bool {
    files.stage != "5" || name != ZEROS || !has_variable(&from.join(name), "msd")
}

fn incomplete(from: &Path, files: &StageFiles, missing: &[String]) -> Diagnostic {
    let problem = format!("the results of stage {} there are not whole", files.stage);
    Diagnostic::new("bundle-incomplete", problem)
        .path(from)
        .expected(files.bundle.join(", "))
        .found(format!("missing: {}", missing.join(", ")))
        .remedy("run the stage there first, or run it here")
}
