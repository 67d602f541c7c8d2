//! Makes the values of a product, column by column.

use num_complex::Complex;

use super::bootstrap::{Bootstrap, slope_deviation};
use super::definition::{Definition, Quantity, Series};
use super::project::Project;
use super::velocity::{VelocitySeries, mm_per_rad, mm_per_year};
use super::wrapped;
use crate::error::{Diagnostic, Result};
use crate::phase_series::{PhaseSeries, Term as Taken, accumulate};
use crate::progress::Progress;
use crate::project::artifacts::{Variable, stage4, stage5, stage6, stage8};
use crate::project::stack::Network;
use crate::scratch::Room;
use crate::stored_array::StoredArray;

/// A product's values: one column a date, or one alone.
pub(crate) struct Values {
    /// Columns of the series that the values belong to, from 0; empty for values of no date.
    pub(crate) columns: Vec<usize>,
    pub(crate) kind: Kind,
    /// Standard deviation of a velocity, mm/yr.
    pub(crate) deviation: Option<Vec<f64>>,
    /// Whether StaMPS stores them in single precision.
    pub(crate) single: bool,
}

/// How the values are at hand.
pub(crate) enum Kind {
    /// One value a PS.
    One(Vec<f64>),
    /// A phase, times a factor.
    Series { phase: PhaseSeries, factor: f64 },
    /// Stored values less their mean over the reference area.
    Stored { array: StoredArray, reference: Vec<usize> },
    /// Several values a PS.
    Several(Vec<Vec<f64>>),
    /// Complex numbers.
    Complex(wrapped::WrappedPhase),
}

impl Values {
    /// Makes, or makes ready, the values of `definition`.
    ///
    /// # Errors
    /// As for the parts.
    pub(crate) fn of(
        project: &Project,
        definition: &Definition,
        bootstrap: Bootstrap,
        room: &Room<'_>,
        progress: &Progress,
    ) -> Result<Self> {
        let series = definition.quantity.series();
        let double = |values| Self::new(Vec::new(), Kind::One(values), false);
        Ok(match definition.quantity {
            Quantity::Height => double(project.column(&stage4::HEIGHT, 5)?),
            Quantity::Slope(_) => {
                double(referred(project.column(&project.estimate(series).slope, 7)?, project))
            }
            Quantity::Master => {
                let master_rad = project.master_rad()?.into_iter().map(f64::from).collect();
                Self { single: true, ..double(referred(master_rad, project)) }
            }
            Quantity::Wrapped(_) | Quantity::Surroundings(_) => {
                wrapped::values(project, definition)?
            }
            Quantity::Ramps => {
                if project.stored_ramp(series)?.is_none() {
                    return Err(without_ramps(project));
                }
                Self::stored(project, &project.estimate(series).ramp, 7, None)?
            }
            Quantity::SlaveNoise => {
                let variable = stage8::slave_noise(project.stack.network);
                Self::stored(project, &variable, 8, Some(project.chosen(series)?))?
            }
            Quantity::Phase(_) | Quantity::Residual | Quantity::Correction(_) => {
                Self::phase(project, definition)?
            }
            Quantity::Displacement => Self::displacement(project, definition)?,
            Quantity::Velocity(_) => {
                let series = VelocitySeries::open(project, definition)?;
                let rate = series.fit(progress)?.rate_rad_per_day;
                let deviation = if bootstrap.resamples < 2 {
                    None
                } else {
                    Some(deviation(project, &series, bootstrap, room, progress)?)
                };
                let single = is_single(project)?;
                Self { deviation, single, ..double(scaled(rate, project)) }
            }
            Quantity::VelocityDeviation(_) => {
                let series = VelocitySeries::open(project, definition)?;
                let values = deviation(project, &series, bootstrap, room, progress)?;
                Self { single: true, ..double(values) }
            }
            Quantity::VelocityWithoutEach(_) => Self::without_each(project, definition)?,
        })
    }

    /// Values without a deviation.
    pub(super) fn new(columns: Vec<usize>, kind: Kind, single: bool) -> Self {
        Self { columns, kind, deviation: None, single }
    }

    fn stored(
        project: &Project,
        variable: &Variable,
        maker: u8,
        columns: Option<Vec<usize>>,
    ) -> Result<Self> {
        let array = project.stored(variable, maker)?;
        let columns = columns.unwrap_or_else(|| (0..array.column_count()).collect());
        let kind = Kind::Stored { array, reference: project.reference.clone() };
        Ok(Self::new(columns, kind, false))
    }

    fn phase(project: &Project, definition: &Definition) -> Result<Self> {
        let series = definition.quantity.series();
        let columns = project.chosen(series)?;
        let mut phase = match definition.quantity {
            Quantity::Correction(_) => PhaseSeries::of(project.correction(series)?),
            Quantity::Residual => {
                // Both have the oscillator's drift, if there is one.
                let mut phase = project.phase_as_unwrapped(series)?;
                let modelled = project.stored(&stage6::MODELLED_PHASE, 6)?;
                phase.subtract(Taken::Stored(modelled));
                let unused = (0..phase.column_count()).filter(|column| !columns.contains(column));
                phase.clear(unused.collect());
                phase
            }
            _ => project.phase(series, &definition.minus, true)?,
        };
        if !matches!(definition.quantity, Quantity::Phase(_)) {
            project.take_out(&mut phase, series, &definition.minus, false)?;
        }
        phase.refer(&project.reference)?;
        // The original keeps residuals among zeros of double precision.
        let single = definition.quantity != Quantity::Residual;
        Ok(Self::new(columns, Kind::Series { phase, factor: 1.0 }, single))
    }

