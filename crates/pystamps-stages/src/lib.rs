//! The readiness inventory: one record a stage scope, five of patches and four of the merged
//! project. It is data: which stages run natively, where, and what they refuse.

use std::fmt;

/// What a stage works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One patch folder.
    Patch,
    /// The merged project.
    Merged,
}

/// How far a stage has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Implemented in Rust and tested against original StaMPS; not certified.
    Native,
}

/// One stage scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Stage number, 1 to 8.
    pub stage: u8,
    /// What it works on.
    pub scope: Scope,
    /// StaMPS's name of the step.
    pub name: &'static str,
    /// Rust entry point in `pystamps-core`.
    pub rust_entry: &'static str,
    /// Python reference in `pystamps_shim.pipeline.ported`.
    pub python_entry: &'static str,
    /// How far it is.
    pub state: State,
    /// Modes of StaMPS that are refused before any work, naming the parameter.
    pub refused: &'static [&'static str],
}

/// Implemented; nothing of it is refused.
const fn native(
    stage: u8,
    scope: Scope,
    name: &'static str,
    rust_entry: &'static str,
    python_entry: &'static str,
) -> Readiness {
    Readiness { stage, scope, name, rust_entry, python_entry, state: State::Native, refused: &[] }
}

/// The nine stage scopes in the order of processing.
pub const INVENTORY: [Readiness; 9] = [
    Readiness {
        stage: 1,
        scope: Scope::Patch,
        name: "Initial load",
        rust_entry: "native_stage1::run_stage1_native",
        python_entry: "stage1_load_initial",
        state: State::Native,
        refused: &["insar_processor = doris", "insar_processor = isce", "insar_processor = gsar"],
    },
    Readiness {
        stage: 2,
        scope: Scope::Patch,
        name: "Estimate gamma",
        rust_entry: "native_stage2::run_stage2_native",
        python_entry: "stage2_estimate_gamma",
        state: State::Native,
        refused: &["quick_est_gamma_flag = n"],
    },
    native(
        3,
        Scope::Patch,
        "Select PS pixels",
        "native_stage3::run_stage3_native",
        "stage3_select_ps",
    ),
    native(
        4,
        Scope::Patch,
        "Weed adjacent pixels",
        "native_stage4::run_stage4_native",
        "stage4_weed_ps",
    ),
    native(
        5,
        Scope::Patch,
        "Correct phase",
        "native_stage5::run_stage5_patch_native",
        "stage5_correct_and_promote",
    ),
    native(
        5,
        Scope::Merged,
        "Merge patches",
        "native_stage5::run_stage5_merge_native",
        "stage5_merge_and_ifgstd",
    ),
    Readiness {
        stage: 6,
        scope: Scope::Merged,
        name: "Unwrap phase",
        rust_entry: "native_stage6::run_stage6_native",
        python_entry: "stage6_unwrap",
        state: State::Native,
        refused: &[
            "unwrap_hold_good_values = y with small baselines",
            "tropo_method = combinations of corrections",
        ],
    },
    Readiness {
        stage: 7,
        scope: Scope::Merged,
        name: "Calculate SCLA",
        rust_entry: "native_stage7::run_stage7_native",
        python_entry: "stage7_calc_scla",
        state: State::Native,
        refused: &["tropo_method = combinations of corrections"],
    },
    native(8, Scope::Merged, "Filter SCN", "native_stage8::run_stage8_native", "stage8_filter_scn"),
];

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Patch => "patch",
            Self::Merged => "merged",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Native => "native",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_patch_and_four_merged_scopes_in_order() {
        let patch = INVENTORY.iter().filter(|r| r.scope == Scope::Patch).count();
        assert_eq!((patch, INVENTORY.len() - patch), (5, 4));
        assert!(INVENTORY.windows(2).all(|pair| pair[0].stage <= pair[1].stage));
        for record in INVENTORY {
            assert!(record.rust_entry.starts_with(&format!("native_stage{}::", record.stage)));
            assert!(record.python_entry.starts_with(&format!("stage{}_", record.stage)));
        }
    }
}
