//! Takes results of a stage from another folder: those of another project, or of the Python reference.
//!
//! The files come to stand where a run would have put them, by the same publication, with the entry in the
//! ledger that a run would leave now, so that a later run finds them current. The entry says where they
//! are from. Nothing but the files of the stage is copied.
//!
//! ```text
//! lock the scope -> up to date: skipped
//!   otherwise -> bundle (what is there, and whole) -> copy, read back -> publish
//! ```

mod bundle;
mod copy;

use std::path::{Path, PathBuf};
use std::time::Instant;

use pystamps_mat::Value;
use serde::Serialize;

use crate::all_stages::{MERGED_STAGES, PATCH_STAGES, StageKind};
use crate::error::{Diagnostic, IoContext, Result};
use crate::merged_scope::open_merged;
use crate::native_stage5::correction_demands;
use crate::patch_scope::PatchScope;
use crate::progress::Progress;
use crate::project::dataset::patches_at_hand;
use crate::project::layout::{PARMS_MAT, bundles};
use crate::project::ledger::Origin;
use crate::project::lock::ScopeLock;
use crate::project::parameters::{Parameters, SCENE_PARAMETERS};
use crate::project::stack::Network;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome, settle};
use crate::stage_definition::{Demands, StageFiles};
use crate::standing::counted_rows;
use crate::status::ScopeKind;

pub use copy::AdoptedFile;

/// What to take, and where from.
#[derive(Clone, Debug)]
pub struct AdoptRequest {
    /// Stage number.
    pub stage: u8,
    /// Whether it is a stage of a patch or of the merged project.
    pub scope: ScopeKind,
    /// The patch, or the project.
    pub folder: PathBuf,
    /// The folder that holds the files.
    pub from: PathBuf,
    /// Who made them.
    pub origin: Origin,
}

/// What was taken.
#[derive(Clone, Debug, Serialize)]
pub struct Adoption {
    /// How it ended, as for a run.
    #[serde(flatten)]
    pub outcome: StageOutcome,
    /// The files, each equal to its origin; none if nothing was to be done.
    pub files: Vec<AdoptedFile>,
}

/// Takes the results of a stage.
///
/// # Errors
/// `stage-scope` for a stage that the scope does not have; `adopt-source` for a folder that is none or is
/// the scope itself; `bundle-incomplete` naming every file that is missing; `copy-differs`; those of locks,
/// parameters, ledger and publication. The scope is then unchanged.
pub fn adopt(
    request: &AdoptRequest,
    options: &StageOptions,
    progress: &Progress,
) -> Result<Adoption> {
    let kind = kind_of(request)?;
    let from = checked_source(request)?;
    // Whoever replaces results from elsewhere wants those that follow from the old ones gone.
    let options = &StageOptions { invalidate: true, ..options.clone() };
    let name = request.stage.to_string();
    match request.scope {
        ScopeKind::Patch => {
            let scope = PatchScope::open(&request.folder, &name, options, progress)?;
            let (lock, parameters) = (&scope.lock, &scope.parameters);
            Work { kind, from, lock, parameters, options, request }.run(progress)
        }
        ScopeKind::Merged => {
            let (root, lock, parameters) = open_merged(&request.folder, &name, options, progress)?;
            for patch in patches_at_hand(&root)?.unwrap_or_default() {
                settle(&patch.folder, progress)?;
            }
            let (lock, parameters) = (&lock, &parameters);
            Work { kind, from, lock, parameters, options, request }.run(progress)
        }
    }
}

/// The stage that is asked for.
fn kind_of(request: &AdoptRequest) -> Result<StageKind> {
    let (kinds, words, other) = match request.scope {
        ScopeKind::Patch => (&PATCH_STAGES[..], "--patch takes stages 1 to 5", "--dataset"),
        ScopeKind::Merged => (&MERGED_STAGES[..], "--dataset takes stages 5 to 8", "--patch"),
    };
    let kind = kinds.iter().find(|kind| kind.number == request.stage);
    kind.copied().ok_or_else(|| {
        Diagnostic::new("stage-scope", "the scope does not have that stage")
            .path(&request.folder)
            .expected(words)
            .found(format!("stage {}", request.stage))
            .remedy(format!("use {other}"))
            .usage()
    })
}

/// The folder to take from, absolute.
fn checked_source(request: &AdoptRequest) -> Result<PathBuf> {
    let from = std::path::absolute(&request.from).while_doing("find the folder to take from")?;
    let refuse = |found: &str| {
        Diagnostic::new("adopt-source", "no results can be taken from there")
            .path(&from)
            .variable("--from")
            .expected("another folder that holds the files of the stage")
            .found(found)
            .remedy("name the patch or the project whose results are to be taken")
            .usage()
    };
    if !from.is_dir() {
        return Err(refuse("no such folder"));
    }
    let real = |path: &Path| fs_err::canonicalize(path).ok();
    if real(&from) == real(&request.folder) {
        return Err(refuse("the folder they are to go to"));
    }
    Ok(from)
}

