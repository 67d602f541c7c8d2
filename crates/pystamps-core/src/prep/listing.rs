//! Lists the files of an export as the shell patterns of StaMPS' scripts do.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::error::IoContext;

/// The entries of `folder` whose name `wanted` accepts, in the order of `LC_ALL=C ls` of their
/// whole paths. Hidden entries are left out, as by a shell pattern; no folder means no entries.
pub(crate) fn matching(folder: &Path, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<PathBuf>> {
    let action = "list an export folder";
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error).while_doing(action),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.while_doing(action)?.file_name();
        if !name.as_bytes().starts_with(b".") && wanted(name.as_bytes()) {
            paths.push(folder.join(name));
        }
    }
    sort_bytewise(&mut paths);
    Ok(paths)
}

/// As [`matching`] in several folders, sorted over all of them.
pub(crate) fn matching_in(
    folders: &[PathBuf],
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for folder in folders {
        paths.extend(matching(folder, &wanted)?);
    }
    sort_bytewise(&mut paths);
    Ok(paths)
}

/// `Path` orders by components; `ls` orders by bytes.
fn sort_bytewise(paths: &mut [PathBuf]) {
    paths.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
}

/// The shell pattern `*.*slc`.
pub(crate) fn is_slc(name: &[u8]) -> bool {
    name.strip_suffix(b"slc").is_some_and(|stem| stem.contains(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slc_pattern() {
        for name in ["20210107.rslc", "20210107.slc", "a.b.c_slc"] {
            assert!(is_slc(name.as_bytes()), "{name}");
        }
        for name in ["20210107.rslc.par", "rslc", "20210107_rslc", "slc.20210107"] {
            assert!(!is_slc(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn order_is_that_of_bytes_over_whole_paths_without_hidden_files() {
        let root = tempfile::tempdir().unwrap();
        let folders: Vec<_> = ["a", "a.b"].map(|name| root.path().join(name)).into();
        for folder in &folders {
            fs_err::create_dir(folder).unwrap();
            for name in ["é", "b", "B", "10", "2", ".hidden"] {
                fs_err::write(folder.join(name), "").unwrap();
            }
        }
        let paths = matching_in(&folders, |_| true).unwrap();
        let names: Vec<_> =
            paths.iter().map(|p| p.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(
            names,
            ["a.b/10", "a.b/2", "a.b/B", "a.b/b", "a.b/é", "a/10", "a/2", "a/B", "a/b", "a/é"]
        );
        assert!(matching(&root.path().join("none"), |_| true).unwrap().is_empty());
    }
}
