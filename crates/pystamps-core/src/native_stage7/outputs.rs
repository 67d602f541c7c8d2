//! Writes the estimates under StaMPS's names (matfiles.md).

use std::path::Path;

use pystamps_mat::{ElementType, NumericData, Value, Variables};

use super::estimate::slope_phase;
use super::rules::Columns;
use super::solution::Estimate;
use crate::columns::Columns as Produced;
use crate::error::Result;
use crate::mat_output::{Streamed, matrix, write_streamed};
use crate::progress::Progress;
use crate::project::artifacts::stage7;

/// Writes what was estimated: `scla2.mat`, or `scla_sb2.mat`.
///
/// # Errors
/// I/O errors.
pub(super) fn write_estimate(
    folder: &Path,
    which: Columns,
    estimate: &Estimate<'_>,
    progress: &Progress,
) -> Result<()> {
    let variables = variables_of(which);
    let covariance = &estimate.covariance;
    let count = covariance.count();
    let value = matrix(count, count, NumericData::F64(covariance.values().to_vec()));
    write(folder, &variables, estimate, Some((variables.covariance.name, value)), progress)
}

/// Writes the clamped estimate: `scla_smooth2.mat`, or `scla_smooth_sb2.mat`.
///
/// # Errors
/// I/O errors.
pub(super) fn write_clamped(
    folder: &Path,
    which: Columns,
    estimate: &Estimate<'_>,
    progress: &Progress,
) -> Result<()> {
    let file = match which {
        Columns::SmallBaselines => "scla_smooth_sb2.mat",
        Columns::Interferograms | Columns::Images => "scla_smooth2.mat",
    };
    write(folder, &variables_of(which).smoothed(file), estimate, None, progress)
}

fn variables_of(which: Columns) -> stage7::Estimate {
    match which {
        Columns::Interferograms => stage7::SINGLE_MASTER,
        Columns::SmallBaselines => stage7::SMALL_BASELINES,
        Columns::Images => stage7::INVERTED,
    }
}

fn write(
    folder: &Path,
    names: &stage7::Estimate,
    estimate: &Estimate<'_>,
    covariance: Option<(&'static str, Value)>,
    progress: &Progress,
) -> Result<()> {
    let (rows, columns) = (estimate.series.row_count(), estimate.series.column_count());
    let ramps = estimate.series.ramps();
    let arrays = 1 + u64::from(ramps.is_some());
    let counted = progress.phase(names.phase.file, arrays * columns as u64, "columns");
    let of_slope = |column: usize| {
        let bperp_m = estimate.baselines.column(column)?;
        let phase = estimate.slope_rad_per_m.iter().zip(bperp_m);
        Ok(phase.map(|(&slope, bperp_m)| slope_phase(slope, bperp_m)).collect())
    };
    let mut phase = Produced::new(rows, columns, of_slope, &counted);
    let mut ramp = ramps.map(|ramps| {
        Produced::new(rows, columns, |column| Ok(ramps.column(column, rows)), &counted)
    });
    let dims = || vec![rows, columns];
    let element = ElementType::F32;
    let mut streamed =
        vec![Streamed { name: names.phase.name, element, dims: dims(), source: &mut phase }];
    let mut variables: Variables =
        [(names.slope.name, Value::column_f64(&estimate.slope_rad_per_m))].into_iter().collect();
    variables.insert(
        names.offset.name,
        match &estimate.offset_rad {
            Some(offset_rad) => Value::column_f32(offset_rad),
            None => Value::column_f64(&vec![0.0; rows]),
        },
    );
    match &mut ramp {
        Some(ramp) => {
            let element = ElementType::F64;
            streamed.push(Streamed { name: names.ramp.name, element, dims: dims(), source: ramp });
        }
        None => {
            variables.insert(names.ramp.name, Value::empty());
        }
    }
    if let Some((name, value)) = covariance {
        variables.insert(name, value);
    }
    write_streamed(folder, names.phase.file, &mut streamed, &variables)
}