/// Whether a parameter has a value.
fn says_something(value: &Value) -> bool {
    !value.is_empty() && !value.to_scalar().is_some_and(f64::is_nan)
}

/// One stage of one locked scope.
struct Work<'a> {
    kind: StageKind,
    from: PathBuf,
    lock: &'a ScopeLock,
    parameters: &'a Parameters,
    options: &'a StageOptions,
    request: &'a AdoptRequest,
}

impl Work<'_> {
    fn run(&self, progress: &Progress) -> Result<Adoption> {
        let started = Instant::now();
        let scope = self.lock.scope();
        let files = (self.kind.files)(Network::of(self.parameters)?);
        let demanded = || (self.kind.demands)(scope, self.parameters, self.options);
        let stage = ScopeStage { files, demands: &demanded };
        if let Some(outcome) = stage.skipped(self.lock, self.options, progress)? {
            return Ok(Adoption { outcome, files: Vec::new() });
        }
        // The Python stage, like ours, makes version 2 of the files only where stage 4 has not.
        let computed = self.corrects_a_patch() && self.request.origin == Origin::Reference;
        let keeps = |name: &str| computed && name != files.marker && scope.join(name).is_file();
        let chosen = bundle::whole(&self.from, &files, keeps)?;
        let chosen = self.without_those_of_stage_4(chosen)?;
        let recorded = || self.demands_with(&chosen);
        let stage = ScopeStage { files, demands: &recorded };
        let mut copied = Vec::new();
        let origin = self.request.origin;
        let outcome = stage.publish(self.lock, progress, started, origin, |staging| {
            copied = self.fill(staging, &chosen, progress)?;
            // A Python stage has written them itself.
            if files.stage == "1" && origin == Origin::Replayed {
                self.add_scene_parameters(progress)?;
            }
            Ok(self.told(staging, &files))
        })?;
        Ok(Adoption { outcome, files: copied })
    }

    /// Copies the files and looks at what came.
    fn fill(
        &self,
        staging: &Path,
        chosen: &[&'static str],
        progress: &Progress,
    ) -> Result<Vec<AdoptedFile>> {
        let phase = progress.phase("copying results", chosen.len() as u64, "files");
        let mut copied = Vec::with_capacity(chosen.len());
        for name in chosen {
            let target = staging.join(name);
            copied.push(copy::copy_verified(&self.from.join(name), &target, name)?);
            if Path::new(name).extension().is_some_and(|extension| extension == "mat") {
                pystamps_mat::list(&target)?;
            }
            phase.advance(1);
        }
        Ok(copied)
    }

    /// Rows of the results, and one sentence.
    fn told(&self, staging: &Path, files: &StageFiles) -> Computed {
        let places = [staging, self.lock.scope()];
        let rows = places.into_iter().find_map(|folder| counted_rows(folder, files));
        let words = self.request.origin.words().unwrap_or("made by this program");
        (rows.unwrap_or(0), format!("{words}: {}", self.from.display()))
    }

    /// Stage 5 of a patch brings version 2 of its files where stage 4 has not written the same.
    fn without_those_of_stage_4(&self, chosen: Vec<&'static str>) -> Result<Vec<&'static str>> {
        if !self.corrects_a_patch() {
            return Ok(chosen);
        }
        let scope = self.lock.scope();
        let mut kept = Vec::with_capacity(chosen.len());
        for name in chosen {
            let there = bundles::PROMOTED.contains(&name) && scope.join(name).is_file();
            if !(there && copy::are_equal(&self.from.join(name), &scope.join(name))?) {
                kept.push(name);
            }
        }
        Ok(kept)
    }

    fn corrects_a_patch(&self) -> bool {
        self.kind.number == 5 && self.request.scope == ScopeKind::Patch
    }

    /// What a run would need that left the files `chosen`.
    fn demands_with(&self, chosen: &[&str]) -> Result<Demands> {
        let scope = self.lock.scope();
        if self.corrects_a_patch() {
            let promotes = chosen.iter().any(|name| bundles::PROMOTED.contains(name));
            return correction_demands(scope, self.parameters, promotes);
        }
        (self.kind.demands)(scope, self.parameters, self.options)
    }

    /// Adds what stage 1 learned about the scene where the project does not have it.
    fn add_scene_parameters(&self, progress: &Progress) -> Result<()> {
        let theirs = self.from.parent().map(|project| project.join(PARMS_MAT));
        let Some(theirs) = theirs.filter(|path| path.is_file()) else {
            progress
                .note("no parms.mat above --from: heading, lambda and platform stay as they are");
            return Ok(());
        };
        let theirs = pystamps_mat::read(theirs)?;
        Parameters::update(self.lock.scope(), |parameters| {
            let mut changed = false;
            for name in SCENE_PARAMETERS {
                let known = parameters.list().into_iter().find(|(known, ..)| *known == name);
                // The defaults of a project without stage 1 are empty.
                let has = known.is_some_and(|(_, value, _)| says_something(value));
                if let Some(value) = theirs.get(name).filter(|_| !has) {
                    changed |= parameters.add(name, value.clone());
                }
            }
            Ok(((), changed))
        })
    }
}
