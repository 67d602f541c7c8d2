//! Measures in two seconds how fast this machine does what takes most of the time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use num_complex::Complex;
use pystamps_kernels::clap::{
    ClapFilter, ClapPatchFilter, ClapPatchScratch, ClapScratch, LowPass, Plane, window_count,
};
use pystamps_kernels::edge_noise::{Baselines, NoiseModel, Phasors, edge_noise};
use pystamps_kernels::edge_series::{EdgeSeries, EdgeSeriesOptions, Method, Network};
use pystamps_kernels::goldstein::GoldsteinFilter;
use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit};

use super::ASSUMED_TRIAL_WRAPS;

/// How long each of the six rates is measured.
const MEASURED: Duration = Duration::from_millis(320);
/// Candidates fitted at a time.
const ROWS: usize = 128;
/// Side of the grid that is filtered, cells: as large as patches are, beyond the nearer caches.
const SIDE: usize = 300;
/// Later PS that each PS is compared with.
const NEIGHBOURS: u32 = 32;
/// Bytes a second that are read, checked and written, a guess on the safe side.
const BYTES_A_SECOND: f64 = 6e8;

/// Times of one thread while the others do the same, s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Fitting one candidate.
    pub(super) fit: f64,
    /// Filtering one window of the grid.
    pub(super) window: f64,
    /// Filtering around one cell.
    pub(super) cell: f64,
    /// Testing the noise of one edge between PS.
    pub(super) edge: f64,
    /// Reading or writing one byte.
    pub(super) byte: f64,
}

impl Rates {
    /// Of a machine that has not been timed.
    pub(super) const UNKNOWN: Self =
        Self { fit: f64::NAN, window: f64::NAN, cell: f64::NAN, edge: f64::NAN, byte: f64::NAN };

    /// Measures with so many interferograms and trial slopes, and a filter window of `window`
    /// cells.
    pub(super) fn measure(interferograms: usize, trial_wraps: f64, window: usize) -> Self {
        Self {
            fit: fit_seconds(interferograms.max(1), trial_wraps),
            window: window_seconds(window),
            cell: cell_seconds(window),
            edge: edge_seconds(interferograms.max(1) + 1),
            byte: 1.0 / BYTES_A_SECOND,
        }
    }
}

/// Times of one thread that unwraps, s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct UnwrappingRates {
    /// Filtering and solving one cell of an interferogram.
    pub(super) cell: f64,
    /// Assembling and transferring the phase of one PS in an interferogram.
    pub(super) sample: f64,
    /// Analysing one edge in all interferograms.
    pub(super) edge: f64,
}

/// Solving one cell of an interferogram, s: the solver's own benchmark prints it.
const SOLVED_CELL_SECONDS: f64 = 1.5e-7;
/// Assembling one sample four times and turning it by what is known, s.
const SAMPLE_SECONDS: f64 = 6e-7;

impl UnwrappingRates {
    /// Of a machine that has not been timed.
    pub(super) const UNKNOWN: Self = Self { cell: f64::NAN, sample: f64::NAN, edge: f64::NAN };

    /// Measures with so many interferograms.
    pub(super) fn measure(interferograms: u64) -> Self {
        let cell = goldstein_seconds() / (SIDE * SIDE) as f64 + SOLVED_CELL_SECONDS;
        let columns = usize::try_from(interferograms).unwrap_or(1).clamp(1, 4096);
        Self { cell, sample: SAMPLE_SECONDS, edge: series_seconds(columns) }
    }
}

fn goldstein_seconds() -> f64 {
    let values = plane_values();
    let filter = GoldsteinFilter::new(SIDE, SIDE, 32, 0.8);
    let filter = filter.expect("invariant: the plane is larger than the window");
    seconds_of(|| {
        let mut scratch = filter.scratch();
        let (filter, values) = (&filter, &values);
        move || {
            black_box(filter.filter(black_box(values), &mut scratch));
        }
    })
}

fn series_seconds(columns: usize) -> f64 {
    let angle = |k: usize| (k * k % 629) as f32 / 100.0;
    let phasors: Vec<Complex<f32>> =
        (0..ROWS * columns).map(|k| Complex::from_polar(1.0, angle(k))).collect();
    let unit = vec![Complex::new(1.0, 0.0); ROWS * columns];
    let day: Vec<f64> = (0..=columns).map(|k| 12.0 * k as f64).collect();
    let pairs: Vec<[usize; 2]> = (1..=columns).map(|image| [0, image]).collect();
    let bperp_m: Vec<f64> = (0..columns).map(|k| (k * 37 % 101) as f64).collect();
    let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
    let options = EdgeSeriesOptions {
        method: Method::Full,
        look_angle_error: true,
        time_window_days: 730.0,
        trial_wraps: ASSUMED_TRIAL_WRAPS,
    };
    let Ok(series) = EdgeSeries::new(&network, &options) else { return 0.0 };
    let seconds = seconds_of(|| {
        let mut scratch = series.scratch();
        let (series, unit, phasors) = (&series, &unit, &phasors);
        move || {
            black_box(series.analyse(black_box(unit), phasors, &mut scratch));
        }
    });
    seconds / ROWS as f64
}

