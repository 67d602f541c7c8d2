//! Filters in time and in space by kriging.

use std::path::Path;

use pystamps_kernels::kriging::{
    DeformationModel, EdgeInput, TERMS, TemporalNoise, Variogram, high_pass_edges, krige_images,
    years_since_2000,
};
use pystamps_kernels::random::{MatlabV5Uniform, STAMPS_SEED};
use pystamps_kernels::triangulation::delaunay_edges;
use pystamps_mat::{NumericData, Value, Variables};
use rayon::prelude::*;

use super::rules::Rules;
use super::signal::Signal;
use crate::error::{Diagnostic, Result};
use crate::mat_output::{count, matrix, write_variables};
use crate::products::Project;
use crate::progress::Progress;
use crate::project::artifacts::{check_folder, stage8};
use crate::project::stack::{Network, Stack};

/// Writes `scn2.mat` and the files that say how the variograms came out.
///
/// # StaMPS compatibility
/// `ps_scn_filt_krig`, stage8.md 3: planes are taken out of all columns and count as noise; `ph_hpt` is
/// without them, `ph_scn_slave` with them. What the original draws at random is drawn from MATLAB's
/// generator here, the same every time.
///
/// # Errors
/// `edges-missing` for PS of which none are neighbours; I/O errors.
pub(super) fn filter(
    folder: &Path,
    project: &Project,
    signal: &Signal,
    rules: &Rules,
    progress: &Progress,
) -> Result<String> {
    let (rows, dates) = (signal.row_count(), signal.columns.len());
    let edges = edges(signal)?;
    let counted = progress.phase("kriging", 3, "steps");
    let phase_rad = by_row(signal)?;
    counted.advance(1);
    let input = EdgeInput {
        phase_rad: &phase_rad,
        xy_m: signal.xy_m(),
        edges: &edges,
        days: &signal.days,
        weightless: signal.weightless,
        window_days: rules.window_days,
    };
    let noise = high_pass_edges(&input, &mut MatlabV5Uniform::new(STAMPS_SEED));
    counted.advance(1);
    let mut generator = MatlabV5Uniform::new(STAMPS_SEED);
    let smooth = krige_images(signal.xy_m(), &noise.high_pass_rad, &mut generator);
    counted.advance(1);

    let columns: Vec<Vec<f64>> = (0..dates)
        .into_par_iter()
        .map(|place| with_plane(signal, place, &smooth.noise_rad[place * rows..][..rows]))
        .collect();
    let high_pass = |place: usize| &noise.high_pass_rad[place * rows..][..rows];
    let residual: Vec<Vec<f64>> = columns
        .iter()
        .enumerate()
        .map(|(place, smooth)| {
            let pairs = high_pass(place).iter().zip(smooth);
            pairs.map(|(&rough, smooth)| f64::from(rough) - smooth).collect()
        })
        .collect();
    let deviation = deviations(&residual, rows);
    let stack = &project.stack;
    let planes: Vec<f64> = (0..signal.plane_count()).flat_map(|k| signal.plane(k)).collect();
    let plane_count = signal.plane_count();
    let variables: Variables = [
        ("ph_scn_slave", of_all(stack, signal, &columns, Some(stack.master))),
        ("ph_noise_res", of_all(stack, signal, &residual, None)),
        ("std_ph_noise", Value::column_f64(&deviation)),
        ("ph_ramp", matrix(rows, plane_count, NumericData::F64(planes))),
        ("ph_hpt", matrix(rows, dates, NumericData::F32(noise.high_pass_rad.clone()))),
    ]
    .into_iter()
    .collect();
    let file = stage8::slave_noise(stack.network);
    write_variables(folder, file.file, &variables)?;
    let small_baselines = stack.network == Network::SmallBaselines;
    check_folder(folder, &[file], &stack.axis_lengths(), small_baselines)?;
    write_diagnostics(folder, &input, &noise)?;
    let plausible = noise.variogram.plausible.iter().filter(|&&plausible| plausible).count();
    let tried = noise.variogram.edges.len();
    Ok(format!("{dates} columns kriged, {plausible} of {tried} variograms in time plausible"))
}

fn edges(signal: &Signal) -> Result<Vec<[u32; 2]>> {
    let edges = delaunay_edges(signal.xy_m()).unwrap_or_default();
    if !edges.is_empty() {
        return Ok(edges);
    }
    Err(Diagnostic::new("edges-missing", "kriging needs PS that are neighbours")
        .path("ps2.mat")
        .variable("xy")
        .expected("two PS or more, at different places")
        .found(format!("{} PS without an edge between them", signal.row_count()))
        .remedy("pystamps-native params set --dataset … scn_kriging_flag n")
        .data())
}

