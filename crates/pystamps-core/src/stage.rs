//! Defines what all stages share: their options, their outcome, and how they decide, run and
//! publish.
//!
//! ```text
//! lock the scope -> complete an interrupted publication -> inputs, parameters -> fingerprint
//!   equal to the ledger's            -> skipped_existing
//!   results of another program there -> skipped_existing, said so
//!   otherwise                        -> compute into staging -> checksums -> publish -> completed
//! ```

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use crate::error::{Diagnostic, IoContext, Result};
use crate::process_memory::peak_bytes;
use crate::progress::Progress;
use crate::project::checksums::{Checksums, folder_records};
use crate::project::commit::{Transaction, is_pending, recover};
use crate::project::ledger::{Ledger, LedgerEntry, Recipe};
use crate::project::lock::ScopeLock;

/// Choices a user makes for one run of a stage.
#[expect(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
#[derive(Clone, Debug, Default)]
pub struct StageOptions {
    /// Parameters changed for this run only, as typed: name and value.
    pub overrides: Vec<(String, String)>,
    /// Memory the work may take, bytes; unlimited if not given.
    pub memory_limit_bytes: Option<u64>,
    /// Run even if the results are current, or were made by another program.
    pub force: bool,
    /// Where the stage is due, remove later results that no longer fit instead of refusing to run.
    pub invalidate: bool,
    /// Generator of random numbers (stages 2, 3 and 5).
    pub random_engine: RandomEngine,
    /// Stage 2: a file with `Nr` and `Nr_max_nz_ix`, or `coh_rand`, in place of a simulation.
    pub reference_histogram: Option<PathBuf>,
    /// Stage 3: take the re-estimated coherences of the present `select1.mat`.
    pub reuse_coherence: bool,
    /// Stage 4: a file of edges as Triangle writes it, in place of our own triangulation.
    pub edges: Option<PathBuf>,
    /// Stage 5, merge: patches without results are left out, and so are the ones named here whatever they
    /// hold; without it every patch is needed.
    pub partial_without: Option<Vec<String>>,
    /// Stage 6: keep the cost files and inputs that SNAPHU would be handed.
    pub keep_costs: bool,
    /// Stage 6: who finds the whole cycles.
    pub solver: UnwrappingSolver,
    /// Stage 8: which date has no weight in the filter in time.
    pub weightless: WeightlessDate,
}

/// The solver of the unwrapping problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnwrappingSolver {
    /// Our own, exact.
    #[default]
    Native,
    /// The user's SNAPHU, for comparison.
    Snaphu,
}

impl std::fmt::Display for UnwrappingSolver {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Native => "native",
            Self::Snaphu => "snaphu",
        })
    }
}

/// The date without weight in stage 8's filter in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightlessDate {
    /// The master, wherever it is among the dates in use.
    #[default]
    Master,
    /// The one at the master's number among all, as in the original: another if an earlier is dropped.
    Original,
}

impl std::fmt::Display for WeightlessDate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Master => "master",
            Self::Original => "original",
        })
    }
}

/// Whose random numbers are drawn; the engine of the original decides what StaMPS computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RandomEngine {
    /// MATLAB: `rand('state', 2005)`, `randn('state', 1001)`.
    #[default]
    Matlab,
    /// GNU Octave, which gives the same calls another meaning.
    Octave,
}

impl std::fmt::Display for RandomEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Matlab => "matlab",
            Self::Octave => "octave",
        })
    }
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// The results were computed and published.
    Completed,
    /// The results were there already.
    SkippedExisting,
}

/// What a stage did.
#[derive(Clone, Debug, Serialize)]
pub struct StageOutcome {
    /// Stage name, `1` … `8`.
    pub stage: &'static str,
    /// Folder of the scope.
    pub target: PathBuf,
    /// How it ended.
    pub status: StageStatus,
    /// One sentence for people.
    pub details: String,
    /// Rows (candidates or PS) of the result; 0 when skipped.
    pub rows_processed: u64,
    /// Files read.
    pub input_artifact_count: usize,
    /// Files written; 0 when skipped.
    pub output_artifact_count: usize,
    /// Wall-clock time, s.
    pub duration_seconds: f64,
    /// Peak resident set of the process until now, bytes; none where the system does not tell.
    pub memory_peak_bytes: Option<u64>,
    /// Whether the results are those of another project.
    pub replayed: bool,
}

/// A stage about to run in one scope.
#[derive(Debug)]
pub struct ScopeStage<'a> {
    /// Stage name, `1` … `8`.
    pub stage: &'static str,
    /// The file that tells other programs the stage is done.
    pub marker: &'a str,
    /// Whether results are there already, ours or another program's; by default whether the marker is.
    pub present: Option<bool>,
    /// Ledger entries that a new result makes void.
    pub invalidated_stages: &'a [&'a str],
    /// Files of this stage; those a new result does not have are removed.
    pub own_files: &'a [&'a str],
    /// Files that a new result makes void; they are removed, but never without being asked.
    pub invalidated_files: &'a [&'a str],
    /// Files that other programs, or later stages, rewrite: no sign of an outdated result.
    pub shared_files: &'a [&'a str],
    /// Inputs, parameters, algorithm.
    pub recipe: Recipe,
}

/// Rows of the result and one sentence about it.
pub type Computed = (u64, String);

/// Takes the lock of `scope` and completes whatever a dead process left half published.
///
/// # Errors
/// As [`ScopeLock::acquire`] and [`recover`].
pub fn open_scope(scope: &Path, command: &str, progress: &Progress) -> Result<ScopeLock> {
    let lock = ScopeLock::acquire(scope, command, progress)?;
    if recover(&lock)? {
        progress.note(&format!("completed an interrupted publication in {}", scope.display()));
    }
    Ok(lock)
}

