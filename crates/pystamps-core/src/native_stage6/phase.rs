//! Assembles the wrapped phase that is unwrapped: the corrected phase with its look-angle term put
//! back, without what is known already and added again afterwards.

use num_complex::Complex;
use rayon::prelude::*;
use std::path::Path;

use super::rules::Rules;
use crate::baselines::Baselines;
use crate::error::{Diagnostic, Error, Result};
use crate::project::artifacts::{AxisLengths, Variable, stage4, stage5, stage6};
use crate::project::stack::{Network, Stack};
use crate::stored_array::{StoredArray, column};

/// The phase of every PS, interferogram by interferogram.
pub(super) struct WrappedPhase<'a> {
    folder: &'a Path,
    stack: &'a Stack,
    corrected: StoredArray,
    /// Smoothed phase to be unwrapped in place of the corrected.
    smoothed: Option<StoredArray>,
    bperp_m: Baselines<'a>,
    /// Look-angle error that stage 5 removed.
    slope_rad_per_m: Option<Vec<f32>>,
    known: Known,
}

/// What is left out while unwrapping.
struct Known {
    slope_rad_per_m: Option<Vec<f32>>,
    offset_rad: Option<Vec<f32>>,
    ramp_rad: Option<StoredArray>,
    troposphere_rad: Option<StoredArray>,
    /// PS of which stage 7 knows nothing: nothing of theirs is left out.
    without_values: usize,
}

impl<'a> WrappedPhase<'a> {
    /// Opens the files of the merged project `folder`.
    ///
    /// # StaMPS compatibility
    /// `ps_unwrap`, stage6.md 2. A `scla_smooth` file with another number of rows, which the original
    /// deletes, is refused.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` where files disagree.
    pub(super) fn open(folder: &'a Path, stack: &'a Stack, rules: &Rules) -> Result<Self> {
        let lengths = stack.axis_lengths();
        let corrected = StoredArray::open(folder, &stage5::CORRECTED_PHASE, &lengths)?;
        let smoothed = if rules.patch_phase {
            Some(StoredArray::open(folder, &stage4::PATCH_PHASE, &lengths)?)
        } else {
            None
        };
        let slope = if rules.patch_phase { None } else { stored_slope(folder, &lengths)? };
        let bperp_m = Baselines::open(folder, stack)?;
        let known = Known::open(folder, &lengths, rules)?;
        Ok(Self { folder, stack, corrected, smoothed, bperp_m, slope_rad_per_m: slope, known })
    }

    /// Memory of arrays that could not be left in their files.
    pub(super) fn resident_bytes(&self) -> u64 {
        let arrays = [&self.smoothed, &self.known.ramp_rad, &self.known.troposphere_rad];
        let optional = arrays.into_iter().flatten().map(StoredArray::resident_bytes);
        self.corrected.resident_bytes() + self.bperp_m.resident_bytes() + optional.sum::<u64>()
    }

    /// Whether the look-angle term that stage 5 removed is put back.
    pub(super) fn restores_look_angle(&self) -> bool {
        self.slope_rad_per_m.is_some()
    }

    /// PS of which an earlier pass knows nothing, though of others it does.
    pub(super) fn without_values(&self) -> usize {
        self.known.without_values
    }

