//! Collects the variance over edges of one quantity an interferogram.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use super::group::LANES;

/// Count, means and sums of squared deviations: joined by Chan's formula, they keep their digits
/// however many edges there are.
pub(super) struct EdgeMoments {
    edges: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl EdgeMoments {
    pub(super) fn new(columns: usize) -> Self {
        Self { edges: 0.0, mean: vec![0.0; columns], squares: vec![0.0; columns] }
    }

    /// Adds the first `count` lanes of every column; the `parts` hold one column after another.
    #[inline(always)]
    pub(super) fn add<const PARTS: usize>(
        &mut self,
        parts: [&[[f64; LANES]]; PARTS],
        count: usize,
    ) {
        let added = count as f64;
        for (column, value) in parts.into_iter().flatten().enumerate() {
            let value = &value[..count];
            let mean = value.iter().sum::<f64>() / added;
            let squares = value.iter().map(|x| (x - mean) * (x - mean)).sum();
            self.join_column(column, added, mean, squares);
        }
        self.edges += added;
    }

    /// Adds the edges behind `other`.
    pub(super) fn join(&mut self, other: &Self) {
        for column in 0..self.mean.len() {
            self.join_column(column, other.edges, other.mean[column], other.squares[column]);
        }
        self.edges += other.edges;
    }

    #[inline(always)]
    fn join_column(&mut self, column: usize, added: f64, mean: f64, squares: f64) {
        let all = self.edges + added;
        let difference = mean - self.mean[column];
        self.mean[column] += difference * (added / all);
        self.squares[column] += squares + difference * difference * (self.edges * added / all);
    }

    /// Variance (divisor n - 1) of every column.
    ///
    /// # StaMPS compatibility
    /// MATLAB's `var`: 0 for a single edge.
    pub(super) fn variances(&self) -> Vec<f64> {
        let divisor = (self.edges - 1.0).max(1.0);
        self.squares.iter().map(|squares| squares / divisor).collect()
    }
}
