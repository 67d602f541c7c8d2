//! Stage 5 of the project: one set of PS out of those of all patches.

use std::collections::BTreeMap;
use std::path::Path;

use super::interferogram_noise::write_interferogram_noise;
use super::joined::Joined;
use super::merge_inputs::{
    PATCH_FILES, PatchRows, PatchSets, check_same_interferograms, missing_files,
};
use super::merge_outputs::{Memory, MergedOutputs};
use super::patchwise::write_patchwise_results;
use super::resampling::{Resampling, largest_coherence};
use crate::error::{Diagnostic, IoContext, Result};
use crate::parameter_checks::out_of_range;
use crate::patch_scope::{acting_parameters, recorded_parameters};
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::dataset::{Patch, patches, patches_at_hand};
use crate::project::layout::patch::PATCH_NOOVER_IN;
use crate::project::layout::{AFTER_MERGED_STAGE_5, MERGED_STAGE_5, bundles};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome, open_scope, settle};
use crate::stage_definition::{Demands, InputFile, Need, StageFiles};

/// Raised whenever the merge may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

const ACTING_PARAMETERS: [&str; 3] =
    ["small_baseline_flag", "merge_resample_size", "merge_standard_dev"];

/// Peak memory of the merge of patches with `rows` PS together, with `threads` threads, bytes: places
/// of all rows, and a column of one array a thread. Neither patches nor interferograms count, as
/// long as patches are stored without compression.
pub fn merge_memory_bytes(rows: u64, threads: u64) -> u64 {
    const BASE_BYTES: u64 = 8 << 20;
    const THREAD_BYTES: u64 = 1 << 18;
    BASE_BYTES + threads * THREAD_BYTES + rows * (170 + 45 * threads)
}

/// What the merge takes besides if it resamples: places and weights of the rows in their cells.
/// Measured with 34,000 and 89,000 rows.
pub(crate) const fn resampling_bytes(rows: u64) -> u64 {
    rows * 190
}

/// Merges the patches of the project `dataset`, or those that have results where the options allow it, and
/// estimates the noise of its interferograms.
///
/// # StaMPS compatibility
/// `ps_merge_patches` and `ps_calc_ifg_std`, stage5.md B and C. Patches without PS are left out;
/// `patch.list` stays as it is. With `merge_resample_size` the largest coherence is that of the
/// chosen random engine.
///
/// # Errors
/// `patch-not-corrected`, `no-ps`, `patches-disagree`; diagnostics about parameters and files; memory
/// limit; I/O errors. The project is then unchanged.
pub fn run_stage5_merge_native(
    dataset: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let root = &std::path::absolute(dataset).while_doing("find the project")?;
    Parameters::load(root)?;
    let lock = open_scope(root, "stage 5, merge", progress)?;
    for patch in patches(root)? {
        settle(&patch.folder, progress)?;
    }
    let parameters = acting_parameters(root, options)?;
    let rules = MergeRules::of(&parameters, options)?;
    let sets = mergeable_patches(root, options, progress)?;
    let demanded = || merge_demands(root, &parameters, options);
    let stage = ScopeStage { files: merge_files(rules.network), demands: &demanded };
    stage.run(&lock, options, progress, |staging| {
        merge(&sets, &rules, options.memory_limit_bytes, staging, progress)
    })
}

/// The patches to merge; says which ones are left out for want of results.
fn mergeable_patches(
    root: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<PatchSets> {
    let sets = PatchSets::of(root, options.partial_without.as_deref().unwrap_or_default())?;
    if options.partial_without.is_none() {
        sets.refuse_incomplete()?;
    }
    sets.refuse_without_ps(root)?;
    for name in sets.incomplete_names() {
        progress.note(&format!("{name} has no usable results of stage 5: left out of the merge"));
    }
    Ok(sets)
}

/// What the parameters ask for.
struct MergeRules {
    network: Network,
    heading_deg: f64,
    resampling: Option<Resampling>,
}

impl MergeRules {
    fn of(parameters: &Parameters, options: &StageOptions) -> Result<Self> {
        let cell_m = parameters.number("merge_resample_size")?;
        if !(cell_m >= 0.0 && cell_m.is_finite()) {
            return Err(out_of_range("merge_resample_size", "metres, or 0 for none", cell_m));
        }
        let deviation_rad = parameters.number("merge_standard_dev")?;
        if deviation_rad.is_nan() || deviation_rad <= 0.0 {
            return Err(out_of_range(
                "merge_standard_dev",
                "radians above 0, or Inf",
                deviation_rad,
            ));
        }
        let resampling = Resampling {
            cell_m,
            smallest_weight: 1.0 / (deviation_rad * deviation_rad),
            largest_coherence: largest_coherence(options.random_engine),
        };
        let heading = parameters.get("heading").ok().and_then(|(_, value)| value.to_scalar());
        Ok(Self {
            network: Network::of(parameters)?,
            // Without a heading the coordinates are not rotated, as with 0.
            heading_deg: heading.unwrap_or(0.0),
            resampling: (cell_m > 0.0).then_some(resampling),
        })
    }

    /// What decides the result besides parameters and files.
    fn recorded(&self, patches: &[Patch]) -> BTreeMap<String, serde_json::Value> {
        let names: Vec<&str> = patches.iter().map(|patch| patch.name.as_str()).collect();
        let mut recorded = BTreeMap::from([
            ("heading".to_owned(), self.heading_deg.to_string().into()),
            ("patches".to_owned(), names.join(" ").into()),
        ]);
        if let Some(resampling) = &self.resampling {
            let value = resampling.largest_coherence.to_string();
            recorded.insert("largest_coherence".to_owned(), value.into());
        }
        recorded
    }
}

/// The files of the merge.
pub(crate) fn merge_files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "5",
        marker: "ifgstd2.mat",
        telling_variable: None,
        bundle: bundles::MERGE,
        extra: bundles::MERGE_EXTRA,
        needs_bundle: true,
        // What comes before it takes away: files of the preparation.
        writes: MERGED_STAGE_5.split_at(2).1,
        invalidated_stages: &["6", "7", "8"],
        own_files: MERGED_STAGE_5,
        invalidated_files: AFTER_MERGED_STAGE_5,
        // Stage 6 replaces the zeros by unwrapped phase.
        shared_files: &["psver.mat", "phuw2.mat"],
    }
}

