//! Tests of the filters against their plain formulas.

#![expect(clippy::cast_possible_truncation, reason = "planes are held in single precision")]

use std::f64::consts::TAU;

use num_complex::{Complex, Complex32, Complex64};

use super::*;
use crate::gauss_window::gauss_window;

/// A plane without a pattern, a third of it empty.
fn plane(rows: usize, columns: usize) -> Vec<Complex32> {
    let cell = |k: usize| {
        let (x, y) = ((k as f64 * 0.618_033_988_75).fract(), (k as f64 * 0.324_717_957).fract());
        if k.is_multiple_of(3) { Complex64::ZERO } else { Complex64::from_polar(4.0 * x, TAU * y) }
    };
    (0..rows * columns).map(cell).map(|z| Complex::new(z.re as f32, z.im as f32)).collect()
}

/// Filtered window of `size` x `size` cells by the definition, without fast transforms.
fn direct_window(
    cells: &[Complex64],
    size: usize,
    alpha: f64,
    beta: f64,
    low: &LowPass,
) -> Vec<Complex64> {
    let transform = |from: &[Complex64], sign: f64| -> Vec<Complex64> {
        let root = |k: usize| Complex64::cis(sign * TAU * (k % size) as f64 / size as f64);
        let lines = |from: &[Complex64]| -> Vec<Complex64> {
            let mut out = vec![Complex64::ZERO; size * size];
            for j in 0..size {
                for k in 0..size {
                    for i in 0..size {
                        // Transposed on the way: two passes transform both directions.
                        out[k * size + j] += from[j * size + i] * root(i * k);
                    }
                }
            }
            out
        };
        lines(&lines(from))
    };
    let spectrum = transform(cells, -1.0);
    let window = gauss_window(7, 2.5);
    let centred = |k: usize| (k + size / 2) % size;
    let modulus = |i: usize, j: usize| spectrum[centred(j) * size + centred(i)].norm();
    let mut smooth = vec![0.0; size * size];
    for (i, j) in (0..size * size).map(|k| (k % size, k / size)) {
        for (p, q) in (0..49).map(|k| (k % 7, k / 7)) {
            let (a, b) = (i + p, j + q);
            if (3..size + 3).contains(&a) && (3..size + 3).contains(&b) {
                smooth[centred(j) * size + centred(i)] +=
                    window[p] * window[q] * modulus(a - 3, b - 3);
            }
        }
    }
    let mut sorted = smooth.clone();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[size * size / 2 - 1], sorted[size * size / 2]);
    let scale = if median == 0.0 { 1.0 } else { median };
    let filtered: Vec<Complex64> = (0..size * size)
        .map(|k| {
            spectrum[k]
                * (beta * ((smooth[k] / scale).powf(alpha) - 1.0).max(0.0) + low.values()[k])
        })
        .collect();
    transform(&filtered, 1.0).iter().map(|z| z / (size * size) as f64).collect()
}

/// The filter of a whole grid by the definition.
fn direct_grid(
    values: &[Complex32],
    rows: usize,
    columns: usize,
    alpha: f64,
    beta: f64,
    low: &LowPass,
) -> Vec<Complex64> {
    let size = low.window();
    let window = size * 3 / 4;
    let step = window / 4;
    let count = |cells: usize| (cells.div_ceil(step)).saturating_sub(3);
    let mut out = vec![Complex64::ZERO; rows * columns];
    let weight = |k: usize| (if k < window / 2 { k } else { window - 1 - k }) as f64;
    for (a, c) in (0..count(rows)).flat_map(|a| (0..count(columns)).map(move |c| (a, c))) {
        let (i1, j1) = ((a * step).min(rows - window), (c * step).min(columns - window));
        let (down, across) = (a * step - i1, c * step - j1);
        let mut cells = vec![Complex64::ZERO; size * size];
        for (i, j) in (0..window * window).map(|k| (k % window, k / window)) {
            let z = values[(j1 + j) * rows + i1 + i];
            if !z.is_nan() {
                cells[j * size + i] = Complex64::new(z.re.into(), z.im.into());
            }
        }
        let filtered = direct_window(&cells, size, alpha, beta, low);
        for (i, j) in (0..window * window).map(|k| (k % window, k / window)) {
            if i >= down && j >= across {
                let weight = weight(i - down) + weight(j - across) + 1e-6;
                out[(j1 + j) * rows + i1 + i] += filtered[j * size + i] * weight;
            }
        }
    }
    out
}

