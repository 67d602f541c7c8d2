//! Writes the MATLAB files of stage 1 (stage1.md F, matfiles.md).

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::rounding::round_to_millimetre;
use pystamps_kernels::summation::compensated_sum;
use pystamps_mat::{ElementSource, ElementType, NumericData, Value, Variables};

use super::geometry::{Viewing, mean_bperp_double_m, mean_bperp_single_m, single};
use super::inputs::Inputs;
use super::order::RowOrder;
use crate::columns::Columns;
use crate::dates::Date;
use crate::error::{IoContext, Result};
use crate::local_frame::LocalCoordinates;
use crate::mat_output::{
    Streamed, matrix, no_ps_info, single_variable, write_streamed, write_variables,
};
use crate::progress::Progress;
use crate::project::artifacts::stage1::VARIABLES;
use crate::project::artifacts::{AxisLengths, check_folder};
use crate::project::commit::replace_file;
use crate::project::layout::root::SMALL_BASELINES_LIST;
use crate::project::lock::{PARAMETERS_LOCK, short_lock};
use crate::project::stack::Network;

/// Writes every file of the patch into `folder`.
pub(super) fn write(
    inputs: &Inputs,
    viewing: &Viewing,
    local: &LocalCoordinates,
    order: &RowOrder,
    folder: &Path,
    progress: &Progress,
) -> Result<()> {
    let rows = Rows { order, folder };
    write_phase(inputs, &rows, progress)?;
    write_baselines(inputs, viewing, &rows, progress)?;
    write_variables(folder, "ps1.mat", &ps_variables(inputs, viewing, local, order))?;
    // The single-master route stores the incidence angle under the name of the look angle.
    let angle_rad = match inputs.network {
        Network::SingleMaster => &viewing.incidence_angle_rad,
        Network::SmallBaselines => &viewing.look_angle_rad,
    };
    rows.write_column("la1.mat", "la", angle_rad)?;
    if let Some(dispersion) = &inputs.candidates.amplitude_dispersion {
        rows.write_column("da1.mat", "D_A", dispersion)?;
    }
    if let Some(height_m) = &inputs.candidates.height_m {
        rows.write_column("hgt1.mat", "hgt", height_m)?;
    }
    write_variables(folder, "psver.mat", &single_variable("psver", Value::scalar(1.0)))?;
    let empty_after = order.rows.is_empty().then_some(1);
    write_variables(folder, "no_ps_info.mat", &no_ps_info(empty_after))?;
    let small_baselines = inputs.network == Network::SmallBaselines;
    check_folder(folder, &VARIABLES, &axis_lengths(inputs, order), small_baselines)
}

fn axis_lengths(inputs: &Inputs, order: &RowOrder) -> AxisLengths {
    let measured_interferograms = inputs.acquisitions.interferograms.len();
    let master = usize::from(inputs.network == Network::SingleMaster);
    AxisLengths {
        scatterers: order.rows.len(),
        candidates: order.sorted.len(),
        interferograms: measured_interferograms + master,
        measured_interferograms,
        images: inputs.acquisitions.images.len(),
    }
}

/// The rows of the patch's arrays and where they are written.
struct Rows<'a> {
    order: &'a RowOrder,
    folder: &'a Path,
}

impl Rows<'_> {
    /// One value a row, picked from one value a candidate.
    fn write_column(&self, file: &str, name: &str, candidates: &[f64]) -> Result<()> {
        let column: Vec<f64> =
            self.order.rows.iter().map(|&candidate| candidates[candidate as usize]).collect();
        write_variables(self.folder, file, &single_variable(name, Value::column_f64(&column)))
    }

    fn write_streamed(
        &self,
        file: &str,
        name: &'static str,
        element: ElementType,
        columns: usize,
        source: &mut dyn ElementSource,
    ) -> Result<()> {
        let dims = vec![self.order.rows.len(), columns];
        let array = Streamed { name, element, dims, source };
        write_streamed(self.folder, file, &mut [array], &Variables::new())
    }
}

