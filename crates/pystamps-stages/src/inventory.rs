//! What is written, not measured, of the nine stage scopes.

use crate::{EVIDENCE, Readiness, Scope};

/// What combines several tropospheric corrections (products.md 7) is not native.
const SEVERAL_CORRECTIONS: &str = "tropo_method = combinations of corrections";
/// Of small baselines alone.
const HELD_VALUES: &str = "unwrap_hold_good_values = y (small baselines)";

/// The nine stage scopes in the order of processing.
pub static INVENTORY: [Readiness; 9] = [
    Readiness {
        stage: 1,
        scope: Scope::Patch,
        name: "Initial load",
        rust_entry: "native_stage1::run_stage1_native",
        python_entry: "stage1_load_initial",
        kernels: &[],
        refused: &["insar_processor = doris", "insar_processor = isce", "insar_processor = gsar"],
        evidence: &EVIDENCE[0],
    },
    Readiness {
        stage: 2,
        scope: Scope::Patch,
        name: "Estimate gamma",
        rust_entry: "native_stage2::run_stage2_native",
        python_entry: "stage2_estimate_gamma",
        kernels: &[
            "stage2_grid_accumulate",
            "stage2_histogram",
            "stage2_topofit",
            "stage2_topofit_coh_row_invariant",
        ],
        refused: &["quick_est_gamma_flag = n"],
        evidence: &EVIDENCE[1],
    },
    Readiness {
        stage: 3,
        scope: Scope::Patch,
        name: "Select PS pixels",
        rust_entry: "native_stage3::run_stage3_native",
        python_entry: "stage3_select_ps",
        kernels: &["stage2_histogram", "stage2_topofit"],
        refused: &[],
        evidence: &EVIDENCE[2],
    },
    Readiness {
        stage: 4,
        scope: Scope::Patch,
        name: "Weed adjacent pixels",
        rust_entry: "native_stage4::run_stage4_native",
        python_entry: "stage4_weed_ps",
        kernels: &["stage4_edge_stats"],
        refused: &[],
        evidence: &EVIDENCE[3],
    },
    Readiness {
        stage: 5,
        scope: Scope::Patch,
        name: "Correct phase",
        rust_entry: "native_stage5::run_stage5_patch_native",
        python_entry: "stage5_correct_and_promote",
        kernels: &[],
        refused: &[],
        evidence: &EVIDENCE[4],
    },
    Readiness {
        stage: 5,
        scope: Scope::Merged,
        name: "Merge patches",
        rust_entry: "native_stage5::run_stage5_merge_native",
        python_entry: "stage5_merge_and_ifgstd",
        kernels: &[],
        refused: &[],
        evidence: &EVIDENCE[5],
    },
    Readiness {
        stage: 6,
        scope: Scope::Merged,
        name: "Unwrap phase",
        rust_entry: "native_stage6::run_stage6_native",
        python_entry: "stage6_unwrap",
        kernels: &["stage8_edge_noise"],
        refused: &[HELD_VALUES, SEVERAL_CORRECTIONS],
        evidence: &EVIDENCE[6],
    },
    Readiness {
        stage: 7,
        scope: Scope::Merged,
        name: "Calculate SCLA",
        rust_entry: "native_stage7::run_stage7_native",
        python_entry: "stage7_calc_scla",
        kernels: &["stage7_scla"],
        refused: &[SEVERAL_CORRECTIONS],
        evidence: &EVIDENCE[7],
    },
    Readiness {
        stage: 8,
        scope: Scope::Merged,
        name: "Filter SCN",
        rust_entry: "native_stage8::run_stage8_native",
        python_entry: "stage8_filter_scn",
        kernels: &["stage8_edge_noise"],
        // Its edges are analysed as stage 6 does it.
        refused: &[HELD_VALUES, SEVERAL_CORRECTIONS],
        evidence: &EVIDENCE[8],
    },
];
