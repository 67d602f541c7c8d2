//! The coherence that random phase reaches: given by the user, remembered, or simulated
//! (stage2.md 3).

use std::path::{Path, PathBuf};

use pystamps_kernels::histogram::histogram;
use pystamps_kernels::random::{MatlabV5Uniform, OctaveTwister, STAMPS_SEED};
use pystamps_kernels::random_coherence::{RandomNetwork, random_coherence};
use pystamps_kernels::topofit::Trials;
use pystamps_mat::{Value, Variables};

use super::inputs::Inputs;
use super::weighting::{BIN_COUNT, bin_centres};
use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::mat_output::count;
use crate::progress::Progress;
use crate::project::checksums::checksum;
use crate::project::commit::replace_file;
use crate::project::layout::CONTROL_FOLDER;
use crate::project::stack::Network;
use crate::stage::RandomEngine;

/// Rows of random phase.
pub(super) const RANDOM_ROWS: usize = 300_000;
/// Raised whenever the simulation may give other counts.
const SIMULATION_VERSION: u32 = 1;
/// Folder of remembered histograms in the project's control folder.
const CACHE_FOLDER: &str = "cache";

/// Histogram of the coherence of random phase.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReferenceHistogram {
    /// Count of every bin, up to a common factor.
    pub(super) counts: Vec<f64>,
    /// Bins from the first to the last that is not empty.
    pub(super) occupied: usize,
}

impl ReferenceHistogram {
    fn of_counts(counts: Vec<f64>) -> Self {
        let occupied = counts.iter().rposition(|&count| count > 0.0).map_or(0, |bin| bin + 1);
        Self { counts, occupied }
    }

    fn of_coherence(coherence: &[f64]) -> Self {
        Self::of_counts(histogram(coherence, &bin_centres()))
    }

    /// Reads `Nr` (and `Nr_max_nz_ix`) or `coh_rand` from a file the user names.
    ///
    /// # Errors
    /// `reference-histogram` if it holds neither, or not 100 counts, or says that it belongs to
    /// another number of trial wraps; MATLAB file errors.
    pub(super) fn given(path: &Path, trial_wraps: f64) -> Result<Self> {
        let variables = pystamps_mat::read(path)?;
        let wraps = variables.get("n_trial_wraps").and_then(Value::to_scalar);
        match wraps {
            Some(wraps) if (wraps - trial_wraps).abs() > 1e-5 * trial_wraps => {
                Err(Diagnostic::new("reference-histogram", "the histogram is of other baselines")
                    .path(path)
                    .variable("n_trial_wraps")
                    .expected(format!("{trial_wraps}, as the baselines of the patch have it"))
                    .found(wraps)
                    .remedy("name a pm1.mat of the same patch, or leave the option out")
                    .data())
            }
            _ => Self::of_variables(path, &variables),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        Self::of_variables(path, &pystamps_mat::read(path)?)
    }

    fn of_variables(path: &Path, variables: &Variables) -> Result<Self> {
        if let Some(coherence) = variables.get("coh_rand").and_then(Value::to_f64_vec) {
            return Ok(Self::of_coherence(&coherence));
        }
        let problem = |found: String| {
            Diagnostic::new("reference-histogram", "the file holds no usable random histogram")
                .path(path)
                .variable("Nr")
                .expected(format!("Nr with {BIN_COUNT} counts, or coh_rand"))
                .found(found)
                .remedy("name a pm1.mat of the same baselines, or leave the option out")
                .data()
        };
        let names = || variables.names().collect::<Vec<_>>().join(", ");
        let counts =
            variables.get("Nr").and_then(Value::to_f64_vec).ok_or_else(|| problem(names()))?;
        if counts.len() != BIN_COUNT
            || !counts.iter().all(|&count| (0.0..f64::INFINITY).contains(&count))
        {
            return Err(problem(format!("{} counts", counts.len())));
        }
        let mut histogram = Self::of_counts(counts);
        let given = variables.get("Nr_max_nz_ix").and_then(Value::to_scalar);
        if let Some(last) = given.filter(|last| (0.0..=BIN_COUNT as f64).contains(last)) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an index from 0 to 100"
            )]
            let last = last as usize;
            histogram.occupied = last;
        }
        Ok(histogram)
    }

    /// The histogram for these inputs, remembered in the `project` or simulated and remembered.
    ///
    /// # Errors
    /// None of the memory's: what cannot be read is simulated again, what cannot be written is not
    /// remembered.
    ///
    /// # StaMPS compatibility
    /// The mean baselines of a patch decide about its histogram to the last bit, so that patches
    /// share one only if their baselines are equal; StaMPS simulates it for every patch.
    pub(super) fn simulated(
        inputs: &Inputs,
        trials: Trials,
        engine: RandomEngine,
        project: &Path,
        progress: &Progress,
    ) -> Self {
        let remembered = memory_path(inputs, engine, project);
        let read = remembered.is_file().then(|| Self::read(&remembered));
        if let Some(Ok(histogram)) = read
            && histogram.counts.iter().sum::<f64>() == RANDOM_ROWS as f64
        {
            return histogram;
        }
        let histogram = Self::of_coherence(&simulate(inputs, trials, engine, progress));
        if let Err(error) = histogram.remember(&remembered) {
            progress.note(&format!("the random histogram is not remembered: {error}"));
        }
        histogram
    }

    fn remember(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).while_doing("remember the random histogram")?;
        }
        let mut variables = Variables::new();
        variables.insert("Nr", Value::row_f64(&self.counts));
        variables.insert("Nr_max_nz_ix", count(self.occupied));
        replace_file(path, |path| {
            pystamps_mat::write(path, &variables, &pystamps_mat::WriteOptions::default())
                .map_err(Error::from)
        })
    }
}