#[test]
fn low_pass_of_the_specification() {
    let low = LowPass::new(32, 50.0, 800.0);
    let at = |i: usize, j: usize| low.values()[j * 32 + i];
    for (got, expected) in [
        (at(0, 0), 1.0),
        (at(0, 1), 0.999_024_39),
        (at(0, 2), 0.5),
        (at(0, 3), 0.017_045_93),
        (at(1, 1), 0.998_049_73),
        (at(0, 16) * 1e9, 0.931_32),
        (at(2, 0), at(0, 2)),
    ] {
        assert!(
            (got - expected).abs() < 5e-9 + 5e-6 * f64::from(u8::from(expected == 0.931_32)),
            "{got} {expected}"
        );
    }
}

#[test]
fn number_of_windows() {
    for (cells, expected) in [(0, -3), (18, 0), (19, 1), (24, 1), (25, 2), (61, 8)] {
        assert_eq!(window_count(cells, 24), expected);
    }
}

#[test]
fn grids_follow_the_plain_formula() {
    for (size, rows, columns, alpha) in [(32, 27, 38, 1.0), (16, 12, 31, 1.0), (8, 9, 11, 0.7)] {
        let mut values = plane(rows, columns);
        values[rows + 2].im = f32::NAN;
        let low = LowPass::new(size, 50.0, 400.0);
        let filter = ClapFilter::new(alpha, 0.3, &low);
        assert_eq!(filter.window_cells(), size / 4 * 3);
        let mut filtered = vec![Complex32::ZERO; values.len()];
        let mut scratch = ClapScratch::default();
        let grid = Plane { rows, columns, values: &values };
        filter.filter(&grid, &mut scratch, &mut filtered);
        let expected = direct_grid(&values, rows, columns, alpha, 0.3, &low);
        let largest = expected.iter().map(|z| z.norm()).fold(0.0, f64::max);
        assert!(largest > 1.0);
        for (got, expected) in filtered.iter().zip(&expected) {
            let got = Complex64::new(got.re.into(), got.im.into());
            assert!((got - expected).norm() < 1e-7 * largest, "{got} {expected}");
        }
        // The same memory again: nothing of the first plane is left in it.
        let again = filtered.clone();
        filter.filter(&grid, &mut scratch, &mut filtered);
        assert_eq!(again, filtered);
    }
}

#[test]
fn an_empty_window_adds_exactly_nothing() {
    let (rows, columns) = (30, 60);
    let mut values = vec![Complex32::ZERO; rows * columns];
    values[3 * rows + 2] = Complex32::new(1.0, -2.0);
    let low = LowPass::new(32, 50.0, 800.0);
    let mut filtered = vec![Complex32::new(9.0, 9.0); values.len()];
    let grid = Plane { rows, columns, values: &values };
    ClapFilter::new(1.0, 0.3, &low).filter(&grid, &mut ClapScratch::default(), &mut filtered);
    assert!(filtered[..20 * rows].iter().any(|z| z.norm() > 0.0));
    assert!(filtered[30 * rows..].iter().all(|&z| z == Complex32::ZERO));
}

#[test]
fn small_grids_give_zeros() {
    let low = LowPass::new(32, 50.0, 800.0);
    for (rows, columns) in [(18, 40), (40, 23), (0, 0)] {
        let values = plane(rows, columns);
        let mut filtered = vec![Complex32::new(9.0, 9.0); values.len()];
        let grid = Plane { rows, columns, values: &values };
        ClapFilter::new(1.0, 0.3, &low).filter(&grid, &mut ClapScratch::default(), &mut filtered);
        assert!(filtered.iter().all(|&z| z == Complex32::ZERO));
    }
}