/// `ph1.mat`: the interferograms, with a column of ones at the master of a single-master stack.
fn write_phase(inputs: &Inputs, rows: &Rows<'_>, progress: &Progress) -> Result<()> {
    let mut stored: Vec<Option<usize>> =
        inputs.acquisitions.interferograms.iter().map(|i| Some(i.column)).collect();
    if inputs.network == Network::SingleMaster {
        stored.insert(inputs.acquisitions.master_index(), None);
    }
    let phase = progress.phase("writing phase", stored.len() as u64, "columns");
    let column = |column: usize| match stored[column] {
        None => Ok(vec![Complex::new(1.0_f32, 0.0); rows.order.rows.len()]),
        Some(stored) => {
            let candidates = inputs.candidates.phase.read_column(stored)?;
            Ok(rows.order.rows.iter().map(|&candidate| candidates[candidate as usize]).collect())
        }
    };
    let mut source = Columns::new(rows.order.rows.len(), stored.len(), column, &phase);
    rows.write_streamed("ph1.mat", "ph", ElementType::C32, stored.len(), &mut source)
}

/// `bp1.mat`: the perpendicular baseline of every row and interferogram, without the master.
fn write_baselines(
    inputs: &Inputs,
    viewing: &Viewing,
    rows: &Rows<'_>,
    progress: &Progress,
) -> Result<()> {
    let count = inputs.baselines.len();
    let phase = progress.phase("writing baselines", count as u64, "interferograms");
    let bperp_m = |column: usize| {
        let baseline = &inputs.baselines[column];
        rows.order.rows.iter().map(move |&row| viewing.bperp_m(baseline, row as usize))
    };
    let row_count = rows.order.rows.len();
    match inputs.network {
        Network::SingleMaster => {
            let column = |column| Ok(bperp_m(column).map(single).collect());
            let mut source = Columns::<f32>::new(row_count, count, column, &phase);
            rows.write_streamed("bp1.mat", "bperp_mat", ElementType::F32, count, &mut source)
        }
        Network::SmallBaselines => {
            let column = |column| Ok(bperp_m(column).collect());
            let mut source = Columns::<f64>::new(row_count, count, column, &phase);
            rows.write_streamed("bp1.mat", "bperp_mat", ElementType::F64, count, &mut source)
        }
    }
}

/// The variables of `ps1.mat`, in the order original StaMPS saves them.
fn ps_variables(
    inputs: &Inputs,
    viewing: &Viewing,
    local: &LocalCoordinates,
    order: &RowOrder,
) -> Variables {
    let acquisitions = &inputs.acquisitions;
    let candidates = &inputs.candidates;
    let master_index = acquisitions.master_index();
    let lengths = axis_lengths(inputs, order);
    let candidate_count = candidates.pixels.len() as f64;
    let days: Vec<f64> = acquisitions.images.iter().copied().map(datenum).collect();
    let mut variables = Variables::new();
    let mut set = |name: &str, value: Value| {
        variables.insert(name, value);
    };
    set(
        "ij",
        row_matrix(order, |row, candidate| {
            let [azimuth, range] = candidates.pixels[candidate];
            [(row + 1) as f64, f64::from(azimuth), f64::from(range)]
        }),
    );
    set("lonlat", row_matrix(order, |_, candidate| candidates.lonlat_deg[candidate]));
    set("xy", coordinates(order, local));
    set("bperp", mean_baselines(inputs, viewing, master_index));
    set("day", Value::column_f64(&days));
    set("master_day", Value::scalar(datenum(acquisitions.master)));
    set("master_ix", Value::scalar((master_index + 1) as f64));
    if inputs.network == Network::SmallBaselines {
        for (name, value) in pair_variables(inputs) {
            set(name, value);
        }
    }
    set("n_ifg", Value::scalar(lengths.interferograms as f64));
    set("n_image", Value::scalar(lengths.images as f64));
    set("n_ps", Value::scalar(lengths.scatterers as f64));
    let sorted: Vec<f64> =
        order.sorted.iter().map(|&candidate| f64::from(candidate) + 1.0).collect();
    set("sort_ix", Value::column_f64(&sorted));
    set("ll0", Value::row_f64(&local.origin_lonlat_deg));
    let mean_incidence_rad = compensated_sum(&viewing.incidence_angle_rad) / candidate_count;
    set("mean_incidence", Value::scalar(mean_incidence_rad));
    set("mean_range", Value::scalar(inputs.geometry.center_range_m));
    variables
}