/// Coherence of `RANDOM_ROWS` rows of random phase.
fn simulate(
    inputs: &Inputs,
    trials: Trials,
    engine: RandomEngine,
    progress: &Progress,
) -> Vec<f64> {
    let phase = progress.phase("simulating random phase", RANDOM_ROWS as u64, "rows");
    let report = |rows: u64| phase.advance(rows);
    let pairs: Vec<(usize, usize)> =
        inputs.stack.pairs.iter().map(|&[first, second]| (first, second)).collect();
    let network = match inputs.stack.network {
        Network::SingleMaster => RandomNetwork::SingleMaster,
        Network::SmallBaselines => {
            RandomNetwork::SmallBaselines { pairs: &pairs, images: inputs.stack.day.len() }
        }
    };
    let bperp_m = &inputs.mean_bperp_m;
    match engine {
        RandomEngine::Matlab => {
            let generator = MatlabV5Uniform::new(STAMPS_SEED);
            random_coherence(generator, RANDOM_ROWS, network, bperp_m, &trials, report)
        }
        RandomEngine::Octave => {
            let generator = OctaveTwister::new(STAMPS_SEED);
            random_coherence(generator, RANDOM_ROWS, network, bperp_m, &trials, report)
        }
    }
}

/// File of the histogram that belongs to these baselines, trials, pairs and this engine.
fn memory_path(inputs: &Inputs, engine: RandomEngine, project: &Path) -> PathBuf {
    let bits: Vec<u64> = inputs.mean_bperp_m.iter().map(|b| b.to_bits()).collect();
    let key = serde_json::json!([
        SIMULATION_VERSION,
        RANDOM_ROWS,
        STAMPS_SEED,
        engine.to_string(),
        bits,
        inputs.trial_wraps.to_bits(),
        inputs.stack.pairs,
        inputs.stack.day.len(),
    ]);
    let name = format!("random-coherence-{}.mat", &checksum(key.to_string().as_bytes())[..32]);
    project.join(CONTROL_FOLDER).join(CACHE_FOLDER).join(name)
}
