//! Stage 6, phase unwrapping of the merged project.
//!
//! | reads | writes |
//! |---|---|
//! | `rc2.mat` (stage 5), `ps2 pm2 bp2 la2` | `phuw2.mat`, with small baselines `phuw_sb2 phuw2 phuw_sb_res2`: phase of the PS |
//! | `scla_smooth2.mat` (stage 7 of an earlier pass) | `uw_grid uw_interp uw_space_time uw_phaseuw`: grid, edges, series, nodes |
//! | `tca2.mat` (tropospheric correction) | `uw_solver.json`, `uw_certificate.mat`: the proof; `pystamps_costs/` on request |
//!
//! ```text
//! phase (of the PS) -> nodes, node_phase (sums on a grid, filtered)
//!   -> edge_analysis (expected differences and their noise) -> costs
//!   -> solution (whole cycles, by pystamps-unwrap), certificates -> transfer (phase of the PS)
//!   -> inversion (small baselines)
//! ```
//!
//! # StaMPS compatibility
//! `ps_unwrap` and `uw_3d`, stage6.md. Triangle is not needed: the nearest node of a cell is found
//! exactly, the smallest number on ties, or taken from a file of the original's. SNAPHU is replaced by an
//! exact solver of the very problem that SNAPHU is handed, with arcs without statistics at one a cycle. The annealing of `3D` with
//! several masters is seeded, and so repeatable, but equal to the original's only in its statistics.
//! `unwrap_hold_good_values` is refused.

pub(crate) mod certificates;
pub(crate) mod checkpoint;
mod costs;
mod demands;
mod edge_analysis;
mod edge_series_again;
mod files;
mod incidence;
mod inversion;
pub(crate) mod memory;
mod nearest;
mod node_phase;
mod nodes;
mod phase;
mod rules;
mod run;
mod series_network;
mod snaphu;
mod solution;
mod transfer;
mod unwrapping;
mod verify;

use std::path::Path;

use crate::error::Result;
use crate::merged_scope::open_merged;
use crate::progress::Progress;
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::stage::{ScopeStage, StageOptions, StageOutcome, StageStatus, UnwrappingSolver};

use checkpoint::Checkpoints;
pub(crate) use demands::{analysis_parameters, demands, files, is_unwrapped, marker};
pub(crate) use edge_series_again::write_edge_series;
use rules::Rules;
use run::{Geometry, Unwrapping};
use snaphu::{External, KEPT_FOLDER};
pub use verify::{Verification, VerifiedInterferogram, verify_unwrapping};

/// Raised whenever stage 6 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Unwraps the merged project `dataset`.
///
/// # Errors
/// `phase-missing`, `grid-too-small`, `nearest-nodes`, `interferograms-all-dropped`, `unwrapping-failed`; diagnostics
/// about parameters and files; memory limit; I/O errors. The project is then unchanged, and finished
/// interferograms are not solved again.
pub fn run_stage6_native(
    dataset: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let (root, lock, parameters) = open_merged(dataset, "6", options, progress)?;
    let root = root.as_path();
    let rules = Rules::of(&parameters)?;
    let external = match options.solver {
        UnwrappingSolver::Snaphu => Some(External::find()?),
        UnwrappingSolver::Native => None,
    };
    let demanded = || demands(root, &parameters, options);
    let stage = ScopeStage { files: files(rules.network), demands: &demanded };
    let outcome = stage.run(&lock, options, progress, |staging| {
        let work = Unwrapping { root, parameters: &parameters, rules: &rules, options, staging };
        work.run(external.as_ref(), progress)
    })?;
    Checkpoints::clear(root);
    let skipped = outcome.status == StageStatus::SkippedExisting;
    if options.keep_costs && skipped && !root.join(KEPT_FOLDER).exists() {
        progress.note("no costs were kept then: --force unwraps again and keeps them");
    }
    Ok(outcome)
}

/// PS, cells, nodes and edges of the merged project `root`, for plans.
///
/// # Errors
/// Those of parameters, `ps2.mat` and the grid.
pub(crate) fn grid_counts(root: &Path, parameters: &Parameters) -> Result<[u64; 4]> {
    let rules = Rules::of(parameters)?;
    let stack = Stack::load(root, 2, rules.network)?;
    let Geometry { nodes, edges, .. } = Geometry::of(root, &stack, &rules, None)?;
    let [rows, columns] = nodes.shape();
    Ok([stack.row_count(), rows * columns, nodes.len(), edges.ends.len()].map(|n| n as u64))
}
