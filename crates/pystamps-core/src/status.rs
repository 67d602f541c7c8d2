//! Says of every scope and stage of a project what is there and what a run would do.
//!
//! Nothing is computed or locked, so it may be asked while other processes work: what it then says of
//! their scopes is out of date as soon as it is said. Every stage is judged on the files as they are,
//! whatever a run of an earlier stage would change. Checksums are computed only of files that the ledger
//! has recorded, and remembered.

use std::path::Path;

use serde::Serialize;

use crate::all_stages::{MERGED_STAGES, PATCH_STAGES, StageKind, Surroundings};
use crate::error::{Error, IoContext, Result};
use crate::patch_scope::acting_parameters;
use crate::project::checksums::Checksums;
use crate::project::commit::is_pending;
use crate::project::dataset::patches_at_hand;
use crate::project::ledger::Origin;
use crate::project::lock::present_holder;
use crate::project::parameters::SCENE_PARAMETERS;
use crate::project::stack::Network;
use crate::stage::StageOptions;
use crate::stage_definition::Demands;
use crate::standing::{Condition, Standing};

/// How far a project is.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectStatus {
    /// How its interferograms share images.
    pub network: Network,
    /// Its patches in their order, and the merged project.
    pub scopes: Vec<ScopeStatus>,
}

/// The two kinds of scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// A patch.
    Patch,
    /// The merged project.
    Merged,
}

/// How far one scope is.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeStatus {
    /// Name of the patch; `.` for the merged project.
    pub target: String,
    /// What it is.
    pub scope: ScopeKind,
    /// Whether a publication has begun and not ended. It may be under way.
    pub unfinished_publication: bool,
    /// Who says to be writing there, if that process may be alive.
    pub in_use_by: Option<String>,
    /// Its stages.
    pub stages: Vec<StageReport>,
}

/// How the results of one stage stand in one scope, and what a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// Stage number.
    pub stage: u8,
    /// How the results stand.
    pub state: Condition,
    /// Who made them, if the ledger knows.
    pub origin: Option<Origin>,
    /// One sentence.
    pub reason: String,
    /// Rows of the result, if they are quickly told.
    pub rows: Option<u64>,
    /// Files that a run reads.
    pub reads: Vec<String>,
    /// Files that a run writes.
    pub writes: Vec<String>,
    /// Later results that are there and that a run would remove.
    pub invalidates: Vec<String>,
    /// Files that a run needs and that are not there.
    pub missing: Vec<String>,
    /// Why a run would be refused with the parameters and files as they are.
    pub refusal: Option<String>,
    /// Whether parameters alone are the reason, so that no earlier stage will mend it.
    pub refused_by_parameters: bool,
}

/// Examines the project at `dataset` with the choices of `options`.
///
/// # Errors
/// Those of the project's parameters and of its list of patches. A scope that cannot be evaluated is told
/// as damaged.
pub fn project_status(dataset: &Path, options: &StageOptions) -> Result<ProjectStatus> {
    let root = std::path::absolute(dataset).while_doing("find the project")?;
    let network = Network::of(&acting_parameters(&root, options)?)?;
    let patches = patches_at_hand(&root)?.unwrap_or_default();
    let mut scopes: Vec<ScopeStatus> = patches
        .iter()
        .map(|patch| scope_status(&patch.folder, &patch.name, ScopeKind::Patch, network, options))
        .collect();
    scopes.push(scope_status(&root, ".", ScopeKind::Merged, network, options));
    Ok(ProjectStatus { network, scopes })
}

fn scope_status(
    folder: &Path,
    target: &str,
    scope: ScopeKind,
    network: Network,
    options: &StageOptions,
) -> ScopeStatus {
    let kinds: &[StageKind] = match scope {
        ScopeKind::Patch => &PATCH_STAGES,
        ScopeKind::Merged => &MERGED_STAGES,
    };
    let mut checksums = Checksums::load(folder);
    let surroundings = Surroundings::of(folder, options);
    let stages = kinds.iter().map(|kind| {
        let (standing, demands) = match &surroundings {
            Ok(known) => (kind.standing(known, network, &mut checksums), kind.demanded(known)),
            Err(error) => return unknown(kind, folder, network, error.one_line()),
        };
        report(kind, folder, network, standing, demands)
    });
    let stages = stages.collect();
    checksums.save();
    ScopeStatus {
        target: target.to_owned(),
        scope,
        unfinished_publication: is_pending(folder),
        in_use_by: present_holder(folder),
        stages,
    }
}

/// A stage of a scope whose parameters or ledger cannot be read.
fn unknown(kind: &StageKind, folder: &Path, network: Network, reason: String) -> StageReport {
    let files = (kind.files)(network);
    StageReport {
        stage: kind.number,
        state: Condition::Damaged,
        origin: None,
        reason,
        rows: None,
        reads: Vec::new(),
        writes: names(files.writes),
        invalidates: files.made_void(folder),
        missing: Vec::new(),
        refusal: None,
        refused_by_parameters: false,
    }
}

fn report(
    kind: &StageKind,
    folder: &Path,
    network: Network,
    standing: Standing,
    demands: Result<Demands>,
) -> StageReport {
    let Standing { condition, mut reason, note, origin, rows } = standing;
    reason.extend(note.map(|note| format!("; {note}")));
    let mut told = StageReport {
        state: condition,
        origin,
        rows,
        ..unknown(kind, folder, network, String::new())
    };
    match demands {
        Ok(demands) => {
            told.reads = demands.reads(folder);
            told.writes.extend(names(demands.more_writes));
            told.missing = demands.missing(folder);
            told.missing.extend(demands.left_out);
        }
        // What stage 1 will find out in the scene is no reason before it has run.
        Err(error) if error.variable().is_some_and(|name| SCENE_PARAMETERS.contains(&name)) => {}
        Err(error) => {
            told.refusal = Some(error.one_line());
            told.refused_by_parameters = matches!(error, Error::Usage(_));
        }
    }
    StageReport { reason, ..told }
}

fn names(files: &[&str]) -> Vec<String> {
    files.iter().map(|&name| name.to_owned()).collect()
}
