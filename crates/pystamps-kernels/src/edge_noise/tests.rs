//! The noise of edges against a plain evaluation of the specification.

use super::*;

/// Reproducible numbers in 0..1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "phasors are stored in single precision")]
fn phasors(count: usize, columns: usize, spread_rad: f64) -> Vec<Complex<f32>> {
    let mut random = Random(5);
    (0..count * columns)
        .map(|i| {
            let trend = 0.02 * (i % columns) as f64 * (i / columns) as f64;
            let angle = trend + spread_rad * (random.next() - 0.5);
            Complex::new(angle.cos() as f32, angle.sin() as f32)
        })
        .collect()
}

fn edges(scatterers: u32) -> Vec<[u32; 2]> {
    (0..scatterers)
        .flat_map(|a| (1..5).map(move |step| [a, a + step * step]))
        .filter(|edge| edge[1] < scatterers)
        .collect()
}

const DAYS: [f64; 9] = [0.0, 12.0, 24.0, 60.0, 72.0, 300.0, 312.0, 700.0, 712.0];
const BPERP_M: [f64; 9] = [10.0, -50.0, 80.0, 0.0, 33.0, -120.0, 5.0, 60.0, -7.0];
const BASELINES: Baselines<'_> = Baselines { bperp_m: &BPERP_M, single_precision: false };
const SMOOTH: NoiseModel<'_> = NoiseModel::Smooth { days: &DAYS, window_days: 150.0 };

fn difference(values: &[Complex<f32>], [from, to]: [u32; 2]) -> Vec<Complex<f64>> {
    let row = |end: u32| &values[end as usize * DAYS.len()..][..DAYS.len()];
    let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
    row(from).iter().zip(row(to)).map(|(&a, &b)| wide(b) * wide(a).conj()).collect()
}

/// Weighted line through `values` at 0, by the normal equations.
fn intercept_and_slope(t: &[f64], values: &[f64], weights: &[f64]) -> (f64, f64) {
    let sum = |f: &dyn Fn(usize) -> f64| (0..t.len()).map(|k| weights[k] * f(k)).sum::<f64>();
    let (s0, s1, s2) = (sum(&|_| 1.0), sum(&|k| t[k]), sum(&|k| t[k] * t[k]));
    let (y0, y1) = (sum(&|k| values[k]), sum(&|k| values[k] * t[k]));
    let determinant = s0 * s2 - s1 * s1;
    ((s2 * y0 - s1 * y1) / determinant, (s0 * y1 - s1 * y0) / determinant)
}

/// Stage4.md section 5, step by step, with `exp` and `angle` as they are written there.
fn direct(values: &[Complex<f32>], edges: &[[u32; 2]]) -> Vec<[f64; 2]> {
    let n = DAYS.len();
    let (mut noise, mut others) =
        (vec![vec![0.0; n]; edges.len()], vec![vec![0.0; n]; edges.len()]);
    for (e, &edge) in edges.iter().enumerate() {
        let d = difference(values, edge);
        for i in 0..n {
            let t: Vec<f64> = DAYS.iter().map(|day| DAYS[i] - day).collect();
            let gauss: Vec<f64> =
                t.iter().map(|t| (-t * t / 2.0 / 150.0_f64.powi(2)).exp()).collect();
            let omega: Vec<f64> = gauss.iter().map(|g| g / gauss.iter().sum::<f64>()).collect();
            let mean: Complex<f64> = (0..n).map(|k| d[k] * omega[k]).sum();
            let a: Vec<f64> = d.iter().map(|d| (d * mean.conj()).arg()).collect();
            let (m0, m1) = intercept_and_slope(&t, &a, &omega);
            let a2: Vec<f64> =
                (0..n).map(|k| Complex::from_polar(1.0, a[k] - m0 - m1 * t[k]).arg()).collect();
            let (n0, _) = intercept_and_slope(&t, &a2, &omega);
            let smooth = mean * Complex::from_polar(1.0, m0 + n0);
            noise[e][i] = (d[i] * smooth.conj()).arg();
            let rest: Complex<f64> = (0..n).filter(|&k| k != i).map(|k| d[k] * omega[k]).sum();
            others[e][i] = (d[i] * rest.conj()).arg();
        }
    }
    let variance = |i: usize| {
        let mean = others.iter().map(|row| row[i]).sum::<f64>() / edges.len() as f64;
        others.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>() / (edges.len() - 1) as f64
    };
    let v: Vec<f64> = (0..n).map(variance).collect();
    noise
        .into_iter()
        .map(|row| {
            let top: f64 = (0..n).map(|i| BPERP_M[i] * row[i] / v[i]).sum();
            let bottom: f64 = (0..n).map(|i| BPERP_M[i] * BPERP_M[i] / v[i]).sum();
            summary(&(0..n).map(|i| row[i] - top / bottom * BPERP_M[i]).collect::<Vec<_>>())
        })
        .collect()
}

