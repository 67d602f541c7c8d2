//! Says how the rows of one patch become rows of the merged project: one by one, or cell by cell.

use num_complex::Complex;

/// What one patch gives to the merged project.
#[derive(Debug)]
pub(super) struct Contribution {
    /// Row of the merged project that each item becomes.
    pub(super) places: Vec<u32>,
    /// The items.
    pub(super) items: Items,
}

/// Rows of a patch, or groups of them.
#[derive(Debug)]
pub(super) enum Items {
    /// Rows as they are.
    Rows(Vec<u32>),
    /// Cells of a grid, of which the PS inside are combined.
    Cells(Vec<Cell>),
}

/// PS of one cell.
///
/// # StaMPS compatibility
/// Weights are single precision, and so are all sums with them, also of positions: a longitude of
/// 24 deg is rounded to 2e-6 deg, or 0.2 m. The arrays that hold them are double all the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// Their rows, in order.
    pub(super) rows: Vec<u32>,
    /// Inverse variance of the residual phase, rad^-2, of each: weight of means.
    pub(super) inverse_variance: Vec<f32>,
    /// Squared ratio of signal to noise of each: weight of sums.
    pub(super) signal_to_noise: Vec<f32>,
}

impl Cell {
    /// Mean of `values` (of all rows of the patch), weighted by inverse variances.
    #[expect(clippy::cast_possible_truncation, reason = "single precision, see above")]
    pub(super) fn mean(&self, values: &[f64]) -> f64 {
        // A weight of zero would leave nothing to divide by.
        let weight = |p: f32| if p == 0.0 { 1e-9 } else { p };
        let (mut sum, mut weights) = (0.0_f32, 0.0_f32);
        for (&row, &p) in self.rows.iter().zip(&self.inverse_variance) {
            sum += weight(p) * values[row as usize] as f32;
            weights += weight(p);
        }
        f64::from(sum / weights)
    }

    /// Sum of `values`, weighted by the ratio of signal to noise.
    #[expect(clippy::cast_possible_truncation, reason = "single precision, see above")]
    fn sum(&self, values: &[f64]) -> f64 {
        let mut sum = 0.0_f32;
        for (&row, &q) in self.rows.iter().zip(&self.signal_to_noise) {
            sum += q * values[row as usize] as f32;
        }
        f64::from(sum)
    }

    /// The same of phasors.
    fn phasor_sum(&self, values: &[Complex<f32>]) -> Complex<f64> {
        let mut sum = Complex::new(0.0_f32, 0.0);
        for (&row, &q) in self.rows.iter().zip(&self.signal_to_noise) {
            sum += values[row as usize] * q;
        }
        widened(sum)
    }

    /// Coherence of the sum of the cell's phasors.
    pub(super) fn coherence(&self) -> f64 {
        let squares: f32 = self.signal_to_noise.iter().map(|q| q * q).sum();
        f64::from((1.0 / (1.0 + 1.0 / squares.sqrt())).sqrt())
    }
}

fn widened(z: Complex<f32>) -> Complex<f64> {
    Complex::new(f64::from(z.re), f64::from(z.im))
}

impl Contribution {
    /// Sets the merged `out` to the rows of `values`, or to their sums weighted by the ratio of
    /// signal to noise (stage5.md B2: no division).
    pub(super) fn place_sums(&self, values: &[Complex<f32>], out: &mut [Complex<f64>]) {
        self.place(out, |row| widened(values[row as usize]), |cell| cell.phasor_sum(values));
    }

    /// The same with real values.
    pub(super) fn place_real_sums(&self, values: &[f64], out: &mut [f64]) {
        self.place(out, |row| values[row as usize], |cell| cell.sum(values));
    }

    /// Sets the merged `out` to the rows of `values`, or to their means.
    pub(super) fn place_means(&self, values: &[f64], out: &mut [f64]) {
        self.place(out, |row| values[row as usize], |cell| cell.mean(values));
    }

    /// Sets the merged `out` to the coherence of rows, or to that of cells.
    pub(super) fn place_coherence(&self, coherence: &[f64], out: &mut [f64]) {
        self.place(out, |row| coherence[row as usize], Cell::coherence);
    }

    fn place<T>(&self, out: &mut [T], of_row: impl Fn(u32) -> T, of_cell: impl Fn(&Cell) -> T) {
        match &self.items {
            Items::Rows(rows) => {
                for (&place, &row) in self.places.iter().zip(rows) {
                    out[place as usize] = of_row(row);
                }
            }
            Items::Cells(cells) => {
                for (&place, cell) in self.places.iter().zip(cells) {
                    out[place as usize] = of_cell(cell);
                }
            }
        }
    }
}
