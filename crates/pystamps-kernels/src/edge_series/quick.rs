//! Smooth part of a network of interferograms: windows in time over the series of images.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use super::lanes::{LANES, Lanes};
use super::network::Design;
use crate::edge_noise::window::Window;
use crate::least_squares::PivotedQr;

/// What turns the angles of an edge into their smooth part: one fixed linear operator.
///
/// # Algorithm
/// Least-squares series of images with the first at 0 (dependent images are 0, the basic solution),
/// weighted means over the images, differences of the images of every interferogram.
#[derive(Clone, Debug)]
pub(super) struct Quick {
    /// `[interferograms, interferograms]`, row-major.
    operator: Vec<f64>,
}

impl Quick {
    pub(super) fn new(design: &Design, window_days: f64) -> Self {
        let (count, images) = (design.pairs.len(), design.images());
        let inversion = PivotedQr::new(&design.matrix[count..], count);
        let windows: Vec<Window> =
            (0..images).map(|image| Window::new(&design.day, image, window_days)).collect();
        let mut operator = vec![0.0; count * count];
        let mut unit = vec![0.0; count];
        for column in 0..count {
            unit.fill(0.0);
            unit[column] = 1.0;
            let series = inversion.solve(&unit).coefficients;
            let smooth = |image: usize| -> f64 {
                windows[image].weight[1..].iter().zip(&series).map(|(w, x)| w * x).sum()
            };
            for (row, &[first, second]) in design.pairs.iter().enumerate() {
                operator[row * count + column] = smooth(second) - smooth(first);
            }
        }
        Self { operator }
    }

    /// Smooth part of `angle`, in its unit.
    #[inline(always)]
    pub(super) fn smooth(&self, angle: &[Lanes], smooth: &mut [Lanes]) {
        for (row, out) in self.operator.chunks_exact(angle.len()).zip(smooth) {
            let mut sum = [0.0; LANES];
            for (&factor, angle) in row.iter().zip(angle) {
                for lane in 0..LANES {
                    sum[lane] += factor * angle[lane];
                }
            }
            *out = sum;
        }
    }
}
