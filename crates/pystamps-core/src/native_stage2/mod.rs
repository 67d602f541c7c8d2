//! Stage 2: estimates how coherent the phase of every candidate is over the interferograms.
//!
//! | reads | writes |
//! |---|---|
//! | `ps1.mat ph1.mat bp1.mat`, `(da1.mat inc1.mat la1.mat)` | `pm1.mat`: slopes, offsets, coherence, residuals, grid |
//! | `../parms.mat` | `psver.mat no_ps_info.mat` |
//!
//! The model of Hooper et al. (2004, 2007): the phase of a stable scatterer is what its
//! surroundings have in common (a grid, filtered), a slope over the perpendicular baseline (its
//! own DEM error), a constant, and noise. The flow: `inputs` -> `grid` and `reference_histogram`
//! -> `iterate` (`estimate`, then `weighting`, until coherence settles) -> `outputs`.
//!
//! # StaMPS compatibility
//! `ps_est_gamma_quick`, `ps_topofit` and `clap_filt` of stage2.md. Section 4 there is computed in
//! double precision and rounded where the original is in single precision. Deliberate differences:
//! patches smaller than the filter's window, histograms that cannot be scaled, interferograms
//! without any phase and equal baselines are refused; an amplitude dispersion of 0 weighs as much
//! as the least one above 0; NaN samples count as zero. `restart_flag` does not exist.

mod estimate;
mod inputs;
mod iterate;
pub(crate) mod memory;
#[cfg(test)]
mod oracle_tests;
mod outputs;
mod reference_histogram;
pub(crate) mod weighting;

use std::path::Path;

use pystamps_kernels::clap::{ClapFilter, LowPass};
use pystamps_kernels::topofit::Trials;
use pystamps_mat::Value;

use crate::error::Result;
use crate::mat_output::{no_ps_info_after, single_variable, write_variables};
use crate::patch_scope::{PatchScope, optional, recorded_parameters, required};
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::checksums::content_record;
use crate::project::layout::bundles;
use crate::project::layout::patch_results::{AFTER_STAGE_2, STAGE_2};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::{Residence, compressed_bytes};
use crate::scratch::Room;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::{Demands, REWRITTEN_FILES, StageFiles};

use crate::cell_grid::{CellGrid, CellRule};
use estimate::{Estimates, Estimator, Planes};
use inputs::{Inputs, Settings};
use memory::{Need, simulation_bytes};
use outputs::Results;
use reference_histogram::ReferenceHistogram;

pub(crate) use inputs::optional_column;
pub(crate) use iterate::rounding;

/// Raised whenever stage 2 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Difference of coherence below which two slopes are as good as each other.
const NEAR_TIE: f64 = 1e-5;

/// Parameters that decide what stage 2 does.
const ACTING_PARAMETERS: [&str; 12] = [
    "small_baseline_flag",
    "quick_est_gamma_flag",
    "filter_grid_size",
    "filter_weighting",
    "clap_win",
    "clap_low_pass_wavelength",
    "clap_alpha",
    "clap_beta",
    "max_topo_err",
    "lambda",
    "gamma_change_convergence",
    "gamma_max_iterations",
];

/// Runs stage 2 on the patch `folder`.
///
/// # Errors
/// Diagnostics about the inputs and parameters; I/O errors. The patch is then unchanged.
pub fn run_stage2_native(
    folder: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let scope = PatchScope::open(folder, "2", options, progress)?;
    let settings = Settings::of(&scope.parameters)?;
    let demanded = || demands(&scope.folder, &scope.parameters, options);
    let stage = ScopeStage { files: files(Network::of(&scope.parameters)?), demands: &demanded };
    stage.run(&scope.lock, options, progress, |staging| {
        let stack = Stack::load(&scope.folder, 1, Network::of(&scope.parameters)?)?;
        let work = Work { scope: &scope, settings: &settings, options, progress };
        let empty = stack.row_count() == 0;
        let computed =
            if empty { work.record_empty(&stack, staging) } else { work.run(stack, staging) }?;
        write_variables(staging, "psver.mat", &single_variable("psver", Value::scalar(1.0)))?;
        let marks = no_ps_info_after(&scope.folder, 2, empty)?;
        write_variables(staging, "no_ps_info.mat", &marks)?;
        Ok(computed)
    })
}

/// The files of stage 2.
pub(crate) fn files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "2",
        marker: "pm1.mat",
        telling_variable: None,
        bundle: bundles::STAGE_2,
        extra: bundles::MARKS,
        needs_bundle: false,
        writes: STAGE_2,
        invalidated_stages: &["3", "4", "5"],
        invalidated_files: AFTER_STAGE_2,
        own_files: STAGE_2,
        shared_files: REWRITTEN_FILES,
    }
}

/// What stage 2 needs in the patch `folder`.
///
/// # Errors
/// Diagnostics about parameters and the histogram.
pub(crate) fn demands(
    folder: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let mut parameters = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    let inputs = [
        required("ps1.mat", 1),
        required("ph1.mat", 1),
        required("bp1.mat", 1),
        optional("da1.mat"),
        optional("la1.mat"),
        optional("inc1.mat"),
    ];
    let reference = match &options.reference_histogram {
        Some(path) => content_record(path, "reference histogram")?.identity,
        None => format!("simulated, {} engine", options.random_engine),
    };
    parameters.insert("reference_histogram".to_owned(), reference.into());
    Ok(Demands::new(folder, ALGORITHM_VERSION, parameters, &inputs))
}

/// One run on one patch.
struct Work<'a> {
    scope: &'a PatchScope,
    settings: &'a Settings,
    options: &'a StageOptions,
    progress: &'a Progress,
}

