//! Defines checksums of files, with a memory so that unchanged files are not read again.
//!
//! `.pystamps/checksums.json` maps a file to its checksum together with its size and time of
//! change. It is only advice: without it, or when either differs, the file is hashed again. A stage
//! remembers what it has written, so nobody reads that again as long as it stays as it is. Files of a
//! folder inside the scope (a patch of a project) are looked up in that folder's own memory, too.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{IoContext, Result};
use crate::project::layout::CONTROL_FOLDER;
use crate::project::ledger::FileRecord;

/// Bytes read at a time: enough for several threads, small beside any stage's memory.
const BUFFER_BYTES: usize = 1 << 20;
const CHECKSUMS_FILE: &str = "checksums.json";

/// Checksums known for the files of one scope.
#[derive(Debug)]
pub struct Checksums {
    file: PathBuf,
    known: BTreeMap<String, Known>,
    /// What was learned since it was loaded.
    learned: BTreeMap<String, Known>,
    /// What folders inside the scope remember, loaded when one of their files is asked for.
    inner: BTreeMap<PathBuf, BTreeMap<String, Known>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    bytes: u64,
    modified_ns: i128,
    inode: u64,
    checksum: String,
}

impl Checksums {
    /// Loads what is remembered for `scope`; nothing if the memory is missing or unreadable.
    pub fn load(scope: &Path) -> Self {
        let file = memory_of(scope);
        let known = remembered(&file);
        Self { file, known, learned: BTreeMap::new(), inner: BTreeMap::new() }
    }

    /// The record of the file at `path`, named relative to `scope` where it lies inside.
    ///
    /// # Errors
    /// I/O errors.
    pub fn record(&mut self, scope: &Path, path: &Path) -> Result<FileRecord> {
        let name = path.strip_prefix(scope).unwrap_or(path).to_string_lossy().into_owned();
        let metadata = fs_err::metadata(path).while_doing("examine an input")?;
        let identity = if let Some(known) = self.look_up(scope, path, &name, &metadata) {
            known
        } else {
            let checksum = checksum_of_file(path)?;
            self.learn(&name, &metadata, &checksum);
            checksum
        };
        Ok(FileRecord { path: name, bytes: metadata.len(), identity })
    }

    /// The checksum of a file that has not changed since somebody computed it.
    fn look_up(
        &mut self,
        scope: &Path,
        path: &Path,
        name: &str,
        metadata: &Metadata,
    ) -> Option<String> {
        let fits = |known: &&Known| known.describes(metadata);
        if let Some(known) = self.known.get(name).filter(fits) {
            return Some(known.checksum.clone());
        }
        let folder =
            path.parent().filter(|&folder| folder != scope && folder.starts_with(scope))?;
        let inner = self
            .inner
            .entry(folder.to_path_buf())
            .or_insert_with(|| remembered(&memory_of(folder)));
        let name = path.file_name()?.to_str()?;
        inner.get(name).filter(fits).map(|known| known.checksum.clone())
    }

    /// Notes the checksum of the file called `name`, whose state is `metadata`.
    pub(crate) fn learn(&mut self, name: &str, metadata: &Metadata, checksum: &str) {
        let known = Known {
            bytes: metadata.len(),
            modified_ns: modified_ns(metadata),
            inode: metadata.ino(),
            checksum: checksum.to_owned(),
        };
        self.known.insert(name.to_owned(), known.clone());
        self.learned.insert(name.to_owned(), known);
    }

    /// Remembers what was learned, beside what others have learned meanwhile. Failure is no error: the
    /// files are hashed again next time.
    pub fn save(&mut self) {
        if self.learned.is_empty() {
            return;
        }
        let mut all = remembered(&self.file);
        all.append(&mut self.learned);
        if let Ok(text) = serde_json::to_vec(&all) {
            let draft = self.file.with_extension(format!("{}.draft", std::process::id()));
            let saved =
                fs_err::write(&draft, text).and_then(|()| fs_err::rename(&draft, &self.file));
            if saved.is_err() {
                let _ = fs_err::remove_file(draft);
            }
        }
    }
}