/// Completes an interrupted publication in `scope`, if there is one, before its files are read.
///
/// # Errors
/// As [`open_scope`].
pub fn settle(scope: &Path, progress: &Progress) -> Result<()> {
    if is_pending(scope) {
        open_scope(scope, "recovery", progress)?;
    }
    Ok(())
}

impl ScopeStage<'_> {
    /// Decides whether the stage is due, has `compute` write its files into the folder it is given,
    /// and publishes them.
    ///
    /// # Errors
    /// Those of `compute`, ledger and publication; the scope is then unchanged.
    pub fn run(
        self,
        lock: &ScopeLock,
        options: &StageOptions,
        progress: &Progress,
        compute: impl FnOnce(&Path) -> Result<Computed>,
    ) -> Result<StageOutcome> {
        let started = Instant::now();
        let scope = lock.scope();
        let input_artifact_count = self.recipe.inputs.len();
        let mut ledger = Ledger::load(scope)?;
        let outcome = |status, details, rows_processed, output_artifact_count| StageOutcome {
            stage: self.stage,
            target: scope.to_path_buf(),
            status,
            details,
            rows_processed,
            input_artifact_count,
            output_artifact_count,
            duration_seconds: started.elapsed().as_secs_f64(),
            memory_peak_bytes: peak_bytes(),
            replayed: false,
        };
        if !options.force
            && let Some(reason) = self.reason_to_skip(scope, &ledger, options, progress)?
        {
            return Ok(outcome(StageStatus::SkippedExisting, reason, 0, 0));
        }
        let mut remove = self.files_made_void(scope);
        if !remove.is_empty() {
            progress.note(&format!("will remove what no longer fits: {}", remove.join(", ")));
        }
        self.note_replaced(scope, &ledger, progress);
        let transaction = Transaction::begin(lock)?;
        let folder = transaction.folder();
        let (rows, details) = compute(&folder)?;
        let count = fs_err::read_dir(&folder).while_doing("count the results")?.count();
        let outputs = folder_records(&folder, self.shared_files)?;
        remove.extend(self.own_files.iter().map(|&name| name.to_owned()));
        ledger.record(self.stage, LedgerEntry::new(self.recipe, outputs), self.invalidated_stages);
        transaction.publish(&remove, &[self.marker], &ledger)?;
        Ok(outcome(StageStatus::Completed, details, rows, count))
    }

    /// Says which results of another program are about to be replaced.
    fn note_replaced(&self, scope: &Path, ledger: &Ledger, progress: &Progress) {
        let own = self.own_files.iter().filter(|name| !self.shared_files.contains(name));
        let earlier = ["1", "2", "3", "4", "5", "6", "7", "8"].map(|stage| ledger.stage(stage));
        let ours = |name: &str| {
            let mut outputs = earlier.iter().flatten().flat_map(|entry| &entry.outputs);
            outputs.any(|output| output.path == name)
        };
        let there: Vec<&str> =
            own.copied().filter(|name| scope.join(name).exists() && !ours(name)).collect();
        let first = self.own_files.first() == Some(&self.marker);
        if first && ledger.stage(self.stage).is_none() && !there.is_empty() {
            progress.note(&format!("replaces what another program made: {}", there.join(", ")));
        }
    }

    /// The files of `scope` that a new result makes void.
    fn files_made_void(&self, scope: &Path) -> Vec<String> {
        let there = self.invalidated_files.iter().filter(|name| scope.join(name).exists());
        there.map(|&name| name.to_owned()).collect()
    }

    /// Why the stage need not run, if so.
    ///
    /// # Errors
    /// `results-would-be-lost` if it is due but later results would go.
    fn reason_to_skip(
        &self,
        scope: &Path,
        ledger: &Ledger,
        options: &StageOptions,
        progress: &Progress,
    ) -> Result<Option<String>> {
        let present = self.present.unwrap_or_else(|| scope.join(self.marker).exists());
        let Some(entry) = ledger.stage(self.stage) else {
            let kept = format!(
                "{} was made by another program: kept as it is (--force recomputes it)",
                self.marker
            );
            if !present {
                let reason = format!("{} is missing, or what belongs to it", self.marker);
                self.refuse_losses(scope, options, &reason)?;
            }
            return Ok(present.then_some(kept));
        };
        let mut checksums = Checksums::load(scope);
        let staleness = entry.staleness(&self.recipe, scope, &mut checksums)?;
        checksums.save();
        let Some(reason) = staleness else {
            return Ok(Some("current: same inputs, parameters and algorithm".into()));
        };
        self.refuse_losses(scope, options, &reason)?;
        progress.note(&format!("runs again: {reason}"));
        Ok(None)
    }

    /// Refuses to run, for this `reason`, where later results would be lost and nobody has agreed to it.
    fn refuse_losses(&self, scope: &Path, options: &StageOptions, reason: &str) -> Result<()> {
        let void = self.files_made_void(scope);
        if void.is_empty() || options.invalidate {
            return Ok(());
        }
        let problem = format!("stage {} is outdated: {reason}", self.stage);
        Err(Diagnostic::new("results-would-be-lost", problem)
            .path(scope)
            .expected("no results of later stages, or --invalidate")
            .found(void.join(", "))
            .remedy("keep them and go on, or add --invalidate: they are removed when the new ones are there")
            .data())
    }
}
