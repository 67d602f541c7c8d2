//! Writes a product as comma-separated text, one line a PS, with its description beside it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use rayon::prelude::*;

use super::Product;
use super::definition::{Quantity, Series};
use super::publication::Publication;
use crate::error::{IoContext, Result};
use crate::progress::Progress;
use crate::project::artifacts::{Variable, stage4, stage5};
use crate::samples::{Residence, row_blocks};
use crate::scratch::{Room, ScratchColumns};

/// PS that are written at a time.
const BLOCK_ROWS: usize = 8192;
/// PS that one thread turns into text at a time.
const LINES: usize = 512;

/// Writes `product`.
///
/// # Errors
/// I/O errors.
pub(super) fn write(
    product: &Product,
    publication: &Publication,
    progress: &Progress,
) -> Result<()> {
    let table = Table::of(product, publication)?;
    let path = publication.folder().join(publication.file());
    let action = || format!("write {}", path.display());
    let file = fs_err::File::create(&path).while_doing(action())?;
    let mut out = std::io::BufWriter::new(file);
    writeln!(out, "{}", table.header()).while_doing(action())?;
    let rows = product.project.stack.row_count();
    let counted = progress.phase("writing", rows as u64, "PS");
    for block in row_blocks(rows, BLOCK_ROWS) {
        let text = table.lines(block.start, block.len())?;
        out.write_all(text.as_bytes()).while_doing(action())?;
        counted.advance(block.len() as u64);
    }
    out.flush().while_doing(action())?;
    write_description(product, publication)
}

/// Writes what the product is to the file beside it.
///
/// # Errors
/// I/O errors.
pub(super) fn write_description(product: &Product, publication: &Publication) -> Result<()> {
    let description =
        serde_json::to_string_pretty(&product.description).expect("invariant: plain data");
    let path = publication.folder().join(publication.description_file());
    fs_err::write(path, description + "\n").while_doing("describe the product")
}

/// The columns of the table.
struct Table {
    columns: Vec<Column>,
    values: ScratchColumns,
}

/// One column of the table.
struct Column {
    title: String,
    decimals: usize,
    source: Source,
}

enum Source {
    /// One number a PS.
    Held(Vec<f64>),
    /// A column of the values.
    Value(usize),
}

impl Table {
    fn of(product: &Product, publication: &Publication) -> Result<Self> {
        let Product { project, values, definition, .. } = product;
        let (root, lengths) = (&project.root, project.stack.axis_lengths());
        let rows = project.stack.row_count();
        let lonlat = project.column_table(&stage5::POSITIONS)?;
        let held = |title: &str, decimals, values| Column {
            title: title.to_owned(),
            decimals,
            source: Source::Held(values),
        };
        let mut columns = vec![
            held("lon_deg", 7, lonlat[..rows].to_vec()),
            held("lat_deg", 7, lonlat[rows..].to_vec()),
        ];
        for (variable, title, decimals) in
            [(stage4::HEIGHT, "height_m", 2), (stage4::COHERENCE, "coherence", 4)]
        {
            // Projects merged from several have none, or an empty one.
            let values = if is_there(root, &variable)? {
                crate::stored_array::column(root, &variable, &lengths)?
            } else {
                vec![f64::NAN; rows]
            };
            columns.push(held(title, decimals, values));
        }
        let quantity = definition.quantity;
        let parts = if values.is_complex() { 2 } else { 1 };
        let width = if quantity == Quantity::Height { 0 } else { values.width() };
        let room = Room { residence: Residence::File, folder: publication.folder() };
        let mut kept = room.columns(rows, parts * width)?;
        for place in 0..width {
            let series = quantity.series();
            let date = values.columns.get(place).map(|&column| project.column_name(series, column));
            for (part, title) in titles(quantity, date.as_deref()).into_iter().enumerate() {
                let source = Source::Value(parts * place + part);
                columns.push(Column { title, decimals: decimals(quantity), source });
            }
            if values.is_complex() {
                let samples = values.complex_column(place)?;
                let part = |of: fn(&num_complex::Complex<f32>) -> f32| {
                    samples.iter().map(of).collect::<Vec<f32>>()
                };
                kept.write(2 * place, 0, &part(|sample| sample.re))?;
                kept.write(2 * place + 1, 0, &part(|sample| sample.im))?;
            } else {
                #[expect(clippy::cast_possible_truncation, reason = "more digits than are written")]
                let singles: Vec<f32> =
                    values.real_column(place)?.into_iter().map(|value| value as f32).collect();
                kept.write(place, 0, &singles)?;
            }
        }
        if let Some(deviation) = &values.deviation {
            columns.push(held("velocity_std_mm_per_year", 3, deviation.clone()));
        }
        Ok(Self { columns, values: kept })
    }

