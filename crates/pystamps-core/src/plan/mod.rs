//! Predicts what the stages will need: memory, disk and rows, before anything starts.

mod filters;
mod rates;
pub(crate) mod sizes;
mod stages;
mod state;
mod unwrapping;

use std::path::Path;

use pystamps_kernels::clap::window_count;
use serde::Serialize;

use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::gamma_text::{GammaText, key};
use crate::native_stage2::memory::simulation_bytes;
use crate::patch_scope::acting_parameters;
use crate::project::dataset::{Patch, patches};
use crate::project::layout::patch::CANDIDATES_IJ;
use crate::project::layout::root;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::stage::{RandomEngine, StageOptions};
use crate::status::project_status;

use filters::Filters;
use rates::{Rates, UnwrappingRates};
pub use sizes::PatchSizes;
use stages::Common;
pub use stages::StagePlan;
pub use state::StageState;
use state::States;
pub use unwrapping::MergedSizes;
use unwrapping::unwrapped_count;

/// What is known about one patch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PatchPlan {
    /// Name of the patch.
    pub name: String,
    /// How large the work is.
    #[serde(flatten)]
    pub sizes: PatchSizes,
    /// What every stage needs.
    pub stages: Vec<StagePlan>,
    /// How far every stage is, in the order of `stages`.
    pub states: Vec<StageState>,
}

/// What is known about a project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProjectPlan {
    /// Interferograms listed by preparation.
    pub interferograms: u64,
    /// Patches in processing order.
    pub patches: Vec<PatchPlan>,
    /// What merging them needs.
    pub merge: StagePlan,
    /// Whether they are merged as they are.
    pub merge_state: StageState,
    /// How large the merged project is.
    pub merged_sizes: MergedSizes,
    /// What unwrapping it needs.
    pub unwrap: StagePlan,
    /// Whether it is unwrapped.
    pub unwrap_state: StageState,
    /// What stage 7 needs.
    pub look_angle_error: StagePlan,
    /// Whether it is done.
    pub look_angle_error_state: StageState,
    /// What stage 8 needs.
    pub noise_filter: StagePlan,
    /// Whether it is done.
    pub noise_filter_state: StageState,
    /// What the stages that are due will write, bytes.
    pub due_disk_bytes: u64,
    /// Time of the stages that are due, one after the other, s.
    pub due_seconds: f64,
    /// Free space of the file system, bytes, if the system tells.
    pub free_disk_bytes: Option<u64>,
    /// What a user should know before starting.
    pub warnings: Vec<String>,
}

/// Cycles over the range of baselines assumed for the rate of fitting.
const ASSUMED_TRIAL_WRAPS: f64 = 0.5;

/// Memory of the process itself: program, thread stacks and file buffers in use.
const BASE_BYTES: u64 = 6 << 20;
/// What one thread holds besides its columns: stack and read buffers.
const THREAD_BYTES: u64 = 1 << 20;
/// Bytes stage 1 keeps for one candidate: pixel, position, height, dispersion, viewing geometry,
/// local coordinates, orders, flags, and the text of the list while it is read. Fitted to
/// resident sets; `python -m parity.bench_stage1` prints prediction and measurement.
const CANDIDATE_BYTES: u64 = 156;
/// Bytes a thread holds for one candidate of a phase column: raw and decoded.
const COLUMN_BYTES: u64 = 19;

/// Peak memory of stage 1 on `candidates` with `threads` threads, bytes. The phase is streamed, so
/// the number of interferograms does not matter.
pub fn stage1_memory_bytes(candidates: u64, threads: u64) -> u64 {
    BASE_BYTES + threads * THREAD_BYTES + candidates * (CANDIDATE_BYTES + threads * COLUMN_BYTES)
}

/// Refuses work that needs more than the limit, before it starts.
///
/// # Errors
/// `memory-limit` with the need.
pub fn check_memory(limit_bytes: Option<u64>, needed_bytes: u64, work: &str) -> Result<()> {
    match limit_bytes {
        Some(limit) if limit < needed_bytes => Err(memory_refusal(limit, needed_bytes, work)),
        _ => Ok(()),
    }
}

fn memory_refusal(limit: u64, needed: u64, work: &str) -> Error {
    Diagnostic::new("memory-limit", format!("{work} does not fit into the memory limit"))
        .variable("--memory-limit")
        .expected(format!("at least {}", display_bytes(needed)))
        .found(display_bytes(limit))
        .remedy("raise the limit, use fewer threads, or prepare the project with more patches")
        .usage()
}

