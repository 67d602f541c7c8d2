//! Defines what a stage is before it runs: its files, what it reads, and what decides its result.
//!
//! Every stage says this once, in [`StageFiles`] and [`Demands`]. Running it, telling how far a project
//! is, and taking its results from elsewhere all begin here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, Error, Result};
use crate::patch_scope::{Input, missing_input};
use crate::project::checksums::Checksums;
use crate::project::ledger::{FileRecord, Recipe};

/// Files that original StaMPS rewrites in every step: no result of any one of them.
pub(crate) const REWRITTEN_FILES: &[&str] = &["psver.mat", "no_ps_info.mat"];

/// The files of a stage in one kind of scope, and what becomes of those of others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageFiles {
    /// Stage name, `1` … `8`.
    pub(crate) stage: &'static str,
    /// The file that tells other programs the stage is done.
    pub(crate) marker: &'static str,
    /// A variable that the marker must have, where another stage leaves a file of that name.
    pub(crate) telling_variable: Option<&'static str>,
    /// Files that belong together (orchestration.md): all of them are taken from elsewhere, or none.
    pub(crate) bundle: &'static [&'static str],
    /// Files that may belong to them.
    pub(crate) extra: &'static [&'static str],
    /// Whether results of another program count only if the whole bundle is there.
    pub(crate) needs_bundle: bool,
    /// Files that a run writes, but for those that depend on the scope.
    pub(crate) writes: &'static [&'static str],
    /// Ledger entries that a new result makes void.
    pub(crate) invalidated_stages: &'static [&'static str],
    /// Files of this stage; those a new result does not have are removed.
    pub(crate) own_files: &'static [&'static str],
    /// Files that a new result makes void; they are removed, but never without being asked.
    pub(crate) invalidated_files: &'static [&'static str],
    /// Files that other programs, or later stages, rewrite: no sign of an outdated result.
    pub(crate) shared_files: &'static [&'static str],
}

impl StageFiles {
    /// What `scope` lacks to have results of the stage, ours or another program's; nothing if it has them.
    pub(crate) fn lacking(&self, scope: &Path) -> Vec<String> {
        let marker = [self.marker];
        self.lacking_of(scope, if self.needs_bundle { self.bundle } else { &marker })
    }

    /// What `folder` lacks of the whole bundle.
    pub(crate) fn lacking_of_bundle(&self, folder: &Path) -> Vec<String> {
        self.lacking_of(folder, self.bundle)
    }

    fn lacking_of(&self, folder: &Path, names: &[&str]) -> Vec<String> {
        let there = |name: &str| folder.join(name).is_file();
        let missing = names.iter().filter(|name| !there(name)).map(|&name| name.to_owned());
        // Another stage may leave a file of the marker's name.
        let untold = self.telling_variable.filter(|variable| {
            there(self.marker) && !has_variable(&folder.join(self.marker), variable)
        });
        let untold = untold.map(|variable| format!("{} in {}", variable, self.marker));
        missing.chain(untold).collect()
    }

    /// The files of `scope` that a new result makes void.
    pub(crate) fn made_void(&self, scope: &Path) -> Vec<String> {
        let there = self.invalidated_files.iter().filter(|name| scope.join(name).exists());
        there.map(|&name| name.to_owned()).collect()
    }
}

/// Whether a MATLAB file is there and has a variable.
pub(crate) fn has_variable(path: &Path, variable: &str) -> bool {
    let listed = pystamps_mat::list(path).unwrap_or_default();
    listed.iter().any(|info| info.name == variable)
}

/// What a stage needs in one scope, and everything else that decides its result.
#[derive(Clone, Debug)]
pub(crate) struct Demands {
    /// Raised whenever the stage's results may change.
    pub(crate) algorithm_version: u32,
    /// Parameters and choices that act on the stage.
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// Files that it reads.
    pub(crate) inputs: Vec<InputFile>,
    /// A file that a later stage writes and the next pass of this one reads: its change alone makes
    /// nothing outdated.
    pub(crate) feedback: Option<&'static str>,
    /// Files that a run writes in this scope besides those it writes in any.
    pub(crate) more_writes: &'static [&'static str],
    /// Files whose absence keeps a part of the scope out of the result.
    pub(crate) left_out: Vec<String>,
    /// Whether what it was made from has been put away: there is nothing to compare with.
    pub(crate) put_away: bool,
}

/// A file that a stage reads.
#[derive(Clone, Debug)]
pub(crate) struct InputFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Whether the stage can do without.
    pub(crate) need: Need,
    /// How the ledger names it.
    pub(crate) recorded: Recorded,
}

/// Who must have written a file before a stage can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nobody: the stage can do without.
    Optional,
    /// A stage.
    OfStage(u8),
    /// Preparation.
    OfPreparation,
    /// The user, who asks for a tropospheric correction.
    OfUser,
}

