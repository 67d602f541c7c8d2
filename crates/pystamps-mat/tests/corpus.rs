//! Files of other programs, damaged in thousands of ways that are the same every time: scipy's own
//! test data, what original StaMPS wrote, and the project's golden data. No panic, and no memory beyond
//! a small multiple of a file.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod counting;
mod damage;

use counting::measured;
use damage::{Sequence, compressed, damaged, expanded};
use pystamps_mat::{ArrayReader, ReadLimits, list, list_from, read_from};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Larger files would take the time of many small ones, which have the same structures.
const LONGEST_FILE: u64 = 1 << 16;
/// What the HDF5 library reserves for the messages that an object header claims to have, before it
/// looks whether the file is long enough: 65,535 of 48 bytes.
const HEADER_BYTES: usize = 48 << 16;

#[test]
fn scipys_files() {
    let Some(folder) = scipys_data() else {
        return absent("scipy's test data: run make, or activate an environment that has it");
    };
    survive(&files_below(&folder), 60);
}

#[test]
fn files_of_original_stamps() {
    let shared = std::env::var_os("PYSTAMPS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let oracle = shared.join("oracle");
    if !oracle.is_dir() {
        return absent("the oracle (set PYSTAMPS_SHARED)");
    }
    // Scenes repeat the same files; every fourth has all of them.
    let files: Vec<PathBuf> = files_below(&oracle).into_iter().step_by(4).collect();
    survive(&files, 20);
}

#[test]
fn golden_files() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../parity/golden");
    for name in ["P", "T"] {
        let archive = golden.join(format!("{name}.tar.xz"));
        let mut tar = Command::new("tar");
        tar.arg("-xJf").arg(archive).arg("-C").arg(folder.path());
        if !tar.status().is_ok_and(|status| status.success()) {
            return absent("a tar that unpacks .xz");
        }
    }
    survive(&files_below(folder.path()), 40);
}

/// Says why nothing is tested; CI must test everything.
fn absent(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "missing: {what}");
    #[expect(clippy::print_stderr, reason = "says why nothing is tested")]
    {
        eprintln!("skipped: missing is {what}");
    }
}

/// Test data of the scipy in the active environment, or in the one that `make` has set up.
fn scipys_data() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv");
    let environments = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from).into_iter().chain([own]);
    environments
        .filter_map(|environment| fs_err::read_dir(environment.join("lib")).ok())
        .flatten()
        .map(|entry| entry.unwrap().path().join("site-packages/scipy/io/matlab/tests/data"))
        .find(|folder| folder.is_dir())
}

/// MATLAB files below `folder` that are not too long, sorted.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "mat")
            && fs_err::metadata(&path).unwrap().len() <= LONGEST_FILE
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Reads every file damaged `times` times: as it is stored, with its elements expanded, and with the
/// damage inside a compressed element.
fn survive(paths: &[PathBuf], times: usize) {
    assert!(paths.len() > 20, "only {} files", paths.len());
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("damaged.mat");
    let mut taken = 0;
    for path in paths {
        let file = fs_err::read(path).unwrap();
        let mut sequence = Sequence::new(file.iter().map(|&byte| u64::from(byte)).sum());
        let plain = expanded(&file);
        for time in 0..times {
            let input = match (&plain, time % 3) {
                (Some(plain), 1) => damaged(plain, &mut sequence),
                (Some(plain), 2) => compressed(&damaged(plain, &mut sequence)),
                _ => damaged(&file, &mut sequence),
            };
            let room = plain.as_ref().map_or(file.len(), Vec::len).max(input.len());
            taken += usize::from(read_within_bounds(&input, room, &scratch));
        }
    }
    // Otherwise damages never get past the header.
    assert!(taken > paths.len(), "only {taken} damaged files could still be read");
}

/// Lists, reads and streams a file; says whether it could be read. Streams may expand to twice `room`,
/// and every byte may become sixteen in memory, which empty cells do (`hostile.rs`).
fn read_within_bounds(input: &[u8], room: usize, scratch: &Path) -> bool {
    let limits = ReadLimits { expanded_bytes: Some(2 * room as u64), ..ReadLimits::default() };
    let origin = Path::new("x.mat");
    let headers = if input.windows(4).any(|word| word == b"\x89HDF") { HEADER_BYTES } else { 0 };
    let allowed = (1 << 20) + headers + 16 * (input.len() + 2 * room);
    let ((listed, read), peak) = measured(|| {
        let listed = list_from(Cursor::new(input.to_vec()), origin, &limits);
        (listed, read_from(Cursor::new(input.to_vec()), origin, None, &limits))
    });
    assert!(peak <= allowed, "{peak} bytes for a file of {}", input.len());
    assert!(read.is_err() || listed.is_ok(), "read, but not listed: {listed:?}");
    fs_err::write(scratch, input).unwrap();
    // By its name a file is read without limits but those of deflate.
    let ((), peak) = measured(|| stream_arrays(scratch));
    assert!(peak <= allowed + 16 * 1032 * input.len(), "{peak} bytes for {}", input.len());
    read.is_ok()
}

fn stream_arrays(path: &Path) {
    for variable in list(path).into_iter().flatten().take(4) {
        let Ok(array) = ArrayReader::open(path, &variable.name) else { continue };
        let elements = array.dims().iter().map(|&extent| extent as u64).product::<u64>();
        let mut block = [0.0_f64; 8];
        for first in [0, elements / 2, elements.saturating_sub(8)] {
            _ = array.read_real(first, &mut block);
            _ = array.read_imaginary(first, &mut block);
        }
        assert!(array.read_real(elements, &mut block).is_err(), "read past the end");
    }
}
