//! Interpolates a series the way MATLAB's `interp` does.

use std::f64::consts::PI;

/// Samples of the series on each side of a new one that take part in it.
const REACH: usize = 4;
/// Share of the sampled bandwidth that the series is taken to fill.
const BANDWIDTH: f64 = 0.5;
const TAPS: usize = 2 * REACH;

/// `interp(series, factor)`: `factor` values for every sample, the samples themselves among them.
///
/// # StaMPS compatibility
/// MATLAB's defaults (stage2.md 8): the filter that is best in the mean square for signals of half
/// the bandwidth (Oetken, Parks and Schüssler 1975), four samples to each side; both ends continued
/// by reflection at their last point. Octave's own `interp` uses another filter and zeros.
///
/// # Panics
/// If the series has fewer than 5 samples, too few to reflect, or `factor` is 0.
pub fn interpolate(series: &[f64], factor: usize) -> Vec<f64> {
    let count = series.len();
    assert!(count > REACH, "a series of at least {} samples", REACH + 1);
    assert!(factor > 0, "a factor of 1 or more");
    let (first, last) = (series[0], series[count - 1]);
    let before = (1..=REACH).rev().map(|m| 2.0 * first - series[m]);
    let after = (1..=REACH).map(|m| 2.0 * last - series[count - 1 - m]);
    let extended: Vec<f64> = before.chain(series.iter().copied()).chain(after).collect();
    let filters = filters(factor);
    let mut values = Vec::with_capacity(count * factor);
    for k in 0..count {
        values.push(series[k]);
        // Samples k - 3 to k + 4 of the series.
        let around = &extended[k + 1..][..TAPS];
        values.extend(
            filters.iter().map(|taps| taps.iter().zip(around).map(|(tap, x)| tap * x).sum::<f64>()),
        );
    }
    values
}

/// For every fraction p / factor, p = 1 …, the weights of the samples at -3 … 4.
fn filters(factor: usize) -> Vec<[f64; TAPS]> {
    let solved: Vec<[f64; TAPS]> = (1..factor).map(|p| solve(p as f64 / factor as f64)).collect();
    // The filter is symmetric; the equations leave it so only to 1e-12.
    let symmetric = |p: usize| {
        std::array::from_fn(|k| f64::midpoint(solved[p][k], solved[factor - 2 - p][TAPS - 1 - k]))
    };
    (0..factor - 1).map(symmetric).collect()
}

fn correlation(distance: f64) -> f64 {
    let angle = BANDWIDTH * PI * distance;
    if angle == 0.0 { 1.0 } else { angle.sin() / angle }
}

/// Weights of the samples at -3 … 4 for the value at `fraction`, from the normal equations.
fn solve(fraction: f64) -> [f64; TAPS] {
    let mut matrix: [[f64; TAPS]; TAPS] =
        std::array::from_fn(|i| std::array::from_fn(|j| correlation(i as f64 - j as f64)));
    // The sample at offset m lies at distance fraction - m.
    let mut right: [f64; TAPS] =
        std::array::from_fn(|i| correlation(fraction - (i as f64 - (REACH as f64 - 1.0))));
    // Symmetric and positive: elimination needs no pivots.
    for pivot in 0..TAPS {
        for row in pivot + 1..TAPS {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let upper = matrix[pivot];
            for (below, above) in matrix[row].iter_mut().zip(upper).skip(pivot) {
                *below -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..TAPS).rev() {
        let known: f64 = (row + 1..TAPS).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    #[test]
    fn values_of_the_specification() {
        let mut series = vec![1.0; 41];
        series.extend((0..30).map(|k| 1.0 - f64::from(k) / 29.0));
        series.extend([0.0; 30]);
        let values = interpolate(&series, 10);
        assert_eq!(values.len(), 1010);
        for (number, expected) in [
            (1, 1.0),
            (2, 0.999_909_83),
            (3, 0.999_830_79),
            (4, 0.999_769_33),
            (396, 0.998_823_86),
            (401, 1.0),
            (402, 1.000_601_21),
            (403, 1.001_217_35),
        ] {
            assert!(
                (values[number - 1] - expected).abs() < 5e-9,
                "{number} {}",
                values[number - 1]
            );
        }
    }

    #[test]
    fn samples_pass_through() {
        let series = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        for factor in [1, 2, 7] {
            let values = interpolate(&series, factor);
            let kept: Vec<f64> = values.iter().copied().step_by(factor).collect();
            assert_eq!(kept, series);
        }
    }
}
