//! `stage N`.

use std::path::{Path, PathBuf};

use crate::cli::arguments::{StageArguments, refuse_unused, required_scope};
use crate::cli::on_threads;
use crate::cli::output::{print_event, print_line, report_error};
use crate::error::{Diagnostic, Result};
use crate::native_stage1::run_stage1_native;
use crate::native_stage2::run_stage2_native;
use crate::native_stage3::run_stage3_native;
use crate::native_stage4::run_stage4_native;
use crate::native_stage5::{run_stage5_merge_native, run_stage5_patch_native};
use crate::native_stage6::run_stage6_native;
use crate::native_stage7::run_stage7_native;
use crate::native_stage8::run_stage8_native;
use crate::progress::Progress;
use crate::project::dataset::patches;
use crate::stage::{StageOptions, StageOutcome, StageStatus, WeightlessDate, settle};

pub(in crate::cli) fn run(arguments: &StageArguments) -> Result<()> {
    required_scope(arguments)?;
    let runner = Runner::of(arguments.stage);
    refuse_unused(arguments)?;
    let options = StageOptions {
        overrides: arguments.set.clone(),
        memory_limit_bytes: arguments.common.memory_limit,
        force: arguments.common.force,
        invalidate: arguments.invalidate,
        random_engine: arguments.random_engine.map(Into::into).unwrap_or_default(),
        reference_histogram: arguments.reference_histogram.clone(),
        reuse_coherence: arguments.reuse_coherence,
        edges: arguments.edges.clone(),
        partial_without: arguments.allow_partial.then(|| arguments.without.clone()),
        nearest_nodes: arguments.nearest_nodes.clone(),
        keep_costs: arguments.keep_costs,
        solver: arguments.solver.map(Into::into).unwrap_or_default(),
        weightless: if arguments.strict {
            WeightlessDate::Original
        } else {
            WeightlessDate::Master
        },
    };
    let run_patch = match (runner, &arguments.dataset) {
        (Runner::Merged(run), Some(dataset)) => return merged(dataset, run, arguments, &options),
        (Runner::Merged(_), None) => unreachable!("invariant: merged stages require a dataset"),
        (Runner::Patch(run), _) => run,
    };
    let failed =
        if arguments.merge_only { Vec::new() } else { on_patches(run_patch, arguments, &options)? };
    match &arguments.dataset {
        Some(dataset) if arguments.stage == 5 => {
            let partial_without = options.partial_without.clone();
            let partial_without = partial_without.map(|named| [named, failed].concat());
            let options = StageOptions { partial_without, ..options };
            merged(dataset, run_stage5_merge_native, arguments, &options)
        }
        _ => Ok(()),
    }
}

/// Runs a stage on every patch that was named; returns the names of those that failed where the work goes
/// on without them.
fn on_patches(
    run: Stage,
    arguments: &StageArguments,
    options: &StageOptions,
) -> Result<Vec<String>> {
    if let Some(dataset) = &arguments.dataset {
        let label = format!("stage {}", arguments.stage);
        settle(dataset, &Progress::new(arguments.common.progress.into(), label))?;
    }
    let folders = scopes(arguments)?;
    let mut failed = Vec::new();
    for folder in &folders {
        let label = format!("stage {} {}", arguments.stage, name_of(folder));
        let progress = Progress::new(arguments.common.progress.into(), label);
        let outcome =
            on_threads(arguments.common.thread_count(), || run(folder, options, &progress));
        match outcome {
            Ok(outcome) => {
                // Who invalidates what no longer fits also merges in the end.
                if !options.invalidate {
                    note_outdated_merge(&outcome, &progress);
                }
                report(&outcome, arguments.common.prints_json())?;
            }
            Err(error) if folders.len() == 1 => return Err(error),
            // One patch's trouble is no reason to leave the others undone.
            Err(error) => {
                report_error(&error, arguments.common.prints_json());
                failed.push(name_of(folder));
            }
        }
    }
    if !failed.is_empty() && !arguments.allow_partial {
        return Err(patches_failed(&failed, folders.len()).data());
    }
    Ok(failed)
}

/// Runs a stage of the merged project; stage 5 ends with one.
fn merged(
    dataset: &Path,
    run: Stage,
    arguments: &StageArguments,
    options: &StageOptions,
) -> Result<()> {
    let name = if arguments.stage == 5 { " merge" } else { "" };
    let label = format!("stage {}{name}", arguments.stage);
    let progress = Progress::new(arguments.common.progress.into(), label);
    let outcome = on_threads(arguments.common.thread_count(), || run(dataset, options, &progress))?;
    report(&outcome, arguments.common.prints_json())
}

/// Runs one stage on one scope.
type Stage = fn(&Path, &StageOptions, &Progress) -> Result<StageOutcome>;

/// What a stage works on.
enum Runner {
    /// Every patch by itself.
    Patch(Stage),
    /// The merged project.
    Merged(Stage),
}

impl Runner {
    /// The stage of this number.
    fn of(number: u8) -> Self {
        match number {
            1 => Self::Patch(run_stage1_native),
            2 => Self::Patch(run_stage2_native),
            3 => Self::Patch(run_stage3_native),
            4 => Self::Patch(run_stage4_native),
            5 => Self::Patch(run_stage5_patch_native),
            6 => Self::Merged(run_stage6_native),
            7 => Self::Merged(run_stage7_native),
            8 => Self::Merged(run_stage8_native),
            _ => unreachable!("invariant: the command line takes stages 1 to 8"),
        }
    }
}

/// Says that what was merged from older results of this patch no longer fits.
fn note_outdated_merge(outcome: &StageOutcome, progress: &Progress) {
    let merged = outcome.target.parent().map(|project| project.join("ifgstd2.mat"));
    if outcome.status == StageStatus::Completed && merged.is_some_and(|merged| merged.exists()) {
        progress.note("the merged project is outdated: run stage 5 with --dataset in the end");
    }
}

fn patches_failed(failed: &[String], all: usize) -> Diagnostic {
    Diagnostic::new("patches-failed", "some patches could not be processed")
        .expected(format!("{all} patches done"))
        .found(format!("failed: {}", failed.join(", ")))
        .remedy("mend what is said above and run the same command: finished patches are kept")
}

fn scopes(arguments: &StageArguments) -> Result<Vec<PathBuf>> {
    match (&arguments.patch, &arguments.dataset) {
        (Some(patch), _) => Ok(vec![patch.clone()]),
        (None, Some(dataset)) => {
            Ok(patches(dataset)?.into_iter().map(|patch| patch.folder).collect())
        }
        (None, None) => Ok(Vec::new()),
    }
}

fn report(outcome: &StageOutcome, json: bool) -> Result<()> {
    if json {
        return print_event("outcome", outcome);
    }
    print_line(format!("stage {} {}: {}", outcome.stage, name_of(&outcome.target), outcome.details))
}

fn name_of(folder: &Path) -> String {
    folder
        .file_name()
        .map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}
