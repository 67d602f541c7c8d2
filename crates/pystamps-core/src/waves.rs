//! Makes blocks of results side by side, a wave at a time, and stores each wave in order while the
//! next one is made.

use rayon::prelude::*;

use crate::error::Result;

/// Blocks of a wave for every thread: what is made and what is stored at a time, each.
pub(crate) const BLOCKS_A_THREAD: usize = 8;

/// Makes a result of every block and stores them in the order of the blocks. A wave's results are
/// made in the room of those that were stored two waves before.
///
/// # Errors
/// Those of `make` and `store`.
pub(crate) fn make_and_store<B: Sync, R: Default + Send>(
    blocks: &[B],
    make: impl Fn(&B, &mut R) -> Result<()> + Sync,
    mut store: impl FnMut(&mut R) -> Result<()> + Send,
) -> Result<()> {
    let wave_blocks = BLOCKS_A_THREAD * rayon::current_num_threads();
    let (mut made, mut room): (Vec<R>, Vec<R>) = (Vec::new(), Vec::new());
    for wave in blocks.chunks(wave_blocks) {
        room.resize_with(wave.len(), R::default);
        let (stored, making) = rayon::join(
            || made.iter_mut().try_for_each(&mut store),
            || {
                let both = wave.par_iter().zip(&mut room).with_max_len(1);
                both.try_for_each(|(block, result)| make(block, result))
            },
        );
        stored?;
        making?;
        std::mem::swap(&mut made, &mut room);
    }
    made.iter_mut().try_for_each(store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic;

    #[test]
    fn every_block_is_stored_once_and_in_order() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let wave = BLOCKS_A_THREAD * threads;
            for count in [0, 1, wave, 3 * wave + 1] {
                let blocks: Vec<usize> = (0..count).collect();
                let mut stored = Vec::new();
                let make = |block: &usize, result: &mut usize| {
                    *result = block + 100;
                    Ok(())
                };
                let store = |result: &mut usize| {
                    stored.push(*result - 100);
                    Ok(())
                };
                pool.install(|| make_and_store(&blocks, make, store)).unwrap();
                assert_eq!(stored, blocks);
            }
        }
    }

    #[test]
    fn the_first_failure_ends_it() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let blocks: Vec<usize> = (0..1000).collect();
        let number = |block: &usize, result: &mut usize| {
            *result = *block;
            Ok(())
        };
        // In the third wave: the two before it are stored.
        let fail = |block: &usize, result: &mut usize| match block {
            40 => Err(Diagnostic::new("made-wrong", "a failure").data()),
            _ => number(block, result),
        };
        let mut stored = Vec::new();
        let keep = |result: &mut usize| {
            stored.push(*result);
            Ok(())
        };
        let error = pool.install(|| make_and_store(&blocks, fail, keep)).unwrap_err();
        assert_eq!(error.name(), "made-wrong");
        assert_eq!(stored, blocks[..2 * 2 * BLOCKS_A_THREAD]);

        let refuse = |result: &mut usize| match result {
            3 => Err(Diagnostic::new("stored-wrong", "a failure").data()),
            _ => Ok(()),
        };
        let error = pool.install(|| make_and_store(&blocks, number, refuse)).unwrap_err();
        assert_eq!(error.name(), "stored-wrong");
    }
}
