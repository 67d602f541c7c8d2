//! Mean velocity: the slope of a weighted straight line through the phase of every PS.

use std::f64::consts::PI;

use pystamps_kernels::look_angle_error::line_weights;

use super::definition::{Definition, Quantity, Series};
use super::project::Project;
use crate::error::{Diagnostic, Result};
use crate::phase_series::{PhaseSeries, accumulate};
use crate::progress::Progress;
use crate::series_covariance::Covariance;

/// Days in a year, as StaMPS counts them.
pub(crate) const DAYS_PER_YEAR: f64 = 365.25;

/// Line through the phase of every PS.
pub(crate) struct MeanVelocity {
    /// Phase at the master's date, rad.
    pub(crate) offset_rad: Vec<f64>,
    /// Slope, rad a day.
    pub(crate) rate_rad_per_day: Vec<f64>,
}

/// The phase whose slope is a velocity, and how its columns are weighed.
pub(crate) struct VelocitySeries {
    /// Referred phase, rad.
    pub(crate) phase: PhaseSeries,
    /// Columns that count.
    pub(crate) columns: Vec<usize>,
    /// Days that each of these spans.
    pub(crate) days: Vec<f64>,
    /// Covariance of these, column by column, rad^2.
    pub(crate) covariance: Vec<f64>,
    /// Where it comes from.
    source: Covariance,
}

impl VelocitySeries {
    /// Opens the series of a velocity.
    ///
    /// # StaMPS compatibility
    /// `ps_plot`, products.md 3, steps 1 to 5: columns without those dropped and without the master,
    /// weighed by the noise of the interferograms, or by the covariance of the inversion.
    ///
    /// # Errors
    /// `interferograms-too-few`; as for [`Project::phase`].
    pub(crate) fn open(project: &Project, definition: &Definition) -> Result<Self> {
        let series = definition.quantity.series();
        let columns = project.chosen_slaves(series)?;
        let of_all = project.days(series);
        let days: Vec<f64> = columns.iter().map(|&column| of_all[column]).collect();
        let without_each = matches!(definition.quantity, Quantity::VelocityWithoutEach(_));
        refuse_short(project, series, &days, without_each)?;
        let mut phase = project.phase(series, &definition.minus, false)?;
        phase.refer(&project.reference)?;
        let source = Covariance::load(&project.root, &project.stack, series.is_pairs())?;
        let covariance = source.of(&columns);
        Ok(Self { phase, columns, days, covariance, source })
    }

    /// Weights of the columns in offset and slope.
    ///
    /// # Errors
    /// `covariance-impossible`.
    pub(crate) fn weights(&self) -> Result<[Vec<f64>; 2]> {
        line_weights(&self.days, &self.covariance).map_err(|_| self.source.impossible())
    }

    /// Weights of all columns but the one at `left_out`, which gets 0, in the slope.
    ///
    /// # Errors
    /// `covariance-impossible`.
    pub(crate) fn slope_weights_without(&self, left_out: usize) -> Result<Vec<f64>> {
        let kept: Vec<usize> = (0..self.days.len()).filter(|&place| place != left_out).collect();
        let days: Vec<f64> = kept.iter().map(|&place| self.days[place]).collect();
        let columns: Vec<usize> = kept.iter().map(|&place| self.columns[place]).collect();
        let [_, of_kept] =
            line_weights(&days, &self.source.of(&columns)).map_err(|_| self.source.impossible())?;
        let mut weights = vec![0.0; self.days.len()];
        for (place, weight) in kept.into_iter().zip(of_kept) {
            weights[place] = weight;
        }
        Ok(weights)
    }

    /// Fits the line.
    ///
    /// # Errors
    /// `covariance-impossible`; I/O errors.
    pub(crate) fn fit(&self, progress: &Progress) -> Result<MeanVelocity> {
        let [of_offset, of_slope] = self.weights()?;
        let counted = progress.phase("mean velocity", self.columns.len() as u64, "columns");
        let rows = self.phase.row_count();
        let (mut offset_rad, mut rate_rad_per_day) = (vec![0.0; rows], vec![0.0; rows]);
        self.phase.each(&self.columns, |place, phase_rad| {
            let value = |row: usize| f64::from(phase_rad[row]);
            accumulate(&mut offset_rad, of_offset[place], value);
            accumulate(&mut rate_rad_per_day, of_slope[place], value);
            counted.advance(1);
            Ok(())
        })?;
        Ok(MeanVelocity { offset_rad, rate_rad_per_day })
    }
}

/// Refuses a series that no line can be put through.
fn refuse_short(project: &Project, series: Series, days: &[f64], without_each: bool) -> Result<()> {
    let differing = days.iter().any(|day| Some(day) != days.first());
    let least = if without_each { 3 } else { 2 };
    if days.len() >= least && differing {
        return Ok(());
    }
    let file = if series.is_pairs() { "phuw_sb2.mat" } else { "phuw2.mat" };
    let found = match days.len() {
        0 | 1 => format!("{} in use", days.len()),
        count => format!("{count} in use, all over {} days", days[0]),
    };
    Err(Diagnostic::new("interferograms-too-few", "a velocity needs phase at several times")
        .path(project.root.join(file))
        .variable("drop_ifg_index")
        .expected(format!(
            "{least} interferograms or more besides the master, over different times"
        ))
        .found(found)
        .remedy("drop fewer, choose dates further apart, or prepare more interferograms")
        .data())
}

/// Millimetres towards the satellite of one rad of phase: phase grows away from it.
pub(crate) fn mm_per_rad(wavelength_m: f64) -> f64 {
    -wavelength_m * 1000.0 / (4.0 * PI)
}

/// Velocity towards the satellite of phase that changes by one rad a day, mm/yr.
pub(crate) fn mm_per_year(wavelength_m: f64) -> f64 {
    mm_per_rad(wavelength_m) * DAYS_PER_YEAR
}
