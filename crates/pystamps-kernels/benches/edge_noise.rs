//! Rate of the edge noise of stage 4 on seeded random phasors.
//!
//! `cargo bench -p pystamps-kernels --bench edge_noise`: 90,000 edges between 30,000 PS, 75
//! interferograms; the best of some rounds counts, on one and on two threads.

#![expect(clippy::unwrap_used, reason = "a failed unwrap ends the benchmark")]
#![expect(clippy::print_stdout, reason = "the result")]

use std::time::{Duration, Instant};

use num_complex::Complex;
use pystamps_kernels::edge_noise::{Baselines, NoiseModel, Phasors, edge_noise};
use pystamps_kernels::triangulation::delaunay_edges;

const SCATTERERS: usize = 30_000;
const INTERFEROGRAMS: usize = 75;
const ROUNDS: usize = 3;

/// A small reproducible generator of numbers in [0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}

fn main() {
    let mut random = Random(1);
    let values: Vec<Complex<f32>> = (0..SCATTERERS * INTERFEROGRAMS)
        .map(|_| {
            let (sin, cos) = (2.0 * random.next()).sin_cos();
            Complex::new(cos, sin)
        })
        .collect();
    let points: Vec<[f32; 2]> =
        (0..SCATTERERS).map(|_| [5e4 * random.next(), 5e4 * random.next()]).collect();
    let started = Instant::now();
    let edges = delaunay_edges(&points).unwrap();
    println!("triangulation {SCATTERERS} points {:.3} s", started.elapsed().as_secs_f64());
    let days: Vec<f64> = (0..INTERFEROGRAMS).map(|i| 12.0 * i as f64).collect();
    let bperp_m: Vec<f64> = (0..INTERFEROGRAMS).map(|_| 300.0 * f64::from(random.next())).collect();
    let phasors = Phasors { columns: INTERFEROGRAMS, values: &values };
    let baselines = Baselines { bperp_m: &bperp_m, single_precision: true };
    let model = NoiseModel::Smooth { days: &days, window_days: 730.0 };
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let noise = pool.install(|| edge_noise(&phasors, &edges, &baselines, model, |_| ()));
            best = best.min(started.elapsed());
            assert!(noise.deviation_rad.iter().all(|x| x.is_finite()));
        }
        let seconds = best.as_secs_f64();
        let samples = (edges.len() * INTERFEROGRAMS) as f64;
        println!(
            "edge noise {} edges x {INTERFEROGRAMS} interferograms, {threads} threads: {seconds:.3} s, \
             {:.1} M edge-interferograms a second (goal for 90,000 edges on two: 1 s)",
            edges.len(),
            samples / seconds / 1e6,
        );
    }
}
