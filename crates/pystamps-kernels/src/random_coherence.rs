//! Computes the coherence that random phases reach: the reference for that of candidates.
//!
//! # StaMPS compatibility
//! Stage2.md, section 3. StaMPS draws a matrix of random numbers column after column and works
//! through its rows. Nothing so large is held here: the generator runs once to the end and leaves a
//! copy of itself where every column of a block of rows begins; blocks then draw their own numbers
//! again, side by side. The result does not depend on the number of threads.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use std::f64::consts::TAU;

use rayon::prelude::*;

use crate::elementary::sin_cos;
use crate::random::UniformGenerator;
use crate::simd::{Kernel, run_widest};
use crate::spares::Spares;
use crate::topofit::{Block, Trials, topofit_coherence_row_invariant};

/// Memory that the copies of the generator may take, bytes.
const COPIES_LIMIT: usize = 16 << 20;
/// Fewest rows of a block.
const BLOCK_ROWS: usize = 512;

/// How random phases become interferograms.
#[derive(Clone, Copy, Debug)]
pub enum RandomNetwork<'a> {
    /// Every interferogram has a phase of its own.
    SingleMaster,
    /// Every image has a phase, interferograms are differences.
    SmallBaselines {
        /// First and second image of every interferogram, from 0: second less first.
        pairs: &'a [(usize, usize)],
        /// Number of images.
        images: usize,
    },
}

impl RandomNetwork<'_> {
    /// Number of columns drawn for `interferograms` interferograms.
    fn drawn_columns(&self, interferograms: usize) -> usize {
        match self {
            Self::SingleMaster => interferograms,
            Self::SmallBaselines { images, .. } => *images,
        }
    }
}

/// Coherence of `n_rand` rows of random phases on the baselines `bperp_m`, one for each
/// interferogram. `report` hears of the number of rows done, block by block, from any thread.
///
/// # Panics
/// If the pairs of a small-baseline network are not as many as the baselines, or name an image that
/// is not there.
pub fn random_coherence<G: UniformGenerator>(
    generator: G,
    n_rand: usize,
    network: RandomNetwork,
    bperp_m: &[f64],
    trials: &Trials,
    report: impl Fn(u64) + Sync,
) -> Vec<f64> {
    if let RandomNetwork::SmallBaselines { pairs, images } = network {
        assert_eq!(pairs.len(), bperp_m.len(), "one pair of images for every interferogram");
        assert!(pairs.iter().all(|pair| pair.0 < images && pair.1 < images), "images that exist");
    }
    let columns = network.drawn_columns(bperp_m.len());
    let block_rows = block_rows::<G>(n_rand, columns);
    let starts = starts(generator, n_rand, columns, block_rows);
    let mut coherence = vec![0.0; n_rand];
    let spares = Spares::<Samples>::default();
    coherence.par_chunks_mut(block_rows).enumerate().for_each(|(number, coherence)| {
        let rows = coherence.len();
        spares.lend(|samples| {
            samples.draw(starts.iter().map(|column| column[number].clone()), rows);
            if let RandomNetwork::SmallBaselines { pairs, .. } = network {
                samples.phase_rad = differences(&samples.phase_rad, rows, pairs);
            }
            let block = samples.phasors(rows);
            topofit_coherence_row_invariant(&block, bperp_m, trials, coherence);
        });
        report(rows as u64);
    });
    coherence
}

/// Random phase of a block of rows, column after column.
#[derive(Default)]
struct Samples {
    phase_rad: Vec<f64>,
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Samples {
    /// Draws a column of `rows` from each generator.
    fn draw<G: UniformGenerator>(&mut self, columns: impl Iterator<Item = G>, rows: usize) {
        self.phase_rad.clear();
        for mut generator in columns {
            self.phase_rad.extend((0..rows).map(|_| TAU * generator.next_uniform()));
        }
    }

    /// The phase as phasors.
    fn phasors(&mut self, rows: usize) -> Block<'_> {
        let Self { phase_rad, re, im } = self;
        re.resize(phase_rad.len(), 0.0);
        im.resize(phase_rad.len(), 0.0);
        run_widest(Phasors { phase_rad, re, im });
        Block { rows, columns: phase_rad.len() / rows, re, im }
    }
}

/// Memory that [`random_coherence`] takes on `columns` drawn columns with `threads` threads, bytes:
/// copies of the generator, the result, and a block of phases and phasors a thread.
pub fn memory_bytes<G>(n_rand: usize, columns: usize, threads: usize) -> usize {
    let rows = block_rows::<G>(n_rand, columns);
    let copies = n_rand.div_ceil(rows) * columns * size_of::<G>();
    copies + size_of::<f64>() * (n_rand + threads * 3 * rows * columns)
}

