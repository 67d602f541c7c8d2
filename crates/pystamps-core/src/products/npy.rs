//! Writes a product as an array that other programs map into memory, with its description beside it.

use std::io::Write as _;
use std::ops::Range;

use rayon::prelude::*;

use super::csv::write_description;
use super::publication::Publication;
use super::{Product, Values};
use crate::error::{IoContext, Result};
use crate::progress::Progress;
use crate::samples::row_blocks;

/// The header of format 1.0 ends at a multiple of this.
const ALIGNMENT: usize = 64;
/// Magic string, version and length of the header's text.
const PREFIX: usize = 10;

/// Writes `product` as NumPy's format 1.0: little-endian, one column after the other ("Fortran order"),
/// [PS, columns]. The standard deviation of a velocity is its second column.
///
/// # Errors
/// I/O errors.
pub(super) fn write(
    product: &Product,
    publication: &Publication,
    progress: &Progress,
) -> Result<()> {
    let values = &product.values;
    let rows = product.project.stack.row_count();
    let width = values.width();
    let path = publication.folder().join(publication.file());
    let action = || format!("write {}", path.display());
    let mut file = fs_err::File::create(&path).while_doing(action())?;
    let columns = width + usize::from(values.deviation.is_some());
    file.write_all(&header(element(values), rows, columns)).while_doing(action())?;
    let counted = progress.phase("writing", width as u64, "columns");
    for batch in row_blocks(width, rayon::current_num_threads()) {
        for bytes in columns_as_bytes(values, batch)? {
            file.write_all(&bytes).while_doing(action())?;
            counted.advance(1);
        }
    }
    if let Some(deviation) = &values.deviation {
        file.write_all(&real_bytes(values, deviation)).while_doing(action())?;
    }
    write_description(product, publication)
}

fn columns_as_bytes(values: &Values, places: Range<usize>) -> Result<Vec<Vec<u8>>> {
    places
        .into_par_iter()
        .map(|place| {
            if !values.is_complex() {
                return Ok(real_bytes(values, &values.real_column(place)?));
            }
            let samples = values.complex_column(place)?;
            let parts = samples.iter().flat_map(|sample| [sample.re, sample.im]);
            Ok(parts.flat_map(f32::to_le_bytes).collect())
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "StaMPS stores them in single precision")]
fn real_bytes(values: &Values, column: &[f64]) -> Vec<u8> {
    if values.single {
        return column.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect();
    }
    column.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The type of the elements as NumPy spells it.
fn element(values: &Values) -> &'static str {
    match (values.is_complex(), values.single) {
        (true, _) => "<c8",
        (false, true) => "<f4",
        (false, false) => "<f8",
    }
}

fn header(element: &str, rows: usize, columns: usize) -> Vec<u8> {
    let mut text =
        format!("{{'descr': '{element}', 'fortran_order': True, 'shape': ({rows}, {columns}), }}");
    let length = (PREFIX + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.push_str(&" ".repeat(length - PREFIX - text.len() - 1));
    text.push('\n');
    let count = u16::try_from(text.len()).expect("invariant: a short header");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(count.to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_of_numpys_format() {
        let bytes = header("<f4", 1_000_000, 100);
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])), bytes.len() - PREFIX);
        assert_eq!(bytes.last(), Some(&b'\n'));
    }
}
