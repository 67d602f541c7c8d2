//! Tells the containers apart by the first bytes of a file.

use crate::{Container, Error, Result};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const HDF5_SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// The container of the file behind `reader`, which is left at its start.
///
/// # Errors
/// Version 4, anything that is not MATLAB's, and failed reads.
pub(crate) fn sniff<R: Read + Seek>(reader: &mut R, origin: &Path) -> Result<Container> {
    let failed = |source| Error::Io { path: origin.to_path_buf(), action: "read", source };
    let mut start = Vec::with_capacity(128);
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    reader.take(128).read_to_end(&mut start).map_err(failed)?;
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    classify(&start, origin)
}

fn classify(start: &[u8], origin: &Path) -> Result<Container> {
    let path = origin.to_path_buf();
    if start.starts_with(HDF5_SIGNATURE) {
        return Ok(Container::V73);
    }
    if start.len() >= 20 && looks_like_version_4(start) {
        return Err(Error::Version4 { path });
    }
    let Some(&[_, major, b'I', b'M'] | &[major, _, b'M', b'I']) = start.get(124..128) else {
        let found = match start {
            [] => "an empty file".to_owned(),
            _ if start.starts_with(b"# Created by Octave") => "an Octave text file".to_owned(),
            _ if start.len() < 128 => format!("{} bytes", start.len()),
            _ => format!("\"{}\"", start[..16].escape_ascii()),
        };
        return Err(Error::NotMatlab { path, found });
    };
    match major {
        1 => Ok(Container::Level5),
        2 => Ok(Container::V73),
        other => Err(Error::NotMatlab { path, found: format!("format version {other}") }),
    }
}

/// Whether the bytes start a version-4 matrix: five 32-bit numbers (format `MOPT`, rows, columns,
/// complex flag, name length), of which the format has a zero byte and only small digits.
fn looks_like_version_4(start: &[u8]) -> bool {
    let (words, _) = start[..20].as_chunks::<4>();
    let read_all =
        |read: fn([u8; 4]) -> u32| -> [u32; 5] { std::array::from_fn(|index| read(words[index])) };
    [read_all(u32::from_le_bytes), read_all(u32::from_be_bytes)].into_iter().any(
        |[format, rows, columns, complex, name_length]| {
            format < 5000
                && format / 10 % 10 <= 5
                && format % 10 <= 2
                && format / 100 % 10 == 0
                && rows < 1 << 31
                && columns < 1 << 31
                && complex <= 1
                && (1..=1024).contains(&name_length)
        },
    )
}
