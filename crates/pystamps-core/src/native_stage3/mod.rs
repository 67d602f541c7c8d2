//! Stage 3: selects persistent scatterers among the candidates.
//!
//! | reads | writes |
//! |---|---|
//! | `ps1.mat ph1.mat bp1.mat (da1.mat)`, `pm1.mat` | `select1.mat`: selected rows, which stay, their estimates |
//! | `../parms.mat` | `psver.mat no_ps_info.mat` |
//!
//! The flow: `inputs` -> `threshold` (how coherent a candidate must be) -> `reestimate` (coherence
//! without the candidate's own grid cell) -> `threshold` again -> `selection` -> `outputs`.
//!
//! # StaMPS compatibility
//! `ps_select` of stage3.md. The filter is computed in double precision and rounded to single at
//! the end. Deliberate differences: `gamma_stdev_reject` works (see `steadiness`); candidates with
//! a NaN sample count as candidates without phase. `--reuse-coherence` is the original's
//! re-estimation flag 2.

mod inputs;
pub(crate) mod memory;
mod outputs;
mod reestimate;
mod selection;
mod steadiness;
mod threshold;

use std::path::Path;

use pystamps_mat::Value;

use crate::error::Result;
use crate::mat_output::{no_ps_info_after, single_variable, write_variables};
use crate::patch_scope::{PatchScope, optional, recorded_parameters, required};
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::layout::bundles;
use crate::project::layout::patch_results::{AFTER_STAGE_3, STAGE_3};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::{ComplexColumns, RealColumns, Residence, compressed_bytes, row_blocks};
use crate::scratch::Room;
use crate::stage::{ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::{Demands, InputFile, REWRITTEN_FILES, Recorded, StageFiles};

use inputs::{CoherenceEstimates, Reestimation, Settings};
use memory::Need;
use outputs::Results;
use reestimate::Reestimator;
use selection::Selected;
use steadiness::Resamples;
use threshold::{Criterion, Decision, Threshold};

/// Raised whenever stage 3 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Rows whose residual phase is read at a time.
const BLOCK_ROWS: usize = 1024;

/// Parameters that decide what stage 3 does.
const ACTING_PARAMETERS: [&str; 12] = [
    "small_baseline_flag",
    "quick_est_gamma_flag",
    "select_reest_gamma_flag",
    "slc_osf",
    "clap_win",
    "clap_alpha",
    "clap_beta",
    "select_method",
    "density_rand",
    "percent_rand",
    "gamma_stdev_reject",
    "drop_ifg_index",
];

/// Runs stage 3 on the patch `folder`.
///
/// # Errors
/// Diagnostics about the inputs and parameters; I/O errors. The patch is then unchanged.
pub fn run_stage3_native(
    folder: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let scope = PatchScope::open(folder, "3", options, progress)?;
    let demanded = || demands(&scope.folder, &scope.parameters, options);
    let stage = ScopeStage { files: files(Network::of(&scope.parameters)?), demands: &demanded };
    stage.run(&scope.lock, options, progress, |staging| {
        let stack = Stack::load(&scope.folder, 1, Network::of(&scope.parameters)?)?;
        let settings = Settings::of(&scope.parameters, &stack, options.reuse_coherence)?;
        let work =
            Work { folder: &scope.folder, settings: &settings, stack: &stack, options, progress };
        let (rows, kept) = work.run(staging)?;
        write_variables(staging, "psver.mat", &single_variable("psver", Value::scalar(1.0)))?;
        let marks = no_ps_info_after(&scope.folder, 3, kept == 0)?;
        write_variables(staging, "no_ps_info.mat", &marks)?;
        let candidates = stack.row_count();
        Ok((
            rows as u64,
            format!("{rows} of {candidates} candidates selected, {kept} of them kept"),
        ))
    })
}

/// The files of stage 3.
pub(crate) fn files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "3",
        marker: "select1.mat",
        telling_variable: None,
        bundle: bundles::STAGE_3,
        extra: bundles::MARKS,
        needs_bundle: false,
        writes: STAGE_3,
        invalidated_stages: &["4", "5"],
        invalidated_files: AFTER_STAGE_3,
        own_files: STAGE_3,
        shared_files: REWRITTEN_FILES,
    }
}

