//! Opens a patch for a stage after the first: lock, parameters, inputs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, IoContext, Result};
use crate::progress::Progress;
use crate::project::layout::PATCH_LIST;
use crate::project::ledger::Ledger;
use crate::project::lock::{ScopeLock, shared_lock};
use crate::project::parameters::{Parameters, display_value, parse_value};
use crate::stage::{StageOptions, open_scope, settle};

/// A patch that this process alone works on.
#[derive(Debug)]
pub(crate) struct PatchScope {
    /// The patch folder, absolute.
    pub(crate) folder: PathBuf,
    /// The project folder.
    pub(crate) project: PathBuf,
    /// Parameters of the patch with the changes of this run.
    pub(crate) parameters: Parameters,
    /// The right to write in the patch.
    pub(crate) lock: ScopeLock,
    /// Keeps preparation and merging of the project away.
    _project_stays: File,
}

/// A file of an earlier stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// Its name in the scope.
    pub(crate) file: &'static str,
    /// The stage that makes it; `None` if StaMPS can do without.
    pub(crate) required_of: Option<u8>,
}

/// A file that `stage` must have written.
pub(crate) const fn required(file: &'static str, stage: u8) -> Input {
    Input { file, required_of: Some(stage) }
}

/// A file that may be absent.
pub(crate) const fn optional(file: &'static str) -> Input {
    Input { file, required_of: None }
}

impl PatchScope {
    /// Locks the patch `folder` for `stage` and loads its parameters.
    ///
    /// # Errors
    /// `not-a-patch` without `parms.mat` or the folder; lock and parameter errors.
    pub(crate) fn open(
        folder: &Path,
        stage: &str,
        options: &StageOptions,
        progress: &Progress,
    ) -> Result<Self> {
        let folder = std::path::absolute(folder).while_doing("find the patch")?;
        if !folder.is_dir() {
            return Err(Diagnostic::new("not-a-patch", "there is no such patch")
                .path(&folder)
                .expected("a PATCH_k folder")
                .found("no such folder")
                .remedy("name a folder from patch.list, or use --dataset for all of them")
                .data());
        }
        let project = folder.parent().unwrap_or(&folder).to_path_buf();
        settle(&project, progress)?;
        Parameters::load(&folder)?;
        let project_stays = shared_lock(&project)?;
        let lock = open_scope(&folder, &format!("stage {stage}"), progress)?;
        // Read under the lock: nobody prepares the project again meanwhile.
        let parameters = acting_parameters(&folder, options)?;
        let scope = Self { folder, project, parameters, lock, _project_stays: project_stays };
        let earlier: Vec<&str> =
            ["2", "3", "4"].into_iter().take_while(|&one| one < stage).collect();
        note_outdated(&scope.folder, &scope.parameters, &earlier, progress);
        Ok(scope)
    }
}

/// Says which of the stages `earlier` were run in `folder` with other parameters than those that act now.
pub(crate) fn note_outdated(
    folder: &Path,
    parameters: &Parameters,
    earlier: &[&str],
    progress: &Progress,
) {
    // What cannot be read is reported by whoever needs it.
    let Ok(ledger) = Ledger::load(folder) else { return };
    for stage in earlier {
        let recorded = ledger.stage(stage).map(|entry| &entry.recipe.parameters);
        for (name, value) in recorded.into_iter().flatten() {
            let Ok((_, acting)) = parameters.get(name) else { continue };
            let acting = display_value(acting);
            if value.as_str().is_some_and(|recorded| recorded != acting) {
                progress.note(&format!(
                    "stage {stage} was run with {name} = {}, now it is {acting}: run it again first \
                     if that is meant",
                    value.as_str().unwrap_or_default()
                ));
            }
        }
    }
}

/// Parameters that act in `folder`, changed as the options of this run say.
///
/// # Errors
/// As `Parameters::load`, `resolve` and `parse_value`.
pub(crate) fn acting_parameters(folder: &Path, options: &StageOptions) -> Result<Parameters> {
    let mut parameters = Parameters::load(folder)?;
    for (name, value) in &options.overrides {
        let full = parameters.resolve(name)?;
        parameters.set(&full, parse_value(&full, value)?)?;
    }
    Ok(parameters)
}

/// Values of the parameters `names` as the ledger records them.
///
/// # Errors
/// As `Parameters::get`.
pub(crate) fn recorded_parameters(
    parameters: &Parameters,
    names: &[&str],
) -> Result<BTreeMap<String, serde_json::Value>> {
    names
        .iter()
        .map(|name| Ok(((*name).to_owned(), display_value(parameters.get(name)?.1).into())))
        .collect()
}

/// What to say of a file that `work` needs and the stage `maker` should have written.
pub(crate) fn missing_input(path: &Path, work: &str, maker: u8) -> Diagnostic {
    let scope = path.parent().unwrap_or(path);
    let option = if scope.join(PATCH_LIST).is_file() { "--dataset" } else { "--patch" };
    Diagnostic::new("stage-input-missing", format!("{work} needs results of stage {maker}"))
        .path(path)
        .expected(format!("the file that stage {maker} writes"))
        .found("no such file")
        .remedy(format!("pystamps-native stage {maker} {option} {}", scope.display()))
}
