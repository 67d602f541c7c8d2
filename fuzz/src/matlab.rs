//! MATLAB files as fuzz targets read them.

use std::io::Cursor;
use std::path::Path;

use pystamps_mat::ReadLimits;

use crate::{EXPANDED_BYTES, HEADER_BYTES, bounded, of_matlab_file};

/// Where the HDF5 part of a file of version 7.3 may begin.
const STARTS: [usize; 2] = [0, 512];
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Whether an input is taken for a file of version 7.3.
pub fn is_v73(input: &[u8]) -> bool {
    input.starts_with(SIGNATURE)
        || matches!(input.get(124..128), Some([_, 2, b'I', b'M'] | [2, _, b'M', b'I']))
}

/// Lists and reads a file within bounds; one that can be read can be listed.
pub fn list_and_read(input: &[u8]) {
    let limits = ReadLimits { expanded_bytes: Some(EXPANDED_BYTES), ..ReadLimits::default() };
    let path = Path::new("input.mat");
    let headers = if is_v73(input) { HEADER_BYTES } else { 0 };
    // One copy for each reader.
    let allowed = 2 * input.len() + headers + of_matlab_file(input, EXPANDED_BYTES as usize);
    bounded(allowed, || {
        let listed = pystamps_mat::list_from(Cursor::new(input.to_vec()), path, &limits);
        let read = pystamps_mat::read_from(Cursor::new(input.to_vec()), path, None, &limits);
        assert!(read.is_err() || listed.is_ok(), "read, but not listed: {listed:?}");
    });
}

/// The input with right checksums in its superblock and its object headers: a library that stops at a
/// wrong one would never see what else an input has.
pub fn with_right_checksums(input: &[u8]) -> Vec<u8> {
    let mut file = input.to_vec();
    for start in STARTS {
        if file.get(start..).is_some_and(|rest| rest.starts_with(SIGNATURE) && rest.len() >= 48) {
            stamp(&mut file, start, start + 44);
        }
    }
    let headers: Vec<usize> =
        file.windows(4).enumerate().filter(|(_, word)| word == b"OHDR").map(|(at, _)| at).collect();
    for at in headers {
        if let Some(end) = end_of_header(&file[at..]).map(|length| at.saturating_add(length)) {
            stamp(&mut file, at, end);
        }
    }
    file
}

/// Bytes of an object header of version 2 before its checksum.
fn end_of_header(header: &[u8]) -> Option<usize> {
    let flags = *header.get(5)?;
    let times = if flags & 0x20 != 0 { 16 } else { 0 };
    let attributes = if flags & 0x10 != 0 { 4 } else { 0 };
    let (place, width) = (6 + times + attributes, 1 << (flags & 3));
    let mut size = [0; 8];
    size[..width].copy_from_slice(header.get(place..place + width)?);
    usize::try_from(u64::from_le_bytes(size)).ok()?.checked_add(place + width)
}

/// Writes the checksum of the bytes from `start` to `end` behind them, if there is room.
fn stamp(file: &mut [u8], start: usize, end: usize) {
    let Some(body) = file.get(start..end) else { return };
    let checksum = lookup3(body).to_le_bytes();
    if let Some(place) = file.get_mut(end..end + 4) {
        place.copy_from_slice(&checksum);
    }
}

/// Bob Jenkins' hash `hashlittle`, which HDF5 takes for checksums.
fn lookup3(bytes: &[u8]) -> u32 {
    let mut state = [0xdead_beef_u32.wrapping_add(bytes.len() as u32); 3];
    let mut rest = bytes;
    while rest.len() > 12 {
        add(&mut state, &rest[..12]);
        mix(&mut state);
        rest = &rest[12..];
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    state[2]
}

fn add(state: &mut [u32; 3], block: &[u8]) {
    for (place, byte) in block.iter().enumerate() {
        let word = &mut state[place / 4];
        *word = word.wrapping_add(u32::from(*byte) << (8 * (place % 4)));
    }
}

fn mix([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: &mut u32, z: &mut u32, turn: u32| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(turn);
        *z = z.wrapping_add(*y);
    };
    step(a, b, c, 4);
    step(b, c, a, 6);
    step(c, a, b, 8);
    step(a, b, c, 16);
    step(b, c, a, 19);
    step(c, a, b, 4);
}

fn finish([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: u32, turn: u32| *x = (*x ^ y).wrapping_sub(y.rotate_left(turn));
    step(c, *b, 14);
    step(a, *c, 11);
    step(b, *a, 25);
    step(c, *b, 16);
    step(a, *c, 4);
    step(b, *a, 14);
    step(c, *b, 24);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pystamps_mat::{Container, Value, WriteOptions, Writer};

    #[test]
    fn an_intact_file_has_the_right_checksums_already() {
        let path = std::env::temp_dir().join(format!("pystamps-checksums-{}", std::process::id()));
        let mut writer = Writer::create(&path, Container::V73, WriteOptions::default()).unwrap();
        let row = Value::row_f64(&[1.0, 2.0]);
        writer.write("x", &row).unwrap();
        writer.finish().unwrap();
        let file = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(is_v73(&file));
        assert_eq!(with_right_checksums(&file), file);
        let mut damaged = file.clone();
        let header = file.windows(4).position(|word| word == b"OHDR").unwrap();
        let end = header + end_of_header(&file[header..]).unwrap();
        damaged[end] ^= 1;
        assert_eq!(with_right_checksums(&damaged), file);
    }
}
