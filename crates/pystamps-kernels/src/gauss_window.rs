//! Defines MATLAB's Gaussian window.

/// `gausswin(count, alpha)`: samples of a Gaussian that reaches `alpha` standard deviations at both
/// ends (stage2.md 7). StaMPS's smoothing kernels are `gauss_window(7, 2.5)`, MATLAB's default.
pub fn gauss_window(count: usize, alpha: f64) -> Vec<f64> {
    let half = (count as f64 - 1.0) / 2.0;
    (0..count).map(|k| (-0.5 * (alpha * (k as f64 - half) / half).powi(2)).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::gauss_window;

    #[test]
    fn values_of_the_specification() {
        let window = gauss_window(7, 2.5);
        for (got, expected) in window.iter().zip([0.043_936_93, 0.249_352_21, 0.706_648_28, 1.0]) {
            assert!((got - expected).abs() < 5e-9);
        }
        assert_eq!(window[4..], [window[2], window[1], window[0]]);
        assert!((window.iter().sum::<f64>() - 2.999_874_84).abs() < 5e-9);
    }
}
