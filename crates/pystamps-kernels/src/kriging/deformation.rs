//! Takes a model of motion off the series of edges.

use crate::least_squares::PivotedQr;

/// Terms of the model.
pub const TERMS: usize = 5;
/// MATLAB's number of the first day of 2000, and days in a year.
const DAY_OF_2000: f64 = 730_486.0;
const DAYS_A_YEAR: f64 = 365.25;

/// Years since the beginning of 2000 of MATLAB's day numbers.
pub fn years_since_2000(days: &[f64]) -> Vec<f64> {
    days.iter().map(|day| (day - DAY_OF_2000) / DAYS_A_YEAR).collect()
}

/// The model `[yr² yr sin(2 pi yr) cos(2 pi yr)-1 1]` of quadratic, linear and seasonal motion at
/// some dates.
///
/// # StaMPS compatibility
/// Stage8.md section 3 step 2, where the normal equations are solved. Here it is an orthogonal
/// factorisation: the same solution with more digits, and the basic one where dates do not determine
/// all terms.
#[derive(Clone, Debug)]
pub struct DeformationModel {
    years: Vec<f64>,
    /// Terms at every date.
    terms: Vec<[f64; TERMS]>,
    /// Weights of every date in the coefficients.
    weights: Vec<[f64; TERMS]>,
}

impl DeformationModel {
    /// The model at these years.
    pub fn new(years: &[f64]) -> Self {
        let terms: Vec<[f64; TERMS]> = years
            .iter()
            .map(|year| {
                let turn = std::f64::consts::TAU * year;
                [year * year, *year, turn.sin(), turn.cos() - 1.0, 1.0]
            })
            .collect();
        let mut weights = vec![[0.0; TERMS]; years.len()];
        if !years.is_empty() {
            let columns = (0..TERMS).flat_map(|term| terms.iter().map(move |at| at[term]));
            let qr = PivotedQr::new(&columns.collect::<Vec<f64>>(), years.len());
            let mut unit = vec![0.0; years.len()];
            for (date, weights) in weights.iter_mut().enumerate() {
                unit[date] = 1.0;
                weights.copy_from_slice(&qr.solve(&unit).coefficients);
                unit[date] = 0.0;
            }
        }
        Self { years: years.to_vec(), terms, weights }
    }

    /// The years. StaMPS: `years`.
    pub fn years(&self) -> &[f64] {
        &self.years
    }

    /// Terms at every date. StaMPS: `A_time`.
    pub fn terms(&self) -> &[[f64; TERMS]] {
        &self.terms
    }

    /// Takes the model off a series, and returns its coefficients. StaMPS: `coeffs`.
    #[expect(clippy::cast_possible_truncation, reason = "phase is single")]
    pub fn remove(&self, series: &mut [f32]) -> [f64; TERMS] {
        let mut coefficients = [0.0; TERMS];
        for (weights, &value) in self.weights.iter().zip(series.iter()) {
            for (coefficient, weight) in coefficients.iter_mut().zip(weights) {
                *coefficient += weight * f64::from(value);
            }
        }
        for (value, terms) in series.iter_mut().zip(&self.terms) {
            let motion: f64 = coefficients.iter().zip(terms).map(|(c, t)| c * t).sum();
            *value = (f64::from(*value) - motion) as f32;
        }
        coefficients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "phase is single")]
    fn motion_is_found_and_taken_off() {
        let days: Vec<f64> = (0..40).map(|k| 736_330.0 + 24.0 * f64::from(k)).collect();
        let model = DeformationModel::new(&years_since_2000(&days));
        assert!((model.years()[0] - 16.0).abs() < 1e-2);
        let given = [0.02, -0.6, 0.3, -0.2, 5.0];
        let mut series: Vec<f32> = model
            .terms()
            .iter()
            .map(|terms| given.iter().zip(terms).map(|(c, t)| c * t).sum::<f64>() as f32)
            .collect();
        let found = model.remove(&mut series);
        assert!((found[2] - given[2]).abs() < 1e-4 && (found[3] - given[3]).abs() < 1e-4);
        assert!(series.iter().all(|left| left.abs() < 1e-4));
    }

    #[test]
    fn few_dates_are_no_panic() {
        let mut series = [1.0, 2.0];
        DeformationModel::new(&[16.0, 16.1]).remove(&mut series);
        assert!(series.iter().all(|left| left.abs() < 1e-5));
        assert_eq!(DeformationModel::new(&[]).remove(&mut []), [0.0; TERMS]);
    }
}
