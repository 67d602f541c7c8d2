//! Defines which patches a project has (orchestration.md, "Discovery").

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::error::{Diagnostic, IoContext, Result};
use crate::project::layout::{PATCH_LIST, patch, patch_results};

/// One patch folder of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Name as listed, for example `PATCH_2`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// The patches of the project at `root`: the lines of `patch.list` in their order (blank lines and
/// `#` comments skipped), or without that file every `PATCH_<number>` by number.
///
/// # Errors
/// `patch-escapes` for an entry that is not one folder name, or that leads outside the project
/// through a link; `patch-missing` for one that does not exist; `no-patches` if there is none.
pub fn patches(root: &Path) -> Result<Vec<Patch>> {
    let list = root.join(PATCH_LIST);
    let names: Vec<String> = match fs_err::read_to_string(&list) {
        Ok(text) => text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| folder_name(line).unwrap_or(line).to_owned())
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => numbered_folders(root)?,
        Err(error) => return Err(error).while_doing("read the list of patches"),
    };
    if names.is_empty() {
        let found = if root.join(patch::CANDIDATES_IJ).exists() {
            "a single patch: use --patch"
        } else if list.exists() {
            "a patch.list without entries"
        } else {
            "no patch.list, no PATCH_* folder"
        };
        return Err(Diagnostic::new("no-patches", "this folder has no patches")
            .path(root)
            .expected("a prepared StaMPS project: parms.mat, patch.list and PATCH_1, PATCH_2, …")
            .found(found)
            .remedy("run `pystamps-native prep snap --export DIR --dataset DIR` first")
            .data());
    }
    let mut seen = BTreeSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
        let problem = format!("the patch '{name}' is listed twice");
        return Err(Diagnostic::new("patch-repeated", problem)
            .path(&list)
            .variable(name)
            .expected("every patch once")
            .found("a repeated line")
            .remedy("remove one of the lines")
            .data());
    }
    names.into_iter().map(|name| listed_patch(root, &list, name)).collect()
}

