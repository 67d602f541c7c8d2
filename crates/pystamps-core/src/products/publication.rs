//! Puts a product in its place all at once.

use std::path::{Path, PathBuf};

use super::no_such_format;
use crate::error::{Diagnostic, IoContext, Result};

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
pub(super) struct Publication {
    out: PathBuf,
    folder: PathBuf,
    described_apart: bool,
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
        fs_err::create_dir_all(&folder).while_doing("make room for the product")?;
        Ok(Self { out, folder, described_apart: format != Format::Mat })
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

    /// Moves the files to their places, the product itself last.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn finish(self) -> Result<()> {
        let action = || format!("publish {}", self.out.display());
        let beside = |name: &str| self.out.with_file_name(name);
        if self.described_apart {
            let name = self.description_file();
            fs_err::rename(self.folder.join(&name), beside(&name)).while_doing(action())?;
        }
        fs_err::rename(self.folder.join(self.file()), &self.out).while_doing(action())
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
        // What is left of it is hidden and harmless.
        let _ = fs_err::remove_dir_all(&self.folder);
    }
}
