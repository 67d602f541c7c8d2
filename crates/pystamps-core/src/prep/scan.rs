//! Runs candidate selection over the scene: every image is read once for all patches.
//!
//! ```text
//! wave (32 blocks) ── block ── block ── block …      in parallel: sums over all images, picks
//!                      └── for each patch it touches  in parallel: text and binary rows
//!                          append, block after block  in order, while the next wave is computed
//! ```
//! A pixel's sums depend on no patch, so overlaps cost nothing.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use std::ops::Range;

use pystamps_kernels::simd::{Kernel, run_widest};
use rayon::prelude::*;

use super::amplitude::{CHUNK, amplitudes};
use super::candidates::{PatchFiles, format_rows};
use super::parameters::SamplePrecision;
use super::patches::Window;
use super::plan::{PrepPlan, Tuning};
use super::raster::{OpenRaster, Raster, RasterStack};
use super::select::{PixelSums, Threshold, add_image};
use super::select_small_baselines::{DifferenceThreshold, add_pair};
use crate::Result;
use crate::progress::{Phase, Progress};

/// The selected pixels of a block of whole lines.
#[derive(Debug)]
pub(crate) struct Block {
    /// First line of the scene in the block.
    pub(crate) first_line: usize,
    /// Number of lines.
    pub(crate) lines: usize,
    /// Summed amplitude of every pixel, row by row.
    pub(crate) amplitude: Vec<f32>,
    /// Accepted pixels, row by row.
    pub(crate) picks: Vec<Pick>,
}

impl Block {
    /// Whether some line of the block belongs to `window`.
    fn meets(&self, window: &Window) -> bool {
        let lines = &window.azimuth;
        lines.start < self.first_line + self.lines && self.first_line < lines.end
    }
}

/// An accepted pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pick {
    /// Line in the scene.
    pub(crate) line: usize,
    /// Sample in the line.
    pub(crate) sample: usize,
    /// Amplitude dispersion.
    pub(crate) dispersion: f32,
    /// Some image is dark here: listed in `pscands.1.ij0` instead of becoming a candidate.
    pub(crate) low: bool,
}

/// Writes the candidate lists and `mean_amp.flt` of every patch.
///
/// # StaMPS compatibility
/// Rows, order and numbers as `selpsc_patch` and `selsbc_patch`. One difference: `selsbc_patch`
/// works in blocks of ten lines and emits rows beyond the last line of a patch shorter than that;
/// here every patch ends where its window ends.
pub(crate) fn select(
    plan: &PrepPlan,
    constants: &[f32],
    files: &mut [PatchFiles],
    progress: &Progress,
) -> Result<()> {
    let slcs = plan.slcs();
    let mask = plan.mask_raster();
    let scan = Scan {
        plan,
        constants,
        stack: RasterStack::open(&slcs, plan.tuning.open_files)?,
        mask: mask.as_ref().map(Raster::open).transpose()?,
    };
    let covered = plan.covered_lines();
    let block_lines = Tuning::lines(plan.tuning.block_pixels, plan.width);
    let blocks: Vec<Range<usize>> = (0..covered)
        .step_by(block_lines)
        .map(|first| first..(first + block_lines).min(covered))
        .collect();
    let total = slcs.iter().map(|slc| slc.line_bytes() as u64 * covered as u64).sum();
    let phase = progress.phase("select candidates", total, "bytes");
    // One wave is written while the next is computed: writing keeps one thread busy at most.
    let mut finished: Vec<Block> = Vec::new();
    for wave in blocks.chunks(plan.tuning.wave_blocks.max(1)) {
        let compute = || {
            wave.par_iter().map(|lines| scan.block(lines.clone(), &phase)).collect::<Result<_>>()
        };
        let (written, computed) = rayon::join(|| append(&finished, files), compute);
        written?;
        finished = computed?;
    }
    append(&finished, files)
}

/// Appends the rows of `blocks` to every patch.
fn append(blocks: &[Block], files: &mut [PatchFiles]) -> Result<()> {
    files.par_iter_mut().try_for_each(|patch| {
        let window = &patch.window;
        let blocks: Vec<&Block> = blocks.iter().filter(|block| block.meets(window)).collect();
        let (mut accepted, mut low) = (patch.accepted, patch.low);
        let mut first_ids = Vec::with_capacity(blocks.len());
        for block in &blocks {
            first_ids.push(accepted);
            for pick in block.picks.iter().filter(|pick| window.contains(pick)) {
                low += u64::from(pick.low);
                accepted += u64::from(!pick.low);
            }
        }
        let rows: Vec<_> = blocks
            .par_iter()
            .zip(first_ids)
            .map(|(block, first_id)| format_rows(block, window, first_id))
            .collect();
        patch.append(&rows)?;
        (patch.accepted, patch.low) = (accepted, low);
        Ok(())
    })
}

struct Scan<'a> {
    plan: &'a PrepPlan,
    constants: &'a [f32],
    stack: RasterStack<'a>,
    mask: Option<OpenRaster<'a>>,
}

