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
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// Their rows, in order.
    pub(super) rows: Vec<u32>,
    /// Inverse variance of the residual phase, rad^-2, of each: weight of means.
    pub(super) inverse_variance: Vec<f64>,
    /// Squared ratio of signal to noise of each: weight of phasor sums.
    pub(super) signal_to_noise: Vec<f64>,
}

impl Cell {
    /// Mean of `values` (of all rows of the patch), weighted by inverse variances.
    pub(super) fn mean(&self, values: &[f64]) -> f64 {
        // A weight of zero would leave nothing to divide by.
        let weight = |p: f64| if p == 0.0 { 1e-9 } else { p };
        let (mut sum, mut weights) = (0.0, 0.0);
        for (&row, &p) in self.rows.iter().zip(&self.inverse_variance) {
            sum += weight(p) * values[row as usize];
            weights += weight(p);
        }
        sum / weights
    }

    /// Coherence of the sum of the cell's phasors.
    pub(super) fn coherence(&self) -> f64 {
        let squares: f64 = self.signal_to_noise.iter().map(|q| q * q).sum();
        (1.0 / (1.0 + 1.0 / squares.sqrt())).sqrt()
    }
}

impl Contribution {
    /// Sets the merged `out` to the rows of `values`, or to their sums weighted by the ratio of
    /// signal to noise (stage5.md B2: no division).
    pub(super) fn place_sums(&self, values: &[Complex<f32>], out: &mut [Complex<f64>]) {
        let value = |row: u32| {
            let z = values[row as usize];
            Complex::new(f64::from(z.re), f64::from(z.im))
        };
        self.place(out, value, |cell| {
            let weighted = cell.rows.iter().zip(&cell.signal_to_noise);
            weighted.map(|(&row, &q)| value(row) * q).sum()
        });
    }

    /// The same with real values.
    pub(super) fn place_real_sums(&self, values: &[f64], out: &mut [f64]) {
        let value = |row: u32| values[row as usize];
        self.place(out, value, |cell| {
            cell.rows.iter().zip(&cell.signal_to_noise).map(|(&row, &q)| value(row) * q).sum()
        });
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
