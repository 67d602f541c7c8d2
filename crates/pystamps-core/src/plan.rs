//! Predicts what the stages will need: memory, disk and rows, before anything starts.

use std::path::Path;

use serde::Serialize;

use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::project::dataset::{candidate_count, patches};
use crate::project::layout::root;
use crate::project::ledger::Ledger;
use crate::project::parameters::Parameters;

/// What is known about one patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatchPlan {
    /// Name of the patch.
    pub name: String,
    /// Candidates that preparation selected.
    pub candidates: u64,
    /// Peak memory of stage 1, bytes.
    pub stage1_memory_bytes: u64,
    /// What stage 1 writes, bytes.
    pub stage1_disk_bytes: u64,
    /// How far stage 1 is.
    pub stage1: Stage1State,
}

/// How far stage 1 of a patch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage1State {
    /// Not run.
    Due,
    /// Run; the rows it kept.
    Done(u64),
    /// Results that cannot be used as they are, with the reason.
    Damaged(String),
}

impl std::fmt::Display for Stage1State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Due => write!(out, "due"),
            Self::Done(rows) => write!(out, "done, {rows} rows"),
            Self::Damaged(reason) => write!(out, "damaged: {reason}"),
        }
    }
}

/// What is known about a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectPlan {
    /// Interferograms listed by preparation.
    pub interferograms: u64,
    /// Patches in processing order.
    pub patches: Vec<PatchPlan>,
    /// Free space of the file system, bytes, if the system tells.
    pub free_disk_bytes: Option<u64>,
    /// What a user should know before starting.
    pub warnings: Vec<String>,
}

/// Memory of the process itself: program, thread stacks and file buffers in use.
const BASE_BYTES: u64 = 6 << 20;
/// What one thread holds besides its columns: stack and read buffers.
const THREAD_BYTES: u64 = 1 << 20;
/// Bytes stage 1 keeps for one candidate: pixel, position, height, dispersion, viewing geometry,
/// local coordinates, orders, flags, and the text of the list while it is read. Fitted to
/// resident sets; `python -m parity.bench_stage1` prints prediction and measurement.
const CANDIDATE_BYTES: u64 = 156;
/// Bytes a thread holds for one candidate of a phase column: raw and decoded.
const COLUMN_BYTES: u64 = 19;

/// Peak memory of stage 1 on `candidates` with `threads` threads, bytes. The phase is streamed, so
/// the number of interferograms does not matter.
pub fn stage1_memory_bytes(candidates: u64, threads: u64) -> u64 {
    BASE_BYTES + threads * THREAD_BYTES + candidates * (CANDIDATE_BYTES + threads * COLUMN_BYTES)
}

/// Refuses work that needs more than the limit, before it starts.
///
/// # Errors
/// `memory-limit` with the need.
pub fn check_memory(limit_bytes: Option<u64>, needed_bytes: u64, work: &str) -> Result<()> {
    match limit_bytes {
        Some(limit) if limit < needed_bytes => Err(memory_refusal(limit, needed_bytes, work)),
        _ => Ok(()),
    }
}

fn memory_refusal(limit: u64, needed: u64, work: &str) -> Error {
    Diagnostic::new("memory-limit", format!("{work} does not fit into the memory limit"))
        .variable("--memory-limit")
        .expected(format!("at least {}", display_bytes(needed)))
        .found(display_bytes(limit))
        .remedy("raise the limit, use fewer threads, or prepare the project with more patches")
        .usage()
}