/// Rows of a block: few enough for the caches, so many that the copies of the generator stay small.
fn block_rows<G>(n_rand: usize, columns: usize) -> usize {
    let bytes_of_one_row = n_rand * columns * size_of::<G>();
    BLOCK_ROWS.max(bytes_of_one_row.div_ceil(COPIES_LIMIT))
}

/// For every column, copies of the generator at the first row of each block.
fn starts<G: UniformGenerator>(
    mut generator: G,
    rows: usize,
    columns: usize,
    block_rows: usize,
) -> Vec<Vec<G>> {
    let column = |_| {
        let block = |first_row: usize| {
            let start = generator.clone();
            for _ in first_row..(first_row + block_rows).min(rows) {
                generator.next_uniform();
            }
            start
        };
        (0..rows).step_by(block_rows).map(block).collect()
    };
    (0..columns).map(column).collect()
}

fn differences(image_phase_rad: &[f64], rows: usize, pairs: &[(usize, usize)]) -> Vec<f64> {
    let image = |k: usize| &image_phase_rad[k * rows..][..rows];
    let pair = |&(first, second): &(usize, usize)| {
        image(second).iter().zip(image(first)).map(|(second, first)| second - first)
    };
    pairs.iter().flat_map(pair).collect()
}

struct Phasors<'a> {
    phase_rad: &'a [f64],
    re: &'a mut [f64],
    im: &'a mut [f64],
}

impl Kernel for Phasors<'_> {
    #[inline(always)]
    fn run(self) {
        for ((phase, re), im) in self.phase_rad.iter().zip(self.re).zip(self.im) {
            (*im, *re) = sin_cos(*phase);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{MatlabV5Uniform, OctaveTwister};
    use std::sync::atomic::{AtomicU64, Ordering};

    const BPERP_M: [f64; 5] = [-120.0, -31.0, 12.0, 60.0, 150.0];

    /// The matrix of all draws, column after column, fitted as one block.
    fn direct(n_rand: usize, columns: usize, pairs: Option<&[(usize, usize)]>) -> Vec<f64> {
        let mut generator = MatlabV5Uniform::new(3);
        let draws: Vec<f64> = (0..n_rand * columns).map(|_| generator.next_uniform()).collect();
        let phase = |row: usize, column: usize| TAU * draws[column * n_rand + row];
        let sample = |k: usize| {
            let (row, m) = (k % n_rand, k / n_rand);
            pairs.map_or_else(|| phase(row, m), |p| phase(row, p[m].1) - phase(row, p[m].0))
        };
        let phases: Vec<f64> = (0..n_rand * BPERP_M.len()).map(sample).collect();
        let re: Vec<f64> = phases.iter().map(|x| x.cos()).collect();
        let im: Vec<f64> = phases.iter().map(|x| x.sin()).collect();
        let mut coherence = vec![0.0; n_rand];
        let block = Block { rows: n_rand, columns: BPERP_M.len(), re: &re, im: &im };
        topofit_coherence_row_invariant(&block, &BPERP_M, &Trials::for_wraps(0.3), &mut coherence);
        coherence
    }

    #[test]
    fn blocks_draw_what_the_whole_matrix_holds() {
        let pairs = [(0, 1), (1, 2), (0, 3), (2, 3), (1, 3)];
        let small = RandomNetwork::SmallBaselines { pairs: &pairs, images: 4 };
        for (network, columns, pairs) in
            [(RandomNetwork::SingleMaster, 5, None), (small, 4, Some(&pairs[..]))]
        {
            let done = AtomicU64::new(0);
            let trials = Trials::for_wraps(0.3);
            let generator = MatlabV5Uniform::new(3);
            let coherence = random_coherence(generator, 1300, network, &BPERP_M, &trials, |rows| {
                done.fetch_add(rows, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 1300);
            for (got, expected) in coherence.iter().zip(direct(1300, columns, pairs)) {
                assert!((got - expected).abs() < 1e-13, "{got} {expected}");
            }
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let trials = Trials::for_wraps(0.3);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let network = RandomNetwork::SingleMaster;
            pool.install(|| {
                random_coherence(OctaveTwister::new(2005), 3000, network, &BPERP_M, &trials, |_| ())
            })
        };
        assert_eq!(run(1), run(3));
    }
}