/// Seconds of one call of the work that `prepare` makes, repeated for a while in every thread of the
/// pool that has a processor: together they are slower than one, for what they share.
fn seconds_of<Work: FnMut()>(prepare: impl Fn() -> Work + Sync) -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = rayon::current_num_threads().min(processors);
    let sum: f64 = std::thread::scope(|scope| {
        let measure = || call_seconds(prepare());
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        let seconds = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        seconds.map(|joined| joined.expect("invariant: the kernels do not panic")).sum()
    });
    sum / threads as f64
}

/// Seconds of one call of `work`, repeated for a while in this thread.
fn call_seconds(mut work: impl FnMut()) -> f64 {
    work();
    let begin = Instant::now();
    let mut calls = 0_u32;
    while begin.elapsed() < MEASURED {
        work();
        calls += 1;
    }
    begin.elapsed().as_secs_f64() / f64::from(calls.max(1))
}

fn fit_seconds(columns: usize, trial_wraps: f64) -> f64 {
    let angle = |k: usize| (k * k % 629) as f64 / 100.0;
    let re: Vec<f64> = (0..ROWS * columns).map(|k| angle(k).cos()).collect();
    let im: Vec<f64> = (0..ROWS * columns).map(|k| angle(k).sin()).collect();
    let bperp_m: Vec<f64> = (0..ROWS * columns).map(|k| (k / ROWS) as f64 * 3.0 - 70.0).collect();
    let block = Block { rows: ROWS, columns, re: &re, im: &im };
    let trials = Trials::for_wraps(trial_wraps);
    let seconds = seconds_of(|| {
        let mut fits = Fits::default();
        let (block, bperp_m, trials) = (&block, &bperp_m, &trials);
        move || topofit(black_box(block), bperp_m, trials, Rounding::Single, &mut fits)
    });
    seconds / ROWS as f64
}

fn edge_seconds(columns: usize) -> f64 {
    let angle = |k: usize| (k * k % 629) as f32 / 100.0;
    let values: Vec<Complex<f32>> =
        (0..ROWS * columns).map(|k| Complex::from_polar(1.0, angle(k))).collect();
    let bperp_m: Vec<f64> = (0..columns).map(|k| k as f64 * 3.0 - 70.0).collect();
    let days: Vec<f64> = (0..columns).map(|k| 12.0 * k as f64).collect();
    // So many that what is made once for all edges hardly counts.
    #[expect(clippy::cast_possible_truncation, reason = "rows of a small network")]
    let row_count = ROWS as u32;
    let edges: Vec<[u32; 2]> = (1..=NEIGHBOURS)
        .flat_map(|step| (step..row_count).map(move |row| [row - step, row]))
        .collect();
    let phasors = Phasors { columns, values: &values };
    let baselines = Baselines { bperp_m: &bperp_m, single_precision: true };
    let model = NoiseModel::Smooth { days: &days, window_days: 730.0 };
    let seconds = call_seconds(|| {
        black_box(edge_noise(black_box(&phasors), &edges, &baselines, model, |_| ()));
    });
    // The kernel takes all threads; the rate is that of one.
    seconds / edges.len() as f64 * rayon::current_num_threads() as f64
}

fn plane_values() -> Vec<Complex<f32>> {
    (0..SIDE * SIDE).map(|k| Complex::new((k % 7) as f32 - 3.0, (k % 11) as f32 - 5.0)).collect()
}

fn window_seconds(window: usize) -> f64 {
    let filter = ClapFilter::new(1.0, 0.3, &LowPass::new(window, 50.0, 800.0));
    let values = plane_values();
    let plane = Plane { rows: SIDE, columns: SIDE, values: &values };
    let windows = window_count(SIDE, filter.window_cells()).max(1).pow(2) as f64;
    let seconds = seconds_of(|| {
        let mut filtered = values.clone();
        let mut scratch = ClapScratch::default();
        let (filter, plane) = (&filter, &plane);
        move || filter.filter(black_box(plane), &mut scratch, &mut filtered)
    });
    seconds / windows
}

fn cell_seconds(window: usize) -> f64 {
    let filter = ClapPatchFilter::new(1.0, 0.3, &LowPass::new(window, 50.0, 800.0));
    let values = plane_values();
    let plane = Plane { rows: SIDE, columns: SIDE, values: &values };
    // A line of cells, whose windows share what cells of one row share.
    let cells = || (0..SIDE).step_by(3).map(|column| [SIDE / 2, column]);
    let seconds = seconds_of(|| {
        let mut scratch = ClapPatchScratch::default();
        let (filter, plane) = (&filter, &plane);
        move || {
            black_box(filter.values_without_cells(black_box(plane), cells(), 0, &mut scratch));
        }
    });
    seconds / cells().count() as f64
}
