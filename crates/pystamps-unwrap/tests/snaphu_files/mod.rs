//! Problems in the files that SNAPHU reads (statistical costs of deformation mode, native byte order).

#![expect(unreachable_pub, reason = "shared by test programs and an example")]

use std::f32::consts::TAU;
use std::io::{BufReader, Error, Read};
use std::path::Path;

use fs_err::File;
use pystamps_unwrap::{ArcCost, GridArcs};

/// What SNAPHU writes in place of a variance where an arc is free.
const FREE_VARIANCE: i16 = 32_000;
/// Shelf height of an arc that has no shelf.
const NO_SHELF: i16 = -32_000;

/// A problem as read.
pub struct FileProblem {
    pub rows: usize,
    pub columns: usize,
    /// Wrapped phase, rad, [rows, columns], from 0 to 2 pi.
    pub phase_rad: Vec<f32>,
    pub costs: GridArcs<ArcCost>,
}

impl FileProblem {
    /// Reads `snaphu.in` and `snaphu.costinfile` of `folder`, a grid of `columns` columns.
    pub fn read(folder: &Path, columns: usize) -> Result<Self, Error> {
        let phase_rad = read_phase(&folder.join("snaphu.in"))?;
        let rows = phase_rad.len() / columns;
        if phase_rad.len() != rows * columns {
            return Err(Error::other("snaphu.in does not hold whole rows"));
        }
        let costs = read_costs(&folder.join("snaphu.costinfile"), rows, columns)?;
        Ok(Self { rows, columns, phase_rad, costs })
    }
}

/// Calls `record` with every `N` bytes of a file.
fn for_records<const N: usize>(
    path: &Path,
    mut record: impl FnMut([u8; N]) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = File::open(path)?;
    let count = file.metadata()?.len() / N as u64;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut bytes = [0; N];
    for _ in 0..count {
        reader.read_exact(&mut bytes)?;
        record(bytes)?;
    }
    Ok(())
}

fn single(bytes: &[u8]) -> f32 {
    f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn read_phase(path: &Path) -> Result<Vec<f32>, Error> {
    let mut phase_rad = Vec::new();
    for_records::<8>(path, |bytes| {
        let phase = single(&bytes[4..]).atan2(single(&bytes[..4]));
        phase_rad.push(if phase < 0.0 { phase + TAU } else { phase });
        Ok(())
    })?;
    Ok(phase_rad)
}

/// Numbers of single precision, as in `snaphu.out`.
pub fn read_singles(path: &Path) -> Result<Vec<f32>, Error> {
    let mut values = Vec::new();
    for_records::<4>(path, |bytes| {
        values.push(single(&bytes));
        Ok(())
    })?;
    Ok(values)
}

fn read_costs(path: &Path, rows: usize, columns: usize) -> Result<GridArcs<ArcCost>, Error> {
    let (down_count, right_count) = GridArcs::<ArcCost>::lengths(rows, columns);
    let mut down = Vec::with_capacity(down_count);
    let mut right = Vec::with_capacity(right_count);
    for_records::<8>(path, |bytes| {
        let field = |at: usize| i16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        let record = [field(0), field(1), field(2), field(3)];
        // Flows of the arcs between rows count the other way there.
        if down.len() < down_count {
            down.push(cost([record[0].saturating_neg(), record[1], record[2], record[3]])?);
        } else {
            right.push(cost(record)?);
        }
        Ok(())
    })?;
    if right.len() != right_count {
        return Err(Error::other("the cost file is of another shape"));
    }
    Ok(GridArcs { down, right })
}

fn cost([offset, variance, _, shelf]: [i16; 4]) -> Result<ArcCost, Error> {
    let quadratic = ArcCost::checked_quadratic(offset, variance);
    match (offset, variance, shelf) {
        (_, FREE_VARIANCE, _) => Ok(ArcCost::FREE),
        (0, 1, 1) => Ok(ArcCost::ABSOLUTE),
        (_, _, NO_SHELF) => quadratic.ok_or_else(|| Error::other("a variance below 1")),
        _ => Err(Error::other(format!("a shelf of {shelf} is not convex"))),
    }
}