/// The patches of the project at `root` that there is anything of; none if it has been merged and all of
/// them have been put away since.
///
/// # Errors
/// Those of [`patches`]. A patch of a merged project may be missing.
pub fn patches_at_hand(root: &Path) -> Result<Option<Vec<Patch>>> {
    let merged = root.join("ps2.mat").is_file() && root.join("ifgstd2.mat").is_file();
    match patches(root) {
        Ok(listed) if !merged => Ok(Some(listed)),
        Ok(mut listed) => {
            listed.retain(|patch| is_at_hand(&patch.folder));
            Ok((!listed.is_empty()).then_some(listed))
        }
        Err(error) if merged && ["patch-missing", "no-patches"].contains(&error.name()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is anything of a patch: candidates, or the results of a stage.
fn is_at_hand(folder: &Path) -> bool {
    let results = patch_results::STAGE_1.first().into_iter().chain(patch_results::AFTER_STAGE_1);
    let mut files = results.chain([&patch::CANDIDATES_IJ, &"no_ps_info.mat"]);
    files.any(|name| folder.join(name).is_file())
}

/// The folder that a line names, without the slash that shells put after folders; none if the line is
/// any other path.
fn folder_name(line: &str) -> Option<&str> {
    let mut parts = Path::new(line).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) => name.to_str(),
        _ => None,
    }
}

fn listed_patch(root: &Path, list: &Path, name: String) -> Result<Patch> {
    let refuse = |kind, problem: String, found: String| {
        Diagnostic::new(kind, problem)
            .path(list)
            .variable(&name)
            .expected("the name of a folder inside the project")
            .found(found)
            .remedy("correct or remove the line")
            .data()
    };
    if folder_name(&name).is_none() {
        let problem = format!("the entry '{name}' is not a folder name");
        return Err(refuse("patch-escapes", problem, "a path".into()));
    }
    let folder = root.join(&name);
    if !folder.is_dir() {
        let problem = format!("the patch '{name}' does not exist");
        return Err(refuse("patch-missing", problem, "no such folder".into()));
    }
    let real = fs_err::canonicalize(&folder).while_doing("resolve a patch folder")?;
    let real_root = fs_err::canonicalize(root).while_doing("resolve the project folder")?;
    if !real.starts_with(&real_root) {
        let problem = format!("the entry '{name}' leads outside the project");
        return Err(refuse("patch-escapes", problem, real.display().to_string()));
    }
    Ok(Patch { name, folder })
}

/// Candidates of the patch in `folder`: its binary list holds 8 bytes for each.
///
/// # Errors
/// I/O errors.
pub fn candidate_count(folder: &Path) -> Result<u64> {
    let binary = folder.join(patch::CANDIDATES_IJ_INT);
    if let Ok(metadata) = fs_err::metadata(&binary) {
        return Ok(metadata.len() / 8);
    }
    // Other preparations write only the text list.
    let list = folder.join(patch::CANDIDATES_IJ);
    let text = fs_err::read_to_string(list).while_doing("count candidates")?;
    Ok(text.lines().count() as u64)
}

fn numbered_folders(root: &Path) -> Result<Vec<String>> {
    let mut numbered = Vec::new();
    for entry in fs_err::read_dir(root).while_doing("look for patches")? {
        let entry = entry.while_doing("look for patches")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(number) = name.strip_prefix("PATCH_").and_then(|n| n.parse::<u64>().ok())
            && entry.path().is_dir()
        {
            numbered.push((number, name));
        }
    }
    numbered.sort();
    Ok(numbered.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(patches: &[&str], list: Option<&str>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for name in patches {
            fs_err::create_dir(root.path().join(name)).unwrap();
        }
        if let Some(list) = list {
            fs_err::write(root.path().join(PATCH_LIST), list).unwrap();
        }
        root
    }

    fn names(root: &Path) -> Vec<String> {
        patches(root).unwrap().into_iter().map(|patch| patch.name).collect()
    }

    #[test]
    fn list_order_is_kept() {
        let root = project(&["PATCH_1", "PATCH_2"], Some("PATCH_2\n\n# later\n  PATCH_1 \n"));
        assert_eq!(names(root.path()), ["PATCH_2", "PATCH_1"]);
    }

    #[test]
    fn a_slash_after_a_folder_is_no_part_of_its_name() {
        let root = project(&["PATCH_1", "PATCH_2"], Some("PATCH_2/\nPATCH_1//.\n"));
        assert_eq!(names(root.path()), ["PATCH_2", "PATCH_1"]);
    }

    #[test]
    fn a_long_list_takes_no_longer_than_its_length() {
        let lines: Vec<String> = (0..200_000).map(|number| format!("PATCH_{number}")).collect();
        let root = project(&["PATCH_0"], Some(&lines.join("\n")));
        assert_eq!(patches(root.path()).unwrap_err().name(), "patch-missing");
    }

    #[test]
    fn without_a_list_patches_are_sorted_by_number() {
        let root = project(&["PATCH_10", "PATCH_9", "PATCH_x"], None);
        assert_eq!(names(root.path()), ["PATCH_9", "PATCH_10"]);
    }

    #[test]
    fn escaping_missing_and_absent_patches_are_refused() {
        for (list, name) in [
            ("../elsewhere\n", "patch-escapes"),
            ("PATCH_1/..\n", "patch-escapes"),
            ("/tmp\n", "patch-escapes"),
            ("..\n", "patch-escapes"),
            ("PATCH_7\n", "patch-missing"),
            ("# nothing\n", "no-patches"),
            ("PATCH_1\nPATCH_1\n", "patch-repeated"),
            ("PATCH_1\nPATCH_1/\n", "patch-repeated"),
        ] {
            let root = project(&["PATCH_1"], Some(list));
            assert_eq!(patches(root.path()).unwrap_err().name(), name, "{list}");
        }
    }

    #[test]
    fn a_link_to_the_outside_is_refused() {
        let root = project(&[], Some("PATCH_1\n"));
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("PATCH_1")).unwrap();
        assert_eq!(patches(root.path()).unwrap_err().name(), "patch-escapes");
    }
}
