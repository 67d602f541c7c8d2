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
use crate::project::ledger::{Ledger, LedgerEntry, Origin};
use crate::project::lock::ScopeLock;
use crate::stage_definition::{Demands, REWRITTEN_FILES, StageFiles};
use crate::standing::{Condition, Demanded, Standing};

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
    /// Stage 6: a file with `Z`, the nearest node of every cell, in place of our own search.
    pub nearest_nodes: Option<PathBuf>,
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
    /// Rows (candidates or PS) of the result; 0 when skipped and not quickly told.
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
pub(crate) struct ScopeStage<'a> {
    /// Its files.
    pub(crate) files: StageFiles,
    /// What it needs; asked for when that matters.
    pub(crate) demands: &'a Demanded<'a>,
}

/// Rows of the result and one sentence about it.
pub(crate) type Computed = (u64, String);

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
    pub(crate) fn run(
        self,
        lock: &ScopeLock,
        options: &StageOptions,
        progress: &Progress,
        compute: impl FnOnce(&Path) -> Result<Computed>,
    ) -> Result<StageOutcome> {
        let started = Instant::now();
        if let Some(outcome) = self.skipped(lock, options, progress)? {
            return Ok(outcome);
        }
        self.publish(lock, progress, started, Origin::Native, compute)
    }

    /// The outcome of the stage if its results can stay.
    ///
    /// # Errors
    /// As for the decision in [`ScopeStage::run`].
    pub(crate) fn skipped(
        &self,
        lock: &ScopeLock,
        options: &StageOptions,
        progress: &Progress,
    ) -> Result<Option<StageOutcome>> {
        let started = Instant::now();
        let ledger = Ledger::load(lock.scope())?;
        if options.force {
            return Ok(None);
        }
        let standing = self.standing_to_keep(lock.scope(), &ledger, options, progress)?;
        Ok(standing.map(|standing| self.kept(lock.scope(), standing, started)))
    }

    /// Has `fill` write the files of the stage, which `origin` has made, into the folder it is given, and
    /// publishes them, whatever is there.
    ///
    /// # Errors
    /// Those of `fill`, ledger and publication; the scope is then unchanged.
    pub(crate) fn publish(
        &self,
        lock: &ScopeLock,
        progress: &Progress,
        started: Instant,
        origin: Origin,
        fill: impl FnOnce(&Path) -> Result<Computed>,
    ) -> Result<StageOutcome> {
        let demands = (self.demands)()?;
        let input_artifact_count = demands.input_count(lock.scope());
        let publication = Publication { files: &self.files, lock, origin };
        let (rows, details, count) = publication.publish(&demands, progress, fill)?;
        Ok(StageOutcome {
            stage: self.files.stage,
            target: lock.scope().to_path_buf(),
            status: StageStatus::Completed,
            details,
            rows_processed: rows,
            input_artifact_count,
            output_artifact_count: count,
            duration_seconds: started.elapsed().as_secs_f64(),
            memory_peak_bytes: peak_bytes(),
            replayed: origin == Origin::Replayed,
        })
    }

    /// The outcome of a stage whose results stay.
    fn kept(&self, scope: &Path, standing: Standing, started: Instant) -> StageOutcome {
        let demands = (self.demands)();
        StageOutcome {
            stage: self.files.stage,
            target: scope.to_path_buf(),
            status: StageStatus::SkippedExisting,
            details: standing.reason,
            rows_processed: standing.rows.unwrap_or(0),
            input_artifact_count: demands.map_or(0, |demands| demands.input_count(scope)),
            output_artifact_count: 0,
            duration_seconds: started.elapsed().as_secs_f64(),
            memory_peak_bytes: peak_bytes(),
            replayed: standing.origin == Some(Origin::Replayed),
        }
    }

    /// How the present results stand, if they can stay.
    ///
    /// # Errors
    /// `results-would-be-lost` if the stage is due but later results would go.
    fn standing_to_keep(
        &self,
        scope: &Path,
        ledger: &Ledger,
        options: &StageOptions,
        progress: &Progress,
    ) -> Result<Option<Standing>> {
        let mut checksums = Checksums::load(scope);
        let standing = Standing::of(scope, &self.files, self.demands, ledger, &mut checksums)?;
        checksums.save();
        // Who steers a whole run has no use for advice on single stages; `status` has it too.
        if let Some(note) = standing.note.as_ref().filter(|_| !options.invalidate) {
            progress.note(note);
        }
        if standing.condition.stands() {
            return Ok(Some(standing));
        }
        self.refuse_losses(scope, options, &standing.reason)?;
        if standing.condition == Condition::Outdated {
            progress.note(&format!("runs again: {}", standing.reason));
        }
        Ok(None)
    }

    /// Refuses to run, for this `reason`, where later results would be lost and nobody has agreed to it.
    fn refuse_losses(&self, scope: &Path, options: &StageOptions, reason: &str) -> Result<()> {
        let void = self.files.made_void(scope);
        if void.is_empty() || options.invalidate {
            return Ok(());
        }
        let problem = format!("stage {} is outdated: {reason}", self.files.stage);
        Err(Diagnostic::new("results-would-be-lost", problem)
            .path(scope)
            .expected("no results of later stages, or --invalidate")
            .found(void.join(", "))
            .remedy(
                "keep them and go on, or add --invalidate: they are removed when the new ones are \
                 there",
            )
            .data())
    }
}

