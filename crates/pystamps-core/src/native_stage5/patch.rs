//! Stage 5 of one patch: completes version 2 of its files and corrects its phase.

use std::path::Path;

use pystamps_mat::{Value, read_variable};

use super::correction::write_corrected;
use crate::error::{Diagnostic, Result};
use crate::mat_output::{no_ps_info_after, single_variable, write_variables};
use crate::native_stage4::INPUTS as WEEDING_INPUTS;
use crate::native_stage4::promotion::Promotion;
use crate::native_stage4::selection::Selection;
use crate::patch_scope::{Input, PatchScope, recorded_parameters, required};
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::layout::bundles;
use crate::project::ledger::Ledger;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::compressed_bytes;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::{Demands, REWRITTEN_FILES, StageFiles};

/// Raised whenever stage 5 of a patch may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Version 2 of the patch's files.
const CORRECTION_INPUTS: [Input; 4] = [
    required("ps2.mat", 4),
    required("ph2.mat", 4),
    required("pm2.mat", 4),
    required("bp2.mat", 4),
];

/// Peak memory of stage 5 on a patch of `scatterers` PS with `threads` threads, bytes: phase is
/// streamed, so the number of interferograms does not matter.
pub fn stage5_patch_memory_bytes(scatterers: u64, threads: u64) -> u64 {
    const BASE_BYTES: u64 = 7 << 20;
    const THREAD_BYTES: u64 = 1 << 18;
    // Positions, estimates and their files; a column of phase, model and baseline a thread.
    BASE_BYTES + threads * THREAD_BYTES + scatterers * (30 + 20 * threads)
}

/// Corrects the phase of the patch `folder`; makes version 2 of its files first where only
/// `weed1.mat` is there.
///
/// # StaMPS compatibility
/// `ps_correct_phase`, stage5.md A; the making of version 2 is orchestration.md's addition.
///
/// # Errors
/// Diagnostics about missing files and disagreeing lengths, memory limit, I/O errors. The patch is
/// then unchanged.
pub fn run_stage5_patch_native(
    folder: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let scope = PatchScope::open(folder, "5", options, progress)?;
    let network = Network::of(&scope.parameters)?;
    let demanded = || patch_demands(&scope.folder, &scope.parameters, options);
    let stage = ScopeStage { files: patch_files(network), demands: &demanded };
    stage.run(&scope.lock, options, progress, |staging| {
        let promote = promotion_is_due(&scope.folder)?;
        let limit = options.memory_limit_bytes;
        compute(&scope.folder, network, promote, limit, staging, progress)
    })
}

/// The files of stage 5 in a patch.
pub(crate) fn patch_files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "5",
        marker: "rc2.mat",
        telling_variable: None,
        bundle: bundles::STAGE_5,
        extra: bundles::STAGE_5_EXTRA,
        needs_bundle: false,
        writes: bundles::CORRECTED,
        invalidated_stages: &[],
        own_files: &["rc2.mat"],
        invalidated_files: &[],
        shared_files: REWRITTEN_FILES,
    }
}

/// What stage 5 needs in the patch `folder`.
///
/// # Errors
/// Diagnostics about parameters and the ledger.
pub(crate) fn patch_demands(
    folder: &Path,
    parameters: &Parameters,
    _options: &StageOptions,
) -> Result<Demands> {
    correction_demands(folder, parameters, promotion_is_due(folder)?)
}

/// What stage 5 needs in the patch `folder`, which makes version 2 of its files or finds it there.
///
/// # Errors
/// Diagnostics about parameters.
pub(crate) fn correction_demands(
    folder: &Path,
    parameters: &Parameters,
    promotes: bool,
) -> Result<Demands> {
    // Version 2 is made of what stage 4 reads and decides.
    let inputs = if promotes {
        [&[required("weed1.mat", 4)][..], &WEEDING_INPUTS].concat()
    } else {
        CORRECTION_INPUTS.to_vec()
    };
    let parameters = recorded_parameters(parameters, &["small_baseline_flag"])?;
    let demands = Demands::new(folder, ALGORITHM_VERSION, parameters, &inputs);
    let more_writes = if promotes { bundles::PROMOTED } else { &[] };
    Ok(Demands { more_writes, ..demands })
}

/// Whether version 2 has to be made from `weed1.mat`: it is missing, or came about that way.
fn promotion_is_due(folder: &Path) -> Result<bool> {
    let ledger = Ledger::load(folder)?;
    let made = ledger.stage("5").is_some_and(|entry| {
        entry.outputs.iter().any(|output| bundles::PROMOTED.contains(&output.path.as_str()))
    });
    let missing = CORRECTION_INPUTS.iter().any(|input| !folder.join(input.file).is_file());
    Ok(made || (missing && folder.join("weed1.mat").is_file()))
}

fn compute(
    folder: &Path,
    network: Network,
    promote: bool,
    limit_bytes: Option<u64>,
    staging: &Path,
    progress: &Progress,
) -> Result<Computed> {
    let threads = rayon::current_num_threads() as u64;
    let arrays = [("ph2.mat", "ph"), ("bp2.mat", "bperp_mat"), ("pm2.mat", "ph_patch")];
    let compressed = compressed_bytes(folder, &arrays)?;
    let check = |rows: usize| {
        let needed = stage5_patch_memory_bytes(rows as u64, threads);
        check_memory(limit_bytes, needed + compressed, "stage 5")
    };
    let version_2 = if promote {
        let stack = Stack::load(folder, 1, network)?;
        check(stack.row_count())?;
        promote_weeded(folder, &stack, staging, progress)?;
        staging
    } else {
        folder
    };
    let stack = Stack::load(version_2, 2, network)?;
    check(stack.row_count())?;
    write_corrected(version_2, &stack, staging, progress)?;
    let rows = stack.row_count();
    write_variables(staging, "psver.mat", &single_variable("psver", Value::scalar(2.0)))?;
    write_variables(staging, "no_ps_info.mat", &no_ps_info_after(folder, 5, rows == 0)?)?;
    let details = if rows == 0 { "no PS".to_owned() } else { format!("{rows} PS corrected") };
    Ok((rows as u64, details))
}

/// Makes version 2 of the patch's files for the rows that `weed1.mat` keeps.
fn promote_weeded(folder: &Path, stack: &Stack, staging: &Path, progress: &Progress) -> Result<()> {
    let selection = Selection::read(folder, stack.row_count())?;
    let path = folder.join("weed1.mat");
    let flags = read_variable(&path, "ix_weed")?.to_f64_vec().unwrap_or_default();
    if flags.len() != selection.len() {
        return Err(Diagnostic::new("variable-shape", "weeding does not fit the selection")
            .path(&path)
            .variable("ix_weed")
            .expected(format!("{} flags, one a row that stage 3 kept", selection.len()))
            .found(flags.len())
            .remedy("run stage 4 again")
            .data());
    }
    let keep: Vec<bool> = flags.iter().map(|&flag| flag != 0.0).collect();
    let chosen = selection.filtered(&keep);
    Promotion { folder, stack, chosen: &chosen }.write(staging, progress)
}
