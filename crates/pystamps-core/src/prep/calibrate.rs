//! Calibrates amplitudes: one constant for each image (prep.md, section 8).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use pystamps_kernels::simd::{Kernel, run_widest};
use rayon::prelude::*;

use super::amplitude::{amplitudes, float_floor};
use super::parameters::SamplePrecision;
use super::plan::{PrepPlan, Tuning};
use super::raster::{OpenRaster, Raster};
use super::text_format::push_six_digits;
use crate::Result;
use crate::progress::{Phase, Progress};

/// Amplitudes up to this do not count: no data.
const NO_DATA: f32 = float_floor(0.001);

/// Images a thread adds up side by side.
const PAIR: usize = 2;

/// Samples added together.
const GROUP: usize = 16;

/// The constant of an image without a usable sample.
pub(crate) const NO_AMPLITUDE: f32 = 0.0;

/// The mean amplitude of every image, rounded to the six digits that `calamp.out` holds.
///
/// # StaMPS compatibility
/// `calamp`: mean over the samples above 0.001 outside the mask, summed in double in file order.
/// StaMPS reads the constants back from text, so the rounded values are the ones in use.
pub(crate) fn constants(plan: &PrepPlan, progress: &Progress) -> Result<Vec<f32>> {
    let slcs = plan.slcs();
    let mask = plan.mask_raster();
    let total = slcs.iter().map(Raster::bytes).sum();
    let phase = progress.phase("calibrate amplitudes", total, "bytes");
    let lines = Tuning::lines(plan.tuning.block_pixels, plan.width);
    let job = |slcs: &[Raster]| means(slcs, plan.precision, mask.as_ref(), lines, &phase);
    let jobs: Vec<Vec<f32>> = slcs.par_chunks(PAIR).map(job).collect::<Result<_>>()?;
    Ok(jobs.into_iter().flatten().map(six_digits).collect())
}

/// The means of up to two images.
fn means(
    slcs: &[Raster],
    precision: SamplePrecision,
    mask: Option<&Raster>,
    block_lines: usize,
    phase: &Phase<'_>,
) -> Result<Vec<f32>> {
    let open = slcs.iter().map(Raster::open).collect::<Result<Vec<_>>>()?;
    let open_mask = mask.map(Raster::open).transpose()?;
    let Raster { width, length, .. } = slcs[0];
    let (line_bytes, block_lines) = (slcs[0].line_bytes(), block_lines.min(length));
    let mut samples = vec![vec![0; block_lines * line_bytes]; slcs.len()];
    let mut excluded = vec![0; if mask.is_some() { block_lines * width } else { 0 }];
    let mut sums = vec![AmplitudeSum::default(); slcs.len()];
    for first in (0..length).step_by(block_lines) {
        let lines = block_lines.min(length - first);
        for (open, samples) in open.iter().zip(&mut samples) {
            samples.truncate(lines * line_bytes);
            open.read_lines(first, samples)?;
            phase.advance(samples.len() as u64);
        }
        let excluded = read_mask(open_mask.as_ref(), first, &mut excluded, lines * width)?;
        match (&mut sums[..], &samples[..]) {
            ([one, two], [a, b]) => {
                run_widest(AddSamples { sums: [one, two], precision, samples: [a, b], excluded });
            }
            (sums, samples) => {
                for (sum, samples) in sums.iter_mut().zip(samples) {
                    let (sums, samples) = ([sum], [&samples[..]]);
                    run_widest(AddSamples { sums, precision, samples, excluded });
                }
            }
        }
    }
    Ok(sums.iter().map(AmplitudeSum::mean).collect())
}

/// The mask of `pixels` pixels from line `first` on; empty without a mask.
fn read_mask<'a>(
    mask: Option<&OpenRaster<'_>>,
    first: usize,
    buffer: &'a mut [u8],
    pixels: usize,
) -> Result<&'a [u8]> {
    let Some(mask) = mask else { return Ok(&[]) };
    let buffer = &mut buffer[..pixels];
    mask.read_lines(first, buffer)?;
    Ok(buffer)
}

/// Sum of the amplitudes that count.
#[derive(Clone, Debug, Default)]
struct AmplitudeSum {
    sum: f64,
    count: u64,
}

impl AmplitudeSum {
    #[expect(clippy::cast_possible_truncation, reason = "the constant is a float32")]
    fn mean(&self) -> f32 {
        if self.count == 0 { NO_AMPLITUDE } else { (self.sum / self.count as f64) as f32 }
    }
}

/// Adds samples of some images, in order, to one sum for each image.
struct AddSamples<'a, const IMAGES: usize> {
    sums: [&'a mut AmplitudeSum; IMAGES],
    precision: SamplePrecision,
    /// As many samples of each image.
    samples: [&'a [u8]; IMAGES],
    /// Empty, or one byte a sample, 0 = use.
    excluded: &'a [u8],
}

impl<const IMAGES: usize> Kernel for AddSamples<'_, IMAGES> {
    #[inline(always)]
    fn run(self) {
        match self.precision {
            SamplePrecision::Float32 => self.add_groups::<{ 8 * GROUP }>(),
            SamplePrecision::Int16 => self.add_groups::<{ 4 * GROUP }>(),
        }
    }
}

