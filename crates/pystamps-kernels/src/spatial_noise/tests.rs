//! The low-pass against its formula.

#![expect(clippy::cast_possible_truncation, reason = "coordinates and values are single")]

use super::SpatialLowPass;

fn points(count: usize, side_m: f64) -> Vec<[f32; 2]> {
    let fraction = |k: usize, step: f64| (k as f64 * step).fract() * side_m;
    (0..count).map(|k| [0.754_877_666, 0.569_840_29].map(|step| fraction(k, step) as f32)).collect()
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|k| ((k as f64 * 0.618).fract() * 6.0 - 3.0) as f32).collect()
}

/// Largest difference from direct sums in double precision.
fn largest_error(xy_m: &[[f32; 2]], sigma_m: f64, values: &[f32], smooth: &[f32]) -> f64 {
    let columns = values.len() / xy_m.len();
    let mut largest = 0.0_f64;
    for (target, means) in xy_m.iter().zip(smooth.chunks_exact(columns)) {
        let (mut sums, mut total) = (vec![0.0; columns], 0.0);
        for (source, values) in xy_m.iter().zip(values.chunks_exact(columns)) {
            let [dx, dy] = [0, 1].map(|k| source[k] - target[k]);
            let squared = f64::from(dx * dx + dy * dy);
            if squared < 16.0 * sigma_m * sigma_m {
                let weight = (-squared / (2.0 * sigma_m * sigma_m)).exp();
                total += weight;
                sums.iter_mut().zip(values).for_each(|(s, &v)| *s += weight * f64::from(v));
            }
        }
        for (mean, sum) in means.iter().zip(&sums) {
            largest = largest.max((f64::from(*mean) - sum / total).abs());
        }
    }
    largest
}

#[test]
fn means_are_those_of_the_formula() {
    for (count, side_m, columns) in
        [(1, 1.0, 3), (400, 2000.0, 1), (3000, 900.0, 17), (700, 60.0, 24), (300, 1e5, 8)]
    {
        let (xy_m, values) = (points(count, side_m), values(count * columns));
        let mut smooth = vec![9.0; values.len()];
        SpatialLowPass::new(&xy_m, 100.0).smooth(0..count, &values, columns, &mut smooth);
        let error = largest_error(&xy_m, 100.0, &values, &smooth);
        assert!(error < 1e-6, "{count} {side_m}: {error}");
    }
}

#[test]
fn means_depend_neither_on_the_range_nor_on_threads() {
    let (count, columns) = (2000, 11);
    let (xy_m, values) = (points(count, 1200.0), values(count * columns));
    let filter = SpatialLowPass::new(&xy_m, 80.0);
    let mut together = vec![0.0; values.len()];
    filter.smooth(0..count, &values, columns, &mut together);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut apart = vec![0.0; values.len()];
    for first in (0..count).step_by(137) {
        let rows = first..count.min(first + 137);
        let out = &mut apart[rows.start * columns..rows.end * columns];
        one.install(|| filter.smooth(rows, &values, columns, out));
    }
    assert!(together.iter().zip(&apart).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn the_reach_ends_before_four_deviations() {
    let xy_m = [[0.0, 0.0], [400.0, 0.0], [0.0, 399.9]];
    let mut smooth = [0.0; 3];
    SpatialLowPass::new(&xy_m, 100.0).smooth(0..3, &[1.0, 5.0, 9.0], 1, &mut smooth);
    let weight = (-399.9_f64.powi(2) / 2e4).exp();
    assert!((f64::from(smooth[0]) - (1.0 + 9.0 * weight) / (1.0 + weight)).abs() < 1e-6);
    assert_eq!(smooth[1], 5.0);
}

#[test]
fn nothing_in_reach_leaves_the_value() {
    let xy_m = [[f32::NAN, 0.0], [1.0, 1.0], [f32::INFINITY, 2.0], [1.0, 1.0]];
    for (sigma_m, expected) in [
        (100.0, [1.0, 3.0, 3.0, 3.0]),
        (0.0, [1.0, 2.0, 3.0, 4.0]),
        (-5.0, [1.0, 2.0, 3.0, 4.0]),
        (f64::NAN, [1.0, 2.0, 3.0, 4.0]),
        (1e-200, [1.0, 2.0, 3.0, 4.0]),
        (1e200, [1.0, 3.0, 3.0, 3.0]),
    ] {
        let mut smooth = [0.0; 4];
        SpatialLowPass::new(&xy_m, sigma_m).smooth(0..4, &[1.0, 2.0, 3.0, 4.0], 1, &mut smooth);
        assert_eq!(smooth, expected, "{sigma_m}");
    }
    SpatialLowPass::new(&[], 100.0).smooth(0..0, &[], 5, &mut []);
}
