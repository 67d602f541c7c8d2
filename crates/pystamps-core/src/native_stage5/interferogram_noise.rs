//! Estimates the noise of every interferogram from the residual phase of all PS.

use std::path::Path;

use pystamps_kernels::elementary::atan2;
use pystamps_mat::Value;
use rayon::prelude::*;

use super::correction::{PhaseModel, surrounding_phase};
use crate::error::Result;
use crate::mat_output::{single_variable, write_variables};
use crate::progress::Progress;
use crate::project::artifacts::{check_folder, stage4, stage5};
use crate::project::stack::Stack;
use crate::stored_array::StoredArray;

/// Writes `ifgstd2.mat` from version 2 of the files in `folder`.
///
/// # StaMPS compatibility
/// `ps_calc_ifg_std`, stage5.md C: root mean square about zero in degrees, divided by the number of PS
/// or 3 if there are fewer; squares are summed in double precision in the order of the rows, so that
/// the result does not depend on threads. NaN in an interferogram makes that one NaN.
///
/// # Errors
/// MATLAB file errors.
pub(super) fn write_interferogram_noise(
    folder: &Path,
    stack: &Stack,
    progress: &Progress,
) -> Result<()> {
    let lengths = stack.axis_lengths();
    let ph = StoredArray::open(folder, &stage4::PHASE, &lengths)?;
    let patch_phase = StoredArray::open(folder, &stage4::PATCH_PHASE, &lengths)?;
    let model = PhaseModel::open(folder, stack)?;
    let columns = stack.interferogram_count();
    let phase = progress.phase("noise of interferograms", columns as u64, "interferograms");
    let divisor = stack.row_count().max(3) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    let noise_deg: Vec<f32> = (0..columns)
        .into_par_iter()
        .map(|column| {
            let modelled = model.conjugate_phasors(column)?;
            let surrounding = surrounding_phase(&patch_phase, stack, column)?;
            let samples = ph.complex_column(column)?.into_iter().zip(surrounding).zip(modelled);
            let squares: f64 = samples
                .map(|((ph, surrounding), modelled)| {
                    let residual = ph * surrounding.conj() * modelled;
                    atan2(f64::from(residual.im), f64::from(residual.re)).powi(2)
                })
                .sum();
            phase.advance(1);
            Ok((squares / divisor).sqrt().to_degrees() as f32)
        })
        .collect::<Result<_>>()?;
    let name = stage5::INTERFEROGRAM_NOISE.name;
    let variables = single_variable(name, Value::column_f32(&noise_deg));
    write_variables(folder, stage5::INTERFEROGRAM_NOISE.file, &variables)?;
    check_folder(folder, &[stage5::INTERFEROGRAM_NOISE], &lengths, false)
}