#[test]
fn patches_follow_the_plain_formula() {
    let (rows, columns) = (37, 34);
    for (size, cell, reach, first) in [
        (32, [0, 0], 0, [0, 0]),
        (32, [20, 17], 0, [4, 1]),
        (32, [36, 33], 2, [5, 2]),
        (10, [18, 3], 1, [13, 0]),
    ] {
        let mut values = plane(rows, columns);
        values[first[1] * rows + first[0] + 5].re = f32::NAN;
        let low = LowPass::new(size, 50.0, 500.0);
        let grid = Plane { rows, columns, values: &values };
        let filter = ClapPatchFilter::new(1.0, 0.3, &low);
        let mut scratch = ClapPatchScratch::default();
        let got = filter.values_without_cells(&grid, [cell], reach, &mut scratch).unwrap()[0];
        let mut cells = vec![Complex64::ZERO; size * size];
        for (i, j) in (0..size * size).map(|k| (k % size, k / size)) {
            let at = [first[0] + i, first[1] + j];
            let z = values[at[1] * rows + at[0]];
            if !z.is_nan() && (at[0].abs_diff(cell[0]) > reach || at[1].abs_diff(cell[1]) > reach) {
                cells[j * size + i] = Complex64::new(z.re.into(), z.im.into());
            }
        }
        let filtered = direct_window(&cells, size, 1.0, 0.3, &low);
        let expected = filtered[(cell[1] - first[1]) * size + cell[0] - first[0]];
        let got = Complex64::new(got.re.into(), got.im.into());
        assert!((got - expected).norm() < 2e-6, "{got} {expected}");
        assert!(expected.norm() > 0.01);
    }
}

#[test]
fn patches_larger_than_the_grid_have_no_value() {
    let values = plane(31, 40);
    let grid = Plane { rows: 31, columns: 40, values: &values };
    let filter = ClapPatchFilter::new(1.0, 0.3, &LowPass::new(32, 50.0, 800.0));
    let mut scratch = ClapPatchScratch::default();
    assert_eq!(filter.values_without_cells(&grid, [[3, 3]], 0, &mut scratch), None);
    let empty = vec![Complex32::ZERO; 40 * 40];
    let grid = Plane { rows: 40, columns: 40, values: &empty };
    let values = filter.values_without_cells(&grid, [[3, 3]], 0, &mut scratch);
    assert_eq!(values, Some(vec![Complex32::ZERO]));
}

#[test]
fn cells_together_have_the_values_of_each_alone() {
    let (rows, columns) = (44, 51);
    let mut values = plane(rows, columns);
    values[20 * rows + 9].im = f32::NAN;
    // Columns without anything, so that windows at the right hold a few cells or none.
    values[30 * rows..].fill(Complex32::ZERO);
    values[40 * rows + 21] = Complex32::new(1.0, -1.0);
    let grid = Plane { rows, columns, values: &values };
    let filter = ClapPatchFilter::new(1.0, 0.3, &LowPass::new(16, 50.0, 500.0));
    // Row by row, and some out of order.
    let across = |row: usize| (0..columns).step_by(3).map(move |column| [row, column]);
    let in_order = (0..rows).flat_map(across);
    let cells: Vec<[usize; 2]> = in_order.chain([[43, 50], [0, 7], [21, 40], [43, 2]]).collect();
    for reach in [0, 2] {
        let mut scratch = ClapPatchScratch::default();
        let together =
            filter.values_without_cells(&grid, cells.iter().copied(), reach, &mut scratch).unwrap();
        for (&cell, together) in cells.iter().zip(together) {
            let mut scratch = ClapPatchScratch::default();
            let alone = filter.values_without_cells(&grid, [cell], reach, &mut scratch).unwrap()[0];
            assert_eq!(
                (together.re.to_bits(), together.im.to_bits()),
                (alone.re.to_bits(), alone.im.to_bits())
            );
        }
    }
}