/// Whether times are predicted, for which the machine has to be timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Predicted: takes two seconds.
    Measured,
    /// Not a number.
    LeftOut,
}

/// Examines the project at `folder`; what is due is judged by the choices of `options`.
///
/// # Errors
/// Those of [`patches`] and of reading the control files.
pub fn plan_project(
    folder: &Path,
    threads: u64,
    times: Times,
    options: &StageOptions,
) -> Result<ProjectPlan> {
    let parameters = acting_parameters(folder, options)?;
    let interferograms = interferogram_count(folder, &parameters)?;
    let merged = folder.join("ps2.mat").is_file() && folder.join("ifgstd2.mat").is_file();
    let listed = match patches(folder) {
        Ok(listed) => listed,
        // The patches of a merged project may have been put away.
        Err(_) if merged => Vec::new(),
        Err(error) => return Err(error),
    };
    let common = common(&parameters, interferograms, threads, times, options.random_engine)?;
    let cell_size_m = crate::parameter_checks::positive(&parameters, "filter_grid_size")?;
    let heading_deg = heading_deg(folder, &parameters);
    let prepared = |patch: &Patch| patch.folder.join(CANDIDATES_IJ).is_file();
    let mut states = States::of(&project_status(folder, options)?);
    let patches: Vec<PatchPlan> = listed
        .into_iter()
        .filter(|patch| !merged || prepared(patch))
        .map(|patch| {
            let sizes = PatchSizes::of(&patch.folder, cell_size_m, heading_deg)?;
            let stages = common.stages(&sizes);
            let states = states.take::<5>(&patch.name).into();
            Ok(PatchPlan { sizes, stages, states, name: patch.name })
        })
        .collect::<Result<_>>()?;
    let merge = common.merge(patches.iter().map(|patch| patch.sizes.kept).sum());
    let free_disk_bytes = free_disk_bytes(folder);
    let mut warnings: Vec<String> =
        patches.iter().flat_map(|patch| patch_warnings(patch, &common)).collect();
    let interferograms = interferograms as u64;
    let sizes = patches.iter().map(|patch| &patch.sizes);
    let merged_sizes = MergedSizes::of(folder, &parameters, sizes)?;
    let used = unwrapped_count(&parameters, interferograms);
    let [merge_state, unwrap_state, look_angle_error_state, noise_filter_state] = states.take(".");
    let rates = match times {
        Times::Measured => UnwrappingRates::measure(used),
        Times::LeftOut => UnwrappingRates::UNKNOWN,
    };
    let unwrap = merged_sizes.plan(used, threads, &rates, common.rates.byte);
    let filters = Filters {
        sizes: &merged_sizes,
        used,
        columns: interferograms + common.master,
        threads,
        byte_seconds: common.rates.byte,
    };
    let look_angle_error = filters.look_angle_error(&parameters)?;
    let noise_filter = filters.noise_filter(&parameters, &rates)?;
    let merged = [
        (&merge, &merge_state),
        (&unwrap, &unwrap_state),
        (&look_angle_error, &look_angle_error_state),
        (&noise_filter, &noise_filter_state),
    ];
    let due: Vec<&StagePlan> = patches
        .iter()
        .flat_map(|patch| patch.stages.iter().zip(&patch.states))
        .chain(merged)
        .filter(|(_, state)| state.is_due())
        .map(|(plan, _)| plan)
        .collect();
    let due_disk_bytes = due.iter().map(|plan| plan.disk_bytes).sum();
    // An empty sum is -0.
    let due_seconds = 0.0 + due.iter().map(|plan| plan.seconds).sum::<f64>();
    warnings.extend(disk_warning(due_disk_bytes, free_disk_bytes));
    Ok(ProjectPlan {
        interferograms,
        patches,
        merge,
        merge_state,
        merged_sizes,
        unwrap,
        unwrap_state,
        look_angle_error,
        look_angle_error_state,
        noise_filter,
        noise_filter_state,
        due_disk_bytes,
        due_seconds,
        free_disk_bytes,
        warnings,
    })
}

/// Interferograms that preparation listed or, without its list, that the first loaded patch or the
/// merged project has.
fn interferogram_count(folder: &Path, parameters: &Parameters) -> Result<usize> {
    let list = folder.join(root::PSCPHASE_IN);
    if !list.is_file() {
        let network = Network::of(parameters)?;
        for patch in patches(folder).unwrap_or_default() {
            if patch.folder.join("ps1.mat").is_file() {
                return Ok(Stack::load(&patch.folder, 1, network)?.measured().len());
            }
        }
        if folder.join("ps2.mat").is_file() {
            return Ok(Stack::load(folder, 2, network)?.measured().len());
        }
    }
    let text = fs_err::read_to_string(list).while_doing("count the interferograms")?;
    Ok(text.lines().skip(1).filter(|line| !line.trim().is_empty()).count())
}

