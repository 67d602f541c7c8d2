//! Makes the weights that turn observations into coefficients of a common design.

use crate::least_squares::{NotPositiveDefinite, PivotedQr, cholesky, whiten, whiten_weights};

/// Columns of the design of the slope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DesignColumn {
    /// Ones.
    Constant,
    /// Baselines.
    Baseline,
    /// Time intervals.
    Velocity,
}

/// Weights of the observations in the coefficients of `[1, bperp, dt]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SlopeWeights {
    /// `K = sum of weights * observations`, 1/m.
    pub weights: Vec<f64>,
    /// The same for the constant.
    pub constant_weights: Vec<f64>,
    /// The same for the velocity, 1/day; empty where none is estimated.
    pub velocity_weights: Vec<f64>,
    /// Columns that depend on the others, ascending: their coefficient and its weights are 0.
    pub dropped: Vec<DesignColumn>,
}

impl SlopeWeights {
    /// All coefficients for the observations of one PS: constant, slope, and velocity if there is.
    pub fn coefficients(&self, observations: &[f64]) -> Vec<f64> {
        let parts = [&self.constant_weights, &self.weights, &self.velocity_weights];
        let estimated = if self.velocity_weights.is_empty() { 2 } else { 3 };
        let sum = |weights: &&Vec<f64>| weights.iter().zip(observations).map(|(w, o)| w * o).sum();
        parts[..estimated].iter().map(sum).collect()
    }
}

/// Weights of the observations in the look-angle error K (stage7.md section 4, steps 9-11).
///
/// `bperp_m` is the baseline of every observation, m, a mean over PS; `interval_days` its time
/// interval, where a velocity is estimated; `covariance` that of the observations, rad², where they
/// are not equal.
///
/// # Errors
/// [`NotPositiveDefinite`] for such a covariance.
///
/// # Panics
/// If the lengths differ.
pub fn slope_weights(
    bperp_m: &[f64],
    interval_days: Option<&[f64]>,
    covariance: Option<&[f64]>,
) -> Result<SlopeWeights, NotPositiveDefinite> {
    let rows = bperp_m.len();
    let mut design = vec![1.0; rows];
    design.extend(bperp_m);
    if let Some(interval_days) = interval_days {
        assert_eq!(interval_days.len(), rows, "an interval for every observation");
        design.extend(interval_days);
    }
    let columns = if interval_days.is_some() { 3 } else { 2 };
    let (mut parts, dropped) = coefficient_weights(design, rows, columns, covariance)?;
    let velocity_weights = if columns == 3 { parts.pop().unwrap_or_default() } else { Vec::new() };
    let weights = parts.pop().unwrap_or_default();
    let constant_weights = parts.pop().unwrap_or_default();
    let names = [DesignColumn::Constant, DesignColumn::Baseline, DesignColumn::Velocity];
    let dropped = dropped.iter().map(|&column| names[column]).collect();
    Ok(SlopeWeights { weights, constant_weights, velocity_weights, dropped })
}

/// Weights of the phases in the intercept and in the slope of a straight line in time,
/// `[1, day]` with the covariance of the phases, rad². The intercept of a look-angle corrected
/// series is the atmosphere of the master, rad; its slope the velocity, rad/day.
///
/// # Errors
/// [`NotPositiveDefinite`] for such a covariance.
///
/// # Panics
/// If the covariance is not square of this size.
pub fn line_weights(
    days_since_master: &[f64],
    covariance: &[f64],
) -> Result<[Vec<f64>; 2], NotPositiveDefinite> {
    let rows = days_since_master.len();
    let mut design = vec![1.0; rows];
    design.extend(days_since_master);
    let (mut parts, _) = coefficient_weights(design, rows, 2, Some(covariance))?;
    let slope = parts.pop().unwrap_or_default();
    Ok([parts.pop().unwrap_or_default(), slope])
}

/// Weights of the phases in the atmosphere of the master C (stage7.md section 4, step 14): the
/// first of [`line_weights`].
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn offset_weights(
    days_since_master: &[f64],
    covariance: &[f64],
) -> Result<Vec<f64>, NotPositiveDefinite> {
    line_weights(days_since_master, covariance).map(|[offset, _]| offset)
}

