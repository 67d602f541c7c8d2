//! Calibrates amplitudes: one constant for each image (`shared/spec/prep.md`, section 8).

use rayon::prelude::*;

use super::amplitude::{CHUNK, amplitudes, float_floor};
use super::parameters::SamplePrecision;
use super::plan::{PrepPlan, Tuning};
use super::raster::{OpenRaster, Raster};
use super::text_format::push_six_digits;
use crate::Result;
use crate::progress::{Phase, Progress};

/// Amplitudes up to this do not count: no data.
const NO_DATA: f32 = float_floor(0.001);

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
    slcs.par_iter()
        .map(|slc| {
            Ok(six_digits(mean(
                slc,
                plan.precision,
                mask.as_ref(),
                lines,
                &phase,
            )?))
        })
        .collect()
}

fn mean(
    slc: &Raster,
    precision: SamplePrecision,
    mask: Option<&Raster>,
    block_lines: usize,
    phase: &Phase<'_>,
) -> Result<f32> {
    let open = slc.open()?;
    let open_mask = mask.map(Raster::open).transpose()?;
    let block_lines = block_lines.min(slc.length);
    let mut samples = vec![0; block_lines * slc.line_bytes()];
    let mut excluded = vec![
        0;
        if mask.is_some() {
            block_lines * slc.width
        } else {
            0
        }
    ];
    let mut sum = AmplitudeSum::default();
    for first in (0..slc.length).step_by(block_lines) {
        let lines = block_lines.min(slc.length - first);
        let samples = &mut samples[..lines * slc.line_bytes()];
        open.read_lines(first, samples)?;
        let excluded = read_mask(open_mask.as_ref(), first, &mut excluded, lines * slc.width)?;
        sum.add(precision, samples, excluded);
        phase.advance(samples.len() as u64);
    }
    Ok(sum.mean())
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
#[derive(Debug, Default)]
struct AmplitudeSum {
    sum: f64,
    count: u64,
}

impl AmplitudeSum {
    /// Adds `samples` in order; `excluded` is empty or holds one byte a sample, 0 = use.
    fn add(&mut self, precision: SamplePrecision, samples: &[u8], excluded: &[u8]) {
        let mut amplitude = [0.0_f32; CHUNK];
        let mut counted = [0.0_f64; CHUNK];
        for (index, samples) in samples.chunks(CHUNK * precision.sample_bytes()).enumerate() {
            let length = samples.len() / precision.sample_bytes();
            let (amplitude, counted) = (&mut amplitude[..length], &mut counted[..length]);
            amplitudes(precision, samples, amplitude);
            if !excluded.is_empty() {
                let excluded = &excluded[index * CHUNK..index * CHUNK + length];
                for (amplitude, &excluded) in amplitude.iter_mut().zip(excluded) {
                    *amplitude = if excluded == 0 { *amplitude } else { 0.0 };
                }
            }
            let mut count = 0_u32;
            for (counted, &amplitude) in counted.iter_mut().zip(&*amplitude) {
                let counts = amplitude > NO_DATA;
                *counted = if counts { f64::from(amplitude) } else { 0.0 };
                count += u32::from(counts);
            }
            self.count += u64::from(count);
            // One after another: the order is part of the result. Adding zero changes nothing.
            self.sum = counted.iter().fold(self.sum, |sum, value| sum + value);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the constant is a float32")]
    fn mean(&self) -> f32 {
        if self.count == 0 {
            NO_AMPLITUDE
        } else {
            (self.sum / self.count as f64) as f32
        }
    }
}

/// `value` after a round trip through the text of `calamp.out`.
fn six_digits(value: f32) -> f32 {
    let mut text = Vec::new();
    push_six_digits(&mut text, value);
    let text = std::str::from_utf8(&text).expect("invariant: numbers are written in ASCII");
    text.parse()
        .expect("invariant: a number that was just written reads back")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(amplitudes: &[f32]) -> Vec<u8> {
        amplitudes
            .iter()
            .flat_map(|a| [a.to_be_bytes(), 0_f32.to_be_bytes()].concat())
            .collect()
    }

    fn mean_of(amplitudes: &[f32], excluded: &[u8]) -> f32 {
        let mut sum = AmplitudeSum::default();
        sum.add(SamplePrecision::Float32, &samples(amplitudes), excluded);
        sum.mean()
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
    fn the_mask_follows_the_samples_over_chunks() {
        let values: Vec<f32> = (0..3 * CHUNK + 7).map(|index| index as f32 + 1.0).collect();
        let excluded: Vec<u8> = (0..values.len())
            .map(|index| u8::from(index != 1200))
            .collect();
        assert_eq!(mean_of(&values, &excluded), 1201.0);
    }

    #[test]
    fn the_constant_in_use_is_the_rounded_one() {
        assert_eq!(six_digits(0.231_996_49), 0.231_996);
        assert_eq!(six_digits(f32::INFINITY), f32::INFINITY);
    }
}