impl Known {
    /// Whether the file is still as it was.
    fn describes(&self, metadata: &Metadata) -> bool {
        let now = (metadata.len(), modified_ns(metadata), metadata.ino());
        (self.bytes, self.modified_ns, self.inode) == now
    }
}

/// Where the folder `scope` remembers checksums.
fn memory_of(scope: &Path) -> PathBuf {
    scope.join(CONTROL_FOLDER).join(CHECKSUMS_FILE)
}

/// What a memory holds; nothing if it is missing or unreadable.
fn remembered(file: &Path) -> BTreeMap<String, Known> {
    let text = fs_err::read(file).ok();
    text.and_then(|text| parse_memory(&text)).unwrap_or_default()
}

/// What the text of a memory says; nothing if it is damaged.
pub(crate) fn parse_memory(text: &[u8]) -> Option<BTreeMap<String, Known>> {
    serde_json::from_slice(text).ok()
}

/// The record of a file by its content, under `name`.
///
/// # Errors
/// I/O errors.
pub fn content_record(path: &Path, name: &str) -> Result<FileRecord> {
    Ok(FileRecord {
        path: name.to_owned(),
        bytes: fs_err::metadata(path).while_doing("examine a file")?.len(),
        identity: checksum_of_file(path)?,
    })
}

/// Records of the files directly in `folder` but those called `left_out`, sorted by name.
///
/// # Errors
/// I/O errors.
pub fn folder_records(folder: &Path, left_out: &[&str]) -> Result<Vec<FileRecord>> {
    let mut records = Vec::new();
    for entry in fs_err::read_dir(folder).while_doing("list the results")? {
        let entry = entry.while_doing("list the results")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && !left_out.contains(&name.as_str()) {
            records.push(content_record(&entry.path(), &name)?);
        }
    }
    records.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(records)
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

fn modified_ns(metadata: &Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}

/// BLAKE3 of a whole file in hexadecimal, on all threads of the ambient pool.
///
/// # Errors
/// I/O errors.
pub fn checksum_of_file(path: &Path) -> Result<String> {
    let mut file = fs_err::File::open(path).while_doing("compute a checksum")?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0_u8; BUFFER_BYTES];
    loop {
        let read = file.read(&mut buffer).while_doing("compute a checksum")?;
        match read {
            0 => return Ok(hasher.finalize().to_string()),
            // Below this a second thread costs more than it gains.
            1..=131_071 => hasher.update(&buffer[..read]),
            _ => hasher.update_rayon(&buffer[..read]),
        };
    }
}

/// BLAKE3 of `bytes` in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_string()
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
        let of_abc = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        assert_eq!((record.path.as_str(), record.identity.as_str()), ("a", of_abc));
        checksums.save();
        let mut again = Checksums::load(scope.path());
        assert_eq!(again.record(scope.path(), &path).unwrap(), record);
        assert!(again.learned.is_empty());
        fs_err::write(&path, "abcd").unwrap();
        assert_ne!(again.record(scope.path(), &path).unwrap().identity, of_abc);
        assert!(!again.learned.is_empty());
    }

    #[test]
    fn a_scope_asks_the_folders_inside_it_and_keeps_what_others_learned() {
        let scope = tempfile::tempdir().unwrap();
        let patch = scope.path().join("PATCH_1");
        for folder in [scope.path(), &patch] {
            fs_err::create_dir_all(folder.join(CONTROL_FOLDER)).unwrap();
        }
        let path = patch.join("a");
        fs_err::write(&path, "abc").unwrap();
        let metadata = fs_err::metadata(&path).unwrap();
        let (mut one, mut two) = (Checksums::load(&patch), Checksums::load(&patch));
        one.learn("a", &metadata, "known to the patch");
        two.learn("b", &metadata, "learned beside");
        one.save();
        two.save();
        let mut of_the_project = Checksums::load(scope.path());
        let record = of_the_project.record(scope.path(), &path).unwrap();
        assert_eq!(
            (record.path.as_str(), record.identity.as_str()),
            ("PATCH_1/a", "known to the patch")
        );
        fs_err::write(&path, "changed").unwrap();
        let record = of_the_project.record(scope.path(), &path).unwrap();
        assert_ne!(record.identity, "known to the patch");
    }
}