/// Weights of the observations in every coefficient, and the dependent columns, ascending.
fn coefficient_weights(
    mut design: Vec<f64>,
    rows: usize,
    columns: usize,
    covariance: Option<&[f64]>,
) -> Result<(Vec<Vec<f64>>, Vec<usize>), NotPositiveDefinite> {
    if rows == 0 {
        return Ok((vec![Vec::new(); columns], (0..columns).collect()));
    }
    if !design.iter().all(|value| value.is_finite()) {
        return Ok((vec![vec![f64::NAN; rows]; columns], Vec::new()));
    }
    let factor = covariance.map(|matrix| cholesky(matrix, rows)).transpose()?;
    if let Some(factor) = &factor {
        design.chunks_exact_mut(rows).for_each(|column| whiten(factor, column));
    }
    let qr = PivotedQr::with_limit(&design, rows, 20.0 * (rows + columns) as f64 * f64::EPSILON);
    let mut parts = vec![vec![0.0; rows]; columns];
    let mut unit = vec![0.0; rows];
    for row in 0..rows {
        unit[row] = 1.0;
        for (part, coefficient) in parts.iter_mut().zip(qr.solve(&unit).coefficients) {
            part[row] = coefficient;
        }
        unit[row] = 0.0;
    }
    if let Some(factor) = &factor {
        for weights in &mut parts {
            whiten_weights(factor, weights);
        }
    }
    let mut dropped = qr.dependent().to_vec();
    dropped.sort_unstable();
    Ok((parts, dropped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::least_squares::{Weighting, fit_with_covariance};

    const BPERP: [f64; 6] = [30.0, -80.0, 120.0, -15.0, 60.0, -100.0];
    const OBSERVATIONS: [f64; 6] = [0.3, -0.4, 1.1, 0.2, 0.5, -0.7];

    fn dot(weights: &[f64], observations: &[f64]) -> f64 {
        weights.iter().zip(observations).map(|(w, o)| w * o).sum()
    }

    fn covariance() -> Vec<f64> {
        (0..36).map(|k| if k % 7 == 0 { 2.0 + f64::from(k) } else { 0.3 }).collect()
    }

    #[test]
    fn weighted_sums_are_the_fit() {
        let days = [12.0, 24.0, 12.0, 36.0, 12.0, 12.0];
        let covariance = covariance();
        for (given, weighting) in
            [(None, Weighting::Equal), (Some(&covariance[..]), Weighting::Covariance(&covariance))]
        {
            let slope = slope_weights(&BPERP, Some(&days), given).unwrap();
            assert_eq!(slope.dropped, []);
            let design = [vec![1.0; 6], BPERP.to_vec(), days.to_vec()].concat();
            let fit = fit_with_covariance(&design, &OBSERVATIONS, 6, weighting).unwrap();
            let found = slope.coefficients(&OBSERVATIONS);
            for (found, expected) in found.iter().zip(&fit[0].coefficients) {
                assert!((found - expected).abs() < 1e-15, "{found} {expected}");
            }
            assert_eq!(found[1], dot(&slope.weights, &OBSERVATIONS));
        }
    }

    #[test]
    fn a_constant_interval_drops_the_ones() {
        let slope = slope_weights(&BPERP, Some(&[12.0; 6]), None).unwrap();
        assert_eq!(slope.dropped, [DesignColumn::Constant]);
        assert_eq!(slope.constant_weights, [0.0; 6]);
        let plain = slope_weights(&BPERP, None, None).unwrap();
        assert_eq!(plain.velocity_weights, Vec::<f64>::new());
        for (with, without) in slope.weights.iter().zip(&plain.weights) {
            assert!((with - without).abs() < 1e-16, "{with} {without}");
        }
        // Intervals below a day are the shorter column.
        let slope = slope_weights(&BPERP, Some(&[0.5; 6]), None).unwrap();
        assert_eq!(slope.dropped, [DesignColumn::Velocity]);
    }

    #[test]
    fn baselines_without_spread_give_no_slope() {
        let slope = slope_weights(&[0.0; 6], None, None).unwrap();
        assert_eq!(slope.dropped, [DesignColumn::Baseline]);
        assert_eq!(slope.weights, [0.0; 6]);
    }

    #[test]
    fn lines_in_time() {
        let days = [-24.0, -12.0, 12.0, 24.0, 36.0, 60.0];
        let phase: Vec<f64> = days.iter().map(|day| 0.7 - 0.02 * day).collect();
        let [offset, slope] = line_weights(&days, &covariance()).unwrap();
        assert!((dot(&offset, &phase) - 0.7).abs() < 1e-14);
        assert!((dot(&slope, &phase) + 0.02).abs() < 1e-15);
        assert_eq!(offset_weights(&days, &covariance()).unwrap(), offset);
    }

    #[test]
    fn degenerate_input_is_no_panic() {
        assert_eq!(slope_weights(&[], None, None).unwrap().weights, Vec::<f64>::new());
        assert_eq!(slope_weights(&[5.0], Some(&[12.0]), None).unwrap().dropped.len(), 2);
        let slope = slope_weights(&[5.0, f64::NAN], None, None).unwrap();
        assert!(slope.weights.iter().all(|weight| weight.is_nan()));
        assert_eq!(offset_weights(&[1.0, 2.0], &[0.0; 4]), Err(NotPositiveDefinite));
        assert_eq!(offset_weights(&[1.0], &[f64::NAN]), Err(NotPositiveDefinite));
        assert_eq!(offset_weights(&[], &[]).unwrap(), Vec::<f64>::new());
    }
}
