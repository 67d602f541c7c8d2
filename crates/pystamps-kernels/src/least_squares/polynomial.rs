//! Fits polynomials.

use super::qr::PivotedQr;

/// A polynomial in `(x - mean) / deviation`.
#[derive(Clone, Debug, PartialEq)]
pub struct Polynomial {
    /// Coefficients, highest power first.
    pub coefficients: Vec<f64>,
    /// Mean of the abscissas.
    pub mean: f64,
    /// Standard deviation of the abscissas, divisor n - 1.
    pub deviation: f64,
    /// The abscissas did not determine all coefficients; those left over are 0.
    pub rank_deficient: bool,
}

impl Polynomial {
    /// Value at `x`, in double precision.
    pub fn value(&self, x: f64) -> f64 {
        let u = (x - self.mean) / self.deviation;
        self.coefficients.iter().fold(0.0, |value, coefficient| value * u + coefficient)
    }

    /// Value at a single-precision `x`: every operation is rounded to single precision, as MATLAB
    /// does when single and double meet (stage3.md 4.3).
    #[expect(clippy::cast_possible_truncation, reason = "rounding to single is the purpose")]
    pub fn value_single(&self, x: f32) -> f32 {
        let u = (x - self.mean as f32) / self.deviation as f32;
        let coefficients = self.coefficients.iter().map(|&coefficient| coefficient as f32);
        coefficients.reduce(|value, coefficient| value * u + coefficient).unwrap_or(0.0)
    }
}

/// Least-squares polynomial of `degree` of `y` against `x`, centred and scaled, as MATLAB's
/// `[p, S, mu] = polyfit(x, y, degree)`.
///
/// # Panics
/// If `x` and `y` differ in length or are empty.
pub fn fit_polynomial(x: &[f64], y: &[f64], degree: usize) -> Polynomial {
    assert_eq!(x.len(), y.len(), "a value for every abscissa");
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let deviation = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let scaled: Vec<f64> = x.iter().map(|x| (x - mean) / deviation).collect();
    let (coefficients, rank) = fit_powers(&scaled, y, degree);
    Polynomial { coefficients, mean, deviation, rank_deficient: rank <= degree }
}

/// Least-squares straight line `slope x + intercept`, unscaled: `(slope, intercept)`.
///
/// # Panics
/// If `x` and `y` differ in length or are empty.
pub fn fit_line(x: &[f64], y: &[f64]) -> (f64, f64) {
    assert_eq!(x.len(), y.len(), "a value for every abscissa");
    let (coefficients, _) = fit_powers(x, y, 1);
    (coefficients[0], coefficients[1])
}

fn fit_powers(x: &[f64], y: &[f64], degree: usize) -> (Vec<f64>, usize) {
    let mut columns = vec![vec![1.0; x.len()]];
    for power in 0..degree {
        columns.push(columns[power].iter().zip(x).map(|(last, x)| last * x).collect());
    }
    columns.reverse();
    let solution = PivotedQr::new(&columns.concat(), x.len()).solve(y);
    (solution.coefficients, solution.rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_found_again() {
        let x: Vec<f64> = (0..6).map(|k| 1000.0 + 37.0 * f64::from(k * k)).collect();
        let cubic = |x: f64| 2e-9 * x.powi(3) - 1e-5 * x * x + 0.03 * x - 4.0;
        let y: Vec<f64> = x.iter().map(|&x| cubic(x)).collect();
        let polynomial = fit_polynomial(&x, &y, 3);
        assert!(!polynomial.rank_deficient);
        for x in [990.0_f32, 1200.0, 1777.0] {
            let single = f64::from(polynomial.value_single(x));
            let x = f64::from(x);
            assert!((polynomial.value(x) - cubic(x)).abs() < 1e-11, "{polynomial:?}");
            assert!((single - cubic(x)).abs() < 1e-4 && single != polynomial.value(x));
        }
    }

    #[test]
    fn equal_abscissas_are_noticed() {
        let polynomial = fit_polynomial(&[0.0, 0.0, 0.0, 5.0, 7.0], &[1.0, 1.0, 1.0, 2.0, 4.0], 3);
        assert!(polynomial.rank_deficient);
        assert!((polynomial.value(5.0) - 2.0).abs() < 1e-12);
        assert!((polynomial.value(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_through_points() {
        let (slope, intercept) = fit_line(&[1.0, 2.0, 3.0, 4.0], &[6.0, 5.0, 7.0, 10.0]);
        assert!((slope - 1.4).abs() < 1e-14 && (intercept - 3.5).abs() < 1e-14);
    }
}
