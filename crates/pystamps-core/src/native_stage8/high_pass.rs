//! Takes out of the series of every PS what varies slowly in time.

use std::ops::Range;

use pystamps_kernels::spatial_noise::TemporalHighPass;
use rayon::prelude::*;

use super::rules::Rules;
use super::signal::Signal;
use crate::error::Result;
use crate::progress::Progress;
use crate::samples::row_blocks;
use crate::scratch::{Room, ScratchColumns};

/// PS that one thread filters at a time.
const TILE_ROWS: usize = 512;

/// What varies fast in time, relative to the first PS, one column for each in use, rad; without planes.
///
/// # StaMPS compatibility
/// Stage8.md 2, steps 6 and 7: on edges the original subtracts the same linear filter and integrates,
/// which gives the filtered phase less that of the first PS.
///
/// # Errors
/// I/O errors.
pub(super) fn high_pass(
    signal: &Signal,
    rules: &Rules,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<ScratchColumns> {
    let (rows, count) = (signal.row_count(), signal.columns.len());
    let window_days = rules.window_days.expect("invariant: only kriging goes without a window");
    let filter = TemporalHighPass::new(&signal.days, window_days, signal.weightless);
    let mut kept = room.columns(rows, count)?;
    let batch: Vec<usize> = (0..count).collect();
    for places in batch.chunks(rayon::current_num_threads()) {
        let made: Vec<Vec<f32>> =
            places.par_iter().map(|&place| signal.column(place)).collect::<Result<_>>()?;
        for (&place, column) in places.iter().zip(&made) {
            kept.write(place, 0, column)?;
        }
    }
    let tile = |kept: &ScratchColumns, block: &Range<usize>| -> Result<Vec<f32>> {
        let mut phase_rad = vec![0.0; count * block.len()];
        for (place, out) in phase_rad.chunks_exact_mut(block.len()).enumerate() {
            kept.read(place, block.clone(), out)?;
        }
        let mut filtered = vec![0.0; phase_rad.len()];
        filter.apply(&phase_rad, block.len(), &mut filtered);
        Ok(filtered)
    };
    let first = tile(&kept, &(0..1))?;
    let counted = progress.phase("filter in time", rows as u64, "PS");
    for blocks in row_blocks(rows, TILE_ROWS).chunks(4 * rayon::current_num_threads()) {
        let filtered: Vec<Vec<f32>> =
            blocks.par_iter().map(|block| tile(&kept, block)).collect::<Result<_>>()?;
        for (block, mut tile) in blocks.iter().zip(filtered) {
            for (place, column) in tile.chunks_exact_mut(block.len()).enumerate() {
                for value in column.iter_mut() {
                    *value -= first[place];
                }
                kept.write(place, block.start, column)?;
            }
            counted.advance(block.len() as u64);
        }
    }
    Ok(kept)
}
