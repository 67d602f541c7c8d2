//! Estimates how noise of edges is correlated between interferograms (several masters).

use num_complex::Complex;
use rayon::prelude::*;

use super::{EdgeSeries, Smoothing};
use crate::elementary::atan2;

impl EdgeSeries {
    /// Sets the weights of [`Method::MultiMaster`](super::Method::MultiMaster) from all edges;
    /// other methods need none. Until it is called all interferograms weigh the same.
    ///
    /// `phases` are the filtered phases of the nodes and `low_pass` those of the low pass, both
    /// `[nodes, interferograms]`, column-major; `edges` are pairs of nodes from 0. What the low pass
    /// leaves is taken for noise; edges with NaN are left out.
    ///
    /// # StaMPS compatibility
    /// Stage6.md section 8. Differences of angles are not wrapped. Where fewer edges than
    /// interferograms, or none, leave no covariance that can be inverted, deviations alone count,
    /// of 1 mrad or more.
    ///
    /// # Panics
    /// If the lengths do not fit together, or an edge has a node that is not there.
    pub fn weigh(
        &mut self,
        phases: &[Complex<f32>],
        low_pass: &[Complex<f32>],
        edges: &[[u32; 2]],
    ) {
        assert_eq!(phases.len(), low_pass.len(), "both phases of every node");
        let columns = self.interferograms();
        assert!(phases.len().is_multiple_of(columns), "whole columns");
        let nodes = phases.len() / columns;
        if let Smoothing::MultiMaster(_, annealing) = &mut self.smoothing {
            let differences = noise_differences(phases, low_pass, nodes.max(1), edges);
            annealing.weigh(&covariance(differences, columns));
        }
    }
}

/// Differences of the angles that the low pass leaves, `[interferograms][edges]`.
fn noise_differences(
    phases: &[Complex<f32>],
    low_pass: &[Complex<f32>],
    nodes: usize,
    edges: &[[u32; 2]],
) -> Vec<Vec<f64>> {
    let planes = phases.par_chunks(nodes).zip(low_pass.par_chunks(nodes));
    planes
        .map(|(phases, low_pass)| {
            let left = |(z, low): (&Complex<f32>, &Complex<f32>)| {
                let left = z * low.conj();
                atan2(left.im.into(), left.re.into())
            };
            let angle: Vec<f64> = phases.iter().zip(low_pass).map(left).collect();
            edges.iter().map(|&[low, high]| angle[high as usize] - angle[low as usize]).collect()
        })
        .collect()
}

/// Covariance over edges, divisor n - 1; every sum is one thread's, in the order of the edges.
fn covariance(mut differences: Vec<Vec<f64>>, columns: usize) -> Vec<f64> {
    let edges = differences.first().map_or(0, Vec::len);
    let known: Vec<bool> =
        (0..edges).map(|edge| differences.iter().all(|column| column[edge].is_finite())).collect();
    let count = known.iter().filter(|known| **known).count() as f64;
    differences.par_iter_mut().for_each(|column| {
        let mut keep = known.iter();
        column.retain(|_| keep.next().copied().unwrap_or(false));
        let mean = column.iter().sum::<f64>() / count.max(1.0);
        for value in column.iter_mut() {
            *value -= mean;
        }
    });
    let differences = &differences;
    (0..columns * columns)
        .into_par_iter()
        .map(|k| {
            let pair = differences[k / columns].iter().zip(&differences[k % columns]);
            pair.map(|(a, b)| a * b).sum::<f64>() / (count - 1.0).max(1.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::covariance;

    #[test]
    fn edges_with_nan_are_left_out() {
        let differences = vec![vec![1.0, f64::NAN, 2.0, 6.0], vec![-1.0, 5.0, -2.0, -6.0]];
        assert_eq!(covariance(differences, 2), [7.0, -7.0, -7.0, 7.0]);
        assert_eq!(covariance(vec![vec![], vec![]], 2), [0.0; 4]);
    }
}
