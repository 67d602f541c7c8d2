//! Tests of the filter and the gradients by hand-made grids.

use std::f64::consts::{PI, TAU};

use num_complex::Complex;

use super::*;

fn phasor(angle_rad: f64) -> Complex<f32> {
    let (sin, cos) = angle_rad.sin_cos();
    #[expect(clippy::cast_possible_truncation, reason = "grids are single")]
    let phasor = Complex::new(cos as f32, sin as f32);
    phasor
}

fn ramp(rows: usize, columns: usize, [down, across]: [f64; 2]) -> Vec<Complex<f32>> {
    let cell = |k: usize| phasor(down * (k % rows) as f64 + across * (k / rows) as f64);
    (0..rows * columns).map(cell).collect()
}

/// The filter as the specification words it, with plain sums for transforms.
fn plainly(grid: &[Complex<f32>], rows: usize, window: usize, alpha: f64) -> Vec<Complex<f64>> {
    let columns = grid.len() / rows;
    let (step, size) = (window / 2, window + (window + 2) / 4);
    let mut sum = vec![Complex::new(0.0, 0.0); grid.len()];
    let starts = |cells: usize| (0..cells.div_ceil(step) - 1).map(move |k| k * step);
    let transform = |cells: &[Complex<f64>], sign: f64| {
        let turn = |k: usize| Complex::cis(sign * TAU * (k % size) as f64 / size as f64);
        let bin = |out: usize| {
            let (i, j) = (out % size, out / size);
            let term =
                |(k, z): (usize, &Complex<f64>)| z * turn(i * (k % size)) * turn(j * (k / size));
            cells.iter().enumerate().map(term).sum::<Complex<f64>>()
        };
        (0..size * size).map(bin).collect::<Vec<_>>()
    };
    for wanted_row in starts(rows) {
        for wanted_column in starts(columns) {
            let (row, column) =
                (wanted_row.min(rows - window), wanted_column.min(columns - window));
            let mut cells = vec![Complex::new(0.0, 0.0); size * size];
            for k in 0..window * window {
                let z = grid[(column + k / window) * rows + row + k % window];
                cells[k / window * size + k % window] = Complex::new(z.re.into(), z.im.into());
            }
            let mut spectrum = transform(&cells, -1.0);
            let gains = plain_gains(&spectrum, size, alpha);
            spectrum.iter_mut().zip(gains).for_each(|(bin, gain)| *bin *= gain);
            let filtered = transform(&spectrum, 1.0);
            for k in 0..window * window {
                let (i, j) = (k % window, k / window);
                let (from_row, from_column) = (wanted_row - row, wanted_column - column);
                if i >= from_row && j >= from_column {
                    let ramp = |k: usize| (k + 1).min(window - k) as f64;
                    let weight = ramp(i - from_row) + ramp(j - from_column);
                    sum[(column + j) * rows + row + i] += filtered[j * size + i] * weight;
                }
            }
        }
    }
    let keep = |(sum, cell): (Complex<f64>, &Complex<f32>)| {
        Complex::from_polar(f64::from(cell.re).hypot(cell.im.into()), sum.arg())
    };
    sum.into_iter().zip(grid).map(keep).collect()
}

fn plain_gains(spectrum: &[Complex<f64>], size: usize, alpha: f64) -> Vec<f64> {
    let half = size / 2;
    let kernel = crate::gauss_window::gauss_window(7, 2.5);
    let shifted = |k: usize| (k % size + half) % size + (k / size + half) % size * size;
    let mut centred = vec![0.0; size * size];
    (0..size * size).for_each(|k| centred[shifted(k)] = spectrum[k].norm());
    let smooth = |k: usize| {
        let mut sum = 0.0;
        for a in 0..7 {
            for b in 0..7 {
                let (i, j) = (k % size + a, k / size + b);
                if (3..size + 3).contains(&i) && (3..size + 3).contains(&j) {
                    sum += kernel[a] * kernel[b] * centred[(j - 3) * size + i - 3];
                }
            }
        }
        sum
    };
    let smoothed: Vec<f64> = (0..size * size).map(smooth).collect();
    let mut ordered = smoothed.clone();
    ordered.sort_by(f64::total_cmp);
    let count = ordered.len();
    let median = f64::midpoint(ordered[(count - 1) / 2], ordered[count / 2]);
    let scale = if median == 0.0 { 1.0 } else { 1.0 / median };
    (0..size * size).map(|k| (smoothed[shifted(k)] * scale).powf(alpha)).collect()
}

/// A grid with holes and no pattern in its cells.
fn rough(rows: usize, columns: usize) -> Vec<Complex<f32>> {
    let share = |k: usize, x: f64| (k as f64 * x).fract();
    let cell = |k: usize| {
        if share(k, 0.754_877_666) < 0.3 {
            return Complex::ZERO;
        }
        #[expect(clippy::cast_possible_truncation, reason = "grids are single")]
        let modulus = 1.0 + (4.0 * share(k, 0.569_840_290)) as f32;
        phasor(3.0 * share(k, 0.618_033_988) + 0.2 * (k % rows) as f64) * modulus
    };
    (0..rows * columns).map(cell).collect()
}

#[test]
fn the_same_as_plain_sums() {
    // A multiple of the step, one that is not, one window, odd windows, sizes with odd padding.
    for (rows, columns, window) in
        [(12, 16, 8), (11, 9, 8), (8, 8, 8), (11, 10, 7), (9, 8, 5), (7, 6, 2)]
    {
        let grid = rough(rows, columns);
        let filter = GoldsteinFilter::new(rows, columns, window, 0.8).unwrap();
        let got = filter.filter(&grid, &mut filter.scratch());
        let expected = plainly(&grid, rows, window, 0.8);
        assert!(got.iter().any(|z| z.norm() > 1.0));
        for (got, expected) in got.iter().zip(expected) {
            let got = Complex::new(f64::from(got.re), f64::from(got.im));
            assert!((got - expected).norm() < 1e-5, "{rows} {columns} {window}: {got} {expected}");
        }
    }
}

