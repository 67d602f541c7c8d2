//! Tests how noisy PS are against their neighbours.

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::edge_noise::{
    Baselines, Noise, NoiseModel, Phasors, edge_noise, quietest_edges,
};
use rayon::prelude::*;

use super::selection::Selection;
use crate::dates::day_month_year;
use crate::error::{Diagnostic, Error, Result};
use crate::progress::Progress;
use crate::project::artifacts::{AxisLengths, stage1, stage4};
use crate::project::stack::{Network, Stack};
use crate::stored_array::{StoredArray, column, pick};

/// MATLAB's day number of 1970-01-01.
const DATENUM_1970: f64 = 719_529.0;

/// What PS are compared with.
pub(super) struct NoiseTest<'a> {
    /// The patch.
    pub(super) folder: &'a Path,
    /// Its candidates.
    pub(super) stack: &'a Stack,
    /// The PS left so far.
    pub(super) kept: &'a Selection,
    /// Columns of the phase that count, from 0, the master's slot among them.
    pub(super) used: &'a [usize],
    /// Standard deviation of the window in time, days.
    pub(super) window_days: f64,
}

impl NoiseTest<'_> {
    /// Noise of every PS along `edges`.
    ///
    /// # Errors
    /// `phase-missing` for a PS without phase or estimates; MATLAB file errors.
    pub(super) fn noise(&self, edges: &[[u32; 2]], progress: &Progress) -> Result<Noise> {
        let values = self.phasors(progress)?;
        let bperp_m: Vec<f64> = self.used.iter().map(|&k| self.stack.bperp_m[k]).collect();
        let single_precision = self.stack.single_precision;
        let baselines = Baselines { bperp_m: &bperp_m, single_precision };
        let phasors = Phasors { columns: self.used.len(), values: &values };
        let phase = progress.phase("comparing neighbours", 2 * edges.len() as u64, "edges");
        let report = |edges| phase.advance(edges);
        let days: Vec<f64>;
        let model = match self.stack.network {
            Network::SingleMaster => {
                days = self.used.iter().map(|&k| self.stack.day[k]).collect();
                NoiseModel::Smooth { days: &days, window_days: self.window_days }
            }
            Network::SmallBaselines => NoiseModel::BaselineTerm,
        };
        let of_edges = edge_noise(&phasors, edges, &baselines, model, report);
        Ok(quietest_edges(&of_edges, edges, self.kept.len()))
    }

    /// Unit phasors of the PS without their look-angle error, row by row.
    ///
    /// # StaMPS compatibility
    /// Stage4.md section 5, phases: the baseline is the mean of the interferogram, and the column of
    /// the master is its contribution C. A phase of zero, which makes all noise NaN and drops every
    /// PS in the original, is refused.
    fn phasors(&self, progress: &Progress) -> Result<Vec<Complex<f32>>> {
        let ph = StoredArray::open(self.folder, &stage1::PHASE, &self.stack.axis_lengths())?;
        let (slope, offset) = (self.estimate(&stage4::SELECTED_SLOPE)?, self.offset()?);
        let width = self.used.len();
        let mut values = vec![Complex::new(0.0, 0.0); self.kept.len() * width];
        let phase = progress.phase("reading phase", width as u64, "interferograms");
        // A few columns at a time: the phase of all candidates need not fit memory.
        let batch = rayon::current_num_threads();
        for (first, columns) in (0..).step_by(batch).zip(self.used.chunks(batch)) {
            let phasors: Vec<Vec<Complex<f32>>> = columns
                .par_iter()
                .map(|&column| match &offset {
                    Some(offset_rad) if column == self.stack.master => {
                        Ok(offset_rad.iter().map(|&c| unit_phasor(c)).collect())
                    }
                    _ => self.column_phasors(&ph, column, &slope),
                })
                .collect::<Result<_>>()?;
            values.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
                for (place, column) in phasors.iter().enumerate() {
                    out[first + place] = column[row];
                }
            });
            phase.advance(columns.len() as u64);
        }
        Ok(values)
    }

    fn column_phasors(
        &self,
        ph: &StoredArray,
        column: usize,
        slope_rad_per_m: &[f64],
    ) -> Result<Vec<Complex<f32>>> {
        let samples = pick(&ph.complex_column(column)?, &self.kept.candidates);
        let bperp_m = self.stack.bperp_m[column];
        let single = self.stack.single_precision;
        let turned = samples.into_iter().zip(slope_rad_per_m).map(|(sample, &slope)| {
            let angle_rad = if single { single_product(slope, bperp_m) } else { slope * bperp_m };
            normalised(sample * unit_phasor(-angle_rad))
        });
        let phasors: Vec<Complex<f32>> = turned.collect();
        let missing = phasors.iter().filter(|z| !(z.re.is_finite() && z.im.is_finite())).count();
        if missing == 0 { Ok(phasors) } else { Err(self.missing_phase(column, missing)) }
    }

    /// One of stage 3's estimates for every PS.
    fn estimate(&self, variable: &crate::project::artifacts::Variable) -> Result<Vec<f64>> {
        let scatterers = self.kept.selected_count;
        let lengths = AxisLengths { scatterers, ..self.stack.axis_lengths() };
        let values = pick(&column(self.folder, variable, &lengths)?, &self.kept.selected);
        let Some(row) = values.iter().position(|value| !value.is_finite()) else {
            return Ok(values);
        };
        Err(Diagnostic::new("phase-missing", "a selected candidate has no estimate")
            .path(self.folder.join(variable.file))
            .variable(variable.name)
            .expected("a number for every selected candidate")
            .found(format!("{} in row {}", values[row], self.kept.selected[row] + 1))
            .remedy("run stage 3 again")
            .data())
    }

    fn offset(&self) -> Result<Option<Vec<f64>>> {
        match self.stack.network {
            Network::SingleMaster => self.estimate(&stage4::SELECTED_OFFSET).map(Some),
            Network::SmallBaselines => Ok(None),
        }
    }

    fn missing_phase(&self, column: usize, missing: usize) -> Error {
        let day = |image: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a day number; earlier ones become 1970"
            )]
            day_month_year((self.stack.day[image] - DATENUM_1970) as u64)
        };
        let dates = match self.stack.network {
            Network::SingleMaster => day(column),
            Network::SmallBaselines => self.stack.pairs[column].map(day).join(" to "),
        };
        let number = column + 1;
        Diagnostic::new("phase-missing", "PS without phase make the noise of all PS unknown")
            .path(self.folder.join(stage1::PHASE.file))
            .variable(stage1::PHASE.name)
            .expected("a phase for every PS in every interferogram that is used")
            .found(format!("{missing} PS without phase in interferogram {number} ({dates})"))
            .remedy(format!(
                "leave the interferogram out: --set 'drop_ifg_index=[{number}]' here and in later \
                 stages, or run stage 3 again with its second estimate (select_reest_gamma_flag=y)"
            ))
            .data()
    }
}

/// The product rounded as MATLAB does where one factor is single.
#[expect(clippy::cast_possible_truncation, reason = "single precision is meant")]
fn single_product(a: f64, b: f64) -> f64 {
    f64::from(a as f32 * b as f32)
}

#[expect(clippy::cast_possible_truncation, reason = "phasors are single precision")]
fn unit_phasor(angle_rad: f64) -> Complex<f32> {
    let (sin, cos) = angle_rad.sin_cos();
    Complex::new(cos as f32, sin as f32)
}

/// The number divided by its modulus; NaN for zero.
#[expect(clippy::cast_possible_truncation, reason = "phasors are single precision")]
fn normalised(z: Complex<f32>) -> Complex<f32> {
    let modulus = (f64::from(z.re).powi(2) + f64::from(z.im).powi(2)).sqrt() as f32;
    Complex::new(z.re / modulus, z.im / modulus)
}