fn summary(row: &[f64]) -> [f64; 2] {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    [variance.sqrt(), row.iter().fold(0.0, |largest, x| largest.max(x.abs()))]
}

fn assert_near(noise: &Noise, expected: &[[f64; 2]]) {
    for (e, &[deviation, maximum]) in expected.iter().enumerate() {
        let ours = [noise.deviation_rad[e], noise.maximum_rad[e]].map(f64::from);
        assert!((ours[0] - deviation).abs() < 3e-6, "edge {e}: {ours:?} {deviation}");
        assert!((ours[1] - maximum).abs() < 3e-6, "edge {e}: {ours:?} {maximum}");
    }
}

#[test]
fn smooth_model_follows_the_specification() {
    let values = phasors(300, 9, 2.0);
    let edges = edges(300);
    assert!(edges.len() > 2 * BLOCK_EDGES && !edges.len().is_multiple_of(LANES));
    let of = Phasors { columns: 9, values: &values };
    let noise = edge_noise(&of, &edges, &BASELINES, SMOOTH, |_| ());
    assert_near(&noise, &direct(&values, &edges));
}

#[test]
fn baseline_term_follows_the_specification() {
    let values = phasors(60, 9, 2.0);
    let edges = edges(60);
    let d: Vec<Vec<Complex<f64>>> = edges.iter().map(|&edge| difference(&values, edge)).collect();
    let variance = |i: usize| {
        let mean = d.iter().map(|row| row[i]).sum::<Complex<f64>>() / edges.len() as f64;
        d.iter().map(|row| (row[i] - mean).norm_sqr()).sum::<f64>() / (edges.len() - 1) as f64
    };
    let v: Vec<f64> = (0..9).map(variance).collect();
    let expected: Vec<[f64; 2]> = d
        .iter()
        .map(|row| {
            let top: Complex<f64> = (0..9).map(|i| row[i] * (BPERP_M[i] / v[i])).sum();
            let bottom: f64 = (0..9).map(|i| BPERP_M[i] * BPERP_M[i] / v[i]).sum();
            summary(&(0..9).map(|i| (row[i] - top / bottom * BPERP_M[i]).arg()).collect::<Vec<_>>())
        })
        .collect();
    let of = Phasors { columns: 9, values: &values };
    let noise = edge_noise(&of, &edges, &BASELINES, NoiseModel::BaselineTerm, |_| ());
    assert_near(&noise, &expected);
}

#[test]
fn threads_do_not_change_a_bit() {
    let values = phasors(700, 9, 4.0);
    let edges = edges(700);
    let of = Phasors { columns: 9, values: &values };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| edge_noise(&of, &edges, &BASELINES, SMOOTH, |_| ()))
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn a_scatterer_takes_its_quietest_edge() {
    let noise =
        Noise { deviation_rad: vec![0.3, 0.1, f32::NAN], maximum_rad: vec![1.0, 2.0, f32::NAN] };
    let of = quietest_edges(&noise, &[[0, 1], [1, 2], [2, 3]], 5);
    assert_eq!(of.deviation_rad, [0.3, 0.1, 0.1, f32::INFINITY, f32::INFINITY]);
    assert_eq!(of.maximum_rad, [1.0, 1.0, 2.0, f32::INFINITY, f32::INFINITY]);
}

#[test]
fn missing_phase_and_a_single_edge_have_no_noise() {
    let mut values = phasors(50, 9, 1.0);
    let alone =
        edge_noise(&Phasors { columns: 9, values: &values }, &[[0, 1]], &BASELINES, SMOOTH, |_| ());
    assert!(alone.deviation_rad[0].is_nan() && alone.maximum_rad[0].is_nan());
    values[40] = Complex::new(f32::NAN, f32::NAN);
    let of = Phasors { columns: 9, values: &values };
    let noise = edge_noise(&of, &edges(50), &BASELINES, SMOOTH, |_| ());
    assert!(noise.deviation_rad.iter().chain(&noise.maximum_rad).all(|x| x.is_nan()));
    assert!(edge_noise(&of, &[], &BASELINES, SMOOTH, |_| ()).deviation_rad.is_empty());
}