#[test]
fn a_ramp_passes_and_empty_cells_stay_empty() {
    let mut grid = ramp(40, 33, [0.4, -0.3]);
    grid[100] = Complex::ZERO;
    grid[200] = Complex::new(f32::NAN, 1.0);
    let filter = GoldsteinFilter::new(40, 33, 16, 0.8).unwrap();
    let mut scratch = filter.scratch();
    let filtered = filter.filter(&grid, &mut scratch);
    for (k, (got, given)) in filtered.iter().zip(ramp(40, 33, [0.4, -0.3])).enumerate() {
        if k == 100 || k == 200 {
            assert_eq!(*got, Complex::ZERO);
        } else {
            assert!((got - given).norm() < 0.1, "{k}: {got} {given}");
        }
    }
    // Whatever the memory held before.
    assert_eq!(filter.filter(&grid, &mut scratch), filtered);
    assert_eq!(filter.filter(&grid, &mut filter.scratch()), filtered);
    assert!(filter.low_pass(&grid, &mut scratch) != filtered);
    assert!(filter.memory_bytes() > 40 * 33 * 40);
}

#[test]
fn an_empty_grid_stays_empty() {
    let filter = GoldsteinFilter::new(32, 50, 32, 0.8).unwrap();
    let empty = vec![Complex::ZERO; 1600];
    assert_eq!(filter.filter(&empty, &mut filter.scratch()), empty);
}

#[test]
fn windows_must_fit() {
    let new = |rows, columns, window| GoldsteinFilter::new(rows, columns, window, 0.8).err();
    assert_eq!(new(31, 50, 32), Some(GoldsteinError::GridTooSmall { cells: 31, window_cells: 32 }));
    assert_eq!(new(40, 0, 32), Some(GoldsteinError::GridTooSmall { cells: 0, window_cells: 32 }));
    assert_eq!(new(5, 5, 1), Some(GoldsteinError::WindowTooSmall { window_cells: 1 }));
    assert_eq!(new(32, 32, 32), None);
}

#[test]
fn gradients_of_a_ramp() {
    let step = TAU / 16.0;
    let windows = window_gradients(&ramp(30, 17, [3.0 * step, -2.0 * step]), 30, 17, 16);
    // ceil(30 / 4) - 3 = 5 down, ceil(17 / 4) - 3 = 2 across, the last of each moved back.
    let centres: Vec<[f64; 2]> = windows.iter().map(|window| window.centre).collect();
    assert_eq!(centres.len(), 10);
    assert_eq!(centres[..3], [[8.5, 8.5], [8.5, 9.5], [12.5, 8.5]]);
    assert_eq!(centres[9], [22.5, 9.5]);
    for window in &windows {
        assert!((window.row_rad - 3.0 * step).abs() < 1e-12, "{window:?}");
        assert!((window.column_rad - 2.0 * step).abs() < 1e-12, "{window:?}");
        assert!(window.peak > 100.0);
    }
    let steepest = window_gradients(&ramp(16, 16, [PI, 0.0]), 16, 16, 16);
    assert_eq!((steepest.len(), steepest[0].row_rad, steepest[0].column_rad), (1, -PI, 0.0));
    assert!(window_gradients(&ramp(15, 30, [0.0, 0.0]), 15, 30, 16).is_empty());
    let mut few = vec![Complex::ZERO; 256];
    few[..5].fill(Complex::ONE);
    assert!(window_gradients(&few, 16, 16, 16)[0].peak.is_nan());
}

#[test]
fn gradients_between_windows() {
    let window = |row: f64, column: f64, peak: f64| WindowGradient {
        centre: [row, column],
        row_rad: 0.1 * row + 0.01 * column,
        column_rad: -0.05 * row,
        peak,
    };
    let clear = [
        window(8.0, 8.0, 9.0),
        window(8.0, 16.0, 9.0),
        window(16.0, 8.0, 9.0),
        window(16.0, 16.0, 9.0),
    ];
    let nodes = [[10.0, 11.0], [8.0, 8.0], [12.0, 16.0], [7.0, 9.0]];
    let got = node_gradients(&clear, &nodes);
    for (row, expected) in got.row_rad.iter().zip([1.11, 0.88, 1.36]) {
        assert!((row - expected).abs() < 1e-6);
    }
    for (column, expected) in got.column_rad.iter().zip([-0.5, -0.4, -0.6]) {
        assert!((column - expected).abs() < 1e-6);
    }
    assert!(got.row_rad[3].is_nan());
    let unknown = |windows: &[WindowGradient]| {
        node_gradients(windows, &nodes).row_rad.iter().all(|value| value.is_nan())
    };
    assert!(unknown(&clear[..2]));
    assert!(unknown(&[window(8.0, 8.0, 9.0), window(8.0, 16.0, 9.0), window(8.0, 24.0, 9.0)]));
    assert!(unknown(&[clear[0], clear[1], window(16.0, 8.0, 5.0)]), "5 / 2.68 is not clear");
    assert!(!unknown(&clear[..3]));
    // The other direction is judged by itself.
    let weak = [clear[0], clear[1], window(16.0, 8.0, 7.5)];
    let got = node_gradients(&weak, &[[10.0, 10.0]]);
    assert!(got.row_rad[0].is_nan() && got.column_rad[0].is_finite());
}