impl Scan<'_> {
    fn block(&self, lines: Range<usize>, phase: &Phase<'_>) -> Result<Block> {
        let pixels = lines.len() * self.plan.width;
        let mut excluded = Vec::new();
        if let Some(mask) = &self.mask {
            excluded.resize(pixels, 0);
            mask.read_lines(lines.start, &mut excluded)?;
        }
        let mut sums = PixelSums::new(pixels);
        let threshold = self.plan.amplitude_dispersion.value();
        let images = self.constants.len();
        let picks = if self.plan.export.small_baselines {
            self.sum_pairs(lines.start, &mut sums, phase)?;
            let threshold = DifferenceThreshold::new(threshold, images);
            self.pick(lines.start, &sums, &excluded, |a, b| threshold.accept(a, b))
        } else {
            self.sum_images(lines.start, &mut sums, phase)?;
            let threshold = Threshold::new(threshold, images);
            self.pick(lines.start, &sums, &excluded, |a, b| threshold.accept(a, b))
        };
        let amplitude = sums.amplitude;
        Ok(Block { first_line: lines.start, lines: lines.len(), amplitude, picks })
    }

    fn sum_images(&self, first_line: usize, sums: &mut PixelSums, phase: &Phase<'_>) -> Result<()> {
        let precision = self.plan.precision;
        let mut samples = vec![0; sums.amplitude.len() * precision.sample_bytes()];
        for (image, &constant) in self.constants.iter().enumerate() {
            self.stack.read_lines(image, first_line, &mut samples)?;
            run_widest(AddImage { sums, precision, samples: &samples, constant });
            phase.advance(samples.len() as u64);
        }
        Ok(())
    }

    fn sum_pairs(&self, first_line: usize, sums: &mut PixelSums, phase: &Phase<'_>) -> Result<()> {
        let precision = self.plan.precision;
        let mut samples =
            [(); 2].map(|()| vec![0; sums.amplitude.len() * precision.sample_bytes()]);
        for (pair, constants) in self.constants.as_chunks::<2>().0.iter().enumerate() {
            for (image, samples) in samples.iter_mut().enumerate() {
                self.stack.read_lines(2 * pair + image, first_line, samples)?;
            }
            let samples = [&samples[0][..], &samples[1]];
            run_widest(AddPair { sums, precision, samples, constants: *constants });
            phase.advance(2 * samples[0].len() as u64);
        }
        Ok(())
    }

    fn pick(
        &self,
        first_line: usize,
        sums: &PixelSums,
        excluded: &[u8],
        accept: impl Fn(f32, f32) -> Option<f32>,
    ) -> Vec<Pick> {
        let mut picks = Vec::new();
        let width = self.plan.width;
        for (row, start) in (0..sums.amplitude.len()).step_by(width).enumerate() {
            for pixel in start..start + width {
                let Some(dispersion) = accept(sums.amplitude[pixel], sums.square[pixel]) else {
                    continue;
                };
                if excluded.get(pixel).is_none_or(|&excluded| excluded == 0) {
                    let (line, sample) = (first_line + row, pixel - start);
                    picks.push(Pick { line, sample, dispersion, low: sums.low[pixel] != 0 });
                }
            }
        }
        picks
    }
}

/// Adds one image to the sums of a block.
struct AddImage<'a> {
    sums: &'a mut PixelSums,
    precision: SamplePrecision,
    samples: &'a [u8],
    constant: f32,
}

impl Kernel for AddImage<'_> {
    #[inline(always)]
    fn run(self) {
        let mut amplitude = [0.0; CHUNK];
        let sample_bytes = self.precision.sample_bytes();
        for (index, samples) in self.samples.chunks(CHUNK * sample_bytes).enumerate() {
            let amplitude = &mut amplitude[..samples.len() / sample_bytes];
            amplitudes(self.precision, samples, amplitude);
            add_image(self.sums, index * CHUNK, amplitude, self.constant);
        }
    }
}

/// Adds the two images of an interferogram to the sums of a block.
struct AddPair<'a> {
    sums: &'a mut PixelSums,
    precision: SamplePrecision,
    samples: [&'a [u8]; 2],
    constants: [f32; 2],
}

impl Kernel for AddPair<'_> {
    #[inline(always)]
    fn run(self) {
        let (mut first, mut second) = ([0.0; CHUNK], [0.0; CHUNK]);
        let sample_bytes = self.precision.sample_bytes();
        let [one, two] = self.samples.map(|samples| samples.chunks(CHUNK * sample_bytes));
        for (index, (one, two)) in one.zip(two).enumerate() {
            let length = one.len() / sample_bytes;
            let (first, second) = (&mut first[..length], &mut second[..length]);
            amplitudes(self.precision, one, first);
            amplitudes(self.precision, two, second);
            add_pair(self.sums, index * CHUNK, [first, second], self.constants);
        }
    }
}
