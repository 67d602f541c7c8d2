//! Stage 7, spatially correlated look-angle error and the master's atmosphere.
//!
//! | reads | writes |
//! |---|---|
//! | `phuw2.mat` (stage 6), `ps2 bp2 ifgstd2` | `scla2.mat`: look-angle error of every PS, the master's atmosphere, ramps |
//! | small baselines: `phuw_sb2 phuw2 phuw_sb_res2` | `scla_smooth2.mat`: the same held within the neighbours', for a second pass of stage 6 |
//! | `tca2.mat`, `aps2.mat`, `deramp_degree.mat` where they exist and act | small baselines: `scla_sb2 scla_smooth_sb2 scla2` |
//!
//! ```text
//! observed (phase without what is known, ramps taken out, referred)
//!   -> estimate (slope with baseline, offset of the master) -> outputs
//!   -> clamp (outliers brought back within their neighbours) -> outputs
//! ```
//!
//! # StaMPS compatibility
//! `ps_calc_scla`, `ps_smooth_scla`, `ps_deramp`, stage7.md. With a constant repeat interval the day
//! cannot be told from the constant: the dependent column gets 0, as MATLAB's `lscov` does. An older
//! `scla2.mat` is replaced, not kept under another name. Triangle is not needed.

mod clamp;
mod estimate;
mod least_absolute;
mod observed;
mod outputs;
mod rules;
mod series_baselines;
mod solution;

use std::path::Path;

use crate::error::Result;
use crate::merged_scope::{open_merged, refuse_unless_unwrapped};
use crate::patch_scope::note_outdated;
use crate::progress::Progress;
use crate::project::layout::{AFTER_MERGED_STAGE_7, MERGED_STAGE_7, bundles};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::ramp_bytes;
use crate::samples::Residence;
use crate::scratch::Room;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome};
use crate::stage_definition::StageFiles;

use clamp::Neighbours;
use estimate::Estimator;
use rules::{Columns, Rules};
pub(crate) use rules::{Need, demands};

/// Raised whenever stage 7 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Estimates the look-angle error and the master's atmosphere of the merged project `dataset`.
///
/// # Errors
/// `interferograms-too-few`, `reference-empty`, `covariance-impossible`; diagnostics about parameters
/// and files; memory limit; I/O errors. The project is then unchanged.
pub fn run_stage7_native(
    dataset: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let (root, lock, parameters) = open_merged(dataset, "7", options, progress)?;
    let root = root.as_path();
    let rules = Rules::of(&parameters)?;
    refuse_unless_unwrapped(root, "stage 7", rules.network)?;
    let demanded = || demands(root, &parameters, options);
    let stage = ScopeStage { files: files(rules.network), demands: &demanded };
    note_outdated(root, &parameters, &["5", "6"], progress);
    stage.run(&lock, options, progress, |staging| {
        Work { root, parameters: &parameters, rules: &rules, options, staging }.run(progress)
    })
}

/// The files of stage 7.
pub(crate) fn files(network: Network) -> StageFiles {
    let bundle = match network {
        Network::SingleMaster => bundles::STAGE_7,
        Network::SmallBaselines => bundles::STAGE_7_SMALL_BASELINES,
    };
    StageFiles {
        stage: "7",
        marker: "scla2.mat",
        telling_variable: None,
        bundle,
        extra: &[],
        needs_bundle: true,
        writes: bundle,
        invalidated_stages: &["8"],
        own_files: MERGED_STAGE_7,
        invalidated_files: AFTER_MERGED_STAGE_7,
        shared_files: &[],
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
        let stack = Stack::load(self.root, 2, self.rules.network)?;
        let estimator = Estimator::open(self.root, self.parameters, self.rules, &stack)?;
        let residence = self.residence(&stack, &estimator)?;
        let room = Room { residence, folder: self.staging };
        let neighbours = Neighbours::of(&stack.xy_m)?;
        let first = match self.rules.network {
            Network::SingleMaster => Columns::Interferograms,
            Network::SmallBaselines => Columns::SmallBaselines,
        };
        let mut estimate = estimator.estimate(first, &room, progress)?;
        outputs::write_estimate(self.staging, first, &estimate, progress)?;
        let clamped = neighbours.clamp(&mut estimate);
        outputs::write_clamped(self.staging, first, &estimate, progress)?;
        let mut details = vec![
            format!("{} PS, {} observations", stack.row_count(), estimate.observations),
            format!("{clamped} PS brought back within their neighbours"),
        ];
        details.extend(estimate.not_told_apart());
        details.extend(estimate.without_values());
        drop(estimate);
        if self.rules.network == Network::SmallBaselines {
            let images = estimator.estimate(Columns::Images, &room, progress)?;
            outputs::write_estimate(self.staging, Columns::Images, &images, progress)?;
        }
        Ok((stack.row_count() as u64, details.join("; ")))
    }

    /// Where intermediate series are kept, by the memory limit.
    fn residence(&self, stack: &Stack, estimator: &Estimator<'_>) -> Result<Residence> {
        let rows = stack.row_count() as u64;
        let ramps = if self.rules.deramp { ramp_bytes(rows) } else { 0 };
        let need = Need {
            rows,
            series: self.rules.kept_series(stack),
            threads: rayon::current_num_threads() as u64,
            resident_bytes: estimator.resident_bytes()? + ramps,
        };
        need.residence(self.options.memory_limit_bytes, "stage 7")
    }
}
