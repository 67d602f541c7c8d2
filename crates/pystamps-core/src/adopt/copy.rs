//! Copies files and makes sure that the copy is what the origin was.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Diagnostic, IoContext, Result};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// A file that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdoptedFile {
    /// Its name, there and here.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content in hexadecimal, confirmed by reading the copy.
    pub sha256: String,
}

/// Copies `from` to `to` and reads the copy back.
///
/// # Errors
/// `copy-differs`; I/O errors.
pub(super) fn copy_verified(from: &Path, to: &Path, name: &str) -> Result<AdoptedFile> {
    let action = || format!("copy {}", from.display());
    let mut source = fs_err::File::open(from).while_doing(action())?;
    let mut target = fs_err::File::create_new(to).while_doing(action())?;
    let written = digest(&mut source, |block| target.write_all(block)).while_doing(action())?;
    drop(target);
    let mut copy = fs_err::File::open(to).while_doing(action())?;
    let read_back = digest(&mut copy, |_| Ok(())).while_doing(action())?;
    if read_back != written {
        return Err(Diagnostic::new("copy-differs", "a copy is not what was copied")
            .path(to)
            .expected(format!("{} bytes with SHA-256 {}", written.0, written.1))
            .found(format!("{} bytes with SHA-256 {}", read_back.0, read_back.1))
            .remedy("check the disk, then run the same command again")
            .data());
    }
    let (bytes, sha256) = written;
    Ok(AdoptedFile { name: name.to_owned(), bytes, sha256 })
}

/// Whether two files have the same content.
///
/// # Errors
/// I/O errors.
pub(super) fn are_equal(one: &Path, other: &Path) -> Result<bool> {
    let action = || format!("compare {} and {}", one.display(), other.display());
    let size = |path: &Path| fs_err::metadata(path).map(|metadata| metadata.len());
    if size(one).while_doing(action())? != size(other).while_doing(action())? {
        return Ok(false);
    }
    let content = |path: &Path| digest(&mut fs_err::File::open(path)?, |_| Ok(()));
    Ok(content(one).while_doing(action())? == content(other).while_doing(action())?)
}

/// Size and SHA-256 of what `source` holds; every block of it is handed to `each`.
fn digest(
    source: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        let block = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(block);
        each(block)?;
        bytes += block.len() as u64;
    }
    let digits = |byte: &u8| {
        [byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
    };
    Ok((bytes, hasher.finalize().iter().flat_map(digits).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_equal_and_told_by_their_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs_err::write(&one, "abc").unwrap();
        let copied = copy_verified(&one, &two, "one").unwrap();
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((copied.bytes, copied.sha256.as_str()), (3, of_abc));
        assert!(are_equal(&one, &two).unwrap());
        for other in ["abd", "abcd"] {
            fs_err::write(&two, other).unwrap();
            assert!(!are_equal(&one, &two).unwrap());
        }
        assert!(copy_verified(&one, &two, "one").is_err(), "nothing is overwritten");
    }
}