    /// What is left out, in words; empty if nothing.
    pub(super) fn left_out(&self) -> Vec<&'static str> {
        let known = &self.known;
        let parts = [
            (known.slope_rad_per_m.is_some(), "look-angle error of an earlier pass"),
            (known.offset_rad.is_some(), "master atmosphere of an earlier pass"),
            (known.ramp_rad.is_some(), "ramps of an earlier pass"),
            (known.troposphere_rad.is_some(), "tropospheric correction"),
            (self.smoothed.is_some(), "difference of a PS from its surroundings"),
        ];
        parts.into_iter().filter(|(present, _)| *present).map(|(_, name)| name).collect()
    }

    /// Unit phasors of the interferogram `column`.
    ///
    /// # Errors
    /// `phase-missing` for a PS without phase; I/O errors.
    pub(super) fn phasors(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let baselines = self.bperp_m.column(column)?;
        let mut phasors = match &self.smoothed {
            Some(smoothed) => match self.stack.measured_column(column) {
                Some(measured) => smoothed.complex_column(measured)?,
                None => vec![Complex::new(1.0, 0.0); self.stack.row_count()],
            },
            None => self.corrected.complex_column(column)?,
        };
        self.refuse_missing(column, &phasors)?;
        if let Some(slope) = &self.slope_rad_per_m {
            turn(&mut phasors, |row| slope[row] * baselines[row]);
            if let Some(row) = phasors.iter().position(|phasor| !phasor.is_finite()) {
                return Err(self.slope_missing(column, row));
            }
        }
        for phasor in &mut phasors {
            *phasor /= phasor.norm();
        }
        self.known.each_rad(column, &baselines, |terms_rad| {
            turn(&mut phasors, |row| -terms_rad(row));
        })?;
        match phasors.iter().position(|phasor| !phasor.is_finite()) {
            None => Ok(phasors),
            Some(row) => Err(self.correction_missing(column, row)),
        }
    }

    /// Adds to the unwrapped phase of the interferogram `column` what was left out.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn add_back(&self, column: usize, unwrapped_rad: &mut [f32]) -> Result<()> {
        let baselines = self.bperp_m.column(column)?;
        self.known.each_rad(column, &baselines, |terms_rad| {
            for (row, phase_rad) in unwrapped_rad.iter_mut().enumerate() {
                *phase_rad += terms_rad(row);
            }
        })?;
        let (Some(smoothed), Some(measured)) = (&self.smoothed, self.stack.measured_column(column))
        else {
            return Ok(());
        };
        let corrected = self.corrected.complex_column(column)?;
        let smoothed = smoothed.complex_column(measured)?;
        for ((phase_rad, corrected), smoothed) in
            unwrapped_rad.iter_mut().zip(corrected).zip(smoothed)
        {
            *phase_rad += angle(corrected * smoothed.conj());
        }
        Ok(())
    }

    fn refuse_missing(&self, column: usize, phasors: &[Complex<f32>]) -> Result<()> {
        let missing = |phasor: &Complex<f32>| !phasor.is_finite() || phasor.norm() == 0.0;
        let Some(row) = phasors.iter().position(missing) else { return Ok(()) };
        let count = phasors.par_iter().filter(|phasor| missing(phasor)).count();
        let variable =
            if self.smoothed.is_some() { &stage4::PATCH_PHASE } else { &stage5::CORRECTED_PHASE };
        Err(Diagnostic::new("phase-missing", "PS without phase cannot be unwrapped")
            .path(self.folder.join(variable.file))
            .variable(format!("{}(:, {})", variable.name, column + 1))
            .expected("complex samples other than 0, NaN and Inf")
            .found(format!("{count} without phase, the first at PS {}", row + 1))
            .remedy(format!(
                "leave the interferogram out (drop_ifg_index {}), or run stages 3 to 5 again",
                column + 1
            ))
            .data())
    }

    fn slope_missing(&self, column: usize, row: usize) -> Error {
        Diagnostic::new("phase-missing", "the look-angle term of a PS is not known")
            .path(self.folder.join(stage4::SLOPE.file))
            .variable("K_ps, or bperp_mat of bp2.mat")
            .expected("finite numbers")
            .found(format!("NaN or Inf at PS {}, interferogram {}", row + 1, column + 1))
            .remedy("run stages 3 to 5 again")
            .data()
    }

    fn correction_missing(&self, column: usize, row: usize) -> Error {
        let files: Vec<&str> = self.left_out();
        Diagnostic::new("phase-missing", "what is to be left out has no value at a PS")
            .path(self.folder)
            .variable(files.join(", "))
            .expected("finite numbers")
            .found(format!("NaN or Inf at PS {}, interferogram {}", row + 1, column + 1))
            .remedy("run stage 7 again, or take scla_smooth2.mat or tca2.mat out of the folder")
            .data()
    }
}

