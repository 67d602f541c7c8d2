//! Stage 8, spatially correlated noise of the slaves, and the mean velocity.
//!
//! | reads | writes |
//! |---|---|
//! | `phuw2.mat` (stage 6), `scla2.mat` (stage 7), `ps2` | `scn2.mat`: noise of the slaves, and what was filtered for it |
//! | `ifgstd2.mat` (small baselines: `phuw_sb2 scla_sb2 phuw_sb_res2`) | `mean_v.mat`: offset and slope of the product `v-do` |
//! | `rc2 pm2 bp2 la2` (stage 5), `scla_smooth2.mat` | `uw_space_time.mat`: series of the edges without look-angle error |
//!
//! ```text
//! signal (phase without look-angle error and master)
//!   -> high_pass (what varies fast in time) -> low_pass (what of it varies slowly in space) -> outputs
//!      or kriging, which does both with variograms
//! products (velocity) -> mean_v
//! native_stage6 (edges, once more) -> uw_space_time
//! ```
//!
//! # StaMPS compatibility
//! `ps_scn_filt`, `ps_scn_filt_krig`, stage8.md. The filter in time works on the PS themselves instead
//! of edges between them: its solution on edges is the same, and Triangle is not needed. The weight
//! of the master is taken away at the master's place among the columns in use; with `strict` where
//! the original does it, at the master's number among all.

mod high_pass;
mod kriging;
mod low_pass;
mod outputs;
mod rules;
mod signal;

use std::path::Path;

use crate::error::Result;
use crate::merged_scope::{open_merged, refuse_unless_unwrapped, refuse_without_ps};
use crate::native_stage6::write_edge_series;
use crate::patch_scope::note_outdated;
use crate::products::{Definition, Project, VelocitySeries, is_single};
use crate::progress::Progress;
use crate::project::layout::{MERGED_STAGE_8, bundles};
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::samples::Residence;
use crate::scratch::Room;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::StageFiles;

use rules::Rules;
pub(crate) use rules::{Need, demands};
use signal::Signal;

/// Raised whenever stage 8 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;
/// The velocity that `mean_v.mat` holds.
const VELOCITY: &str = "v-do";

/// Filters the merged project `dataset` and fits its mean velocity.
///
/// # Errors
/// `stage-input-missing`, `interferograms-too-few`, `reference-empty`, `master-index`; diagnostics
/// about parameters and files; memory limit; I/O errors. The project is then unchanged.
pub fn run_stage8_native(
    dataset: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let (root, lock, parameters) = open_merged(dataset, "8", options, progress)?;
    let root = root.as_path();
    let rules = Rules::of(&parameters, options)?;
    refuse_unless_unwrapped(root, "stage 8", rules.network)?;
    let demanded = || demands(root, &parameters, options);
    let stage = ScopeStage { files: files(rules.network), demands: &demanded };
    note_outdated(root, &parameters, &["5", "6", "7"], progress);
    stage.run(&lock, options, progress, |staging| {
        Work { root, parameters: &parameters, rules: &rules, options, staging }.run(progress)
    })
}

/// The files of stage 8.
pub(crate) fn files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "8",
        marker: "mean_v.mat",
        telling_variable: None,
        bundle: bundles::STAGE_8,
        extra: bundles::STAGE_8_EXTRA,
        needs_bundle: true,
        writes: bundles::STAGE_8,
        invalidated_stages: &[],
        own_files: MERGED_STAGE_8,
        invalidated_files: &[],
        // A second pass of stage 6 writes its own.
        shared_files: &["uw_space_time.mat"],
    }
}

/// One run of the stage.
struct Work<'a> {
    root: &'a Path,
    parameters: &'a Parameters,
    rules: &'a Rules,
    options: &'a StageOptions,
    staging: &'a Path,
}

impl Work<'_> {
    fn run(&self, progress: &Progress) -> Result<Computed> {
        let project = Project::open(self.root, self.parameters.clone())?;
        refuse_without_ps(self.root, &project.stack)?;
        // What is quickly found impossible comes first.
        let definition = Definition::of(VELOCITY, project.stack.network)?;
        let velocity = VelocitySeries::open(&project, &definition)?;
        let fit = velocity.fit(progress)?;
        outputs::write_mean_velocity(self.staging, &fit, VELOCITY, is_single(&project)?)?;
        drop((fit, velocity));
        let signal = Signal::open(&project, self.rules)?;
        let residence = self.residence(&project, &signal)?;
        let room = Room { residence, folder: self.staging };
        let filtered = if self.rules.kriging {
            kriging::filter(self.staging, &project, &signal, self.rules, progress)?
        } else {
            let high_passed = high_pass::high_pass(&signal, self.rules, &room, progress)?;
            outputs::write_noise(
                self.staging,
                &project.stack,
                &signal,
                &high_passed,
                self.rules,
                &room,
                progress,
            )?;
            format!("{} columns filtered", signal.columns.len())
        };
        drop(signal);
        let [edges, without] =
            write_edge_series(self.root, self.parameters, self.options, self.staging, progress)?;
        let rows = project.stack.row_count();
        let reference = project.reference.len();
        let details = format!(
            "{rows} PS, {filtered}; velocity {VELOCITY} relative to {reference} PS; {edges} edges, \
             {without} without statistics"
        );
        Ok((rows as u64, details))
    }

    /// Where intermediate series are kept, by the memory limit.
    fn residence(&self, project: &Project, signal: &Signal) -> Result<Residence> {
        let need = Need {
            rows: project.stack.row_count() as u64,
            columns: signal.columns.len() as u64,
            threads: rayon::current_num_threads() as u64,
            kriging: self.rules.kriging,
            resident_bytes: signal.resident_bytes(),
        };
        need.residence(self.options.memory_limit_bytes)
    }
}
