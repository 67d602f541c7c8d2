//! Takes phase differences along edges, as a diagnostic of their noise.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use num_complex::Complex;
use rayon::prelude::*;

use crate::elementary::atan2;
use crate::simd::{Kernel, run_widest};

/// Edges worked on together by one thread.
const BLOCK: usize = 512;

/// Wrapped differences along edges and what they differ from the mean of their edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeDifferences {
    /// Angle of `z(second) conj(z(first))`, rad: `[edges, columns]`, row-major.
    pub difference_rad: Vec<f32>,
    /// Half of what it differs from the mean of its row, rad: the same shape.
    pub noise_rad: Vec<f32>,
}

/// Differences of the phase of nodes, `[nodes, columns]`, row-major, along edges: the mode `simple`
/// of `stage8_edge_noise` (kernels.md). It is no estimate of noise, and no stage writes it.
///
/// # Panics
/// If an edge ends outside the nodes.
pub fn edge_differences(
    phases: &[Complex<f32>],
    columns: usize,
    edges: &[[u32; 2]],
) -> EdgeDifferences {
    let count = edges.len() * columns;
    let mut found =
        EdgeDifferences { difference_rad: vec![0.0; count], noise_rad: vec![0.0; count] };
    if columns == 0 {
        return found;
    }
    let differences = found.difference_rad.par_chunks_mut(BLOCK * columns);
    let noise = found.noise_rad.par_chunks_mut(BLOCK * columns);
    edges.par_chunks(BLOCK).zip(differences).zip(noise).for_each(|((edges, difference), noise)| {
        run_widest(Block { phases, columns, edges, difference, noise });
    });
    found
}

struct Block<'a> {
    phases: &'a [Complex<f32>],
    columns: usize,
    edges: &'a [[u32; 2]],
    difference: &'a mut [f32],
    noise: &'a mut [f32],
}

impl Kernel for Block<'_> {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "both are single")]
    fn run(self) {
        let columns = self.columns;
        let differences = self.difference.chunks_exact_mut(columns);
        let noise = self.noise.chunks_exact_mut(columns);
        let mut angle_rad = vec![0.0; columns];
        for ((edge, difference), noise) in self.edges.iter().zip(differences).zip(noise) {
            let [low, high] = edge.map(|node| &self.phases[node as usize * columns..][..columns]);
            for ((angle, a), b) in angle_rad.iter_mut().zip(low).zip(high) {
                let product = b * a.conj();
                *angle = atan2(product.im.into(), product.re.into());
            }
            let mean = angle_rad.iter().sum::<f64>() / columns as f64;
            for ((out, noise), angle) in difference.iter_mut().zip(noise).zip(&angle_rad) {
                *out = *angle as f32;
                *noise = (0.5 * (angle - mean)) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_and_half_their_deviations() {
        let phases: Vec<Complex<f32>> =
            [0.1, 3.0, -2.0, 0.4, -3.0, -1.0].map(|phase| Complex::from_polar(2.0, phase)).to_vec();
        let found = edge_differences(&phases, 3, &[[0, 1], [1, 0]]);
        let expected = [0.3, 0.283_185, 1.0];
        for (got, expected) in found.difference_rad.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{found:?}");
        }
        assert!((found.noise_rad[2] - 0.5 * (1.0 - 1.583_185 / 3.0)).abs() < 1e-5);
        assert_eq!(
            found.difference_rad[3..],
            found.difference_rad[..3].iter().map(|x| -x).collect::<Vec<_>>()
        );
        assert_eq!(edge_differences(&[], 0, &[]), EdgeDifferences::default());
    }
}