impl Known {
    fn open(folder: &Path, lengths: &AxisLengths, rules: &Rules) -> Result<Self> {
        let feedback = stage6::feedback(rules.network);
        let present = folder.join(feedback.slope.file).is_file();
        let mut slope_rad_per_m =
            if present { Some(singles(folder, &feedback.slope, lengths)?) } else { None };
        let mut offset_rad = if present && rules.network == Network::SingleMaster {
            Some(singles(folder, &feedback.offset, lengths)?)
        } else {
            None
        };
        let of_ps = [slope_rad_per_m.as_mut(), offset_rad.as_mut()];
        let without_values = keep_in(of_ps.into_iter().flatten().collect());
        let ramp_rad =
            if present && rules.deramp { ramp(folder, &feedback.ramp, lengths)? } else { None };
        let troposphere_rad = match rules.troposphere {
            Some(field) => {
                let variable = stage6::tropospheric_phase(rules.network, field);
                let there = folder.join(variable.file).is_file();
                if there { Some(StoredArray::open(folder, &variable, lengths)?) } else { None }
            }
            None => None,
        };
        Ok(Self { slope_rad_per_m, offset_rad, ramp_rad, troposphere_rad, without_values })
    }

    /// Hands over every term of the interferogram `column` as a function of the row, in the order in
    /// which the original adds them.
    fn each_rad(
        &self,
        column: usize,
        bperp_m: &[f32],
        mut use_term: impl FnMut(&dyn Fn(usize) -> f32),
    ) -> Result<()> {
        if let Some(slope) = &self.slope_rad_per_m {
            use_term(&|row| slope[row] * bperp_m[row]);
        }
        if let Some(offset_rad) = &self.offset_rad {
            use_term(&|row| offset_rad[row]);
        }
        for stored in [&self.ramp_rad, &self.troposphere_rad].into_iter().flatten() {
            let values: Vec<f32> = stored.real_column(column)?;
            use_term(&|row| values[row]);
        }
        Ok(())
    }
}

/// Leaves nothing out of PS without a value in one of `terms`, unless that is all of them; returns their
/// number.
fn keep_in(mut terms: Vec<&mut Vec<f32>>) -> usize {
    let rows = terms.first().map_or(0, |term| term.len());
    let unknown: Vec<usize> =
        (0..rows).filter(|&row| terms.iter().any(|term| !term[row].is_finite())).collect();
    if unknown.len() == rows {
        return 0;
    }
    for term in &mut terms {
        for &row in &unknown {
            term[row] = 0.0;
        }
    }
    unknown.len()
}

/// Look-angle error that stage 5 removed; absent from projects merged with small baselines.
fn stored_slope(folder: &Path, lengths: &AxisLengths) -> Result<Option<Vec<f32>>> {
    let path = folder.join(stage4::SLOPE.file);
    if !path.is_file() {
        return Ok(None);
    }
    let listed = pystamps_mat::list(&path)?;
    let found = listed.iter().find(|info| info.name == stage4::SLOPE.name);
    match found {
        Some(info) if info.dims.iter().all(|&extent| extent > 0) => {
            singles(folder, &stage4::SLOPE, lengths).map(Some)
        }
        _ => Ok(None),
    }
}

/// Ramps of an earlier pass; none if it did not estimate any.
fn ramp(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Option<StoredArray>> {
    let listed = pystamps_mat::list(folder.join(variable.file))?;
    let found = listed.iter().find(|info| info.name == variable.name);
    match found {
        Some(info) if info.dims.first() == Some(&lengths.scatterers) => {
            StoredArray::open(folder, variable, lengths).map(Some)
        }
        _ => Ok(None),
    }
}

fn singles(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Vec<f32>> {
    let values = column(folder, variable, lengths)?;
    #[expect(clippy::cast_possible_truncation, reason = "the original works in single here")]
    Ok(values.into_iter().map(|value| value as f32).collect())
}

/// Multiplies every phasor by `exp(j phase(row))`, rounded once to single precision.
fn turn(phasors: &mut [Complex<f32>], phase_rad: impl Fn(usize) -> f32) {
    for (row, phasor) in phasors.iter_mut().enumerate() {
        let (sin, cos) = f64::from(phase_rad(row)).sin_cos();
        #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
        let factor = Complex::new(cos as f32, sin as f32);
        *phasor *= factor;
    }
}

/// Phase of a sample, rounded once to single precision.
#[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
pub(super) fn angle(sample: Complex<f32>) -> f32 {
    f64::from(sample.im).atan2(f64::from(sample.re)) as f32
}