    /// Displacement towards the satellite since the master, mm.
    ///
    /// # StaMPS compatibility
    /// Products.md 5.
    fn displacement(project: &Project, definition: &Definition) -> Result<Self> {
        let series = Series::OneMaster;
        let mut phase = project.phase(series, &definition.minus, false)?;
        phase.refer(&project.reference)?;
        let columns = project.chosen_slaves(series)?;
        let factor = mm_per_rad(project.wavelength_m);
        Ok(Self::new(columns, Kind::Series { phase, factor }, true))
    }

    fn without_each(project: &Project, definition: &Definition) -> Result<Self> {
        let series = VelocitySeries::open(project, definition)?;
        let count = series.columns.len();
        let rows = series.phase.row_count();
        let mut rates = vec![vec![0.0; rows]; count];
        let weights: Vec<Vec<f64>> = (0..count)
            .map(|left_out| series.slope_weights_without(left_out))
            .collect::<Result<_>>()?;
        series.phase.each(&series.columns, |place, phase_rad| {
            for (rate, weights) in rates.iter_mut().zip(&weights) {
                accumulate(rate, weights[place], |row| f64::from(phase_rad[row]));
            }
            Ok(())
        })?;
        let columns = series.columns.clone();
        let kind = Kind::Several(rates.into_iter().map(|rate| scaled(rate, project)).collect());
        Ok(Self::new(columns, kind, is_single(project)?))
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        match &self.kind {
            Kind::One(_) => 1,
            _ => self.columns.len(),
        }
    }

    /// The real values of the column at `place`; none if they are complex.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn real_column(&self, place: usize) -> Result<Vec<f64>> {
        Ok(match &self.kind {
            Kind::One(values) => values.clone(),
            Kind::Several(columns) => columns[place].clone(),
            Kind::Series { phase, factor } => {
                let phase_rad = phase.column(self.columns[place])?;
                phase_rad.into_iter().map(|value| f64::from(value) * factor).collect()
            }
            Kind::Stored { array, reference } => {
                let values: Vec<f64> = array.real_column(self.columns[place])?;
                less_mean(values, reference)
            }
            Kind::Complex(_) => Vec::new(),
        })
    }

    /// The complex values of the column at `place`; none if they are real.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn complex_column(&self, place: usize) -> Result<Vec<Complex<f32>>> {
        match &self.kind {
            Kind::Complex(phase) => phase.column(self.columns[place]),
            _ => Ok(Vec::new()),
        }
    }

    /// Whether the values are complex.
    pub(crate) fn is_complex(&self) -> bool {
        matches!(self.kind, Kind::Complex(_))
    }
}

fn without_ramps(project: &Project) -> crate::Error {
    Diagnostic::new("ramps-missing", "stage 7 has not estimated any ramps")
        .path(project.root.join("scla2.mat"))
        .variable("ph_ramp")
        .expected("ramps of every interferogram")
        .found("none")
        .remedy(
            "params set --dataset … scla_deramp y, and stage 7 again; or a product with suffix o",
        )
        .data()
}

/// Standard deviation of a velocity, mm/yr.
fn deviation(
    project: &Project,
    series: &VelocitySeries,
    bootstrap: Bootstrap,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<Vec<f64>> {
    let scale = mm_per_year(project.wavelength_m).abs();
    let deviation = slope_deviation(series, bootstrap, room, progress)?;
    Ok(deviation.into_iter().map(|value| value * scale).collect())
}

/// Whether the mean velocity is stored in single precision: as the noise that weighs it.
///
/// # Errors
/// MATLAB file errors.
pub(crate) fn is_single(project: &Project) -> Result<bool> {
    let variable = stage5::INTERFEROGRAM_NOISE;
    let path = project.root.join(variable.file);
    if project.stack.network == Network::SmallBaselines || !path.is_file() {
        return Ok(false);
    }
    let listed = pystamps_mat::list(&path)?;
    let found = listed.iter().find(|info| info.name == variable.name);
    Ok(found.is_some_and(|info| info.class == pystamps_mat::Class::Single))
}

fn scaled(rate_rad_per_day: Vec<f64>, project: &Project) -> Vec<f64> {
    let scale = mm_per_year(project.wavelength_m);
    rate_rad_per_day.into_iter().map(|rate| rate * scale).collect()
}

fn referred(values: Vec<f64>, project: &Project) -> Vec<f64> {
    less_mean(values, &project.reference)
}

/// Values less the mean of those at `rows` that are numbers.
fn less_mean(values: Vec<f64>, rows: &[usize]) -> Vec<f64> {
    let known: Vec<f64> =
        rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    values.into_iter().map(|value| value - mean).collect()
}