/// What the merge of the project at `root` needs. Patches without results are told, not refused.
///
/// # Errors
/// Diagnostics about parameters; those of discovery and of MATLAB files.
pub(crate) fn merge_demands(
    root: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let rules = MergeRules::of(parameters, options)?;
    let mut recorded = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    if patches_at_hand(root)?.is_none() {
        let demands = Demands::new(root, ALGORITHM_VERSION, recorded, &[]);
        return Ok(Demands { put_away: true, ..demands });
    }
    let sets = PatchSets::of(root, options.partial_without.as_deref().unwrap_or_default())?;
    recorded.extend(rules.recorded(&sets.with_ps));
    let mut demands = Demands::new(root, ALGORITHM_VERSION, recorded, &[]);
    for patch in &sets.with_ps {
        let window = patch.folder.join(PATCH_NOOVER_IN);
        demands.inputs.push(InputFile::new(window, Need::OfPreparation));
        let files = PATCH_FILES.map(|input| InputFile::in_scope(&patch.folder, input));
        demands.inputs.extend(files);
    }
    for patch in &sets.incomplete {
        let files = missing_files(patch).map(|input| format!("{}/{}", patch.name, input.file));
        demands.left_out.extend(files);
    }
    Ok(demands)
}

fn merge(
    sets: &PatchSets,
    rules: &MergeRules,
    limit_bytes: Option<u64>,
    staging: &Path,
    progress: &Progress,
) -> Result<Computed> {
    let patches: Vec<PatchRows> = sets
        .with_ps
        .iter()
        .map(|patch| PatchRows::read(patch, rules.network))
        .collect::<Result<_>>()?;
    let rows: usize = patches.iter().map(PatchRows::len).sum();
    let threads = rayon::current_num_threads() as u64;
    let extra_bytes = rules.resampling.as_ref().map_or(0, |_| resampling_bytes(rows as u64));
    let needed_bytes = merge_memory_bytes(rows as u64, threads) + extra_bytes;
    check_memory(limit_bytes, needed_bytes, "the merge of patches")?;
    check_same_interferograms(&patches)?;
    let joined = Joined::of(&patches, rules.resampling.as_ref(), rules.heading_deg)?;
    if joined.len() == 0 {
        return Err(nothing_left(rows).data());
    }
    let resampled = rules.resampling.is_some();
    let memory = Memory { limit_bytes, needed_bytes };
    MergedOutputs { patches: &patches, joined: &joined, resampled, staging, memory }
        .write(progress)?;
    write_patchwise_results(&patches, &joined, staging, progress)?;
    let stack = Stack::load(staging, 2, rules.network)?;
    write_interferogram_noise(staging, &stack, progress)?;
    Ok((joined.len() as u64, details(&joined, rows, sets)))
}

fn nothing_left(rows: usize) -> Diagnostic {
    Diagnostic::new("no-ps", "no cell of the merge has enough weight")
        .variable("merge_resample_size, merge_standard_dev")
        .expected("PS inside the windows in patch_noover.in, of at least one patch")
        .found(format!("{rows} PS outside, or noisier than merge_standard_dev"))
        .remedy("set merge_standard_dev to Inf, or merge_resample_size to 0")
}

fn details(joined: &Joined, rows: usize, sets: &PatchSets) -> String {
    let patches = sets.with_ps.len();
    let mut parts = vec![format!("{} PS out of {rows} in {patches} patches", joined.len())];
    if joined.order.duplicates > 0 {
        parts.push(format!("{} at the position of a better one", joined.order.duplicates));
    }
    if !sets.without_ps.is_empty() {
        parts.push(format!("without PS: {}", sets.without_ps.join(", ")));
    }
    if !sets.incomplete.is_empty() {
        parts.push(format!("left out, without results: {}", sets.incomplete_names().join(", ")));
    }
    parts.join("; ")
}
