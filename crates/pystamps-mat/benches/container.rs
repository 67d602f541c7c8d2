//! Read and write rates of a large complex single array against a plain copy of the same file.
//!
//! `cargo bench -p pystamps-mat [-- --bytes N]`; the environment variable `PYSTAMPS_BENCH_BYTES`
//! does the same. Every figure is the best of five runs, file cache warm; writing and copying
//! both end with the data synchronised to the disk.

#![expect(clippy::print_stdout, reason = "a benchmark reports to standard output")]

use pystamps_mat::{Complex, Container, Numeric, NumericData, Value, WriteOptions, Writer};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

const REPEATS: usize = 5;
const COLUMNS: usize = 64;
const COPY_BLOCK_BYTES: usize = 1 << 20;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let bytes = wanted_bytes()?;
    let value = phases(bytes / 8 / COLUMNS);
    let bytes = value.payload_bytes() as f64;
    let folder = tempfile::tempdir()?;
    for (label, container) in [("level5", Container::Level5), ("v7.3  ", Container::V73)] {
        let path = folder.path().join("a.mat");
        let mut seconds = [f64::INFINITY; 3];
        // Side by side, so that a busy moment of the machine does not favour either.
        for _ in 0..REPEATS {
            let took = [
                timed(|| write(&path, container, WriteOptions::default(), &value))?,
                timed(|| copy(&path, &folder.path().join("copy")))?,
                timed(|| Ok(pystamps_mat::read_variable(&path, "ph").map(drop)?))?,
            ];
            seconds = std::array::from_fn(|index| seconds[index].min(took[index]));
        }
        assert!(pystamps_mat::read_variable(&path, "ph")? == value, "{label}: wrong data");
        let [write_seconds, copy_seconds, read_seconds] = seconds;
        println!("copy of it          {} {:20.0} MB/s", size(bytes), bytes / copy_seconds / 1e6);
        report(label, "write", bytes, write_seconds, copy_seconds);
        report(label, "read ", bytes, read_seconds, copy_seconds);
    }
    deflate(folder.path())
}

fn wanted_bytes() -> Outcome<usize> {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--bytes");
    let given = given.and_then(|position| arguments.get(position + 1).cloned());
    match given.or_else(|| std::env::var("PYSTAMPS_BENCH_BYTES").ok()) {
        Some(text) => Ok(text.parse()?),
        None => Ok(1_000_000_000),
    }
}

fn size(bytes: f64) -> String {
    format!("{:.2} GB", bytes / 1e9)
}

fn report(label: &str, action: &str, bytes: f64, seconds: f64, copy_seconds: f64) {
    println!(
        "mat {label} {action} {} complex single {:5.0} MB/s  ratio to copy {:.2}",
        size(bytes),
        bytes / seconds / 1e6,
        copy_seconds / seconds
    );
}

/// What a file of phases looks like: unit phasors whose angle has a trend and noise.
fn phases(rows: usize) -> Value {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24)
    };
    let elements = (0..rows * COLUMNS).map(|index| {
        let phase_rad = 1e-3 * (index % rows.max(1)) as f64 + noise();
        let (sine, cosine) = phase_rad.sin_cos();
        #[expect(clippy::cast_possible_truncation, reason = "single is what the files hold")]
        Complex::new(cosine as f32, sine as f32)
    });
    let data = NumericData::C32(elements.collect());
    Value::Numeric(Numeric::new(vec![rows, COLUMNS], data).expect("invariant: rows x columns"))
}

fn timed(run: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed().as_secs_f64())
}

fn write(path: &Path, container: Container, options: WriteOptions, value: &Value) -> Outcome<()> {
    let mut writer = Writer::create(path, container, options)?;
    writer.write("ph", value)?;
    writer.finish()?;
    Ok(fs_err::File::open(path)?.sync_all()?)
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    let mut from = fs_err::File::open(from)?;
    let mut to = fs_err::File::create(to)?;
    let mut block = vec![0; COPY_BLOCK_BYTES];
    loop {
        let length = from.read(&mut block)?;
        if length == 0 {
            return Ok(to.sync_all()?);
        }
        to.write_all(&block[..length])?;
    }
}

/// What deflate would save and cost, on a twentieth of the data at most.
fn deflate(folder: &Path) -> Outcome<()> {
    let value = phases(100_000);
    let path = folder.join("deflated.mat");
    for deflate_level in [None, Some(1), Some(6)] {
        let options = WriteOptions { deflate_level };
        let write_seconds = timed(|| write(&path, Container::Level5, options, &value))?;
        let read_seconds = timed(|| Ok(pystamps_mat::read(&path).map(drop)?))?;
        let stored = fs_err::metadata(&path)?.len() as f64;
        let bytes = value.payload_bytes() as f64;
        println!(
            "mat level5 deflate {deflate_level:?}: size {:3.0} %  write {:5.0} MB/s  read {:5.0} MB/s",
            100.0 * stored / bytes,
            bytes / write_seconds / 1e6,
            bytes / read_seconds / 1e6
        );
    }
    Ok(())
}