/// The phase, row by row.
fn by_row(signal: &Signal) -> Result<Vec<f32>> {
    let dates = signal.columns.len();
    let columns: Vec<Vec<f32>> =
        (0..dates).into_par_iter().map(|place| signal.column(place)).collect::<Result<_>>()?;
    let mut rows = vec![0.0_f32; signal.row_count() * dates];
    rows.par_chunks_mut(dates).enumerate().for_each(|(row, out)| {
        for (value, column) in out.iter_mut().zip(&columns) {
            *value = column[row];
        }
    });
    Ok(rows)
}

/// Noise of a column with its plane, relative to the first PS.
fn with_plane(signal: &Signal, place: usize, smooth: &[f32]) -> Vec<f64> {
    let plane = signal.plane_of(place).unwrap_or_else(|| vec![0.0; smooth.len()]);
    let sums: Vec<f64> =
        smooth.iter().zip(plane).map(|(&value, plane)| f64::from(value) + plane).collect();
    let first = sums[0];
    sums.into_iter().map(|value| value - first).collect()
}

/// Standard deviation of every row with N - 1; 0 for a single column.
fn deviations(columns: &[Vec<f64>], rows: usize) -> Vec<f64> {
    let count = columns.len();
    let of_row = |row: usize| {
        let mean = columns.iter().map(|column| column[row]).sum::<f64>() / count as f64;
        let squares: f64 = columns.iter().map(|column| (column[row] - mean).powi(2)).sum();
        (squares / count.saturating_sub(1).max(1) as f64).sqrt()
    };
    (0..rows).into_par_iter().map(of_row).collect()
}

/// A matrix of all columns of the project; those not in use, and `cleared`, are 0.
fn of_all(stack: &Stack, signal: &Signal, columns: &[Vec<f64>], cleared: Option<usize>) -> Value {
    let rows = stack.row_count();
    let width = match stack.network {
        Network::SingleMaster => stack.interferogram_count(),
        Network::SmallBaselines => stack.day.len(),
    };
    let mut all = vec![0.0; rows * width];
    for (&column, values) in signal.columns.iter().zip(columns) {
        if Some(column) != cleared {
            all[column * rows..][..rows].copy_from_slice(values);
        }
    }
    matrix(rows, width, NumericData::F64(all))
}

/// Motion and variograms of the edges, and where dates do not fit the others.
fn write_diagnostics(folder: &Path, input: &EdgeInput<'_>, noise: &TemporalNoise) -> Result<()> {
    let (edges, dates) = (input.edges.len(), input.days.len());
    let years = years_since_2000(input.days);
    let model = DeformationModel::new(&years);
    let by_column = |width: usize, value: &dyn Fn(usize, usize) -> f64, length: usize| {
        let values = (0..width).flat_map(|column| (0..length).map(move |row| (row, column)));
        let values = values.map(|(row, column)| value(row, column)).collect();
        matrix(length, width, NumericData::F64(values))
    };
    let variogram = &noise.variogram;
    let of_fits = |part: fn(&Variogram) -> f64| {
        let fits = variogram.variograms.iter();
        let values: Vec<f64> = fits.map(|fit| fit.as_ref().map_or(f64::NAN, part)).collect();
        Value::column_f64(&values)
    };
    let motion: Variables = [
        ("modeled_defo_edges", by_column(TERMS, &|row, term| noise.deformation[row][term], edges)),
        ("A_time", by_column(TERMS, &|date, term| model.terms()[date][term], dates)),
        ("years", Value::column_f64(&years)),
        ("mean_std", Value::scalar(noise.mean_deviation_rad)),
    ]
    .into_iter()
    .collect();
    write_variables(folder, "modeled_defo_edges.mat", &motion)?;
    let looked_at: Vec<f64> = variogram.edges.iter().map(|&edge| edge as f64 + 1.0).collect();
    let fitted: Variables = [
        ("ind_in", Value::column_f64(&looked_at)),
        ("a", of_fits(|fit| fit.range)),
        ("c1", of_fits(|fit| fit.sill)),
        ("c2", of_fits(|fit| fit.nugget)),
        ("n_edge", count(edges)),
    ]
    .into_iter()
    .collect();
    write_variables(folder, "temp_vario.mat", &fitted)?;
    if noise.unwrapping_errors.is_empty() {
        return Ok(());
    }
    let middle = |axis: usize| {
        let of_edge = |&[a, b]: &[u32; 2]| {
            let [a, b] = [a, b].map(|end| f64::from(input.xy_m[end as usize][axis]));
            f64::midpoint(a, b)
        };
        Value::column_f64(&input.edges.iter().map(of_edge).collect::<Vec<f64>>())
    };
    let rows = &noise.unwrapping_errors;
    let errors: Vec<i8> =
        (0..dates).flat_map(|date| rows[date..].iter().step_by(dates).copied()).collect();
    let errors: Variables = [
        ("x_edges", middle(0)),
        ("y_edges", middle(1)),
        ("unwrapping_errors", matrix(edges, dates, NumericData::I8(errors))),
    ]
    .into_iter()
    .collect();
    write_variables(folder, "unwrapping_errors_edges.mat", &errors)
}
