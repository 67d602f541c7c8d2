//! Selects candidates of a small-baseline stack by amplitude difference dispersion
//! (prep.md, section 10).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::select::PixelSums;

/// Adds the two images of an interferogram to the pixels from `first` on.
///
/// # StaMPS compatibility
/// All in float32, first image first, as `selsbc_patch`. There is no rule for low amplitudes.
#[inline(always)]
pub(crate) fn add_pair(
    sums: &mut PixelSums,
    first: usize,
    amplitudes: [&[f32]; 2],
    constants: [f32; 2],
) {
    let pixels = first..first + amplitudes[0].len();
    let sum = &mut sums.amplitude[pixels.clone()];
    let square = &mut sums.square[pixels];
    for (((sum, square), &one), &two) in
        sum.iter_mut().zip(square).zip(amplitudes[0]).zip(amplitudes[1])
    {
        let (one, two) = (one / constants[0], two / constants[1]);
        *sum = *sum + one + two;
        *square += (one - two) * (one - two);
    }
}

/// Decides by amplitude difference dispersion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DifferenceThreshold {
    value: f32,
    images: f32,
    pairs: f32,
}

impl DifferenceThreshold {
    /// For `images` images, two to a pair. A negative `value` accepts every pixel with an
    /// amplitude, as in `selsbc_patch`.
    pub(crate) fn new(value: f32, images: usize) -> Self {
        Self { value, images: images as f32, pairs: (images / 2) as f32 }
    }

    /// The amplitude difference dispersion if the pixel is accepted.
    pub(crate) fn accept(self, sum: f32, square: f32) -> Option<f32> {
        if sum.is_nan() || sum <= 0.0 {
            return None;
        }
        let dispersion = (square / self.pairs).sqrt() / (sum / self.images);
        let accepted = dispersion < self.value || (self.value < 0.0 && dispersion >= self.value);
        accepted.then_some(dispersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispersion_of_differences() {
        let mut sums = PixelSums::new(3);
        // Calibrated pairs (2, 4) and (1, 1): differences -2 and 0, mean amplitude 2.
        add_pair(&mut sums, 1, [&[4.0], &[2.0]], [2.0, 0.5]);
        add_pair(&mut sums, 1, [&[1.0], &[1.0]], [1.0, 1.0]);
        assert_eq!((sums.amplitude[1], sums.square[1], sums.amplitude[2]), (8.0, 4.0, 0.0));
        let expected = 2.0_f32.sqrt() / 2.0;
        assert_eq!(DifferenceThreshold::new(0.8, 4).accept(8.0, 4.0), Some(expected));
        assert_eq!(DifferenceThreshold::new(0.6, 4).accept(8.0, 4.0), None);
        assert_eq!(DifferenceThreshold::new(-0.8, 4).accept(8.0, 4.0), Some(expected));
        assert_eq!(DifferenceThreshold::new(0.8, 4).accept(0.0, 0.0), None);
        assert_eq!(DifferenceThreshold::new(-0.8, 4).accept(f32::NAN, 0.0), None);
    }
}
