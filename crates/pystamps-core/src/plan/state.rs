//! Looks at the results of a stage without reading their data.

use std::path::Path;

use pystamps_mat::Value;
use serde::Serialize;

use crate::project::ledger::Ledger;

/// How far a stage of a patch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StageState {
    /// Not run.
    Due,
    /// Run.
    Done {
        /// Rows of the result, if they are quickly told.
        rows: Option<u64>,
    },
    /// Results that cannot be used as they are.
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

impl std::fmt::Display for StageState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Due => write!(out, "due"),
            Self::Done { rows: Some(rows) } => write!(out, "done, {rows} rows"),
            Self::Done { rows: None } => write!(out, "done"),
            Self::Damaged { reason } => write!(out, "damaged: {reason}"),
        }
    }
}

/// The file that tells that `stage` of a patch is done.
const fn marker(stage: u8) -> &'static str {
    match stage {
        1 => "ps1.mat",
        2 => "pm1.mat",
        3 => "select1.mat",
        4 => "weed1.mat",
        _ => "rc2.mat",
    }
}

impl StageState {
    /// State of `stage` in the patch `folder`.
    /// What cannot be read is damaged.
    pub(super) fn of(folder: &Path, stage: u8) -> Self {
        let path = folder.join(marker(stage));
        if !path.exists() {
            return Self::Due;
        }
        if let Err(reason) = outputs_are_there(folder, stage) {
            return Self::Damaged { reason };
        }
        if stage != 1 {
            return match pystamps_mat::list(&path) {
                Ok(_) => Self::Done { rows: None },
                Err(error) => Self::Damaged { reason: error.to_string() },
            };
        }
        match pystamps_mat::read_variable(&path, "n_ps").as_ref().map(Value::to_scalar) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count; what is none becomes 0"
            )]
            Ok(Some(rows)) => Self::Done { rows: Some(rows as u64) },
            Ok(None) => Self::Damaged { reason: "n_ps is no number".to_owned() },
            Err(error) => Self::Damaged { reason: error.to_string() },
        }
    }
}

impl StageState {
    /// State of the merge of the project `root`: it is due again once a patch has other results.
    pub(super) fn of_merge(root: &Path) -> Self {
        if !root.join("ifgstd2.mat").is_file() {
            return Self::Due;
        }
        if let Err(reason) = outputs_are_there(root, 5) {
            return Self::Damaged { reason };
        }
        let Ok(ledger) = Ledger::load(root) else { return Self::Done { rows: None } };
        let inputs = ledger.stage("5").map_or(&[][..], |entry| &entry.recipe.inputs);
        let changed = inputs.iter().any(|input| {
            let size = fs_err::metadata(root.join(&input.path)).map(|metadata| metadata.len());
            size.ok() != Some(input.bytes)
        });
        if changed { Self::Due } else { Self::Done { rows: None } }
    }
}

impl StageState {
    /// State of a `stage` of the merged project `root`, whose results are `present`.
    pub(super) fn of_merged(root: &Path, stage: u8, present: bool) -> Self {
        if !present {
            return Self::Due;
        }
        match outputs_are_there(root, stage) {
            Ok(()) => Self::Done { rows: None },
            Err(reason) => Self::Damaged { reason },
        }
    }
}

/// Whether everything the ledger says of the stage's results is there in the right size.
fn outputs_are_there(folder: &Path, stage: u8) -> std::result::Result<(), String> {
    let ledger = Ledger::load(folder).map_err(|error| error.name().to_owned())?;
    for output in ledger.stage(&stage.to_string()).map_or(&[][..], |entry| &entry.outputs) {
        let size = fs_err::metadata(folder.join(&output.path)).map(|metadata| metadata.len());
        match size {
            Ok(bytes) if bytes == output.bytes => {}
            Ok(_) => return Err(format!("{} has another size", output.path)),
            Err(_) => return Err(format!("{} is missing", output.path)),
        }
    }
    Ok(())
}
