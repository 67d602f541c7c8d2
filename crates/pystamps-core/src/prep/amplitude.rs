//! Converts stored complex samples to amplitudes.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::parameters::SamplePrecision;

/// Samples converted at a time: the amplitudes stay in the first-level cache.
pub(crate) const CHUNK: usize = 512;

/// Writes the amplitude of every complex big-endian sample of `bytes` to `amplitude`.
///
/// # StaMPS compatibility
/// `|z|` in float32 as `calamp` and `selpsc_patch` get it from the C library: the root of
/// `re² + im²` in double, rounded once (prep.md, section 8). The one difference: the library calls
/// (infinity, NaN) infinite, here it is NaN.
#[inline(always)]
pub(crate) fn amplitudes(precision: SamplePrecision, bytes: &[u8], amplitude: &mut [f32]) {
    match precision {
        SamplePrecision::Float32 => {
            for (amplitude, sample) in amplitude.iter_mut().zip(bytes.as_chunks::<8>().0) {
                let [a, b, c, d, e, f, g, h] = *sample;
                let real = f32::from_be_bytes([a, b, c, d]);
                let imaginary = f32::from_be_bytes([e, f, g, h]);
                *amplitude = modulus(f64::from(real), f64::from(imaginary));
            }
        }
        SamplePrecision::Int16 => {
            for (amplitude, sample) in amplitude.iter_mut().zip(bytes.as_chunks::<4>().0) {
                let [a, b, c, d] = *sample;
                let real = i16::from_be_bytes([a, b]);
                let imaginary = i16::from_be_bytes([c, d]);
                *amplitude = modulus(f64::from(real), f64::from(imaginary));
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is the definition")]
#[inline(always)]
fn modulus(real: f64, imaginary: f64) -> f32 {
    (real * real + imaginary * imaginary).sqrt() as f32
}

/// The largest float32 not above `limit`: `x > limit` in double is `x > floor` in float32.
pub(crate) const fn float_floor(limit: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "corrected in the next line")]
    let nearest = limit as f32;
    if nearest as f64 > limit { nearest.next_down() } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amplitudes_of_both_precisions() {
        let samples = [(3.0_f32, -4.0_f32), (0.0, 0.0), (1.0e30, 1.0e30), (f32::NAN, 0.0)];
        let bytes: Vec<u8> = samples
            .iter()
            .flat_map(|(re, im)| [re.to_be_bytes(), im.to_be_bytes()].concat())
            .collect();
        let mut amplitude = [0.0; 4];
        amplitudes(SamplePrecision::Float32, &bytes, &mut amplitude);
        assert_eq!(amplitude[..3], [5.0, 0.0, 1.414_213_5e30]);
        assert!(amplitude[3].is_nan());
        let bytes: Vec<u8> =
            [300_i16, -400, -32768, -32768].iter().flat_map(|value| value.to_be_bytes()).collect();
        amplitudes(SamplePrecision::Int16, &bytes, &mut amplitude[..2]);
        assert_eq!(amplitude[..2], [500.0, 46_340.95]);
    }

    #[test]
    fn the_root_is_rounded_once() {
        // In float32 throughout, re² + im² loses the low bits and the root comes out differently.
        let (re, im) = (1.000_000_1_f32, 2.000_000_2_f32);
        let exact = (f64::from(re).powi(2) + f64::from(im).powi(2)).sqrt();
        let mut amplitude = [0.0];
        let bytes = [re.to_be_bytes(), im.to_be_bytes()].concat();
        amplitudes(SamplePrecision::Float32, &bytes, &mut amplitude);
        assert!((f64::from(amplitude[0]) - exact).abs() <= f64::from(f32::EPSILON) * exact / 2.0);
    }

    #[test]
    fn float_comparison_equals_double_comparison() {
        for limit in [0.001, 0.000_05, 0.5] {
            let floor = float_floor(limit);
            assert!(f64::from(floor) <= limit && f64::from(floor.next_up()) > limit, "{limit}");
        }
    }
}
