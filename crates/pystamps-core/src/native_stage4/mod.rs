//! Stage 4, weeding: of the selected candidates those stay as PS that have no better neighbour and
//! agree with their surroundings.
//!
//! | reads | writes |
//! |---|---|
//! | `select1.mat` (stage 3): selection and second estimate | `weed1.mat`: which rows stay, their noise |
//! | `pm1.mat` (stage 2): smoothed phase | `ps2 ph2 pm2 bp2`: everything said of the PS |
//! | `ps1 ph1 bp1 (hgt1 la1 inc1)` (stage 1) | `hgt2 la2 inc2`, `psver.mat`, `no_ps_info.mat` |
//!
//! The flow: `selection`, then in `weeding` `neighbours` -> `network` (edges) -> `noise` ->
//! `promotion` (outputs).
//!
//! # StaMPS compatibility
//! `ps_weed`, stage4.md. Edges are those of our own triangulation (`triangulation` in the kernels has
//! the rule for ties), from the lower to the higher row, or those of a file. A PS without edges
//! keeps an infinite deviation and is dropped, and so are two PS alone, because a single edge has
//! no variance to weight by, as in the original. A zero phase, which silently drops everything in
//! the original, is refused with the interferogram's name. The second set of candidates
//! (`all_da_flag`) is refused by having no option. A patch without PS is marked in
//! `no_ps_info.mat`; the original's driver takes that mark back.

pub(crate) mod neighbours;
pub(crate) mod network;
mod noise;
pub(crate) mod promotion;
pub(crate) mod selection;
mod weeding;

use std::path::Path;

use crate::error::{IoContext, Result};
use crate::parameter_checks::dropped_interferograms;
use crate::patch_scope::{Input, PatchScope, optional, recorded_parameters, required};
use crate::progress::Progress;
use crate::project::layout::bundles;
use crate::project::layout::patch_results::{AFTER_STAGE_4, STAGE_4};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::stage::{ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::{Demands, InputFile, Need, REWRITTEN_FILES, Recorded, StageFiles};

use weeding::{Patch, Rules};

/// Raised whenever stage 4 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Parameters that decide what stage 4 does.
const ACTING_PARAMETERS: [&str; 7] = [
    "small_baseline_flag",
    "weed_neighbours",
    "weed_zero_elevation",
    "weed_standard_dev",
    "weed_max_noise",
    "weed_time_win",
    "drop_ifg_index",
];

/// Files that stage 4 reads.
pub(crate) const INPUTS: [Input; 8] = [
    required("select1.mat", 3),
    required("pm1.mat", 2),
    required("ps1.mat", 1),
    required("ph1.mat", 1),
    required("bp1.mat", 1),
    optional("hgt1.mat"),
    optional("la1.mat"),
    optional("inc1.mat"),
];

/// Peak memory of stage 4 on `candidates` of which stage 3 kept `selected`, compared along `edges` in
/// `interferograms` with `threads` threads, bytes: that of reading or of comparing, whichever takes
/// more. Fitted to resident sets, see `python -m parity.bench_stages`. Only the phase of selected candidates is held.
pub fn stage4_memory_bytes(
    candidates: u64,
    selected: u64,
    interferograms: u64,
    edges: u64,
    threads: u64,
) -> u64 {
    const BASE_BYTES: u64 = 8 << 20;
    const THREAD_BYTES: u64 = 1 << 18;
    // `ps1.mat` as it is read and reduced, columns as they are picked from all candidates.
    let reading = candidates * (110 + 8 * threads) + selected * (170 + 4 * threads);
    // Phase, estimates and triangulation of the selected; ends and noise of the edges, and the
    // moments of their blocks.
    let comparing = candidates * 45
        + selected * (60 + 8 * interferograms)
        + edges * (24 + interferograms / 32)
        + threads * interferograms * 1024;
    BASE_BYTES + threads * THREAD_BYTES + reading.max(comparing)
}

/// The files of stage 4.
pub(crate) fn files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "4",
        marker: "weed1.mat",
        telling_variable: None,
        bundle: bundles::STAGE_4,
        extra: bundles::STAGE_4_EXTRA,
        needs_bundle: false,
        // The rest of its own files it takes away.
        writes: STAGE_4.split_at(10).0,
        invalidated_stages: &["5"],
        own_files: STAGE_4,
        invalidated_files: AFTER_STAGE_4,
        shared_files: REWRITTEN_FILES,
    }
}

/// What stage 4 needs in the patch `folder`.
///
/// # Errors
/// Diagnostics about parameters; I/O errors for a file of edges that is not there.
pub(crate) fn demands(
    folder: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let parameters = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    let mut demands = Demands::new(folder, ALGORITHM_VERSION, parameters, &INPUTS);
    if let Some(edges) = &options.edges {
        fs_err::metadata(edges).while_doing("examine the file of edges")?;
        let edges = InputFile::new(edges.clone(), Need::Optional);
        demands.inputs.push(InputFile { recorded: Recorded::As("edges"), ..edges });
    }
    Ok(demands)
}

/// Weeds the selected candidates of the patch `folder` and writes version 2 of its files.
///
/// # Errors
/// Diagnostics about missing files, disagreeing lengths, phase that is missing, parameters and a
/// wrong edge file; memory limit; I/O errors. The patch is then unchanged.
pub fn run_stage4_native(
    folder: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let scope = PatchScope::open(folder, "4", options, progress)?;
    let rules = Rules::of(&scope.parameters)?;
    let demanded = || demands(&scope.folder, &scope.parameters, options);
    let stage = ScopeStage { files: files(rules.network), demands: &demanded };
    stage.run(&scope.lock, options, progress, |staging| {
        let stack = Stack::load(&scope.folder, 1, rules.network)?;
        let dropped = dropped_interferograms(&scope.parameters, stack.interferogram_count())?;
        let all = 0..stack.interferogram_count();
        let used: Vec<usize> = all.filter(|column| !dropped.contains(column)).collect();
        let patch = Patch { folder: &scope.folder, stack: &stack, used: &used, rules: &rules };
        patch.weed(options, staging, progress)
    })
}
