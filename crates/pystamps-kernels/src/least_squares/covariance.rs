//! Fits observations that differ in accuracy or are correlated.

use super::qr::{PivotedQr, Solution};

/// How much observations count.
#[derive(Clone, Copy, Debug)]
pub enum Weighting<'a> {
    /// All alike.
    Equal,
    /// One weight for each, the inverse of its variance.
    Weights(&'a [f64]),
    /// Their covariance matrix, symmetric, `n * n`.
    Covariance(&'a [f64]),
}

/// A covariance matrix that no observations can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPositiveDefinite;

impl std::fmt::Display for NotPositiveDefinite {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the covariance matrix is not positive definite")
    }
}

impl std::error::Error for NotPositiveDefinite {}

/// MATLAB's `lscov(design, observations, weighting)`: one solution for each column of
/// `observations`. Both matrices are column-major with `rows` rows; columns of the design that
/// depend on others get the coefficient 0.
///
/// # Errors
/// [`NotPositiveDefinite`] for such a covariance matrix.
///
/// # Panics
/// If the lengths do not fit together.
pub fn fit_with_covariance(
    design: &[f64],
    observations: &[f64],
    rows: usize,
    weighting: Weighting,
) -> Result<Vec<Solution>, NotPositiveDefinite> {
    let (mut design, mut observations) = (design.to_vec(), observations.to_vec());
    match weighting {
        Weighting::Equal => (),
        Weighting::Weights(weights) => {
            assert_eq!(weights.len(), rows, "one weight for every row");
            for column in design.chunks_exact_mut(rows).chain(observations.chunks_exact_mut(rows)) {
                for (value, weight) in column.iter_mut().zip(weights) {
                    *value *= weight.sqrt();
                }
            }
        }
        Weighting::Covariance(covariance) => {
            let factor = cholesky(covariance, rows)?;
            for column in design.chunks_exact_mut(rows).chain(observations.chunks_exact_mut(rows)) {
                whiten(&factor, column);
            }
        }
    }
    let qr = PivotedQr::new(&design, rows);
    Ok(observations.chunks_exact(rows).map(|column| qr.solve(column)).collect())
}

/// Lower triangle, row-major, whose product with its transpose is `matrix`.
pub(crate) fn cholesky(matrix: &[f64], size: usize) -> Result<Vec<f64>, NotPositiveDefinite> {
    assert_eq!(matrix.len(), size * size, "a square covariance matrix");
    let mut factor = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let known: f64 =
                (0..column).map(|k| factor[row * size + k] * factor[column * size + k]).sum();
            let rest = matrix[row * size + column] - known;
            if row != column {
                factor[row * size + column] = rest / factor[column * size + column];
            } else if rest > 0.0 && rest.is_finite() {
                factor[row * size + row] = rest.sqrt();
            } else {
                return Err(NotPositiveDefinite);
            }
        }
    }
    Ok(factor)
}

/// Solves `factor * white = column` in place.
pub(crate) fn whiten(factor: &[f64], column: &mut [f64]) {
    let size = column.len();
    for row in 0..size {
        let (known, rest) = column.split_at_mut(row);
        let line = &factor[row * size..];
        let sum: f64 = line.iter().zip(known.iter()).map(|(f, x)| f * x).sum();
        rest[0] = (rest[0] - sum) / line[row];
    }
}

/// Solves `factor' * x = weights` in place: turns weights of whitened observations into weights of
/// the observations themselves.
pub(crate) fn whiten_weights(factor: &[f64], weights: &mut [f64]) {
    let size = weights.len();
    for row in (0..size).rev() {
        let line = &factor[row * size..(row + 1) * size];
        let (before, rest) = weights.split_at_mut(row);
        rest[0] /= line[row];
        for (weight, f) in before.iter_mut().zip(line) {
            *weight -= f * rest[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: [f64; 8] = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0];
    const OBSERVATIONS: [f64; 4] = [6.0, 5.0, 7.0, 10.0];

    #[test]
    fn equal_variances_change_nothing() {
        let diagonal: Vec<f64> = (0..16).map(|k| f64::from(u8::from(k % 5 == 0)) * 4.0).collect();
        let equal = fit_with_covariance(&DESIGN, &OBSERVATIONS, 4, Weighting::Equal).unwrap();
        for weighting in [Weighting::Weights(&[3.0; 4]), Weighting::Covariance(&diagonal)] {
            let fit = fit_with_covariance(&DESIGN, &OBSERVATIONS, 4, weighting).unwrap();
            for (got, expected) in fit[0].coefficients.iter().zip(&equal[0].coefficients) {
                assert!((got - expected).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn a_heavy_observation_is_met() {
        let weights = Weighting::Weights(&[1.0, 1e12, 1.0, 1e12]);
        let fit = fit_with_covariance(&DESIGN, &OBSERVATIONS, 4, weights).unwrap();
        assert!((fit[0].coefficients[1] - 2.5).abs() < 1e-6);
    }

    #[test]
    fn impossible_covariances_are_refused() {
        let result =
            fit_with_covariance(&DESIGN, &OBSERVATIONS, 4, Weighting::Covariance(&[1.0; 16]));
        assert_eq!(result, Err(NotPositiveDefinite));
        for endless in [f64::INFINITY, f64::NAN] {
            let mut variances = [1.0, 0.0, 0.0, 1.0];
            variances[0] = endless;
            assert_eq!(cholesky(&variances, 2), Err(NotPositiveDefinite));
        }
    }
}
