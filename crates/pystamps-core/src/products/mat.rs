//! Writes a product as a MATLAB file, under the names of `ps_plot`'s own files.

use pystamps_mat::{ElementSource, ElementType, NumericData, Value, Variables};

use super::Product;
use super::definition::Quantity;
use super::publication::Publication;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, matrix, write_streamed};
use crate::progress::Progress;
use crate::project::artifacts::stage5;

/// Writes `product`.
///
/// # StaMPS compatibility
/// `ph_disp` and `ifg_list` as `ps_plot(…, -1)` stores them; displacements under the names of its
/// time-series file (`ph_mm`, products.md 5), which `ts_plot` reads.
///
/// # Errors
/// I/O errors.
pub(super) fn write(
    product: &Product,
    publication: &Publication,
    progress: &Progress,
) -> Result<()> {
    let Product { project, values, definition, .. } = product;
    let (rows, width) = (project.stack.row_count(), values.width());
    let counted = progress.phase("writing", width as u64, "columns");
    let real = |place: usize| values.real_column(place);
    let single = |place: usize| {
        let values = values.real_column(place)?;
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        Ok(values.into_iter().map(|value| value as f32).collect::<Vec<f32>>())
    };
    let complex = |place: usize| values.complex_column(place);
    let mut source: (ElementType, Box<dyn ElementSource>) = if values.is_complex() {
        (ElementType::C32, Box::new(Columns::new(rows, width, complex, &counted)))
    } else if values.single {
        (ElementType::F32, Box::new(Columns::new(rows, width, single, &counted)))
    } else {
        (ElementType::F64, Box::new(Columns::new(rows, width, real, &counted)))
    };
    let name = if definition.quantity == Quantity::Displacement { "ph_mm" } else { "ph_disp" };
    let dims = vec![rows, width];
    let mut streamed = [Streamed { name, element: source.0, dims, source: &mut *source.1 }];
    write_streamed(publication.folder(), publication.file(), &mut streamed, &variables(product)?)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("invariant: plain data")
}

fn variables(product: &Product) -> Result<Variables> {
    let Product { project, definition, values, description } = product;
    let (stack, rows) = (&project.stack, project.stack.row_count());
    let row = |numbers: Vec<f64>| matrix(1, numbers.len(), NumericData::F64(numbers));
    let column = |numbers: Vec<f64>| matrix(numbers.len(), 1, NumericData::F64(numbers));
    let numbers = |indices: &[usize]| indices.iter().map(|&index| index as f64 + 1.0).collect();
    let list: Vec<f64> =
        if values.columns.is_empty() { vec![1.0] } else { numbers(&values.columns) };
    let positions = project.column_table(&stage5::POSITIONS)?;
    let text = |text: &str| Value::text(text);
    let reference = &description.reference;
    let mut all: Variables = [
        ("ifg_list", row(list)),
        ("lonlat", matrix(rows, 2, NumericData::F64(positions))),
        ("n_ps", Value::scalar(rows as f64)),
        ("lambda", Value::scalar(project.wavelength_m)),
        ("master_day", Value::scalar(stack.day[stack.master])),
        ("ref_ps", column(numbers(&project.reference))),
        ("value_type", text(&description.value_type)),
        ("definition", text(&description.definition)),
        ("unit", text(description.unit)),
        ("sign_convention", text(description.sign_convention)),
        ("reference_area", text(&reference.description)),
        ("corrections", text(&description.corrections.join("; "))),
        ("parameters", text(&json(&description.parameters))),
        ("program_version", text(description.program_version)),
    ]
    .into_iter()
    .collect();
    let one_master = !definition.quantity.series().is_pairs();
    if one_master && !values.columns.is_empty() {
        let days = values.columns.iter().map(|&index| stack.day[index]).collect();
        all.insert("day", column(days));
    }
    if definition.quantity == Quantity::Displacement {
        all.insert("unwrap_ifg_index", row(numbers(&values.columns)));
        all.insert("bperp", column(stack.bperp_m.clone()));
    }
    if let Some(deviation) = &values.deviation {
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        let single: Vec<f32> = deviation.iter().map(|&value| value as f32).collect();
        all.insert("mean_v_std", Value::column_f32(&single));
    }
    if let Some(bootstrap) = description.bootstrap {
        all.insert("n_boot", Value::scalar(f64::from(bootstrap.resamples)));
        #[expect(clippy::cast_precision_loss, reason = "a seed above 2^53 is not typed")]
        all.insert("seed", Value::scalar(bootstrap.seed as f64));
    }
    Ok(all)
}
