//! Writes the results under StaMPS's names (matfiles.md).

use std::path::Path;

use pystamps_kernels::spatial_noise::SpatialLowPass;
use pystamps_mat::{ElementSource, ElementType, NumericData, Value, Variables};

use super::low_pass::smoothed;
use super::rules::{FEW_COLUMNS, Rules};
use super::signal::Signal;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, matrix, write_streamed, write_variables};
use crate::products::MeanVelocity;
use crate::progress::Progress;
use crate::project::artifacts::{check_folder, stage8};
use crate::project::stack::{Network, Stack};
use crate::samples::Residence;
use crate::scratch::{Room, ScratchColumns};

/// Writes `mean_v.mat`: offset and slope of the phase of every PS, and which velocity that is.
///
/// # StaMPS compatibility
/// `ps_plot`, products.md 3, step 7; in the precision of the noise that weighs the fit.
///
/// # Errors
/// I/O errors.
pub(super) fn write_mean_velocity(
    folder: &Path,
    fit: &MeanVelocity,
    value_type: &str,
    single: bool,
) -> Result<()> {
    let pairs = fit.offset_rad.iter().zip(&fit.rate_rad_per_day);
    let both: Vec<f64> = pairs.flat_map(|(&offset, &rate)| [offset, rate]).collect();
    let data = if single {
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        NumericData::F32(both.into_iter().map(|value| value as f32).collect())
    } else {
        NumericData::F64(both)
    };
    let name = stage8::MEAN_VELOCITY.name;
    let variables: Variables =
        [(name, matrix(2, fit.offset_rad.len(), data)), ("value_type", Value::text(value_type))]
            .into_iter()
            .collect();
    write_variables(folder, stage8::MEAN_VELOCITY.file, &variables)
}

/// Smooths `high_passed` in space and writes `scn2.mat`.
///
/// # Errors
/// I/O errors.
pub(super) fn write_noise(
    folder: &Path,
    stack: &Stack,
    signal: &Signal,
    high_passed: &ScratchColumns,
    rules: &Rules,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<()> {
    let (rows, count) = (signal.row_count(), signal.columns.len());
    let filter = SpatialLowPass::new(signal.xy_m(), rules.space_m);
    let with_plane = |place: usize| {
        let mut column = high_passed.column(place)?;
        if let Some(plane) = signal.plane_of(place) {
            for (value, plane) in column.iter_mut().zip(plane) {
                #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
                let sum = (f64::from(*value) + plane) as f32;
                *value = sum;
            }
        }
        Ok(column)
    };
    let width = match stack.network {
        Network::SingleMaster => stack.interferogram_count(),
        Network::SmallBaselines => stack.day.len(),
    };
    let counted = progress.phase("scn2.mat", (count + width) as u64, "columns");
    let mut filtered = Columns::new(rows, count, with_plane, &counted);
    let at_once = if room.residence == Residence::Memory { width } else { FEW_COLUMNS };
    let slaves = |columns: std::ops::Range<usize>| {
        let place = |column: usize| signal.columns.iter().position(|&of| of == column);
        // Columns in use are consecutive among those in use.
        let used: Vec<usize> = columns.clone().filter_map(place).collect();
        let places = used.first().map_or(0..0, |&first| first..first + used.len());
        let mut smooth = if places.is_empty() {
            Vec::new()
        } else {
            smoothed(&filter, rows, places, with_plane)?
        }
        .into_iter();
        let column = |column: usize| {
            let made = place(column).and_then(|_| smooth.next());
            made.filter(|_| column != stack.master).unwrap_or_else(|| vec![0.0; rows])
        };
        Ok(columns.map(column).collect())
    };
    let mut slaves = Columns::in_batches(rows, width, at_once, slaves, &counted);
    let planes = signal.plane_count();
    let plane = |number: usize| Ok(signal.plane(number));
    let mut ramps = Columns::new(rows, planes, plane, &counted);
    let array =
        |name, element, width, source| Streamed { name, element, dims: vec![rows, width], source };
    let noise = stage8::slave_noise(stack.network);
    let mut streamed: Vec<Streamed<'_>> = vec![
        array(noise.name, ElementType::F64, width, &mut slaves as &mut dyn ElementSource),
        array("ph_hpt", ElementType::F32, count, &mut filtered),
    ];
    let mut variables = Variables::new();
    if planes > 0 {
        streamed.push(array("ph_ramp", ElementType::F64, planes, &mut ramps));
    } else {
        variables.insert("ph_ramp", matrix(rows, 0, NumericData::F64(Vec::new())));
    }
    write_streamed(folder, noise.file, &mut streamed, &variables)?;
    let small_baselines = stack.network == Network::SmallBaselines;
    check_folder(folder, &[noise], &stack.axis_lengths(), small_baselines)
}
