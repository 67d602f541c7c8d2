//! Removes look-angle error and master contribution from the phase of a patch.

use std::path::Path;

use num_complex::Complex;
use pystamps_mat::{ElementType, Variables};

use crate::columns::Columns;
use crate::error::{Diagnostic, Error, Result};
use crate::mat_output::{Streamed, write_streamed};
use crate::progress::Progress;
use crate::project::artifacts::{check_folder, stage4, stage5};
use crate::project::stack::{Network, Stack};
use crate::stored_array::{StoredArray, column};

/// Writes `rc2.mat` from version 2 of a patch's files in `folder` into `staging`.
///
/// # StaMPS compatibility
/// `ps_correct_phase`, stage5.md A, in single precision: the baseline is that of the pixel, unlike
/// in stage 4; amplitudes are kept; the master's slot becomes `exp(-j C)`. With small baselines C
/// stays in, and there is no `ph_reref`.
///
/// # Errors
/// MATLAB file errors; `variable-shape` where files disagree in length.
pub(super) fn write_corrected(
    folder: &Path,
    stack: &Stack,
    staging: &Path,
    progress: &Progress,
) -> Result<()> {
    let lengths = stack.axis_lengths();
    let ph = StoredArray::open(folder, &stage4::PHASE, &lengths)?;
    let model = PhaseModel::open(folder, stack)?;
    let (rows, columns) = (stack.row_count(), stack.interferogram_count());
    let phase = progress.phase("correcting phase", 2 * columns as u64, "columns");
    let corrected = |column: usize| {
        let modelled = model.conjugate_phasors(column)?;
        let samples = ph.complex_column(column)?.into_iter().zip(modelled);
        let corrected: Vec<Complex<f32>> = samples.map(|(ph, model)| ph * model).collect();
        let unknown = corrected.iter().filter(|z| !(z.re.is_finite() && z.im.is_finite())).count();
        if unknown == 0 { Ok(corrected) } else { Err(phase_missing(folder, column, unknown)) }
    };
    let mut corrected = Columns::<Complex<f32>>::new(rows, columns, corrected, &phase);
    let dims = vec![rows, columns];
    let element = ElementType::C32;
    let name = stage5::CORRECTED_PHASE.name;
    let first = Streamed { name, element, dims: dims.clone(), source: &mut corrected };
    let file = stage5::CORRECTED_PHASE.file;
    if stack.network == Network::SmallBaselines {
        return write_streamed(staging, file, &mut [first], &Variables::new());
    }
    let patch_phase = StoredArray::open(folder, &stage4::PATCH_PHASE, &lengths)?;
    let surrounding = |column: usize| surrounding_phase(&patch_phase, stack, column);
    let mut surrounding = Columns::new(rows, columns, surrounding, &phase);
    let name = stage5::SURROUNDING_PHASE.name;
    let second = Streamed { name, element, dims, source: &mut surrounding };
    write_streamed(staging, file, &mut [first, second], &Variables::new())?;
    check_folder(staging, &stage5::CORRECTED_PHASES, &lengths, false)
}

fn phase_missing(folder: &Path, column: usize, rows: usize) -> Error {
    Diagnostic::new("phase-missing", "PS without phase, slope or offset cannot be corrected")
        .path(folder.join(stage4::PHASE.file))
        .variable(format!("{}(:, {}), K_ps, C_ps, bperp_mat", stage4::PHASE.name, column + 1))
        .expected("finite numbers")
        .found(format!("NaN or Inf in {rows} rows"))
        .remedy("run stages 3 and 4 again")
        .data()
}

/// A column of the smoothed phase around every PS, with ones in the master's slot.
///
/// # Errors
/// I/O errors.
pub(super) fn surrounding_phase(
    patch_phase: &StoredArray,
    stack: &Stack,
    column: usize,
) -> Result<Vec<Complex<f32>>> {
    match stack.measured_column(column) {
        Some(measured) => patch_phase.complex_column(measured),
        None => Ok(vec![Complex::new(1.0, 0.0); stack.row_count()]),
    }
}

/// The phase that stages 2 and 3 ascribe to look-angle error and master contribution.
pub(super) struct PhaseModel<'a> {
    stack: &'a Stack,
    bperp_m: StoredArray,
    slope_rad_per_m: Vec<f32>,
    /// Contribution of the master, rad; not part of the model with small baselines.
    offset_rad: Option<Vec<f32>>,
}

impl<'a> PhaseModel<'a> {
    /// Opens version 2 of the files in `folder`.
    ///
    /// # Errors
    /// As for [`write_corrected`].
    pub(super) fn open(folder: &Path, stack: &'a Stack) -> Result<Self> {
        let lengths = stack.axis_lengths();
        #[expect(clippy::cast_possible_truncation, reason = "the original works in single here")]
        let singles = |variable| -> Result<Vec<f32>> {
            Ok(column(folder, variable, &lengths)?.into_iter().map(|x| x as f32).collect())
        };
        let offset_rad = match stack.network {
            Network::SingleMaster => Some(singles(&stage4::OFFSET)?),
            Network::SmallBaselines => None,
        };
        Ok(Self {
            stack,
            bperp_m: StoredArray::open(folder, &stage4::BASELINES, &lengths)?,
            slope_rad_per_m: singles(&stage4::SLOPE)?,
            offset_rad,
        })
    }

    /// `exp(-j (K b + C))` of every row in the interferogram `column`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn conjugate_phasors(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let mut modelled_rad = match self.stack.measured_column(column) {
            Some(measured) => self.bperp_m.real_column::<f32>(measured)?,
            None => vec![0.0; self.stack.row_count()],
        };
        for (row, value) in modelled_rad.iter_mut().enumerate() {
            *value *= self.slope_rad_per_m[row];
            if let Some(offset_rad) = &self.offset_rad {
                *value += offset_rad[row];
            }
        }
        Ok(modelled_rad.into_iter().map(conjugate_phasor).collect())
    }
}

/// `exp(-j phase)`, rounded once to single precision.
#[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
fn conjugate_phasor(phase_rad: f32) -> Complex<f32> {
    let (sin, cos) = f64::from(phase_rad).sin_cos();
    Complex::new(cos as f32, -sin as f32)
}
