//! Orders candidates by their position and leaves out those without position or phase.

use rayon::prelude::*;

use super::candidates::PhaseFile;
use crate::error::Result;
use crate::progress::Phase;

/// Which candidates become rows, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowOrder {
    /// Candidate numbers (from 0) sorted by position, the removed ones included.
    pub(super) sorted: Vec<u32>,
    /// Candidate number of every row.
    pub(super) rows: Vec<u32>,
}

/// Sorts by y, then x, both in single precision; ties keep file order, NaN goes last.
pub(super) fn sort_by_position(xy_m: &[[f32; 2]]) -> Vec<u32> {
    let count = u32::try_from(xy_m.len()).expect("invariant: candidate files number below 2^32");
    let mut sorted: Vec<u32> = (0..count).collect();
    let ascending =
        |a: f32, b: f32| a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
    sorted.par_sort_by(|&a, &b| {
        let ([xa, ya], [xb, yb]) = (xy_m[a as usize], xy_m[b as usize]);
        ascending(ya, yb).then(ascending(xa, xb))
    });
    sorted
}

/// For every candidate, whether its phase is NaN in any of the `columns`.
pub(super) fn nan_phase(
    phase: &PhaseFile,
    columns: &[usize],
    candidates: usize,
    progress: &Phase<'_>,
) -> Result<Vec<bool>> {
    let mut flags = vec![false; candidates];
    // A few columns at a time: memory stays small however many interferograms there are.
    for group in columns.chunks(rayon::current_num_threads()) {
        let found: Vec<Vec<usize>> = group
            .par_iter()
            .map(|&column| {
                let values = phase.read_column(column)?;
                progress.advance(1);
                Ok(values
                    .iter()
                    .enumerate()
                    .filter(|(_, value)| value.re.is_nan() || value.im.is_nan())
                    .map(|(candidate, _)| candidate)
                    .collect())
            })
            .collect::<Result<_>>()?;
        for candidate in found.into_iter().flatten() {
            flags[candidate] = true;
        }
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_to_south_then_west_to_east_nan_last() {
        let nan = f32::NAN;
        let points = [[1.0, 2.0], [nan, 1.0], [0.0, 2.0], [5.0, 1.0], [5.0, 1.0], [0.0, nan]];
        assert_eq!(sort_by_position(&points), [3, 4, 1, 2, 0, 5]);
    }

    #[test]
    fn signed_zeros_are_equal() {
        assert_eq!(sort_by_position(&[[1.0, 0.0], [0.5, -0.0]]), [1, 0]);
    }
}
