//! Throughput of the kernels on one core, beside the goal for each.

#![expect(clippy::cast_possible_truncation, reason = "planes are held in single precision")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::f64::consts::{PI, TAU};
use std::time::Instant;

use num_complex::{Complex, Complex32};
use pystamps_kernels::clap::{
    ClapFilter, ClapPatchFilter, ClapPatchScratch, ClapScratch, LowPass, Plane, window_count,
};
use pystamps_kernels::random::{MatlabV5Uniform, STAMPS_SEED};
use pystamps_kernels::random_coherence::{RandomNetwork, random_coherence};
use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit, topofit_row_invariant};

const RUNS: usize = 300;

/// Shortest time of many short runs, s: other programs do not disturb all of them.
fn quickest(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}

fn report(name: &str, rate: f64, goal: f64, unit: &str) {
    println!("{name:<34} {rate:9.2} {unit}  goal {goal}  ratio to goal {:.2}", rate / goal);
}

/// Phases without a pattern, reproducible.
fn phases(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|i| (i as f64 * 0.618_033_988_749_894_9).fract() * TAU - PI)
}

fn bench_topofit() {
    let (rows, columns) = (256, 75);
    let samples = rows * columns;
    let re: Vec<f64> = phases(samples).map(f64::cos).collect();
    let im: Vec<f64> = phases(samples).map(f64::sin).collect();
    let block = Block { rows, columns, re: &re, im: &im };
    let common: Vec<f64> = phases(columns).map(|x| 50.0 * x).collect();
    let each: Vec<f64> =
        common.iter().flat_map(|&b| (0..rows).map(move |r| b + 0.001 * r as f64)).collect();
    let trials = Trials::for_wraps(0.45);
    assert_eq!(trials.count(), 9);
    let mut fits = Fits::default();
    let seconds = quickest(|| topofit(&block, &each, &trials, Rounding::Single, &mut fits));
    report("topofit, 9 trials", samples as f64 / seconds / 1e6, 40.0, "M samples/s");
    let seconds =
        quickest(|| topofit_row_invariant(&block, &common, &trials, Rounding::Double, &mut fits));
    report("topofit_row_invariant, 9 trials", samples as f64 / seconds / 1e6, 40.0, "M samples/s");
}

/// Windows of a full grid of cells a second.
fn bench_clap() {
    let (rows, columns) = (100, 100);
    let values: Vec<Complex32> = phases(rows * columns)
        .zip(phases(rows * columns + 7).skip(7))
        .map(|(re, im)| Complex::new(re as f32, im as f32))
        .collect();
    let plane = Plane { rows, columns, values: &values };
    let low_pass = LowPass::new(32, 50.0, 800.0);
    let filter = ClapFilter::new(1.0, 0.3, &low_pass);
    let windows = window_count(rows, 24).unsigned_abs() * window_count(columns, 24).unsigned_abs();
    let mut scratch = ClapScratch::default();
    let mut filtered = vec![Complex32::default(); values.len()];
    let seconds = quickest(|| filter.filter(&plane, &mut scratch, &mut filtered));
    report("clap of a grid", windows as f64 / seconds / 1e3, 25.0, "k windows/s");
    let filter = ClapPatchFilter::new(1.0, 0.3, &low_pass);
    let mut scratch = ClapPatchScratch::default();
    let cells: Vec<_> = (0..100).map(|k| [k * 97 % rows, k * 61 % columns]).collect();
    let seconds = quickest(|| {
        for &cell in &cells {
            std::hint::black_box(filter.value_without_cell(&plane, cell, 0, &mut scratch));
        }
    });
    report("clap of single cells", cells.len() as f64 / seconds / 1e3, 50.0, "k windows/s");
}

/// The reference histogram of a long stack, with all threads there are.
fn bench_random_coherence() {
    let bperp_m: Vec<f64> = phases(75).map(|x| 50.0 * x).collect();
    let trials = Trials::for_wraps(0.7);
    assert_eq!(trials.count(), 13);
    let run = || {
        let generator = MatlabV5Uniform::new(STAMPS_SEED);
        let network = RandomNetwork::SingleMaster;
        let begin = Instant::now();
        let coherence = random_coherence(generator, 300_000, network, &bperp_m, &trials, |_| ());
        std::hint::black_box(coherence);
        begin.elapsed().as_secs_f64()
    };
    let seconds = (0..3).map(|_| run()).fold(f64::INFINITY, f64::min);
    println!("random_coherence 300,000 x 75 x 13  {seconds:9.2} s               goal at most 1.5");
}

fn main() {
    bench_random_coherence();
    bench_clap();
    bench_topofit();
}