impl Work<'_> {
    fn run(&self, stack: Stack, staging: &Path) -> Result<Computed> {
        let Self { settings, progress, .. } = *self;
        let window = 3 * settings.window / 4;
        let grid = CellGrid::covering(&stack.xy_m, &cell_rule(settings.cell_size_m, window))
            .map_err(|error| error.in_file(&self.scope.folder.join("ps1.mat")))?;
        let residence = self.residence(&stack, &grid)?;
        let inputs = Inputs::load(&self.scope.folder, stack, settings, residence)?;
        self.note_what_is_assumed();
        let (rows, columns) = (inputs.stack.row_count(), inputs.phase.column_count());
        let low_pass =
            LowPass::new(settings.window, settings.cell_size_m, settings.low_pass_wavelength_m);
        let estimator = Estimator {
            inputs: &inputs,
            grid: &grid,
            filter: ClapFilter::new(settings.clap_alpha, settings.clap_beta, &low_pass),
            trials: Trials::for_wraps(inputs.trial_wraps),
            rounding: iterate::rounding(inputs.bperp_m.is_single()),
        };
        let reference = self.reference_histogram(&inputs, estimator.trials)?;
        // Beside the folder that is published, inside the one that is cleared afterwards.
        let room = Room { residence, folder: staging.parent().unwrap_or(staging) };
        let mut estimates = Estimates::initial(rows, room.columns(rows, columns)?);
        let mut planes = Planes::empty(grid.cell_count(), columns);
        let outcome = iterate::iterate(
            &estimator,
            settings,
            reference,
            &mut estimates,
            &mut planes,
            progress,
        )?;
        let results = Results {
            inputs: &inputs,
            grid: &grid,
            cell_size_m: settings.cell_size_m,
            low_pass: &low_pass,
            estimates: &estimates,
            planes: &planes,
            outcome: &outcome,
        };
        outputs::write(&results, staging, progress)?;
        Ok((rows as u64, summary(&estimates, outcome.iterations)))
    }

    /// Says what optional inputs and odd settings are taken for.
    fn note_what_is_assumed(&self) {
        let there = |file: &str| self.scope.folder.join(file).is_file();
        if !there("da1.mat") {
            self.progress.note("no da1.mat: every candidate has the same weight at first");
        }
        if !there("la1.mat") && !there("inc1.mat") {
            self.progress.note("no la1.mat, no inc1.mat: an incidence angle of 21 degrees");
        }
        if !self.settings.weights_by_probability {
            self.progress.note("candidates are weighted by signal to noise (filter_weighting)");
        }
    }

    /// Holds phase and baselines in memory unless the limit says otherwise.
    ///
    /// # Errors
    /// `memory-limit` if even reading them again and again takes too much.
    fn residence(&self, stack: &Stack, grid: &CellGrid) -> Result<Residence> {
        let (columns, threads) = (stack.measured().len(), rayon::current_num_threads());
        let need = Need {
            rows: stack.row_count() as u64,
            columns: columns as u64,
            cells: grid.cell_count() as u64,
            threads: threads as u64,
            simulation_bytes: match self.options.reference_histogram {
                Some(_) => 0,
                None => simulation_bytes(self.options.random_engine, columns, threads),
            },
            compressed_bytes: compressed_bytes(
                &self.scope.folder,
                &[("ph1.mat", "ph"), ("bp1.mat", "bperp_mat")],
            )?,
        };
        let limit = self.options.memory_limit_bytes;
        if limit.is_none_or(|limit| need.bytes(Residence::Memory) <= limit) {
            return Ok(Residence::Memory);
        }
        check_memory(limit, need.bytes(Residence::File), "stage 2")?;
        self.progress.note("the phase is read again in every pass to keep to the memory limit");
        Ok(Residence::File)
    }

    /// Arrays without rows for a patch without candidates, so that later stages pass over it.
    fn record_empty(&self, stack: &Stack, staging: &Path) -> Result<Computed> {
        outputs::write_empty(stack, self.settings, staging)?;
        Ok((0, "no candidates: recorded as a patch without PS".to_owned()))
    }

    fn reference_histogram(&self, inputs: &Inputs, trials: Trials) -> Result<ReferenceHistogram> {
        match &self.options.reference_histogram {
            Some(path) => ReferenceHistogram::given(path, inputs.trial_wraps),
            // Weights by signal to noise do without, but what is saved must be usable by stage 3.
            None => Ok(ReferenceHistogram::simulated(
                inputs,
                trials,
                self.options.random_engine,
                &self.scope.project,
                self.progress,
            )),
        }
    }
}

fn summary(estimates: &Estimates, iterations: usize) -> String {
    let rows = estimates.coherence.len();
    let without = estimates.estimated.iter().filter(|&&made| !made).count();
    let mean = estimates.coherence.iter().sum::<f64>() / rows as f64;
    let mut parts =
        vec![format!("{rows} candidates, mean coherence {mean:.3} after {iterations} iterations")];
    let ties = estimates.trial_margin.iter().filter(|&&margin| margin <= NEAR_TIE).count();
    if ties > 0 {
        parts.push(format!("{ties} near ties between slopes"));
    }
    if without > 0 {
        parts.push(format!("{without} without phase in some interferogram"));
    }
    parts.join("; ")
}

/// How stage 2 lays out its grid.
fn cell_rule(size_m: f64, least: usize) -> CellRule {
    CellRule {
        size_m,
        margin_m: 1e-6,
        least,
        size_parameter: "filter_grid_size",
        window_parameter: "clap_win",
        remedy: "prepare the project with fewer patches, lower filter_grid_size, or take the patch \
                 out of patch.list",
    }
}
