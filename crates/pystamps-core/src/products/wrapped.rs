//! Wrapped phase of the PS, less what stage 7 has smoothed, and that of their surroundings.

use num_complex::Complex;

use super::definition::{Definition, Quantity, Series, Term};
use super::oscillator::oscillator_drift;
use super::project::Project;
use super::values::{Kind, Values};
use crate::error::Result;
use crate::project::artifacts::{Variable, stage4, stage5};
use crate::project::stack::{Network, Stack};
use crate::stored_array::StoredArray;

/// Complex samples, column by column.
pub(crate) struct WrappedPhase {
    samples: StoredArray,
    stack: Stack,
    kind: SampleKind,
}

enum SampleKind {
    /// Corrected phase, with the phases to take out.
    Corrected { known: Vec<Known>, master_is_one: bool },
    /// Phase of the surroundings, which the master has none of.
    Surroundings,
}

enum Known {
    Stored(StoredArray),
    Constant(Vec<f32>),
    /// Phase a day of every PS, and the days of every column.
    Drift {
        rad_per_day: Vec<f64>,
        days: Vec<f64>,
    },
}

/// The values of a wrapped product.
///
/// # StaMPS compatibility
/// Products.md 1 and 2: the oscillator's drift goes; terms come from the smoothed file; without the
/// master's part its column is 1.
///
/// # Errors
/// `stage-input-missing`; MATLAB file errors; `variable-shape`.
pub(super) fn values(project: &Project, definition: &Definition) -> Result<Values> {
    let stack = project.stack.clone();
    let (samples, kind, columns) = if matches!(definition.quantity, Quantity::Surroundings(_)) {
        let columns = (0..stack.interferogram_count()).collect();
        (project.stored(&stage4::PATCH_PHASE, 5)?, SampleKind::Surroundings, columns)
    } else {
        let series = definition.quantity.series();
        let minus = &definition.minus;
        let drift = oscillator_drift(project)?
            .map(|rad_per_day| Ok(Known::Drift { rad_per_day, days: project.days(series) }));
        let terms = minus.iter().map(|&term| known(project, series, term));
        let known = drift.into_iter().chain(terms).collect::<Result<_>>()?;
        let master_is_one = minus.contains(&Term::Master) && stack.network == Network::SingleMaster;
        let kind = SampleKind::Corrected { known, master_is_one };
        (project.stored(&stage5::CORRECTED_PHASE, 5)?, kind, project.chosen(series)?)
    };
    let phase = WrappedPhase { samples, stack, kind };
    Ok(Values::new(columns, Kind::Complex(phase), true))
}

fn known(project: &Project, series: Series, term: Term) -> Result<Known> {
    let smoothed = project.estimate(series).smoothed(match series {
        Series::OneMaster => "scla_smooth2.mat",
        Series::Pairs => "scla_smooth_sb2.mat",
    });
    let stored = |variable: &Variable| project.stored(variable, 7).map(Known::Stored);
    match term {
        Term::LookAngleError => stored(&smoothed.phase),
        Term::Ramp => stored(&smoothed.ramp),
        Term::Troposphere => project.correction(series).map(Known::Stored),
        Term::Master | Term::SlaveNoise => {
            #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
            let single = |value: f64| value as f32;
            let values = project.column(&smoothed.offset, 7)?;
            Ok(Known::Constant(values.into_iter().map(single).collect()))
        }
    }
}

impl WrappedPhase {
    /// The samples of the interferogram `column`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn column(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let rows = self.stack.row_count();
        match &self.kind {
            SampleKind::Surroundings => {
                let Some(measured) = self.stack.measured_column(column) else {
                    return Ok(vec![Complex::default(); rows]);
                };
                let samples = self.samples.complex_column(measured)?;
                Ok(samples.into_iter().map(|sample| sample / sample.norm()).collect())
            }
            SampleKind::Corrected { master_is_one, .. }
                if *master_is_one && column == self.stack.master =>
            {
                Ok(vec![Complex::new(1.0, 0.0); rows])
            }
            SampleKind::Corrected { known, .. } => {
                let mut samples = self.samples.complex_column(column)?;
                for known in known {
                    let phase_rad = match known {
                        Known::Stored(array) => array.real_column(column)?,
                        Known::Constant(values) => values.clone(),
                        Known::Drift { rad_per_day, days } => {
                            #[expect(
                                clippy::cast_possible_truncation,
                                reason = "of a single phasor"
                            )]
                            let single = |rate: &f64| (rate * days[column]) as f32;
                            rad_per_day.iter().map(single).collect()
                        }
                    };
                    for (sample, phase_rad) in samples.iter_mut().zip(phase_rad) {
                        *sample *= Complex::from_polar(1.0, -phase_rad);
                    }
                }
                Ok(samples)
            }
        }
    }
}