/// Examines the project at `folder`.
///
/// # Errors
/// Those of [`patches`] and of reading the control files.
pub fn plan_project(folder: &Path, threads: u64) -> Result<ProjectPlan> {
    let parameters = Parameters::load(folder)?;
    let list = fs_err::read_to_string(folder.join(root::PSCPHASE_IN))
        .while_doing("count the interferograms")?;
    let interferograms = list.lines().skip(1).filter(|line| !line.trim().is_empty()).count() as u64;
    let master = u64::from(!parameters.flag("small_baseline_flag")?);
    let mut warnings = Vec::new();
    let patches: Vec<PatchPlan> = patches(folder)?
        .into_iter()
        .map(|patch| {
            let candidates = candidate_count(&patch.folder)?;
            if candidates == 0 {
                warnings.push(format!("{} has no candidates and yields no PS", patch.name));
            }
            let stage1 = stage1_state(&patch.folder)?;
            match &stage1 {
                Stage1State::Done(0) if candidates > 0 => warnings.push(format!(
                    "stage 1 kept no row of {}: no candidate has position and phase",
                    patch.name
                )),
                Stage1State::Damaged(reason) => warnings.push(format!("{}: {reason}", patch.name)),
                Stage1State::Due | Stage1State::Done(_) => {}
            }
            Ok(PatchPlan {
                candidates,
                stage1_memory_bytes: stage1_memory_bytes(candidates, threads),
                // ph 8 B and bperp 4 B a sample; coordinates, angles and indices 108 B a row.
                stage1_disk_bytes: candidates * (12 * interferograms + 8 * master + 108),
                stage1,
                name: patch.name,
            })
        })
        .collect::<Result<_>>()?;
    let free_disk_bytes = free_disk_bytes(folder);
    let due: u64 =
        patches.iter().filter(|p| p.stage1 == Stage1State::Due).map(|p| p.stage1_disk_bytes).sum();
    if let Some(free) = free_disk_bytes
        && free < due
    {
        warnings.push(format!(
            "stage 1 writes {} but only {} are free",
            display_bytes(due),
            display_bytes(free)
        ));
    }
    Ok(ProjectPlan { interferograms, patches, free_disk_bytes, warnings })
}

/// Looks at the results of stage 1 without reading their data.
fn stage1_state(folder: &Path) -> Result<Stage1State> {
    let marker = folder.join("ps1.mat");
    if !marker.exists() {
        return Ok(Stage1State::Due);
    }
    let damaged = |reason: String| Ok(Stage1State::Damaged(reason));
    let ledger = match Ledger::load(folder) {
        Ok(ledger) => ledger,
        Err(error) => return damaged(error.name().to_owned()),
    };
    for output in ledger.stage("1").map_or(&[][..], |entry| &entry.outputs) {
        let size = fs_err::metadata(folder.join(&output.path)).map(|metadata| metadata.len());
        match size {
            Ok(bytes) if bytes == output.bytes => {}
            Ok(_) => return damaged(format!("{} has another size", output.path)),
            Err(_) => return damaged(format!("{} is missing", output.path)),
        }
    }
    match pystamps_mat::read_variable(&marker, "n_ps").map(|value| value.to_scalar()) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count; what is none becomes 0"
        )]
        Ok(Some(rows)) => Ok(Stage1State::Done(rows as u64)),
        Ok(None) => damaged("n_ps is no number".to_owned()),
        Err(error) => damaged(error.to_string()),
    }
}

/// Free space of the file system that holds `folder`, from the system's `df`.
fn free_disk_bytes(folder: &Path) -> Option<u64> {
    let output = std::process::Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(folder)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.lines().nth(1)?.trim().parse().ok()
}

/// A size for people, in powers of 1024.
pub fn display_bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_refused_with_the_need() {
        check_memory(None, 1 << 40, "stage 1").unwrap();
        check_memory(Some(1 << 30), 1 << 30, "stage 1").unwrap();
        let error = check_memory(Some(1 << 20), 3 << 29, "stage 1").unwrap_err();
        assert_eq!((error.name(), error.exit_code()), ("memory-limit", 2));
        assert!(error.to_string().contains("1.5 GiB"), "{error}");
    }

    #[test]
    fn sizes_for_people() {
        assert_eq!(display_bytes(1023), "1023 B");
        assert_eq!(display_bytes(1536), "1.5 KiB");
        assert_eq!(display_bytes(5 << 40), "5.0 TiB");
    }
}
