//! Puts a product in its place all at once.
//!
//! ```text
//! .NAME.PID/         beside the product, locked as long as its process lives
//!   NAME NAME.json   the files, written and synchronised here first
//!   old/NAME.json    the description of an earlier product
//! ```
//! The earlier description leaves, the new product takes the place of the earlier one, the new description
//! follows: nobody finds a product with the description of another. Where this stops in between, a product
//! lacks its description until it is put back: at once if the disk allows, or when the next product of that
//! name is made.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::no_such_format;
use crate::error::{Diagnostic, IoContext, Result};

/// Where an earlier description waits until the new product is there.
const OLD: &str = "old";

/// Format of a product, told by the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// MATLAB file.
    Mat,
    /// Comma-separated text, with a description beside it.
    Csv,
    /// NumPy array, with a description beside it.
    Npy,
}

impl Format {
    /// # Errors
    /// `format-unknown`.
    pub(super) fn of(out: &Path) -> Result<Self> {
        let extension = out.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("mat") => Ok(Self::Mat),
            Some("csv") => Ok(Self::Csv),
            Some("npy") => Ok(Self::Npy),
            _ => Err(no_such_format(out)),
        }
    }
}

/// Files that appear when they are complete.
#[derive(Debug)]
pub(super) struct Publication {
    out: PathBuf,
    folder: PathBuf,
    described_apart: bool,
    /// Whether a description is left in the folder for the next process.
    abandoned: bool,
    /// Released when the process ends, however it does.
    _lock: File,
}

impl Publication {
    /// Makes a hidden folder beside `out`, which must not exist unless `force`.
    ///
    /// # Errors
    /// `file-exists`; `file-in-use` for a file of the project; I/O errors.
    pub(super) fn begin(out: &Path, root: &Path, format: Format, force: bool) -> Result<Self> {
        let out = std::path::absolute(out).while_doing("find the place of the product")?;
        let folder_of_out = out.parent().unwrap_or(Path::new("/")).to_path_buf();
        let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        fs_err::create_dir_all(&folder_of_out).while_doing("make room for the product")?;
        let alone = alone_in(&folder_of_out);
        clear_abandoned(&folder_of_out, &name);
        let of_project = crate::project::layout::MERGED_RESULTS.contains(&name.as_str())
            || name == crate::project::layout::PARMS_MAT;
        let canonical = |path: &Path| fs_err::canonicalize(path).ok();
        if of_project && canonical(&folder_of_out) == canonical(root) {
            return Err(Diagnostic::new("file-in-use", "this is a file of the project itself")
                .path(&out)
                .variable("--out")
                .expected("another name")
                .found(name)
                .remedy("for example --out products/velocity.mat")
                .usage());
        }
        if out.is_dir() || (out.exists() && !force) {
            return Err(Diagnostic::new("file-exists", "the product would replace a file")
                .path(&out)
                .variable("--out")
                .expected("no such file, or --force")
                .found(if out.is_dir() { "a folder" } else { "a file" })
                .remedy("choose another name, or give --force")
                .usage());
        }
        let replaced = [out.clone(), out.with_file_name(format!("{name}.json"))];
        let described = format != Format::Mat && replaced[1].exists() && !out.exists();
        if (out.exists() && !is_product(&out)) || (described && !force) {
            return Err(Diagnostic::new("file-in-use", "this file is no product")
                .path(if described { &replaced[1] } else { &out })
                .variable("--out")
                .expected("a new name, or a product that may be replaced")
                .found("a file of something else")
                .remedy("choose another name")
                .usage());
        }
        let folder = folder_of_out.join(format!(".{name}.{}", std::process::id()));
        let locked = fs_err::create_dir_all(&folder).and_then(|()| fs_err::File::open(&folder));
        let lock = locked.while_doing("make room for the product")?.into_file();
        // Where the file system knows no locks, nobody takes the folder for abandoned.
        let _ = lock.try_lock();
        drop(alone);
        Ok(Self {
            out,
            folder,
            described_apart: format != Format::Mat,
            abandoned: false,
            _lock: lock,
        })
    }

    /// Where files are made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Name of the product itself, in that folder.
    pub(super) fn file(&self) -> &str {
        self.out.file_name().and_then(|name| name.to_str()).unwrap_or("product")
    }

    /// Name of its description, in that folder.
    pub(super) fn description_file(&self) -> String {
        format!("{}.json", self.file())
    }

    /// Moves the files to their places.
    ///
    /// # Errors
    /// I/O errors; an earlier product is still there, or the new one is.
    pub(super) fn finish(mut self) -> Result<()> {
        let _alone = alone_in(self.out.parent().unwrap_or(Path::new("/")));
        let moved = self.exchange();
        if moved.is_err() {
            self.abandoned = !describe_again(&self.folder, self.file());
        }
        moved.while_doing(format!("publish {}", self.out.display()))
    }