/// How a file that is read appears in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// By its name.
    ByName,
    /// Under this name, wherever it lies.
    As(&'static str),
    /// Not at all: it is replaced by the result.
    Not,
}

impl InputFile {
    /// A file that is recorded by its name.
    pub(crate) fn new(path: PathBuf, need: Need) -> Self {
        Self { path, need, recorded: Recorded::ByName }
    }

    /// The `input` of `scope`.
    pub(crate) fn in_scope(scope: &Path, input: Input) -> Self {
        Self::new(scope.join(input.file), input.required_of.map_or(Need::Optional, Need::OfStage))
    }

    /// Whether the stage cannot run because of this file.
    fn is_missing(&self) -> bool {
        self.need != Need::Optional && !self.path.is_file()
    }

    /// What to say if it is missing.
    fn refusal(&self, stage: &str) -> Error {
        let work = format!("stage {stage}");
        match self.need {
            Need::OfStage(maker) => missing_input(&self.path, &work, maker).data(),
            Need::OfUser => missing_input(&self.path, &work, 6)
                .expected("the tropospheric correction that subtr_tropo = y asks for")
                .remedy("make it with TRAIN, or params set --dataset … subtr_tropo n")
                .data(),
            Need::OfPreparation | Need::Optional => {
                Diagnostic::new("stage-input-missing", format!("{work} needs what was prepared"))
                    .path(&self.path)
                    .expected("the file that preparation writes")
                    .found("no such file")
                    .remedy("run `pystamps-native prep` again")
                    .data()
            }
        }
    }
}

impl Demands {
    /// Demands on files of `scope` itself.
    pub(crate) fn new(
        scope: &Path,
        algorithm_version: u32,
        parameters: BTreeMap<String, serde_json::Value>,
        inputs: &[Input],
    ) -> Self {
        Self {
            algorithm_version,
            parameters,
            inputs: inputs.iter().map(|&input| InputFile::in_scope(scope, input)).collect(),
            feedback: None,
            more_writes: &[],
            left_out: Vec::new(),
            put_away: false,
        }
    }

    /// Names of the files that are read, those that are needed and missing among them.
    pub(crate) fn reads(&self, scope: &Path) -> Vec<String> {
        let read = |input: &&InputFile| input.need != Need::Optional || input.path.is_file();
        let inputs = self.inputs.iter().filter(read).map(|input| name_in(scope, &input.path));
        let feedback = self.feedback.filter(|name| scope.join(name).is_file());
        inputs.chain(feedback.map(str::to_owned)).collect()
    }

    /// Names of the files that are needed and missing.
    pub(crate) fn missing(&self, scope: &Path) -> Vec<String> {
        let missing = self.inputs.iter().filter(|input| input.is_missing());
        missing.map(|input| name_in(scope, &input.path)).collect()
    }

    /// Number of files that would be read now.
    pub(crate) fn input_count(&self, scope: &Path) -> usize {
        let there = self.inputs.iter().filter(|input| input.path.is_file()).count();
        there + usize::from(self.feedback.is_some_and(|name| scope.join(name).is_file()))
    }

    /// What a run would record now.
    ///
    /// # Errors
    /// `stage-input-missing`; I/O errors.
    pub(crate) fn recipe(
        &self,
        scope: &Path,
        stage: &str,
        checksums: &mut Checksums,
    ) -> Result<Recipe> {
        let mut recipe = self.recipe_without_feedback(scope, stage, checksums)?;
        recipe.inputs.extend(self.feedback_record(scope, checksums)?);
        Ok(recipe)
    }

    /// The same without the file of a later stage.
    ///
    /// # Errors
    /// As [`Demands::recipe`].
    pub(crate) fn recipe_without_feedback(
        &self,
        scope: &Path,
        stage: &str,
        checksums: &mut Checksums,
    ) -> Result<Recipe> {
        let mut inputs = Vec::with_capacity(self.inputs.len() + 1);
        for input in &self.inputs {
            if input.is_missing() {
                return Err(input.refusal(stage));
            }
            if input.recorded == Recorded::Not || !input.path.is_file() {
                continue;
            }
            let mut record = checksums.record(scope, &input.path)?;
            if let Recorded::As(name) = input.recorded {
                name.clone_into(&mut record.path);
            }
            inputs.push(record);
        }
        let (algorithm_version, parameters) = (self.algorithm_version, self.parameters.clone());
        Ok(Recipe { algorithm_version, parameters, inputs })
    }

    /// The record of the file of a later stage, if there is one.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn feedback_record(
        &self,
        scope: &Path,
        checksums: &mut Checksums,
    ) -> Result<Option<FileRecord>> {
        let path = self.feedback.map(|name| scope.join(name)).filter(|path| path.is_file());
        path.map(|path| checksums.record(scope, &path)).transpose()
    }
}

/// Name of a file as seen from `scope`.
fn name_in(scope: &Path, path: &Path) -> String {
    path.strip_prefix(scope).unwrap_or(path).to_string_lossy().into_owned()
}
