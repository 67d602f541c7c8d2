//! The phase of every PS as a sum of named terms, column by column: what stages 7 and 8 and the
//! products work on.
//!
//! A series begins with an array that stays in its file, and takes steps in the order in which they
//! are asked for: subtract a term, take out ramps, refer to the reference area, clear a column. No
//! array of the size of the whole is held.

use std::path::Path;

use pystamps_kernels::ramp::RampDesign;
use rayon::prelude::*;

use crate::error::{Diagnostic, Result};
use crate::project::artifacts::{AxisLengths, Variable};
use crate::scratch::ScratchColumns;
use crate::stored_array::StoredArray;

/// Phase of every PS in every column, rad.
pub(crate) struct PhaseSeries {
    first: StoredArray,
    steps: Vec<Step>,
    rows: usize,
}

/// Something known about the phase.
pub(crate) enum Term {
    /// An array in a file, the columns as those of the series.
    Stored(StoredArray),
    /// An array made for this run.
    Made(ScratchColumns),
    /// The same in every column, one value a PS, rad.
    Constant(Vec<f32>),
    /// One value a PS times one a column, rad.
    Product { of_ps: Vec<f64>, of_column: Vec<f64> },
}

enum Step {
    Subtract(Term),
    /// Ramp of every column, where it could be fitted.
    Ramps(Ramps),
    /// Mean of every column over the reference area, rad.
    Refer(Vec<f32>),
    /// Columns that become 0.
    Clear(Vec<usize>),
}

/// A ramp for every column.
pub(crate) struct Ramps {
    design: RampDesign,
    coefficients: Vec<Option<Vec<f64>>>,
}

impl Ramps {
    /// The ramp of a column at every PS, rad; NaN where none could be fitted.
    pub(crate) fn column(&self, column: usize, rows: usize) -> Vec<f64> {
        match &self.coefficients[column] {
            Some(coefficients) => self.design.values(coefficients),
            None => vec![f64::NAN; rows],
        }
    }
}

impl PhaseSeries {
    /// Begins with `variable` in `folder`.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape`.
    pub(crate) fn open(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Self> {
        Ok(Self::of(StoredArray::open(folder, variable, lengths)?))
    }

    /// Begins with an array that is open.
    pub(crate) fn of(first: StoredArray) -> Self {
        Self { rows: first.row_count(), first, steps: Vec::new() }
    }

    /// PS.
    pub(crate) fn row_count(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.first.column_count()
    }

    /// Memory of arrays that could not be left in their files.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let of_step = |step: &Step| match step {
            Step::Subtract(Term::Stored(array)) => array.resident_bytes(),
            _ => 0,
        };
        self.first.resident_bytes() + self.steps.iter().map(of_step).sum::<u64>()
    }

    /// Takes `term` out.
    pub(crate) fn subtract(&mut self, term: Term) {
        self.steps.push(Step::Subtract(term));
    }

    /// Sets `columns` to 0.
    pub(crate) fn clear(&mut self, columns: Vec<usize>) {
        self.steps.push(Step::Clear(columns));
    }

    /// Fits a ramp to every column and takes it out.
    ///
    /// # StaMPS compatibility
    /// `ps_deramp`, stage7.md 3: a column with five PS or fewer is left as it is, and its ramp is NaN.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn deramp(&mut self, design: RampDesign) -> Result<()> {
        let coefficients = (0..self.column_count())
            .into_par_iter()
            .map(|column| Ok(design.fit(&self.column(column)?)))
            .collect::<Result<_>>()?;
        self.steps.push(Step::Ramps(Ramps { design, coefficients }));
        Ok(())
    }

    /// The ramps that were taken out last.
    pub(crate) fn ramps(&self) -> Option<&Ramps> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Ramps(ramps) => Some(ramps),
            _ => None,
        })
    }

    /// Takes the mean over the rows `reference` out of every column; NaN do not count.
    ///
    /// # Errors
    /// `reference-empty` if none is a number; I/O errors.
    pub(crate) fn refer(&mut self, reference: &[usize]) -> Result<()> {
        let means: Vec<f32> = (0..self.column_count())
            .into_par_iter()
            .map(|column| Ok(mean_of(&self.column(column)?, reference)))
            .collect::<Result<_>>()?;
        if let Some(column) = means.iter().position(|mean| !mean.is_finite()) {
            return Err(Diagnostic::new("reference-empty", "the reference area has no phase")
                .variable("ref_lon, ref_lat, ref_centre_lonlat, ref_radius")
                .expected("a PS with phase inside, in every column")
                .found(format!("none of {} in column {}", reference.len(), column + 1))
                .remedy("move or widen the area, or run stage 6 again")
                .data());
        }
        self.steps.push(Step::Refer(means));
        Ok(())
    }

    /// The phase in a column, rad.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn column(&self, column: usize) -> Result<Vec<f32>> {
        let mut phase_rad: Vec<f32> = self.first.real_column(column)?;
        only_numbers(&mut phase_rad);
        for step in &self.steps {
            step.apply(column, &mut phase_rad)?;
            only_numbers(&mut phase_rad);
        }
        Ok(phase_rad)
    }

    /// Hands over several columns in their order, a few at a time side by side.
    ///
    /// # Errors
    /// I/O errors; those of `use_column`.
    pub(crate) fn each(
        &self,
        columns: &[usize],
        mut use_column: impl FnMut(usize, &[f32]) -> Result<()>,
    ) -> Result<()> {
        for (first, batch) in (0..).step_by(batch_columns()).zip(columns.chunks(batch_columns())) {
            let made: Vec<Vec<f32>> =
                batch.par_iter().map(|&column| self.column(column)).collect::<Result<_>>()?;
            for (offset, phase_rad) in made.iter().enumerate() {
                use_column(first + offset, phase_rad)?;
            }
        }
        Ok(())
    }
}