    fn header(&self) -> String {
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title.as_str()).collect();
        titles.join(",")
    }

    /// The lines of `count` PS from `first` on.
    fn lines(&self, first: usize, count: usize) -> Result<String> {
        let columns: Vec<Vec<f64>> = self
            .columns
            .par_iter()
            .map(|column| match &column.source {
                Source::Held(values) => Ok(values[first..first + count].to_vec()),
                Source::Value(place) => {
                    let mut values = vec![0.0_f32; count];
                    self.values.read(*place, first..first + count, &mut values)?;
                    Ok(values.into_iter().map(f64::from).collect())
                }
            })
            .collect::<Result<_>>()?;
        let parts: Vec<String> = row_blocks(count, LINES)
            .into_par_iter()
            .map(|rows| {
                let mut text = String::new();
                for row in rows {
                    for (place, (column, values)) in self.columns.iter().zip(&columns).enumerate() {
                        if place > 0 {
                            text.push(',');
                        }
                        // What is not known is left empty.
                        if values[row].is_finite() {
                            let written = write!(text, "{:.*}", column.decimals, values[row]);
                            written.expect("invariant: text takes what is written");
                        }
                    }
                    text.push('\n');
                }
                text
            })
            .collect();
        Ok(parts.concat())
    }
}

/// Whether a file has the variable, and values in it.
fn is_there(root: &Path, variable: &Variable) -> Result<bool> {
    let path = root.join(variable.file);
    if !path.is_file() {
        return Ok(false);
    }
    let listed = pystamps_mat::list(&path)?;
    let found = listed.iter().find(|info| info.name == variable.name);
    Ok(found.is_some_and(|info| !info.dims.contains(&0)))
}

/// Titles of the column of a date; real and imaginary part of complex values.
fn titles(quantity: Quantity, date: Option<&str>) -> Vec<String> {
    let dated = |name: &str, unit: &str| match date {
        Some(date) => format!("{name}{unit}_{date}"),
        None => format!("{name}{unit}"),
    };
    vec![match quantity {
        Quantity::Wrapped(_) | Quantity::Surroundings(_) => {
            return vec![dated("real", ""), dated("imaginary", "")];
        }
        Quantity::Displacement => format!("D{}", date.unwrap_or_default()),
        Quantity::Velocity(_) => "velocity_mm_per_year".to_owned(),
        Quantity::VelocityDeviation(_) => "velocity_std_mm_per_year".to_owned(),
        Quantity::VelocityWithoutEach(_) => dated("velocity_mm_per_year_without", ""),
        Quantity::Slope(_) => "look_angle_error_rad_per_m".to_owned(),
        Quantity::Master => "master_phase_rad".to_owned(),
        Quantity::Height => "height_m".to_owned(),
        Quantity::Residual => dated("residual", "_rad"),
        Quantity::Ramps => dated("ramp", "_rad"),
        Quantity::Correction(_) => dated("tropospheric_phase", "_rad"),
        Quantity::SlaveNoise => dated("slave_noise", "_rad"),
        Quantity::Phase(Series::OneMaster | Series::Pairs) => dated("phase", "_rad"),
    }]
}

/// Decimals that keep more than the precision of the values.
const fn decimals(quantity: Quantity) -> usize {
    match quantity {
        Quantity::Displacement
        | Quantity::Velocity(_)
        | Quantity::VelocityDeviation(_)
        | Quantity::VelocityWithoutEach(_) => 3,
        Quantity::Slope(_) => 8,
        _ => 5,
    }
}