/// Results on their way into a scope.
struct Publication<'a> {
    files: &'a StageFiles,
    lock: &'a ScopeLock,
    origin: Origin,
}

impl Publication<'_> {
    /// Has `fill` write the files into the folder it is given, and makes them the scope's, together with
    /// what the ledger and the memory of checksums say of them. Returns rows, one sentence and the number
    /// of files.
    fn publish(
        &self,
        demands: &Demands,
        progress: &Progress,
        fill: impl FnOnce(&Path) -> Result<Computed>,
    ) -> Result<(u64, String, usize)> {
        let (scope, files) = (self.lock.scope(), self.files);
        let mut ledger = Ledger::load(scope)?;
        let mut checksums = Checksums::load(scope);
        let recipe = demands.recipe(scope, files.stage, &mut checksums)?;
        checksums.save();
        let mut remove = files.made_void(scope);
        if !remove.is_empty() {
            progress.note(&format!("will remove what no longer fits: {}", remove.join(", ")));
        }
        self.note_replaced(&ledger, progress);
        let transaction = Transaction::begin(self.lock)?;
        let folder = transaction.folder();
        let (rows, details) = fill(&folder)?;
        let count = fs_err::read_dir(&folder).while_doing("count the results")?.count();
        let outputs = folder_records(&folder, files.shared_files)?;
        // The moves to come keep inode and time of change.
        for output in &outputs {
            let staged = fs_err::metadata(folder.join(&output.path));
            let staged = staged.while_doing("examine a result")?;
            checksums.learn(&output.path, &staged, &output.identity);
        }
        let stays = |name: &&&str| !REWRITTEN_FILES.contains(*name);
        remove.extend(files.own_files.iter().filter(stays).map(|&name| name.to_owned()));
        let entry = LedgerEntry {
            origin: self.origin,
            rows: Some(rows),
            ..LedgerEntry::new(recipe, outputs)
        };
        ledger.record(files.stage, entry, files.invalidated_stages);
        transaction.publish(&remove, &[files.marker], &ledger)?;
        checksums.save();
        Ok((rows, details, count))
    }

    /// Says which results of another program are about to be replaced. Where we have run this stage or
    /// one before it, nothing of another program's can be left.
    fn note_replaced(&self, ledger: &Ledger, progress: &Progress) {
        let (scope, files) = (self.lock.scope(), self.files);
        let stages = ["1", "2", "3", "4", "5", "6", "7", "8"];
        let mut until_here = stages.into_iter().filter(|&stage| stage <= files.stage);
        let own = files.own_files.iter().filter(|name| !files.shared_files.contains(name));
        let there: Vec<&str> = own.copied().filter(|name| scope.join(name).exists()).collect();
        let first = files.own_files.first() == Some(&files.marker);
        if first && !until_here.any(|stage| ledger.stage(stage).is_some()) && !there.is_empty() {
            progress.note(&format!("replaces what another program made: {}", there.join(", ")));
        }
    }
}
