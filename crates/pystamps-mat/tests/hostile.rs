//! Damaged and hostile files give typed errors: no panic, and no memory beyond a small multiple
//! of the file.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod counting;

use counting::measured;
use pystamps_mat::{
    CellArray, Complex, Container, Error, Numeric, NumericData, ReadLimits, Result, StructArray,
    Value, Variables, WriteOptions, Writer, list_from, read_from,
};
use std::io::{Cursor, Write};
use std::path::Path;

fn read(bytes: &[u8]) -> Result<Variables> {
    let limits = ReadLimits::default();
    read_from(Cursor::new(bytes.to_vec()), Path::new("x.mat"), None, &limits)
}

/// Lists and reads `bytes` under the memory rule: four times the file and a floor of 1 MiB.
fn read_within_bounds(bytes: &[u8]) -> Result<Variables> {
    let limits = ReadLimits::default();
    let path = Path::new("x.mat");
    let ((listed, found), peak) = measured(|| {
        let listed = list_from(Cursor::new(bytes.to_vec()), path, &limits);
        (listed, read(bytes))
    });
    assert!(peak <= 4 * bytes.len() + (1 << 20), "{peak} bytes for a file of {}", bytes.len());
    if found.is_ok() {
        listed.unwrap();
    }
    found
}

fn small_variables() -> Variables {
    let pair = vec![Complex::new(1.0_f32, 2.0), Complex::new(3.0, 4.0)];
    let pair = Numeric::new(vec![2, 1], NumericData::C32(pair)).unwrap();
    let cells = vec![Value::scalar(1.0), Value::text("a")];
    let fields = [("a", Value::row_f64(&[1.0, 2.0])), ("b", Value::text("xyz"))];
    Variables::from_iter([
        ("ph", Value::Numeric(pair)),
        ("k", Value::column_f64(&[1.0, 2.0, 3.0])),
        ("flags", Value::from_logical_column(&[true, false])),
        ("none", Value::empty()),
        ("cell", Value::Cell(CellArray::new(vec![1, 2], cells).unwrap())),
        ("struct", Value::Struct(StructArray::scalar(fields).unwrap())),
    ])
}

fn written(variables: &Variables, container: Container, deflate_level: Option<u32>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mat");
    let mut writer = Writer::create(&path, container, WriteOptions { deflate_level }).unwrap();
    for (name, value) in variables.iter() {
        writer.write(name, value).unwrap();
    }
    writer.finish().unwrap();
    fs_err::read(path).unwrap()
}

fn small_files() -> [Vec<u8>; 3] {
    [
        written(&small_variables(), Container::Level5, None),
        written(&small_variables(), Container::Level5, Some(6)),
        written(&small_variables(), Container::V73, None),
    ]
}

