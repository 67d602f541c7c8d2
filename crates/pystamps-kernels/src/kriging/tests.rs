//! Both halves of the variant on small scenes.

#![expect(clippy::cast_possible_truncation, reason = "coordinates and phase are single")]

use super::*;
use crate::random::{MatlabV5Uniform, STAMPS_SEED, UniformGenerator};
use crate::triangulation::delaunay_edges;

const POINTS: usize = 75;
const DATES: usize = 36;

struct Scene {
    xy_m: Vec<[f32; 2]>,
    edges: Vec<[u32; 2]>,
    days: Vec<f64>,
    /// Row-major.
    phase_rad: Vec<f32>,
}

fn generator() -> MatlabV5Uniform {
    MatlabV5Uniform::new(STAMPS_SEED)
}

/// Motion, and noise that is independent from PS to PS: partly slow in time, partly white.
fn scene(noise_rad: f64) -> Scene {
    let mut random = MatlabV5Uniform::new(7);
    let xy_m: Vec<[f32; 2]> = (0..POINTS)
        .map(|_| [0, 1].map(|_| (4000.0 * random.next_uniform() - 1000.0) as f32))
        .collect();
    let days: Vec<f64> = (0..DATES).map(|k| 737_000.0 + 36.0 * k as f64).collect();
    let years = years_since_2000(&days);
    let mut phase_rad = Vec::new();
    for [x, _] in &xy_m {
        let mut slow = 0.0;
        for year in &years {
            let motion = f64::from(*x) * 1e-3 * (year - years[0]);
            let mut normal = || (0..12).map(|_| random.next_uniform()).sum::<f64>() - 6.0;
            slow = 0.9 * slow + 0.4 * normal();
            phase_rad.push((motion + noise_rad * (slow + 0.5 * normal())) as f32);
        }
    }
    let edges = delaunay_edges(&xy_m).unwrap();
    Scene { xy_m, edges, days, phase_rad }
}

fn input(scene: &Scene) -> EdgeInput<'_> {
    EdgeInput {
        phase_rad: &scene.phase_rad,
        xy_m: &scene.xy_m,
        edges: &scene.edges,
        days: &scene.days,
        weightless: Some(3),
        window_days: Some(365.0),
    }
}

#[test]
fn motion_does_not_reach_the_noise() {
    let scene = scene(0.0);
    let found = high_pass_edges(&input(&scene), &mut generator());
    assert!(found.high_pass_rad.iter().all(|left| left.abs() < 1e-3));
    assert!(found.mean_deviation_rad < 1e-4);
    assert_eq!(found.deformation.len(), scene.edges.len());
    assert!(found.variogram.of_edges.is_empty() && found.unwrapping_errors.is_empty());
}

/// Against the Gaussian high-pass of the residuals of every PS: differences and both filters
/// commute.
#[test]
fn without_variograms_the_window_is_gaussian() {
    let scene = scene(1e-3);
    let found = high_pass_edges(&input(&scene), &mut generator());
    assert!(found.variogram.of_edges.is_empty());
    let model = DeformationModel::new(&years_since_2000(&scene.days));
    let high_pass = crate::spatial_noise::TemporalHighPass::new(&scene.days, 365.0, Some(3));
    let left: Vec<Vec<f32>> = scene
        .phase_rad
        .chunks_exact(DATES)
        .map(|series| {
            let mut series = series.to_vec();
            model.remove(&mut series);
            let mut left = vec![0.0; DATES];
            high_pass.apply(&series, 1, &mut left);
            left
        })
        .collect();
    for (date, column) in found.high_pass_rad.chunks_exact(POINTS).enumerate() {
        for (point, got) in column.iter().enumerate() {
            let expected = left[point][date] - left[0][date];
            assert!((got - expected).abs() < 1e-5, "{point} {date}: {got} {expected}");
        }
    }
}

#[test]
fn plausible_variograms_are_believed() {
    let scene = scene(0.8);
    let found = high_pass_edges(&input(&scene), &mut generator());
    let plausible = found.variogram.plausible.iter().filter(|&&plausible| plausible).count();
    assert_eq!(found.variogram.of_edges.is_empty(), plausible <= 50, "{plausible}");
    assert!(plausible > 50, "{plausible} of {}", found.variogram.edges.len());
    assert_eq!(found.unwrapping_errors.len(), scene.edges.len() * DATES);
    assert!(found.high_pass_rad.iter().all(|left| left.is_finite()));
    assert!(found.high_pass_rad.iter().any(|left| left.abs() > 0.1));
    assert!(found.high_pass_rad.iter().step_by(POINTS).all(|first| *first == 0.0));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = one.install(|| high_pass_edges(&input(&scene), &mut generator()));
    assert_eq!(again, found);
}

#[test]
fn smooth_images_are_found_in_noise() {
    let scene = scene(0.0);
    let mut random = MatlabV5Uniform::new(9);
    let smooth = |place: &[f32; 2], date: f64| {
        let [x, y] = place.map(|metres| f64::from(metres) / 1000.0);
        (2.0 * x + date).sin() + (1.5 * y).cos() + 0.4 * x
    };
    let (mut given, mut phase) = (Vec::new(), Vec::new());
    for date in 0..3 {
        for place in &scene.xy_m {
            let noise = random.next_uniform() - 0.5;
            given.push(smooth(place, f64::from(date)));
            phase.push((smooth(place, f64::from(date)) + 3.0 * noise) as f32);
        }
    }
    let found = krige_images(&scene.xy_m, &phase, &mut generator());
    assert_eq!(found.variograms.len(), 3);
    let rms = |values: &[f32]| {
        let squares = values.iter().zip(&given).map(|(v, g)| (f64::from(*v) - g).powi(2));
        (squares.sum::<f64>() / given.len() as f64).sqrt()
    };
    let (before, after) = (rms(&phase), rms(&found.noise_rad));
    assert!(after < 0.7 * before, "{before} {after}");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| krige_images(&scene.xy_m, &phase, &mut generator())), found);
}

#[test]
fn nothing_at_all_is_no_panic() {
    let none = EdgeInput {
        phase_rad: &[],
        xy_m: &[],
        edges: &[],
        days: &[],
        weightless: None,
        window_days: None,
    };
    assert_eq!(high_pass_edges(&none, &mut generator()).high_pass_rad, Vec::<f32>::new());
    let xy_m = [[0.0, 0.0], [10.0, 0.0]];
    let two = EdgeInput { phase_rad: &[1.0, f32::NAN], xy_m: &xy_m, days: &[737_000.0], ..none };
    assert_eq!(high_pass_edges(&two, &mut generator()).high_pass_rad, [0.0, 0.0]);
    let two = EdgeInput { edges: &[[0, 1]], ..two };
    assert_eq!(high_pass_edges(&two, &mut generator()).high_pass_rad.len(), 2);
    assert_eq!(krige_images(&[], &[], &mut generator()), SpatialNoise::default());
    let one = krige_images(&xy_m[..1], &[2.0], &mut generator());
    assert!((one.noise_rad[0] - 2.0).abs() < 1e-6);
    assert_eq!(
        krige_images(&[[f32::NAN; 2]; 3], &[f32::NAN; 3], &mut generator()).noise_rad.len(),
        3
    );
}
