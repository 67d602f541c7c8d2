//! Predicts memory, disk and time of stages 7 and 8 from the merged project, or from its patches.

use super::rates::UnwrappingRates;
use super::stages::StagePlan;
use super::unwrapping::MergedSizes;
use crate::error::Result;
use crate::native_stage7::Need as Stage7Need;
use crate::native_stage8::Need as Stage8Need;
use crate::parameter_checks::{not_negative, positive};
use crate::project::parameters::Parameters;
use crate::ramp_degree::ramp_bytes;
use crate::samples::Residence;

/// Fitting and writing one sample in stage 7, s.
const ESTIMATED_SAMPLE_SECONDS: f64 = 6e-8;
/// Finding the neighbours of one PS in stage 7, s.
const TRIANGULATED_PS_SECONDS: f64 = 2e-6;
/// Reading, turning and writing one sample in stage 8, s.
const FILTERED_SAMPLE_SECONDS: f64 = 1.2e-7;
/// Weighing one date for another in the filter in time, s.
const DATE_SECONDS: f64 = 2e-10;
/// Weighing one neighbour in one column in the filter in space, s.
const NEIGHBOUR_SECONDS: f64 = 1.5e-10;

/// Solving for the weights of one sample's neighbours where the filter is kriging, s.
const KRIGED_SAMPLE_SECONDS: f64 = 6e-4;

/// What the filters of stages 7 and 8 are applied to.
pub(super) struct Filters<'a> {
    pub(super) sizes: &'a MergedSizes,
    /// Interferograms in use.
    pub(super) used: u64,
    /// Columns of the phase: interferograms with the master's slot.
    pub(super) columns: u64,
    pub(super) threads: u64,
    /// Reading or writing one byte, s.
    pub(super) byte_seconds: f64,
}

impl Filters<'_> {
    /// Plan of stage 7.
    ///
    /// # Errors
    /// `parameter-type`.
    pub(super) fn look_angle_error(&self, parameters: &Parameters) -> Result<StagePlan> {
        let (rows, columns) = (self.sizes.scatterers, self.columns);
        let absolute = parameters.text("scla_method")? == "L1";
        let small_baselines = parameters.flag("small_baseline_flag")?;
        let series = columns * (u64::from(absolute) + u64::from(small_baselines));
        let deramped = parameters.flag("scla_deramp")?;
        let resident_bytes = if deramped { ramp_bytes(rows) } else { 0 };
        let need = Stage7Need { rows, series, threads: self.threads, resident_bytes };
        // Phase in both files, in single precision, and ramps in double.
        let disk_bytes = rows * columns * (8 + if deramped { 16 } else { 0 }) + 24 * rows;
        let computing = (rows * columns) as f64 * ESTIMATED_SAMPLE_SECONDS;
        let alone = rows as f64 * TRIANGULATED_PS_SECONDS;
        Ok(StagePlan {
            stage: 7,
            memory_bytes: need.bytes(Residence::Memory),
            least_memory_bytes: need.bytes(Residence::File),
            disk_bytes,
            seconds: alone
                + computing / self.threads as f64
                + disk_bytes as f64 * self.byte_seconds,
        })
    }

    /// Plan of stage 8, in which the analysis of the edges of stage 6 is repeated.
    ///
    /// # Errors
    /// `parameter-range`, `parameter-type`.
    pub(super) fn noise_filter(
        &self,
        parameters: &Parameters,
        rates: &UnwrappingRates,
    ) -> Result<StagePlan> {
        let (rows, columns) = (self.sizes.scatterers, self.columns);
        let kriging = parameters.flag("scn_kriging_flag")?;
        let need = Stage8Need { rows, columns, threads: self.threads, kriging, resident_bytes: 0 };
        // Samples are assembled once, not for grid, files and transfer as well.
        let once = UnwrappingRates { sample: rates.sample / 3.0, ..*rates };
        let analysis = self.sizes.plan(self.used, self.threads, &once, 0.0);
        let space_m = positive(parameters, "scn_wavelength")?;
        let cell_m = not_negative(parameters, "unwrap_grid_size")?.max(1.0);
        let density = rows as f64 / (self.sizes.cells.max(1) as f64 * cell_m * cell_m);
        let neighbours = density * std::f64::consts::PI * (4.0 * space_m).powi(2);
        let samples = (rows * columns) as f64;
        let filters = samples
            * (if kriging { KRIGED_SAMPLE_SECONDS } else { 0.0 }
                + FILTERED_SAMPLE_SECONDS
                + columns as f64 * DATE_SECONDS
                + neighbours.min(rows as f64) * NEIGHBOUR_SECONDS);
        // Noise in double, what was filtered in single precision; two series of the edges.
        let disk_bytes = 12 * rows * columns + 8 * self.sizes.edges * self.used + 16 * rows;
        Ok(StagePlan {
            stage: 8,
            memory_bytes: need.bytes(Residence::Memory).max(analysis.memory_bytes),
            least_memory_bytes: need.bytes(Residence::File).max(analysis.least_memory_bytes),
            disk_bytes,
            seconds: analysis.seconds
                + filters / self.threads as f64
                + disk_bytes as f64 * self.byte_seconds,
        })
    }
}
