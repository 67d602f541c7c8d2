//! Says how the results of a stage stand: whether they can stay, and if not, why.

use std::path::Path;

use serde::Serialize;

use crate::error::Result;
use crate::project::checksums::Checksums;
use crate::project::ledger::{Ledger, LedgerEntry, Origin};
use crate::stage_definition::{Demands, StageFiles};

/// How the results of a stage stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Made from the present inputs and parameters by the present algorithm, and unchanged since.
    Current,
    /// There, but the ledger does not know them: made by another program, and kept.
    Foreign,
    /// Made by us, but something has changed since.
    Outdated,
    /// Not there.
    Missing,
    /// They cannot be evaluated.
    Damaged,
}

impl Condition {
    /// Whether a run would leave the results as they are.
    pub fn stands(self) -> bool {
        matches!(self, Self::Current | Self::Foreign)
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(match self {
            Self::Current => "current",
            Self::Foreign => "foreign",
            Self::Outdated => "outdated",
            Self::Missing => "missing",
            Self::Damaged => "damaged",
        })
    }
}

/// How the results of a stage stand, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) condition: Condition,
    /// One sentence.
    pub(crate) reason: String,
    /// Something to know although the results can stay.
    pub(crate) note: Option<String>,
    /// Who made them, if the ledger knows.
    pub(crate) origin: Option<Origin>,
    /// Rows of the result, if they are quickly told.
    pub(crate) rows: Option<u64>,
}

impl Standing {
    fn new(condition: Condition, reason: impl Into<String>) -> Self {
        Self { condition, reason: reason.into(), note: None, origin: None, rows: None }
    }

    /// What cannot be evaluated.
    pub(crate) fn damaged(reason: String) -> Self {
        Self::new(Condition::Damaged, reason)
    }

    /// How the results of the stage stand in `scope`, whose ledger is given. Checksums are needed only of
    /// what the ledger has recorded.
    ///
    /// # Errors
    /// Those of `demands` where the ledger knows the stage; MATLAB file errors of a marker that another
    /// program has left; I/O errors.
    pub(crate) fn of(
        scope: &Path,
        files: &StageFiles,
        demands: &Demanded<'_>,
        ledger: &Ledger,
        checksums: &mut Checksums,
    ) -> Result<Self> {
        let Some(entry) = ledger.stage(files.stage) else {
            return without_entry(scope, files);
        };
        let demands = demands()?;
        let mut standing = with_entry(scope, files, &demands, entry, checksums)?;
        standing.origin = Some(entry.origin);
        if standing.condition == Condition::Current {
            standing.rows = entry.rows.or_else(|| counted_rows(scope, files));
            if let Some(words) = entry.origin.words() {
                standing.reason = format!("{}; {words}", standing.reason);
            }
        }
        Ok(standing)
    }
}

/// How the demands of a stage are learned, where they are needed.
pub(crate) type Demanded<'a> = dyn Fn() -> Result<Demands> + 'a;

/// Results that the ledger does not know, or none.
fn without_entry(scope: &Path, files: &StageFiles) -> Result<Standing> {
    let marker = files.marker;
    let lacking = files.lacking(scope);
    if !lacking.is_empty() {
        // Without the marker nobody expects the rest.
        let done = lacking.iter().all(|name| name != marker);
        let what = if done { lacking.join(", ") } else { marker.to_owned() };
        return Ok(Standing::new(Condition::Missing, format!("there is no {what}")));
    }
    // What is no MATLAB file is no result.
    pystamps_mat::list(scope.join(marker))?;
    let reason =
        format!("{marker} was made by another program: kept as it is (--force recomputes it)");
    let rows = counted_rows(scope, files);
    Ok(Standing { rows, ..Standing::new(Condition::Foreign, reason) })
}

/// Results that the ledger knows.
fn with_entry(
    scope: &Path,
    files: &StageFiles,
    demands: &Demands,
    entry: &LedgerEntry,
    checksums: &mut Checksums,
) -> Result<Standing> {
    let outdated = |reason: String| Standing::new(Condition::Outdated, reason);
    let current = || Standing::new(Condition::Current, UNCHANGED);
    if demands.put_away {
        return Ok(match entry.changed_output(scope, checksums)? {
            Some(reason) => outdated(reason),
            None => Standing::new(Condition::Current, PUT_AWAY),
        });
    }
    if let Some(name) = demands.missing(scope).first() {
        return Ok(outdated(format!("{name}, which it is made from, is missing")));
    }
    let recipe = demands.recipe_without_feedback(scope, files.stage, checksums)?;
    let now = demands.feedback_record(scope, checksums)?;
    let then = entry.recipe.inputs.iter().find(|record| Some(&*record.path) == demands.feedback);
    let mut as_then = recipe;
    as_then.inputs.extend(then.cloned());
    Ok(match entry.staleness(&as_then, scope, checksums)? {
        Some(reason) => outdated(reason),
        None if then == now.as_ref() => current(),
        None => {
            let name = demands.feedback.unwrap_or_default();
            let note = format!(
                "{name} has changed since: --force unwraps again without what it holds now (a second \
                 pass)"
            );
            Standing { note: Some(note), ..current() }
        }
    })
}

const UNCHANGED: &str = "current: same inputs, parameters and algorithm";
const PUT_AWAY: &str = "current: as it was written; the patches have been put away";

/// Rows of the results in `scope`, where a file tells them at once.
pub(crate) fn counted_rows(scope: &Path, files: &StageFiles) -> Option<u64> {
    let file = match files.stage {
        "1" | "2" => "ps1.mat",
        "3" => return listed_rows(&scope.join(files.marker), "ix"),
        _ => "ps2.mat",
    };
    let rows = pystamps_mat::read_variable(scope.join(file), "n_ps").ok()?.to_scalar()?;
    let is_count = rows >= 0.0 && rows.fract() == 0.0 && rows < 2_f64.powi(53);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number in range"
    )]
    is_count.then_some(rows as u64)
}

/// Elements of a vector, whose data are not read.
fn listed_rows(path: &Path, variable: &str) -> Option<u64> {
    let listed = pystamps_mat::list(path).ok()?;
    let info = listed.into_iter().find(|info| info.name == variable)?;
    Some(info.dims.iter().product::<usize>() as u64)
}