/// `ifgday` and `ifgday_ix`: the two dates of every small-baseline interferogram, and their places
/// among the images, counted from 1.
fn pair_variables(inputs: &Inputs) -> [(&'static str, Value); 2] {
    let acquisitions = &inputs.acquisitions;
    let pairs = &acquisitions.interferograms;
    let column_major = |number: &dyn Fn(Date) -> f64| {
        let first = pairs.iter().map(|pair| number(pair.dates.first));
        let second = pairs.iter().map(|pair| number(pair.dates.second));
        matrix(pairs.len(), 2, NumericData::F64(first.chain(second).collect()))
    };
    let place =
        |date: Date| (acquisitions.images.iter().filter(|&&image| image < date).count() + 1) as f64;
    [("ifgday", column_major(&datenum)), ("ifgday_ix", column_major(&place))]
}

/// `bperp`: mean baseline of every interferogram; a single-master stack has 0 at the master, in
/// single precision, small baselines have double.
fn mean_baselines(inputs: &Inputs, viewing: &Viewing, master_index: usize) -> Value {
    let baselines = inputs.baselines.iter();
    match inputs.network {
        Network::SingleMaster => {
            let mut mean_m: Vec<f32> =
                baselines.map(|baseline| mean_bperp_single_m(viewing, baseline)).collect();
            mean_m.insert(master_index, 0.0);
            Value::column_f32(&mean_m)
        }
        Network::SmallBaselines => {
            let mean_m: Vec<f64> =
                baselines.map(|baseline| mean_bperp_double_m(viewing, baseline)).collect();
            Value::column_f64(&mean_m)
        }
    }
}

/// `xy`: row number and local coordinates rounded to millimetres, single precision.
fn coordinates(order: &RowOrder, local: &LocalCoordinates) -> Value {
    let mut values = Vec::with_capacity(3 * order.rows.len());
    values.extend((1..=order.rows.len()).map(|row| row as f32));
    for axis in 0..2 {
        values
            .extend(order.rows.iter().map(|&c| round_to_millimetre(local.xy_m[c as usize][axis])));
    }
    matrix(order.rows.len(), 3, NumericData::F32(values))
}

/// A double matrix of one row a candidate kept, `row` counted from 0.
fn row_matrix<const COLUMNS: usize>(
    order: &RowOrder,
    values_of: impl Fn(usize, usize) -> [f64; COLUMNS],
) -> Value {
    let rows = order.rows.len();
    let mut values = vec![0.0; rows * COLUMNS];
    for (row, &candidate) in order.rows.iter().enumerate() {
        for (column, value) in values_of(row, candidate as usize).into_iter().enumerate() {
            values[column * rows + row] = value;
        }
    }
    matrix(rows, COLUMNS, NumericData::F64(values))
}

/// MATLAB's day number.
fn datenum(date: Date) -> f64 {
    date.datenum() as f64
}

/// Writes the project's `small_baselines.list`: the date pairs as Octave's `save -ascii` prints them (MATLAB: one blank less).
///
/// # Errors
/// I/O errors; the old file stays.
pub(super) fn write_pair_list(inputs: &Inputs, project: &Path) -> Result<()> {
    let mut text = String::new();
    for pair in &inputs.acquisitions.interferograms {
        for date in [pair.dates.first, pair.dates.second] {
            text.push_str("    ");
            text.push_str(&exponent_format(&date.to_string()));
        }
        text.push('\n');
    }
    // Patches may be loaded side by side; they all write the same list.
    let _guard = short_lock(project, PARAMETERS_LOCK)?;
    let path = project.join(SMALL_BASELINES_LIST);
    if fs_err::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    replace_file(&path, |path| {
        fs_err::write(path, &text).while_doing("write the list of small baselines")
    })
}

/// Eight digits as C's `%.7e` prints them: `20210224` is `2.0210224e+07`, exact by construction.
fn exponent_format(digits: &str) -> String {
    format!("{}.{}e+{:02}", &digits[..1], &digits[1..], digits.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_format_of_save_ascii() {
        assert_eq!(exponent_format("20210224"), "2.0210224e+07");
    }

    #[test]
    fn rows_become_column_major_matrices() {
        let order = RowOrder { sorted: vec![2, 0, 1], rows: vec![2, 0] };
        let value = row_matrix(&order, |row, candidate| [row as f64, candidate as f64 * 10.0]);
        assert_eq!(value.dims(), [2, 2]);
        assert_eq!(value.to_f64_vec().unwrap(), [0.0, 1.0, 20.0, 0.0]);
    }
}
