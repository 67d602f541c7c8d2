//! How far every stage is, for people who plan.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::standing::Condition;
use crate::status::{ProjectStatus, StageReport};

/// How far a stage of a scope is.
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
    /// Run, but with something that has changed since.
    Outdated {
        /// What has changed.
        reason: String,
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
            Self::Outdated { reason } => write!(out, "outdated: {reason}"),
            Self::Damaged { reason } => write!(out, "damaged: {reason}"),
        }
    }
}

impl StageState {
    /// Whether a run would compute something.
    pub(super) fn is_due(&self) -> bool {
        matches!(self, Self::Due | Self::Outdated { .. })
    }

    fn of(report: &StageReport) -> Self {
        let reason = report.reason.clone();
        match report.state {
            Condition::Missing => Self::Due,
            Condition::Current | Condition::Foreign => Self::Done { rows: report.rows },
            Condition::Outdated => Self::Outdated { reason },
            Condition::Damaged => Self::Damaged { reason },
        }
    }
}

/// How far every scope is.
pub(super) struct States(BTreeMap<String, Vec<StageState>>);

impl States {
    /// What the status of the project says.
    pub(super) fn of(status: &ProjectStatus) -> Self {
        let scopes = status
            .scopes
            .iter()
            .map(|scope| (scope.target.clone(), scope.stages.iter().map(StageState::of).collect()));
        Self(scopes.collect())
    }

    /// The stages of the scope `target`, in their order; due where nothing is known of it.
    pub(super) fn take<const COUNT: usize>(&mut self, target: &str) -> [StageState; COUNT] {
        let states = self.0.remove(target).unwrap_or_default();
        states.try_into().unwrap_or_else(|_| std::array::from_fn(|_| StageState::Due))
    }
}
