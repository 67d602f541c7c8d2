//! Defines checksums of files, with a memory so that unchanged files are not read again.
//!
//! `.pystamps/checksums.json` maps a file to its checksum together with its size and time of
//! change. It is only advice: without it, or when either differs, the file is hashed again.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{IoContext, Result};
use crate::project::layout::CONTROL_FOLDER;
use crate::project::ledger::FileRecord;

const CHECKSUMS_FILE: &str = "checksums.json";

/// Checksums known for the files of one scope.
#[derive(Debug)]
pub struct Checksums {
    file: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    modified_ns: i128,
    inode: u64,
    sha256: String,
}

impl Checksums {
    /// Loads what is remembered for `scope`; nothing if the memory is missing or unreadable.
    pub fn load(scope: &Path) -> Self {
        let file = scope.join(CONTROL_FOLDER).join(CHECKSUMS_FILE);
        let known = fs_err::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self { file, known, changed: false }
    }

    /// The record of the file at `path`, named relative to `scope` where it lies inside.
    ///
    /// # Errors
    /// I/O errors.
    pub fn record(&mut self, scope: &Path, path: &Path) -> Result<FileRecord> {
        let name = path.strip_prefix(scope).unwrap_or(path).to_string_lossy().into_owned();
        let metadata = fs_err::metadata(path).while_doing("examine an input")?;
        let bytes = metadata.len();
        let (modified_ns, inode) = (modified_ns(&metadata), metadata.ino());
        let identity = match self.known.get(&name) {
            Some(k) if (k.bytes, k.modified_ns, k.inode) == (bytes, modified_ns, inode) => {
                k.sha256.clone()
            }
            _ => {
                let sha256 = sha256_of_file(path)?;
                let known = Known { bytes, modified_ns, inode, sha256: sha256.clone() };
                self.known.insert(name.clone(), known);
                self.changed = true;
                sha256
            }
        };
        Ok(FileRecord { path: name, bytes, identity })
    }

    /// Remembers what was learned. Failure is no error: the files are hashed again next time.
    pub fn save(&self) {
        if self.changed
            && let Ok(text) = serde_json::to_vec(&self.known)
        {
            let draft = self.file.with_extension("draft");
            if fs_err::write(&draft, text).is_ok() {
                let _ = fs_err::rename(draft, &self.file);
            }
        }
    }
}

/// The record of a raw raster: size and time of change stand for its content.
///
/// # Errors
/// I/O errors.
pub fn raster_record(path: &Path) -> Result<FileRecord> {
    let metadata = fs_err::metadata(path).while_doing("examine a raster")?;
    Ok(FileRecord {
        path: path.to_string_lossy().into_owned(),
        bytes: metadata.len(),
        identity: format!("modified:{}", modified_ns(&metadata)),
    })
}

fn modified_ns(metadata: &std::fs::Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}

/// SHA-256 of a whole file in hexadecimal.
///
/// # Errors
/// I/O errors.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let mut file = fs_err::File::open(path).while_doing("compute a checksum")?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let read = file.read(&mut buffer).while_doing("compute a checksum")?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

/// SHA-256 of `bytes` in hexadecimal.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_until_the_file_changes() {
        let scope = tempfile::tempdir().unwrap();
        fs_err::create_dir(scope.path().join(CONTROL_FOLDER)).unwrap();
        let path = scope.path().join("a");
        fs_err::write(&path, "abc").unwrap();
        let mut checksums = Checksums::load(scope.path());
        let record = checksums.record(scope.path(), &path).unwrap();
        let sha_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((record.path.as_str(), record.identity.as_str()), ("a", sha_abc));
        checksums.save();
        let mut again = Checksums::load(scope.path());
        assert_eq!(again.record(scope.path(), &path).unwrap(), record);
        assert!(!again.changed);
        fs_err::write(&path, "abcd").unwrap();
        assert_ne!(again.record(scope.path(), &path).unwrap().identity, sha_abc);
        assert!(again.changed);
    }
}
