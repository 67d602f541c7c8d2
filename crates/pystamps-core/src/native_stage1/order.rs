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
