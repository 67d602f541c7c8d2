//! Throughput of the kernels on one core, beside the goal for each.

#![expect(clippy::cast_possible_truncation, reason = "planes are held in single precision")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::f64::consts::{PI, TAU};
use std::time::Instant;

use num_complex::{Complex, Complex32};
use pystamps_kernels::clap::{
    ClapFilter, ClapPatchFilter, ClapPatchScratch, ClapScratch, LowPass, Plane, window_count,
};
use pystamps_kernels::edge_series::{EdgeSeries, EdgeSeriesOptions, Method, Network};
use pystamps_kernels::goldstein::GoldsteinFilter;
use pystamps_kernels::nearest_node::nearest_nodes;
use pystamps_kernels::node_edges::node_edges;
use pystamps_kernels::random::{MatlabV5Uniform, STAMPS_SEED};
use pystamps_kernels::random_coherence::{RandomNetwork, random_coherence};
use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit, topofit_row_invariant};

const RUNS: usize = 300;

/// Shortest time of many short runs, s: other programs do not disturb all of them.
fn quickest(work: impl FnMut()) -> f64 {
    quickest_of(RUNS, work)
}

/// The same for longer runs.
fn quickest_of(runs: usize, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..runs {
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
    // A fifth of the cells, row by row as stage 3 has them.
    let cells: Vec<_> =
        (0..rows * columns / 5).map(|k| [5 * k / columns, 5 * k % columns]).collect();
    let seconds = quickest(|| {
        let cells = cells.iter().copied();
        std::hint::black_box(filter.values_without_cells(&plane, cells, 0, &mut scratch));
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

/// Phases without a pattern even in their differences.
fn scattered_phases(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|i| ((i * i) as f64 * 0.618_033_988_749_894_9).fract() * TAU - PI)
}

/// A grid of phasors with a pattern, some of its cells empty.
fn grid_of_phasors(rows: usize, columns: usize) -> Vec<Complex32> {
    let empty = |k: usize| (k as f64 * 0.754_877_666).fract() < 0.4;
    let cell = |(k, noise): (usize, f64)| {
        let phase = 0.1 * (k % rows) as f64 + 0.05 * (k / rows) as f64 + 0.3 * noise;
        let value = Complex::new(phase.cos() as f32, phase.sin() as f32);
        if empty(k) { Complex32::ZERO } else { value }
    };
    phases(rows * columns).enumerate().map(cell).collect()
}

/// Goldstein's filter of one interferogram, and the map of nearest nodes.
fn bench_grid_of_stage_6() {
    let (rows, columns) = (300, 300);
    let grid = grid_of_phasors(rows, columns);
    let filter = GoldsteinFilter::new(rows, columns, 32, 0.8).expect("the window fits");
    let mut scratch = filter.scratch();
    let windows = (rows.div_ceil(16) - 1) * (columns.div_ceil(16) - 1);
    let seconds = quickest_of(20, || {
        std::hint::black_box(filter.filter(&grid, &mut scratch));
    });
    report("Goldstein filter", windows as f64 / seconds / 1e3, 10.0, "k windows/s");
    let (rows, columns) = (2000, 2000);
    let occupied: Vec<bool> = phases(rows * columns).map(|x| x > 2.0).collect();
    let seconds = quickest_of(3, || {
        std::hint::black_box(nearest_nodes(&occupied, rows, columns));
    });
    let cells = (rows * columns) as f64;
    report("nearest nodes, all threads", cells / seconds / 1e6, 20.0, "M cells/s");
    let nearest = nearest_nodes(&occupied, rows, columns);
    let seconds = quickest_of(3, || {
        std::hint::black_box(node_edges(&nearest, rows, columns));
    });
    report("node edges", cells / seconds / 1e6, 10.0, "M cells/s");
}

/// Series of edges: 76 interferograms of one master, about 100 slopes to try.
fn bench_edge_series() {
    let images = 77;
    let day: Vec<f64> = (0..images).map(|i| 12.0 * (f64::from(i) - 30.0)).collect();
    let pairs: Vec<[usize; 2]> = (0..77).filter(|&i| i != 30).map(|i| [30, i]).collect();
    let bperp_m: Vec<f64> = phases(pairs.len()).map(|x| 50.0 * x).collect();
    let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
    let (nodes, count) = (4096, 8192);
    let values: Vec<Complex32> = scattered_phases(nodes * pairs.len())
        .map(|x| Complex::new((0.4 * x).cos() as f32, (0.4 * x).sin() as f32))
        .collect();
    let edges: Vec<[u32; 2]> = (0..count).map(|e| [e % 4000, e % 4000 + 1 + e % 90]).collect();
    let options = |method| EdgeSeriesOptions {
        method,
        look_angle_error: true,
        time_window_days: 730.0,
        trial_wraps: 6.0,
    };
    for (name, method) in [("3D_FULL", Method::Full), ("3D_QUICK", Method::Quick)] {
        let series = EdgeSeries::new(&network, &options(method)).expect("a network");
        let mut scratch = series.scratch();
        let seconds = quickest_of(5, || {
            std::hint::black_box(series.analyse_edges(&values, &edges, &mut scratch));
        });
        let name = format!("edges, {name}, {} trials", series.trials());
        report(&name, f64::from(count) / seconds / 1e3, 40.0, "k edges/s of 76");
    }
    // Edges of nothing but noise, all of which are annealed.
    let noise: Vec<Complex32> = scattered_phases(nodes * pairs.len())
        .map(|x| Complex::new(x.cos() as f32, x.sin() as f32))
        .collect();
    let series = EdgeSeries::new(&network, &options(Method::MultiMaster)).expect("a network");
    let mut scratch = series.scratch();
    let seconds = quickest_of(1, || {
        std::hint::black_box(series.analyse_edges(&noise, &edges[..16], &mut scratch));
    });
    report("edges, several masters", 16.0 / seconds, 10.0, "noisy edges/s of 76");
}

fn main() {
    bench_edge_series();
    bench_grid_of_stage_6();
    bench_random_coherence();
    bench_clap();
    bench_topofit();
}
