//! Preparation rate of a seeded synthetic export against `cat` of the same files.
//!
//! `cargo bench -p pystamps-core --bench prep`; both run in one go with warm caches, and the best
//! of some rounds counts. The export (1.3 GB) lies in a temporary folder that is removed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap ends the benchmark")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pystamps_core::prep::{PrepRequest, Processor, plan, run};
use pystamps_core::progress::Progress;
use rayon::prelude::*;

const WIDTH: usize = 2000;
const LENGTH: usize = 2000;
const IMAGES: usize = 20;
const ROUNDS: usize = 5;

/// A small reproducible generator of numbers in [0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Near enough to a normal deviate.
    fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.next()).sum::<f32>() * 1.732 - 3.464
    }
}

/// Fluctuating speckle with a stable scatterer in every thirtieth pixel: about 5 % candidates.
fn complex_raster(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = Vec::with_capacity(8 * WIDTH * LENGTH);
    for pixel in 0..WIDTH * LENGTH {
        let (mean, spread) = if pixel % 30 == 7 { (4.0, 1.0) } else { (0.0, 0.3 + random.next()) };
        bytes.extend_from_slice(&(mean + spread * random.normal()).to_be_bytes());
        bytes.extend_from_slice(&(spread * random.normal()).to_be_bytes());
    }
    bytes
}

fn plane(first: f32, step: f32) -> Vec<u8> {
    (0..WIDTH * LENGTH).flat_map(|pixel| (first + step * pixel as f32).to_be_bytes()).collect()
}

fn write_export(root: &Path) -> Vec<PathBuf> {
    for folder in ["rslc", "diff0", "geo"] {
        fs_err::create_dir(root.join(folder)).unwrap();
    }
    let dates: Vec<_> =
        (0..IMAGES).map(|i| format!("2021{:02}{:02}", 1 + i / 2, 1 + 14 * (i % 2))).collect();
    let master = dates[IMAGES / 2].clone();
    let mut files: Vec<(PathBuf, u64)> = Vec::new();
    for (index, date) in dates.iter().enumerate() {
        files.push((root.join(format!("rslc/{date}.rslc")), index as u64));
        if *date != master {
            let stem = root.join(format!("diff0/{master}_{date}.diff"));
            let base =
                "initial_baseline(TCN): 0 30.5 -12.5 m m m\ninitial_baseline_rate: 0 0.1 0.2\n";
            fs_err::write(stem.with_extension("base"), base).unwrap();
            files.push((stem, 1000 + index as u64));
        }
    }
    files.par_iter().for_each(|(path, seed)| fs_err::write(path, complex_raster(*seed)).unwrap());
    let mut par = format!("sensor: S1A\nrange_samples: {WIDTH}\nazimuth_lines: {LENGTH}\n");
    for key in [
        "heading",
        "radar_frequency",
        "range_pixel_spacing",
        "near_range_slc",
        "center_range_slc",
        "sar_to_earth_center",
        "earth_radius_below_sensor",
        "prf",
    ] {
        writeln!(par, "{key}: 100").unwrap();
    }
    fs_err::write(root.join(format!("rslc/{master}.rslc.par")), par).unwrap();
    let mut paths: Vec<_> = files.into_iter().map(|(path, _)| path).collect();
    for (name, first) in [
        (format!("{master}.lon"), 11.0),
        (format!("{master}.lat"), 44.0),
        ("elevation_dem.rdc".into(), 200.0),
    ] {
        let path = root.join("geo").join(name);
        fs_err::write(&path, plane(first, 1.0e-7)).unwrap();
        paths.push(path);
    }
    paths
}

fn best_of(mut work: impl FnMut() -> Duration) -> Duration {
    (0..ROUNDS).map(|_| work()).min().expect("invariant: there is a round")
}

#[expect(clippy::print_stdout, reason = "the result of the benchmark")]
fn main() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    fs_err::create_dir(&export).unwrap();
    let rasters = write_export(&export);
    let bytes: u64 = rasters.iter().map(|path| fs_err::metadata(path).unwrap().len()).sum();
    let cat = best_of(|| {
        let start = Instant::now();
        let status = Command::new("cat").args(&rasters).stdout(Stdio::null()).status();
        assert!(status.unwrap().success());
        start.elapsed()
    });
    let mut candidates = 0;
    let prep = best_of(|| {
        let staging = tempfile::tempdir_in(folder.path()).unwrap();
        let start = Instant::now();
        let plan = plan(&PrepRequest::new(Processor::Snap, &export)).unwrap();
        let summary = run(&plan, staging.path(), &Progress::silent()).unwrap();
        let elapsed = start.elapsed();
        candidates = summary.patches.iter().map(|patch| patch.candidates).sum();
        elapsed
    });
    println!(
        "prep snap  {:.0} MB/s  ratio to cat {:.2}   ({:.0} MB, {candidates} candidates, {} \
         threads; cat {:.0} MB/s)",
        bytes as f64 / 1e6 / prep.as_secs_f64(),
        cat.as_secs_f64() / prep.as_secs_f64(),
        bytes as f64 / 1e6,
        rayon::current_num_threads(),
        bytes as f64 / 1e6 / cat.as_secs_f64(),
    );
}