    fn exchange(&self) -> std::io::Result<()> {
        let product = self.folder.join(self.file());
        fs_err::File::open(&product)?.sync_all()?;
        let description = self.folder.join(self.description_file());
        let described = self.out.with_file_name(self.description_file());
        if self.described_apart {
            fs_err::File::open(&description)?.sync_all()?;
            if described.symlink_metadata().is_ok() {
                let old = self.folder.join(OLD);
                fs_err::create_dir_all(&old)?;
                fs_err::rename(&described, old.join(self.description_file()))?;
            }
        }
        fs_err::rename(product, &self.out)?;
        if self.described_apart { fs_err::rename(description, described) } else { Ok(()) }
    }
}

/// Waits for the short exclusive right to begin or to publish a product in `folder`: nobody takes a hidden
/// folder for abandoned before its owner has locked it, and product and description are of one process.
/// None where the file system knows no such locks.
fn alone_in(folder: &Path) -> Option<File> {
    let opened = fs_err::File::open(folder).ok()?.into_file();
    opened.lock().is_ok().then_some(opened)
}

/// Gives the product called `name` beside `folder` its description, from what an exchange has left in
/// there; tells whether there was nothing to do or it is done.
fn describe_again(folder: &Path, name: &str) -> bool {
    let file = format!("{name}.json");
    let described = folder.with_file_name(&file);
    // As long as the new product is here, the earlier one is in its place.
    let is_earlier = folder.join(name).exists();
    let waiting = if is_earlier { folder.join(OLD).join(&file) } else { folder.join(&file) };
    described.exists() || !waiting.exists() || fs_err::rename(waiting, described).is_ok()
}

/// Removes what killed processes have left of a product called `name`, which gets its description back.
fn clear_abandoned(folder: &Path, name: &str) {
    let start = format!(".{name}.");
    for entry in fs_err::read_dir(folder).into_iter().flatten().flatten() {
        let entry_name = entry.file_name().to_string_lossy().into_owned();
        let number = entry_name.strip_prefix(&start).unwrap_or_default();
        let is_ours = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let path = entry.path();
        let is_abandoned =
            || fs_err::File::open(&path).is_ok_and(|lock| lock.file().try_lock().is_ok());
        if is_ours && path.is_dir() && is_abandoned() && describe_again(&path, name) {
            let _ = fs_err::remove_dir_all(&path);
        }
    }
}

/// Whether a file may be replaced by a product: text, or a MATLAB file that is one.
fn is_product(path: &Path) -> bool {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("mat")) {
        return true;
    }
    let listed = pystamps_mat::list(path).unwrap_or_default();
    ["ph_disp", "ph_mm"].iter().any(|name| listed.iter().any(|info| info.name == *name))
}

impl Drop for Publication {
    fn drop(&mut self) {
        if !self.abandoned {
            // What is left of it is hidden, and removed when the next product of that name is made.
            let _ = fs_err::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: PathBuf) -> Option<String> {
        fs_err::read_to_string(path).ok()
    }

    /// What a process leaves that was killed while it exchanged an old product for a new one.
    fn killed(folder: &Path, is_earlier: bool) -> PathBuf {
        let left = folder.join(".v.csv.4194305");
        fs_err::create_dir_all(left.join(OLD)).unwrap();
        fs_err::write(left.join(OLD).join("v.csv.json"), "old").unwrap();
        fs_err::write(left.join("v.csv.json"), "new").unwrap();
        let (place, state) =
            if is_earlier { (left.join("v.csv"), "old") } else { (folder.join("v.csv"), "new") };
        fs_err::write(place, "new").unwrap();
        fs_err::write(folder.join("v.csv"), state).unwrap();
        left
    }

    #[test]
    fn a_description_that_a_killed_process_held_comes_to_its_product() {
        for (is_earlier, state) in [(true, "old"), (false, "new")] {
            let folder = tempfile::tempdir().unwrap();
            let left = killed(folder.path(), is_earlier);
            let out = folder.path().join("v.csv");
            drop(Publication::begin(&out, folder.path(), Format::Csv, true).unwrap());
            assert!(!left.exists());
            assert_eq!(read(out).as_deref(), Some(state));
            assert_eq!(read(folder.path().join("v.csv.json")).as_deref(), Some(state));
        }
    }

    #[test]
    fn what_a_living_process_works_on_stays() {
        let folder = tempfile::tempdir().unwrap();
        let left = killed(folder.path(), true);
        let lock = fs_err::File::open(&left).unwrap();
        lock.file().try_lock().unwrap();
        clear_abandoned(folder.path(), "v.csv");
        assert!(left.join("v.csv").exists());
    }

    #[test]
    fn a_product_that_cannot_be_exchanged_keeps_its_description() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("v.csv");
        for name in ["v.csv", "v.csv.json"] {
            fs_err::write(folder.path().join(name), "old").unwrap();
        }
        let publication = Publication::begin(&out, folder.path(), Format::Csv, true).unwrap();
        // A folder cannot take the place of a file.
        fs_err::create_dir(publication.folder().join("v.csv")).unwrap();
        fs_err::write(publication.folder().join("v.csv.json"), "new").unwrap();
        assert!(publication.finish().is_err());
        for name in ["v.csv", "v.csv.json"] {
            assert_eq!(read(folder.path().join(name)).as_deref(), Some("old"), "{name}");
        }
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 2);
    }
}