#[test]
fn every_truncation_is_an_error_or_fewer_variables() {
    for file in small_files() {
        let whole = small_variables();
        for length in 0..file.len() {
            // Level 5 has no end mark: a cut between variables leaves a valid file.
            if let Ok(found) = read_within_bounds(&file[..length]) {
                assert!(found.len() < whole.len(), "cut at {length} of {}", file.len());
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic_nor_cost_memory() {
    for file in small_files() {
        for position in 0..file.len() {
            // The fuzz targets take any bit of any file.
            for mask in [0x01, 0x80] {
                let mut damaged = file.clone();
                damaged[position] ^= mask;
                _ = read_within_bounds(&damaged);
            }
        }
    }
}

/// A level-5 file of one element: `data_type`, an announced size and what really follows.
fn level_5(data_type: u32, announced_bytes: u32, contents: &[u8]) -> Vec<u8> {
    let mut file = vec![b' '; 116];
    file.extend([0; 8]);
    file.extend([0, 1, b'I', b'M']);
    file.extend(data_type.to_le_bytes());
    file.extend(announced_bytes.to_le_bytes());
    file.extend(contents);
    file
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Flags, dimensions and the name `x` of a matrix.
fn matrix_header(class: u32, dims: [u32; 2]) -> Vec<u8> {
    words(&[6, 8, class, 0, 5, 8, dims[0], dims[1], 1 | 1 << 16, u32::from(b'x')])
}

fn whole_level_5(contents: &[u8]) -> Vec<u8> {
    level_5(14, u32::try_from(contents.len()).unwrap(), contents)
}

#[test]
fn a_double_that_claims_four_gigabytes_is_refused() {
    let mut contents = matrix_header(6, [1 << 15, 1 << 14]);
    contents.extend(words(&[9, u32::MAX - 7, 0, 0]));
    let found = read_within_bounds(&whole_level_5(&contents));
    assert!(matches!(found, Err(Error::Malformed { .. })), "{found:?}");
}

#[test]
fn a_variable_longer_than_the_file_is_truncated() {
    let found = read_within_bounds(&level_5(14, 1 << 31, &matrix_header(6, [1, 1])));
    let Err(Error::Truncated { expected, found, .. }) = found else { panic!("{found:?}") };
    assert_eq!((expected, found), (1 << 31, 40));
}

#[test]
fn dimensions_whose_product_overflows_are_refused() {
    let mut contents = words(&[6, 8, 6, 0, 5, 16]);
    contents.extend(words(&[i32::MAX as u32; 4]));
    contents.extend(words(&[1 | 1 << 16, u32::from(b'x')]));
    let found = read_within_bounds(&whole_level_5(&contents));
    assert!(matches!(found, Err(Error::Malformed { .. })), "{found:?}");
}

#[test]
fn a_cell_of_two_billion_missing_values_is_refused() {
    let found = read_within_bounds(&whole_level_5(&matrix_header(1, [1, i32::MAX as u32])));
    assert!(matches!(found, Err(Error::Malformed { .. })), "{found:?}");
}

#[test]
fn a_cell_full_of_empty_values_costs_fifteen_times_its_size() {
    let count = 100_000;
    let mut contents = matrix_header(1, [count, 1]);
    contents.extend(words(&[14, 0]).repeat(count as usize));
    let file = whole_level_5(&contents);
    let (found, peak) = measured(|| read(&file));
    assert_eq!(found.unwrap().get("x").unwrap().dims(), [count as usize, 1]);
    assert!(peak <= 16 * file.len(), "{peak} bytes for a file of {}", file.len());
}

#[test]
fn cells_nested_without_end_are_refused() {
    let mut contents = matrix_header(1, [1, 1]);
    for _ in 0..5_000 {
        let mut outer = matrix_header(1, [1, 1]);
        outer.extend(words(&[14, u32::try_from(contents.len()).unwrap()]));
        outer.extend(contents);
        contents = outer;
    }
    let found = read(&whole_level_5(&contents));
    let Err(Error::LimitExceeded { limit, .. }) = found else { panic!("{found:?}") };
    assert_eq!(limit, 64);
}

fn deflated(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for block in bytes {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

/// A compressed 1 x n double of zeros.
fn zeros(count: u32, announced: u32) -> Vec<u8> {
    let mut start = words(&[14, 8 * announced + 48]);
    start.extend(matrix_header(6, [1, announced]));
    start.extend(words(&[9, 8 * announced]));
    let rest = std::iter::repeat_n(vec![0; 8 * 1024], count as usize / 1024);
    let stream = deflated(std::iter::once(start).chain(rest));
    level_5(15, u32::try_from(stream.len()).unwrap(), &stream)
}

#[test]
fn honest_zeros_expand_and_the_limit_holds_them_back() {
    let file = zeros(1 << 20, 1 << 20);
    assert_eq!(read(&file).unwrap().get("x").unwrap().dims(), [1, 1 << 20]);
    let limits = ReadLimits { expanded_bytes: Some(1 << 20), ..ReadLimits::default() };
    let (found, peak) =
        measured(|| read_from(Cursor::new(file.clone()), Path::new("x.mat"), None, &limits));
    assert!(matches!(found, Err(Error::LimitExceeded { .. })), "{found:?}");
    assert!(peak < 4 * file.len() + (1 << 20), "{peak}");
}

#[test]
fn a_stream_that_holds_less_than_it_claims_costs_what_it_holds() {
    // Within what deflate could expand to, but not there.
    let file = zeros(0, 1024);
    let found = read_within_bounds(&file);
    assert!(matches!(found, Err(Error::Truncated { .. } | Error::Malformed { .. })), "{found:?}");
    // Beyond it.
    let found = read_within_bounds(&zeros(0, 1 << 27));
    assert!(matches!(found, Err(Error::Malformed { .. })), "{found:?}");
}

#[test]
fn version_4_says_how_to_save_it_again() {
    // A 1 x 1 little-endian double called x.
    let mut file = words(&[0, 1, 1, 0, 2]);
    file.extend(b"x\0");
    file.extend(1.0_f64.to_le_bytes());
    let error = read_within_bounds(&file).unwrap_err();
    assert!(error.to_string().contains("version-4"), "{error}");
    assert!(error.hint().contains("save -v7"), "{}", error.hint());
}

#[test]
fn a_v73_cell_that_contains_itself_is_refused() {
    let nested = Value::Cell(CellArray::new(vec![1, 1], vec![Value::scalar(1.0)]).unwrap());
    let outer = Value::Cell(CellArray::new(vec![1, 2], vec![nested.clone(), nested]).unwrap());
    let file = written(&Variables::from_iter([("x", outer)]), Container::V73, None);
    // Try every object address in place of every other: some of the files have cycles.
    let addresses: Vec<usize> = (0..file.len() - 4)
        .filter(|&position| file[position..].starts_with(b"OHDR"))
        .map(|position| position - 512)
        .collect();
    let mut refused = 0;
    for position in 0..file.len() - 8 {
        let word = u64::from_le_bytes(file[position..position + 8].try_into().unwrap());
        if !addresses.iter().any(|&address| address as u64 == word) {
            continue;
        }
        for &address in &addresses {
            let mut damaged = file.clone();
            damaged[position..position + 8].copy_from_slice(&(address as u64).to_le_bytes());
            if matches!(read_within_bounds(&damaged), Err(Error::LimitExceeded { .. })) {
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "no cycle was built from {} addresses", addresses.len());
}