/// Columns made side by side.
pub(crate) fn batch_columns() -> usize {
    rayon::current_num_threads()
}

impl Term {
    /// The term in a column, at every PS, rad.
    fn column(&self, column: usize) -> Result<Vec<f64>> {
        Ok(match self {
            Self::Stored(array) => array.real_column(column)?,
            Self::Made(array) => array.column(column)?.into_iter().map(f64::from).collect(),
            Self::Constant(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Self::Product { of_ps, of_column } => {
                of_ps.iter().map(|value| value * of_column[column]).collect()
            }
        })
    }
}

impl Step {
    fn apply(&self, column: usize, phase_rad: &mut [f32]) -> Result<()> {
        match self {
            Self::Subtract(term) => subtract(phase_rad, &term.column(column)?),
            Self::Ramps(ramps) => {
                if ramps.coefficients[column].is_some() {
                    subtract(phase_rad, &ramps.column(column, phase_rad.len()));
                }
            }
            Self::Refer(means) => {
                for value in phase_rad {
                    *value -= means[column];
                }
            }
            Self::Clear(columns) => {
                if columns.contains(&column) {
                    phase_rad.fill(0.0);
                }
            }
        }
        Ok(())
    }
}

/// Makes NaN of Inf: what is no number has no phase, and must not spoil means and ramps of the others.
fn only_numbers(phase_rad: &mut [f32]) {
    for value in phase_rad {
        if !value.is_finite() {
            *value = f32::NAN;
        }
    }
}

/// Differences rounded once to single precision, as MATLAB gives where one operand is single.
fn subtract(phase_rad: &mut [f32], term_rad: &[f64]) {
    for (value, term) in phase_rad.iter_mut().zip(term_rad) {
        #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
        let difference = (f64::from(*value) - term) as f32;
        *value = difference;
    }
}

/// Mean of the `values` at `rows` that are numbers; NaN if none is.
pub(crate) fn mean_of(values: &[f32], rows: &[usize]) -> f32 {
    let known = rows.iter().map(|&row| f64::from(values[row])).filter(|value| !value.is_nan());
    let (sum, count) = known.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
    let mean = (sum / count as f64) as f32;
    mean
}

/// Adds `weight` times `values` to `sums`.
pub(crate) fn accumulate(sums: &mut [f64], weight: f64, values: impl Fn(usize) -> f64 + Sync) {
    const BLOCK: usize = 4096;
    sums.par_chunks_mut(BLOCK).enumerate().for_each(|(block, sums)| {
        for (row, sum) in (block * BLOCK..).zip(sums) {
            *sum += weight * values(row);
        }
    });
}

/// Values in the precision they are stored in.
pub(crate) fn singles(values: &[f64]) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    values.iter().map(|&value| value as f32).collect()
}
