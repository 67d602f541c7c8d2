//! Precomputes, for every date, the Gaussian window around it and the straight line fitted in it.

/// Window and line fit around one date; all vectors have one element a column.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Weights of the columns, of sum 1.
    pub(crate) weight: Vec<f64>,
    /// The same without the date itself, not normalised again.
    pub(crate) weight_of_others: Vec<f64>,
    /// Days from a column to this date.
    pub(crate) days: Vec<f64>,
    /// Weighted least squares: the line's value at this date is the sum of these times the values …
    pub(crate) intercept: Vec<f64>,
    /// … and its slope per day the sum of these times the values.
    pub(crate) slope: Vec<f64>,
}

impl Window {
    /// The window of standard deviation `window_days` around the date `days[center]`.
    ///
    /// # StaMPS compatibility
    /// Stage4.md section 5, single master, steps 1 and 3: weights are not squared. Where the window
    /// leaves one date only, its slope is 0 (the original solves a system of rank 1).
    pub(crate) fn new(days: &[f64], center: usize, window_days: f64) -> Self {
        let elapsed: Vec<f64> = days.iter().map(|day| days[center] - day).collect();
        let gauss = |t: f64| (-(t / window_days).powi(2) / 2.0).exp();
        let mut weight: Vec<f64> = elapsed.iter().map(|&t| gauss(t)).collect();
        let sum: f64 = weight.iter().sum();
        for value in &mut weight {
            *value /= sum;
        }
        let mean: f64 = weight.iter().zip(&elapsed).map(|(w, t)| w * t).sum();
        let squares: f64 = weight.iter().zip(&elapsed).map(|(w, t)| w * (t - mean).powi(2)).sum();
        let slope: Vec<f64> = weight
            .iter()
            .zip(&elapsed)
            .map(|(w, t)| if squares > 0.0 { w * (t - mean) / squares } else { 0.0 })
            .collect();
        let intercept = weight.iter().zip(&slope).map(|(w, s)| w - mean * s).collect();
        let mut weight_of_others = weight.clone();
        weight_of_others[center] = 0.0;
        Self { weight, weight_of_others, days: elapsed, intercept, slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_exactly() {
        let days = [0.0, 12.0, 30.0, 100.0];
        let window = Window::new(&days, 2, 40.0);
        assert!((window.weight.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!((window.weight_of_others[2], window.days[0]), (0.0, 30.0));
        let line: Vec<f64> = window.days.iter().map(|t| 0.75 - 0.01 * t).collect();
        let dot = |a: &[f64]| a.iter().zip(&line).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&window.intercept) - 0.75).abs() < 1e-14);
        assert!((dot(&window.slope) + 0.01).abs() < 1e-15);
    }

    #[test]
    fn a_window_of_one_date_has_no_slope() {
        let window = Window::new(&[0.0, 1000.0], 0, 1.0);
        assert_eq!((window.weight[0], window.slope[0], window.intercept[0]), (1.0, 0.0, 1.0));
    }
}
