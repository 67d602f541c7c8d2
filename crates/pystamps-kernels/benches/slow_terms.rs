//! Time of the kernels of stages 7 and 8 at the size of a real stack, on one thread and on two.

#![expect(clippy::cast_possible_truncation, reason = "phase is held in single precision")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::time::Instant;

use pystamps_kernels::look_angle_error::{Method, Network, Observations, Settings, estimate};
use pystamps_kernels::ramp::{RampDegree, RampDesign};
use pystamps_kernels::spatial_noise::{SpatialLowPass, TemporalHighPass};
use rayon::prelude::*;

const SCATTERERS: usize = 84_607;
const IMAGES: usize = 108;
const SIGMA_M: f64 = 100.0;

/// Numbers in [0, 1) without a pattern, reproducible.
fn fractions(step: f64) -> impl Fn(usize) -> f64 + Sync {
    move |k| (k as f64 * step).fract()
}

/// PS spread evenly over a square.
fn places(per_km2: f64) -> Vec<[f32; 2]> {
    let side_m = (SCATTERERS as f64 / per_km2).sqrt() * 1000.0;
    let (x, y) = (fractions(0.754_877_666_246_692_7), fractions(0.569_840_290_998_053_2));
    (0..SCATTERERS).map(|k| [(x(k) * side_m) as f32, (y(k) * side_m) as f32]).collect()
}

fn phases() -> Vec<f32> {
    let fraction = fractions(0.618_033_988_749_894_9);
    (0..SCATTERERS * IMAGES).map(|k| (fraction(k) * 6.0 - 3.0) as f32).collect()
}

/// Prints the time of `work` on one and on two threads, and its rate.
fn report(name: &str, count: f64, unit: &str, mut work: impl FnMut() + Send) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let begin = Instant::now();
        pool.install(&mut work);
        let seconds = begin.elapsed().as_secs_f64();
        let rate = count / seconds / 1e9;
        println!("{name:<30} {threads} threads {seconds:7.3} s {rate:8.2} G {unit}/s");
    }
}

fn bench_low_pass(phase_rad: &[f32]) {
    let mut out = vec![0.0; phase_rad.len()];
    for per_km2 in [500.0, 2000.0, 10_000.0] {
        let xy_m = places(per_km2);
        let filter = SpatialLowPass::new(&xy_m, SIGMA_M);
        // A disc of four standard deviations, but for the margins of the scene.
        let reach_km = 4.0 * SIGMA_M / 1000.0;
        let products = std::f64::consts::PI * reach_km * reach_km * per_km2;
        let products = products * (SCATTERERS * IMAGES) as f64;
        report(&format!("low-pass, {per_km2} PS/km2"), products, "products", || {
            filter.smooth(0..SCATTERERS, phase_rad, IMAGES, &mut out);
        });
    }
}

fn bench_high_pass(phase_rad: &[f32]) {
    let days: Vec<f64> = (0..IMAGES).map(|k| 12.0 * k as f64).collect();
    let filter = TemporalHighPass::new(&days, 365.0, Some(40));
    let tile = 1000;
    let products = (SCATTERERS * IMAGES * IMAGES) as f64;
    report("high-pass", products, "products", || {
        phase_rad.par_chunks_exact(tile * IMAGES).for_each_init(
            || vec![0.0; tile * IMAGES],
            |out, phase_rad| filter.apply(phase_rad, tile, out),
        );
    });
}

fn bench_stage7(phase_rad: &[f32]) {
    let samples = phase_rad.len() as f64;
    let xy_m = places(2000.0);
    report("ramps", samples, "samples", || {
        let design = RampDesign::new(&xy_m, RampDegree::Plane);
        phase_rad.par_chunks_exact(SCATTERERS).for_each(|phase_rad| {
            let coefficients = design.fit(phase_rad).unwrap();
            assert_eq!(design.values(&coefficients).len(), SCATTERERS);
        });
    });
    let fraction = fractions(0.7);
    let bperp_m: Vec<f32> =
        (0..phase_rad.len()).map(|k| (fraction(k / SCATTERERS) * 300.0 - 150.0) as f32).collect();
    let day: Vec<f64> = (0..IMAGES).map(|k| 12.0 * k as f64).collect();
    let columns: Vec<usize> = (0..IMAGES).collect();
    let covariance: Vec<f64> =
        (0..IMAGES * IMAGES).map(|k| f64::from(u8::from(k % (IMAGES + 1) == 0))).collect();
    let settings = Settings {
        columns: &columns,
        day: &day,
        covariance: &covariance,
        master: Some(40),
        network: Network::SingleMaster,
        method: Method::LeastSquares,
        velocity: true,
    };
    let observations = Observations { rows: SCATTERERS, phase_rad, bperp_m: &bperp_m };
    report("look-angle error", samples, "samples", || {
        estimate(&observations, &settings).unwrap();
    });
}

fn main() {
    println!("{SCATTERERS} PS x {IMAGES} images");
    let phase_rad = phases();
    bench_stage7(&phase_rad);
    bench_high_pass(&phase_rad);
    bench_low_pass(&phase_rad);
}
