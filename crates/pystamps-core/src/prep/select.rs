//! Selects candidates of a single-master stack by amplitude dispersion (prep.md,
//! section 9).

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::amplitude::float_floor;

/// A calibrated amplitude up to this marks the pixel as low.
const LOW_AMPLITUDE: f32 = float_floor(0.000_05);

/// What is summed over the images for each pixel of a block.
#[derive(Debug)]
pub(crate) struct PixelSums {
    /// Calibrated amplitude; starts anew after a low sample.
    pub(crate) amplitude: Vec<f32>,
    /// Its square, or with small baselines the squared difference of the two images.
    pub(crate) square: Vec<f32>,
    /// Not zero where some sample was low.
    pub(crate) low: Vec<u32>,
}

impl PixelSums {
    /// Zeros for `pixels` pixels.
    pub(crate) fn new(pixels: usize) -> Self {
        Self { amplitude: vec![0.0; pixels], square: vec![0.0; pixels], low: vec![0; pixels] }
    }
}

/// Adds one image's amplitudes, divided by its `constant`, to the pixels from `first` on.
///
/// # StaMPS compatibility
/// All in float32 in image order. A low sample resets the amplitude sum but not that of the
/// squares, as in `selpsc_patch`. The original's division by a master amplitude is left out: it is
/// 1 everywhere except for int16 images on a little-endian machine, where a byte swap repeated in
/// place makes it 256 in every second line. That bug is not reproduced; it does not touch the
/// dispersion, only `mean_amp.flt` and the test for low amplitudes.
#[inline(always)]
pub(crate) fn add_image(sums: &mut PixelSums, first: usize, amplitude: &[f32], constant: f32) {
    let pixels = first..first + amplitude.len();
    let sum = &mut sums.amplitude[pixels.clone()];
    let square = &mut sums.square[pixels.clone()];
    let low = &mut sums.low[pixels];
    for (((sum, square), low), &amplitude) in sum.iter_mut().zip(square).zip(low).zip(amplitude) {
        let calibrated = amplitude / constant;
        let is_low = calibrated <= LOW_AMPLITUDE;
        *sum = if is_low { 0.0 } else { *sum + calibrated };
        *square += if is_low { 0.0 } else { calibrated * calibrated };
        *low |= u32::from(is_low);
    }
}

/// Decides by squared dispersion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threshold {
    value: f32,
    squared: f32,
    images: f32,
}

impl Threshold {
    /// For a stack of `images` images; a negative `value` accepts from its size upwards.
    pub(crate) fn new(value: f32, images: usize) -> Self {
        Self { value, squared: value * value, images: images as f32 }
    }

    /// The amplitude dispersion if the pixel is accepted.
    ///
    /// # StaMPS compatibility
    /// Rounding can make the squared dispersion of a constant amplitude slightly negative. StaMPS
    /// accepts the pixel and writes `nan`, which its own stage 1 cannot read; here it is 0.
    pub(crate) fn accept(self, sum: f32, square: f32) -> Option<f32> {
        if sum.is_nan() || sum <= 0.0 {
            return None;
        }
        let squared = (self.images * square) / (sum * sum) - 1.0;
        let accepted =
            if self.value >= 0.0 { squared < self.squared } else { squared >= self.squared };
        accepted.then(|| squared.max(0.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(images: &[(f32, f32)]) -> PixelSums {
        let mut sums = PixelSums::new(1);
        for &(amplitude, constant) in images {
            add_image(&mut sums, 0, &[amplitude], constant);
        }
        sums
    }

    #[test]
    fn dispersion_is_that_of_calibrated_amplitudes() {
        // Calibrated 1 and 3: mean 2, standard deviation 1.
        let sums = sums(&[(2.0, 2.0), (1.5, 0.5)]);
        assert_eq!((sums.amplitude[0], sums.square[0], sums.low[0]), (4.0, 10.0, 0));
        assert_eq!(Threshold::new(0.6, 2).accept(4.0, 10.0), Some(0.5));
        assert_eq!(Threshold::new(0.5, 2).accept(4.0, 10.0), None);
        assert_eq!(Threshold::new(-0.5, 2).accept(4.0, 10.0), Some(0.5));
        assert_eq!(Threshold::new(-0.6, 2).accept(4.0, 10.0), None);
    }

    #[test]
    fn a_low_sample_resets_one_sum_only() {
        let sums = sums(&[(2.0, 1.0), (0.0, 1.0), (3.0, 1.0)]);
        assert_eq!((sums.amplitude[0], sums.square[0]), (3.0, 13.0));
        assert_ne!(sums.low[0], 0);
        // 0.00005 in float32 is below the double constant and counts as low.
        assert_ne!(self::sums(&[(0.000_05, 1.0)]).low[0], 0);
        assert_eq!(self::sums(&[(0.000_05_f32.next_up(), 1.0)]).low[0], 0);
    }

    #[test]
    fn pixels_without_amplitude_are_not_accepted() {
        let threshold = Threshold::new(0.4, 2);
        for (sum, square) in [(0.0, 0.0), (f32::NAN, 1.0), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(threshold.accept(sum, square), None);
        }
        // An image without amplitudes has the constant 0: infinity or NaN.
        let sums = sums(&[(1.0, 1.0), (1.0, 0.0)]);
        assert_eq!(threshold.accept(sums.amplitude[0], sums.square[0]), None);
    }

    #[test]
    fn constant_amplitude_has_dispersion_zero_never_nan() {
        let amplitude = 0.1_f32;
        let mut negative_seen = false;
        for images in 2..60 {
            let sums = sums(&vec![(amplitude, 0.3); images]);
            let (sum, square) = (sums.amplitude[0], sums.square[0]);
            negative_seen |= images as f32 * square / (sum * sum) - 1.0 < 0.0;
            let dispersion = Threshold::new(0.4, images).accept(sum, square).unwrap();
            assert!((0.0..0.01).contains(&dispersion), "{images}");
        }
        assert!(negative_seen);
    }
}