/// Flight direction as stage 1 will find it or has noted it, clockwise from north; NaN if nothing tells.
fn heading_deg(folder: &Path, parameters: &Parameters) -> f64 {
    let master = fs_err::read_to_string(folder.join(root::RSC_TXT)).ok();
    let text = master.and_then(|path| GammaText::read(Path::new(path.trim())).ok());
    let found = text.and_then(|text| text.number(key::HEADING_DEG).ok());
    let noted = || parameters.get("heading").ok().and_then(|(_, value)| value.to_scalar());
    found.or_else(noted).unwrap_or(f64::NAN)
}

/// What the stages of every patch have in common, and how fast the machine is.
fn common(
    parameters: &Parameters,
    interferograms: usize,
    threads: u64,
    times: Times,
    random_engine: RandomEngine,
) -> Result<Common> {
    let window = crate::parameter_checks::filter_window(parameters)?;
    Ok(Common {
        interferograms: interferograms as u64,
        master: u64::from(!parameters.flag("small_baseline_flag")?),
        threads,
        iterations: crate::parameter_checks::positive(parameters, "gamma_max_iterations")?,
        window_cells: 3 * window / 4,
        simulation_bytes: simulation_bytes(
            random_engine,
            interferograms,
            rayon::current_num_threads(),
        ),
        rates: match times {
            Times::Measured => Rates::measure(interferograms, ASSUMED_TRIAL_WRAPS, window),
            Times::LeftOut => Rates::UNKNOWN,
        },
        resampled: parameters.number("merge_resample_size")? > 0.0,
    })
}

/// What a user should know of a patch.
fn patch_warnings(patch: &PatchPlan, common: &Common) -> Vec<String> {
    let PatchPlan { name, sizes, .. } = patch;
    if sizes.candidates == 0 {
        return vec![format!("{name} has no candidates and yields no PS")];
    }
    let mut warnings = Vec::new();
    for (plan, state) in patch.stages.iter().zip(&patch.states) {
        match state {
            StageState::Done { rows: Some(0) } if plan.stage == 1 => warnings.push(format!(
                "stage 1 kept no row of {name}: no candidate has position and phase"
            )),
            StageState::Damaged { reason } => {
                warnings.push(format!("{name}, stage {}: {reason}", plan.stage));
            }
            StageState::Outdated { reason } => {
                warnings.push(format!("{name}, stage {} is outdated: {reason}", plan.stage));
            }
            StageState::Due | StageState::Done { .. } => {}
        }
    }
    // The largest index of the grid is merged into the one before it.
    let smallest = sizes.cells[0].min(sizes.cells[1]).saturating_sub(1);
    let windows = usize::try_from(smallest).map_or(1, |c| window_count(c, common.window_cells));
    if sizes.cells != [0, 0] && (windows < 1 || smallest < common.window_cells as u64) {
        let [rows, columns] = sizes.cells;
        warnings.push(format!(
            "{name} has {rows} x {columns} grid cells, too few for the filter of stage 2: prepare \
             fewer patches or lower filter_grid_size"
        ));
    }
    warnings
}

fn disk_warning(needed: u64, free_disk_bytes: Option<u64>) -> Option<String> {
    free_disk_bytes.filter(|&free| free < needed).map(|free| {
        let (needed, free) = (display_bytes(needed), display_bytes(free));
        format!("the stages write {needed} but only {free} are free")
    })
}

/// Free space of the file system that holds `folder`, from the system's `df`.
fn free_disk_bytes(folder: &Path) -> Option<u64> {
    let output = std::process::Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(folder)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.lines().nth(1)?.trim().parse().ok()
}

/// A size for people, in powers of 1024.
pub fn display_bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_refused_with_the_need() {
        check_memory(None, 1 << 40, "stage 1").unwrap();
        check_memory(Some(1 << 30), 1 << 30, "stage 1").unwrap();
        let error = check_memory(Some(1 << 20), 3 << 29, "stage 1").unwrap_err();
        assert_eq!((error.name(), error.exit_code()), ("memory-limit", 2));
        assert!(error.to_string().contains("1.5 GiB"), "{error}");
    }

    #[test]
    fn sizes_for_people() {
        assert_eq!(display_bytes(1023), "1023 B");
        assert_eq!(display_bytes(1536), "1.5 KiB");
        assert_eq!(display_bytes(5 << 40), "5.0 TiB");
    }
}