/// What stage 3 needs in the patch `folder`.
///
/// # Errors
/// Diagnostics about parameters.
pub(crate) fn demands(
    folder: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let mut recorded = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    if parameters.number("gamma_stdev_reject")? > 0.0 {
        recorded.insert("random_engine".into(), options.random_engine.to_string().into());
    }
    let inputs = [
        required("ps1.mat", 1),
        required("ph1.mat", 1),
        required("bp1.mat", 1),
        required("pm1.mat", 2),
        optional("da1.mat"),
    ];
    if options.reuse_coherence {
        recorded.insert("reuse_coherence".into(), true.into());
    }
    let mut demands = Demands::new(folder, ALGORITHM_VERSION, recorded, &inputs);
    if options.reuse_coherence {
        // `select1.mat` is read and replaced; its old content is no part of the fingerprint.
        let earlier = InputFile::in_scope(folder, required("select1.mat", 3));
        demands.inputs.push(InputFile { recorded: Recorded::Not, ..earlier });
    }
    Ok(demands)
}

/// One run on one patch.
struct Work<'a> {
    folder: &'a Path,
    settings: &'a Settings,
    stack: &'a Stack,
    options: &'a StageOptions,
    progress: &'a Progress,
}

impl Work<'_> {
    /// Selects, and writes what came of it; returns how many were selected and how many stay.
    fn run(&self, staging: &Path) -> Result<(usize, usize)> {
        let Self { settings, stack, .. } = *self;
        let stage2 = CoherenceEstimates::load(self.folder, stack, settings.window)?;
        let bins = inputs::dispersion_bins(self.folder, stack.row_count())?;
        let target = settings.target(stack, &bins);
        let criterion =
            Criterion { bins: &bins, random: &stage2.random, target, network: stack.network };
        // Beside the folder that is published, inside the one that is cleared afterwards.
        let scratch = staging.parent().unwrap_or(staging);
        let (selected, first_threshold) = self.selected(&stage2, &criterion, scratch)?;
        let reestimated = first_threshold.is_none();
        let threshold = first_threshold
            .unwrap_or_else(|| self.second_threshold(&selected, &stage2.coherence, &criterion));
        let at = |row: usize| threshold.at(bins.dispersion[row]);
        let kept = if reestimated {
            selected.kept(at, &stage2.slope_rad_per_m, largest_slope_change(stack))
        } else {
            vec![true; selected.rows.len()]
        };
        let threshold_values = match threshold {
            Threshold::Constant(value) => vec![value],
            Threshold::Line { .. } if reestimated => selected.rows.iter().map(|&r| at(r)).collect(),
            Threshold::Line { .. } => (0..stack.row_count()).map(at).collect(),
        };
        let results = Results {
            settings,
            network: stack.network,
            selected: &selected,
            kept: &kept,
            threshold: &threshold,
            threshold_values,
            target,
        };
        outputs::write(&results, staging, self.progress)?;
        Ok((selected.rows.len(), kept.iter().filter(|&&kept| kept).count()))
    }

    /// The candidates of the first selection with their estimates, and its threshold if that is to
    /// stand.
    fn selected(
        &self,
        stage2: &CoherenceEstimates,
        criterion: &Criterion<'_>,
        scratch: &Path,
    ) -> Result<(Selected, Option<Threshold>)> {
        let (candidates, columns) = (self.stack.row_count(), self.stack.measured().len());
        let room = |selected: usize| -> Result<Room<'_>> {
            Ok(Room { residence: self.residence(stage2, selected)?, folder: scratch })
        };
        if self.settings.reestimation == Reestimation::Reused {
            let room = room(candidates)?;
            let selected = Selected::of_earlier_run(self.folder, candidates, columns, &room)?;
            return Ok((selected, None));
        }
        let (rows, threshold) = self.first_selection(stage2, criterion)?;
        let room = room(rows.len())?;
        if self.settings.reestimation == Reestimation::None {
            let selected = Selected::of_stage2(self.folder, rows, stage2, columns, &room)?;
            return Ok((selected, Some(threshold)));
        }
        Ok((self.reestimate(&rows, stage2, &room)?, None))
    }

    /// Rows whose coherence of stage 2 is above the threshold, and that threshold.
    fn first_selection(
        &self,
        stage2: &CoherenceEstimates,
        criterion: &Criterion<'_>,
    ) -> Result<(Vec<usize>, Threshold)> {
        let threshold = self.settled(criterion.threshold(&stage2.coherence));
        let above =
            |&row: &usize| stage2.coherence[row] > threshold.at(criterion.bins.dispersion[row]);
        let mut rows: Vec<usize> = (0..self.stack.row_count()).filter(above).collect();
        if self.settings.largest_deviation > 0.0 {
            rows = self.steady(&rows)?;
        }
        Ok((rows, threshold))
    }

    /// The threshold after re-estimation: selected candidates count with their new coherence.
    fn second_threshold(
        &self,
        selected: &Selected,
        coherence: &[f64],
        criterion: &Criterion<'_>,
    ) -> Threshold {
        let mut coherence = coherence.to_vec();
        for (&row, &new) in selected.rows.iter().zip(&selected.coherence) {
            coherence[row] = new;
        }
        self.settled(criterion.threshold(&coherence))
    }

    /// The thresholds decided on; says so if their fits were not determined.
    fn settled(&self, decision: Decision) -> Threshold {
        if decision.undetermined > 0 {
            self.progress.note(&format!(
                "the threshold of coherence rests on equal counts in {} bins of amplitude \
                 dispersion: few candidates are left there",
                decision.undetermined
            ));
        }
        decision.threshold
    }

    /// Those of `rows` whose coherence varies little among resampled interferograms.
    fn steady(&self, rows: &[usize]) -> Result<Vec<usize>> {
        let columns = self.settings.used.clone();
        let resamples = Resamples::draw(self.options.random_engine, columns.len());
        let path = self.folder.join("pm1.mat");
        let dims = [self.stack.row_count(), self.stack.measured().len()];
        let count = columns.len();
        let residual = RealColumns::open(&path, "ph_res", dims, columns, Residence::File)?;
        let mut steady = Vec::with_capacity(rows.len());
        for block in row_blocks(dims[0], BLOCK_ROWS) {
            let mut samples = vec![0.0; block.len() * count];
            for (column, out) in samples.chunks_exact_mut(block.len()).enumerate() {
                residual.read(column, block.clone(), out)?;
            }
            let from = rows.partition_point(|&row| row < block.start);
            let to = rows.partition_point(|&row| row < block.end);
            steady.extend(rows[from..to].iter().copied().filter(|row| {
                let at = row - block.start;
                let phase: Vec<f64> =
                    samples.iter().skip(at).step_by(block.len()).copied().collect();
                resamples.deviation(&phase) < self.settings.largest_deviation
            }));
        }
        Ok(steady)
    }

    fn reestimate(
        &self,
        rows: &[usize],
        stage2: &CoherenceEstimates,
        room: &Room<'_>,
    ) -> Result<Selected> {
        let Self { stack, settings, progress, .. } = *self;
        let [cells_y, cells_x] = stage2.grid_shape;
        if cells_y.min(cells_x) < settings.window && stack.row_count() > 0 {
            progress.note(&format!(
                "the grid of {cells_y} x {cells_x} cells is smaller than clap_win = {}: every PS is \
                 lost, as in StaMPS (select_reest_gamma_flag = n keeps them)",
                settings.window
            ));
        }
        let measured = stack.measured();
        let dims = [stack.row_count(), measured.len()];
        let columns = (0..measured.len()).collect();
        let all = [stack.row_count(), stack.interferogram_count()];
        let (ph1, bp1) = (self.folder.join("ph1.mat"), self.folder.join("bp1.mat"));
        let phase = ComplexColumns::open(&ph1, "ph", all, measured, room.residence)?;
        phase.refuse_empty()?;
        let bperp_m = RealColumns::open(&bp1, "bperp_mat", dims, columns, room.residence)?;
        let reestimator = Reestimator { settings, stage2, phase: &phase, bperp_m: &bperp_m, room };
        reestimator.run(rows, progress)
    }

    /// Holds phase, baselines and results in memory unless the limit says otherwise.
    ///
    /// # Errors
    /// `memory-limit` if even reading them again takes too much.
    fn residence(&self, stage2: &CoherenceEstimates, selected: usize) -> Result<Residence> {
        let need = Need {
            rows: self.stack.row_count() as u64,
            selected: selected as u64,
            columns: self.stack.measured().len() as u64,
            cells: (stage2.grid_shape[0] * stage2.grid_shape[1]) as u64,
            threads: rayon::current_num_threads() as u64,
            compressed_bytes: stage2.gridded.resident_bytes()
                + compressed_bytes(self.folder, &[("ph1.mat", "ph"), ("bp1.mat", "bperp_mat")])?,
        };
        let limit = self.options.memory_limit_bytes;
        if limit.is_none_or(|limit| need.bytes(Residence::Memory) <= limit) {
            return Ok(Residence::Memory);
        }
        check_memory(limit, need.bytes(Residence::File), "stage 3")?;
        self.progress.note("intermediate results stay on the disk to keep to the memory limit");
        Ok(Residence::File)
    }
}

/// One cycle of phase over the range of the mean baselines, rad/m, in the class of the baselines.
fn largest_slope_change(stack: &Stack) -> f64 {
    let bperp_m = stack.measured_bperp_m();
    let most = bperp_m.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = bperp_m.iter().copied().fold(f64::INFINITY, f64::min);
    let cycle = 2.0 * std::f64::consts::PI;
    if stack.single_precision {
        #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
        let change = cycle as f32 / (most as f32 - least as f32);
        return change.into();
    }
    cycle / (most - least)
}
