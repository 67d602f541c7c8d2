//! Throughput of the kernels on one core, beside the goal for each.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::f64::consts::{PI, TAU};
use std::time::Instant;

use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit, topofit_row_invariant};

/// Shortest time of five runs, s.
fn quickest(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
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
    let (rows, columns) = (2048, 75);
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

fn main() {
    bench_topofit();
}
