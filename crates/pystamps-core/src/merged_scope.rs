//! What stages 6 to 8 and products check of the merged project before they begin.

use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, IoContext, Result};
use crate::native_stage6::{is_unwrapped, marker};
use crate::patch_scope::{acting_parameters, missing_input};
use crate::progress::Progress;
use crate::project::layout::patch::PATCH_NOOVER_IN;
use crate::project::lock::ScopeLock;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::stage::{StageOptions, open_scope};

/// Takes the merged project `dataset` for a stage: its folder, absolute, the right to write in it, and the
/// parameters that act.
///
/// # Errors
/// `not-a-project`; lock and parameter errors.
pub(crate) fn open_merged(
    dataset: &Path,
    stage: &str,
    options: &StageOptions,
    progress: &Progress,
) -> Result<(PathBuf, ScopeLock, Parameters)> {
    let root = std::path::absolute(dataset).while_doing("find the project")?;
    Parameters::load(&root)?;
    refuse_patch(&root, stage)?;
    let lock = open_scope(&root, &format!("stage {stage}"), progress)?;
    let parameters = acting_parameters(&root, options)?;
    Ok((root, lock, parameters))
}

/// Refuses a patch of a project.
fn refuse_patch(root: &Path, stage: &str) -> Result<()> {
    if !root.join(PATCH_NOOVER_IN).is_file() {
        return Ok(());
    }
    let project = root.parent().unwrap_or(root);
    let problem = format!("stage {stage} works on the merged project, not on a patch");
    Err(Diagnostic::new("not-a-project", problem)
        .path(root)
        .expected("the folder that holds the patches")
        .found("a patch: patch_noover.in is there")
        .remedy(format!("pystamps-native stage {stage} --dataset {}", project.display()))
        .usage())
}

/// Refuses a project that stage 6 has not unwrapped: the merge leaves a `phuw2.mat` of zeros.
///
/// # Errors
/// `stage-input-missing`.
pub(crate) fn refuse_unless_unwrapped(root: &Path, work: &str, network: Network) -> Result<()> {
    let path = root.join(marker(network));
    if is_unwrapped(root, network) {
        return Ok(());
    }
    let mut problem = missing_input(&path, work, 6);
    if path.is_file() {
        pystamps_mat::list(&path)?;
        problem = problem.variable("msd").found("the file that the merge leaves: no msd in it");
    }
    Err(problem.data())
}

/// Refuses a project without PS.
///
/// # Errors
/// `no-ps`.
pub(crate) fn refuse_without_ps(root: &Path, stack: &Stack) -> Result<()> {
    if stack.row_count() > 0 {
        return Ok(());
    }
    Err(Diagnostic::new("no-ps", "the merged project has no PS")
        .path(root.join("ps2.mat"))
        .expected("PS of at least one patch")
        .found("none")
        .remedy("select more PS: raise density_rand or weed_standard_dev")
        .data())
}