impl<const IMAGES: usize> AddSamples<'_, IMAGES> {
    #[inline(always)]
    fn add_groups<const BYTES: usize>(self) {
        let split = self.samples.map(<[u8]>::as_chunks::<BYTES>);
        let (masks, last_mask) = self.excluded.as_chunks::<GROUP>();
        let mut counts = [[0_u32; GROUP]; IMAGES];
        let mut sums = self.sums.each_ref().map(|sum| sum.sum);
        for index in 0..split[0].0.len() {
            let group = split.map(|(groups, _)| &groups[index]);
            add_group(&mut sums, &mut counts, self.precision, group, masks.get(index));
        }
        // Samples of amplitude 0 fill the last group up; they do not count.
        let last = split.map(|(_, rest)| {
            let mut last = [0; BYTES];
            last[..rest.len()].copy_from_slice(rest);
            last
        });
        let mut mask = [0; GROUP];
        mask[..last_mask.len()].copy_from_slice(last_mask);
        add_group(&mut sums, &mut counts, self.precision, last.each_ref(), Some(&mask));
        for ((total, sum), counts) in self.sums.into_iter().zip(sums).zip(counts) {
            total.sum = sum;
            total.count += counts.iter().map(|&count| u64::from(count)).sum::<u64>();
        }
    }
}

/// Adds one group of samples of each image. The additions of an image wait for each other, so the
/// images take turns, and the roots of the next group are worked on meanwhile.
#[inline(always)]
fn add_group<const BYTES: usize, const IMAGES: usize>(
    sums: &mut [f64; IMAGES],
    counts: &mut [[u32; GROUP]; IMAGES],
    precision: SamplePrecision,
    samples: [&[u8; BYTES]; IMAGES],
    excluded: Option<&[u8; GROUP]>,
) {
    let mut counted = [[0.0_f64; GROUP]; IMAGES];
    for ((samples, counts), counted) in samples.into_iter().zip(counts).zip(&mut counted) {
        let mut amplitude = [0.0_f32; GROUP];
        amplitudes(precision, samples, &mut amplitude);
        if let Some(excluded) = excluded {
            for (amplitude, &excluded) in amplitude.iter_mut().zip(excluded) {
                *amplitude = if excluded == 0 { *amplitude } else { 0.0 };
            }
        }
        for ((counted, count), amplitude) in counted.iter_mut().zip(counts).zip(amplitude) {
            let counts = amplitude > NO_DATA;
            *counted = f64::from(if counts { amplitude } else { 0.0 });
            *count += u32::from(counts);
        }
    }
    // One after another: the order is part of the result. Adding zero changes nothing.
    for sample in 0..GROUP {
        for (sum, counted) in sums.iter_mut().zip(&counted) {
            *sum += counted[sample];
        }
    }
}

/// `value` after a round trip through the text of `calamp.out`.
fn six_digits(value: f32) -> f32 {
    let mut text = Vec::new();
    push_six_digits(&mut text, value);
    let text = std::str::from_utf8(&text).expect("invariant: numbers are written in ASCII");
    text.parse().expect("invariant: a number that was just written reads back")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(amplitudes: &[f32]) -> Vec<u8> {
        amplitudes.iter().flat_map(|a| [a.to_be_bytes(), 0_f32.to_be_bytes()].concat()).collect()
    }

    /// The mean by all ways to get it, which must agree.
    fn mean_of(amplitudes: &[f32], excluded: &[u8]) -> f32 {
        let (precision, samples) = (SamplePrecision::Float32, samples(amplitudes));
        let [mut plain, mut wide, mut first, mut second] =
            [(); 4].map(|()| AmplitudeSum::default());
        let one = [&samples[..]];
        AddSamples { sums: [&mut plain], precision, samples: one, excluded }.run();
        run_widest(AddSamples { sums: [&mut wide], precision, samples: one, excluded });
        let two = [&samples[..], &samples];
        let sums = [&mut first, &mut second];
        run_widest(AddSamples { sums, precision, samples: two, excluded });
        for other in [wide, first, second] {
            assert_eq!((other.sum, other.count), (plain.sum, plain.count));
        }
        plain.mean()
    }

    #[test]
    fn small_amplitudes_nan_and_masked_samples_do_not_count() {
        let values = [1.0, 0.0, 0.000_9, -2.0, f32::NAN, 6.0];
        assert_eq!(mean_of(&values, &[]), 3.0);
        assert_eq!(mean_of(&values, &[0, 0, 0, 0, 0, 7]), 1.5);
        assert_eq!(mean_of(&values, &[1; 6]), 0.0);
        // 0.001 in float32 lies above 0.001 in double and counts.
        assert_eq!(mean_of(&[0.001], &[]), 0.001);
        assert_eq!(mean_of(&[0.001_f32.next_down()], &[]), 0.0);
    }

    #[test]
    fn the_mask_follows_the_samples_over_groups() {
        let values: Vec<f32> = (0..100 * GROUP + 7).map(|index| index as f32 + 1.0).collect();
        let excluded: Vec<u8> = (0..values.len()).map(|index| u8::from(index != 1200)).collect();
        assert_eq!(mean_of(&values, &excluded), 1201.0);
    }

    #[test]
    fn the_constant_in_use_is_the_rounded_one() {
        assert_eq!(six_digits(0.231_996_49), 0.231_996);
        assert_eq!(six_digits(f32::INFINITY), f32::INFINITY);
    }
}
