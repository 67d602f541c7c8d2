//! Factorises a matrix into an orthogonal and a triangular one, the largest columns first.

/// Householder factorisation with column pivots of a matrix of some rows and few columns.
///
/// # StaMPS compatibility
/// MATLAB's `A \ b` and `lscov`: columns whose diagonal element is not above
/// `max(rows, columns) * eps * |R(1,1)|` are dependent and get the coefficient 0 (the basic solution).
#[derive(Clone, Debug)]
pub struct PivotedQr {
    rows: usize,
    /// Column-major: the triangle, and below the diagonal the reflections.
    factors: Vec<f64>,
    /// First elements of the reflections, which the diagonal has taken the place of.
    heads: Vec<f64>,
    order: Vec<usize>,
    rank: usize,
}

/// Solution of a least-squares problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// One coefficient for each column.
    pub coefficients: Vec<f64>,
    /// Number of columns that are independent.
    pub rank: usize,
}

impl PivotedQr {
    /// Factorises `matrix`, column-major with `rows` rows.
    ///
    /// # Panics
    /// If the matrix has no rows or an incomplete column.
    pub fn new(matrix: &[f64], rows: usize) -> Self {
        assert!(rows > 0, "a matrix with rows");
        let larger = rows.max(matrix.len() / rows);
        Self::with_limit(matrix, rows, larger as f64 * f64::EPSILON)
    }

    /// Factorises as [`Self::new`] does, with another rule for what is dependent: columns whose
    /// diagonal element is not above `limit` times the largest one.
    ///
    /// # Panics
    /// If the matrix has no rows or an incomplete column.
    pub fn with_limit(matrix: &[f64], rows: usize, limit: f64) -> Self {
        assert!(rows > 0 && matrix.len().is_multiple_of(rows), "whole columns");
        let columns = matrix.len() / rows;
        let steps = rows.min(columns);
        let mut qr = Self {
            rows,
            factors: matrix.to_vec(),
            heads: vec![0.0; steps],
            order: (0..columns).collect(),
            rank: 0,
        };
        for step in 0..steps {
            qr.bring_largest(step);
            qr.reflect(step);
        }
        let largest = (0..steps).map(|step| qr.diagonal(step).abs()).fold(0.0, f64::max);
        qr.rank = (0..steps).take_while(|&step| qr.diagonal(step).abs() > limit * largest).count();
        qr
    }

    /// The columns that depend on the others and get the coefficient 0.
    pub fn dependent(&self) -> &[usize] {
        &self.order[self.rank..]
    }

    fn columns(&self) -> usize {
        self.order.len()
    }

    fn diagonal(&self, step: usize) -> f64 {
        self.factors.get(step * self.rows + step).copied().unwrap_or(0.0)
    }

    fn column_below(&self, column: usize, step: usize) -> &[f64] {
        &self.factors[column * self.rows + step..(column + 1) * self.rows]
    }

    /// Exchanges the column that is longest from row `step` down with column `step`.
    fn bring_largest(&mut self, step: usize) {
        let length =
            |column: usize| -> f64 { self.column_below(column, step).iter().map(|x| x * x).sum() };
        let mut largest = step;
        for column in step + 1..self.columns() {
            if length(column) > length(largest) {
                largest = column;
            }
        }
        if largest != step {
            self.order.swap(step, largest);
            for row in 0..self.rows {
                self.factors.swap(step * self.rows + row, largest * self.rows + row);
            }
        }
    }

    /// Reflects column `step` onto its diagonal, and the columns after it with it.
    fn reflect(&mut self, step: usize) {
        let norm = self.column_below(step, step).iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            return;
        }
        let first = self.diagonal(step);
        let diagonal = if first > 0.0 { -norm } else { norm };
        self.heads[step] = first - diagonal;
        self.factors[step * self.rows + step] = diagonal;
        for column in step + 1..self.columns() {
            let (before, rest) = self.factors.split_at_mut(column * self.rows);
            let reflection = &before[step * self.rows + step + 1..(step + 1) * self.rows];
            apply(self.heads[step], reflection, diagonal, &mut rest[step..self.rows]);
        }
    }

    /// Coefficients that bring the columns nearest to `right`.
    ///
    /// # Panics
    /// If `right` has another number of rows than the matrix.
    pub fn solve(&self, right: &[f64]) -> Solution {
        assert_eq!(right.len(), self.rows, "one value for every row");
        let mut turned = right.to_vec();
        for (step, &head) in self.heads.iter().enumerate() {
            let reflection = &self.column_below(step, step)[1..];
            apply(head, reflection, self.diagonal(step), &mut turned[step..]);
        }
        let mut coefficients = vec![0.0; self.columns()];
        for row in (0..self.rank).rev() {
            let known: f64 = (row + 1..self.rank)
                .map(|column| {
                    self.factors[column * self.rows + row] * coefficients[self.order[column]]
                })
                .sum();
            coefficients[self.order[row]] = (turned[row] - known) / self.diagonal(row);
        }
        Solution { coefficients, rank: self.rank }
    }
}

/// Reflects `values` at the plane normal to `(head, tail)`, which maps a column onto `diagonal`.
fn apply(head: f64, tail: &[f64], diagonal: f64, values: &mut [f64]) {
    if head == 0.0 {
        return;
    }
    let along: f64 =
        head * values[0] + tail.iter().zip(&values[1..]).map(|(h, x)| h * x).sum::<f64>();
    // The squared length of the normal is -2 head diagonal.
    let factor = along / (head * diagonal);
    values[0] += factor * head;
    for (value, reflection) in values[1..].iter_mut().zip(tail) {
        *value += factor * reflection;
    }
}

#[cfg(test)]
mod tests {
    use super::PivotedQr;

    #[test]
    fn independent_columns_are_solved_for() {
        let matrix = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0];
        let solution = PivotedQr::new(&matrix, 4).solve(&[6.0, 5.0, 7.0, 10.0]);
        assert_eq!(solution.rank, 2);
        for (got, expected) in solution.coefficients.iter().zip([3.5, 1.4]) {
            assert!((got - expected).abs() < 1e-14, "{solution:?}");
        }
    }

    #[test]
    fn a_dependent_column_gets_nothing() {
        let matrix = [1.0, 2.0, 3.0, -2.0, -4.0, -6.0, 0.0, 1.0, 0.0];
        let solution = PivotedQr::new(&matrix, 3).solve(&[2.0, 4.0, 6.0]);
        assert_eq!(solution.rank, 2);
        assert_eq!(solution.coefficients[0], 0.0);
        assert_eq!(PivotedQr::new(&matrix, 3).dependent(), [0]);
        assert_eq!(PivotedQr::with_limit(&matrix, 3, 0.9).solve(&[2.0, 4.0, 6.0]).rank, 1);
        assert!((solution.coefficients[1] + 1.0).abs() < 1e-15);
        assert!(solution.coefficients[2].abs() < 1e-15);
        assert_eq!(PivotedQr::new(&[0.0; 4], 2).solve(&[1.0, 1.0]).coefficients, [0.0, 0.0]);
    }
}
