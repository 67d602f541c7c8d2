//! Reads the Rust files of the crates whose code decides about numbers, in the form that is compared.
//!
//! ```text
//! crates/X/src/**/*.rs -> test modules taken out -> comments, blank lines and indentation dropped
//! ```
//! so that documentation, layout and tests may change without making a certificate outdated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;

/// A crate whose code is looked at.
pub(crate) struct Crate {
    /// Its folder under `crates/`.
    pub(crate) folder: &'static str,
    /// What other crates call it.
    pub(crate) name: &'static str,
    /// Whether first-level modules are followed one by one; otherwise the crate counts as a whole.
    pub(crate) by_module: bool,
}

/// The crates, the order without meaning.
pub(crate) const CRATES: [Crate; 4] = [
    Crate { folder: "pystamps-core", name: "pystamps_core", by_module: true },
    Crate { folder: "pystamps-kernels", name: "pystamps_kernels", by_module: true },
    Crate { folder: "pystamps-mat", name: "pystamps_mat", by_module: false },
    Crate { folder: "pystamps-unwrap", name: "pystamps_unwrap", by_module: false },
];

/// What is followed as one: a first-level module of a crate, or a whole crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unit {
    /// The crate's folder.
    pub(crate) krate: &'static str,
    /// The module; empty for a whole crate, and for the crate's own `lib.rs`.
    pub(crate) module: String,
}

/// One Rust file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Place under the workspace's folder, with slashes.
    pub(crate) path: String,
    /// What it belongs to.
    pub(crate) unit: Unit,
    /// Number of modules around its content; 1 for a first-level module.
    pub(crate) depth: usize,
    /// Its lines without comments, blank lines and surrounding blanks.
    pub(crate) code: String,
}

/// Reads all files of [`CRATES`] below `workspace`, sorted by path; none if the crates are not there.
///
/// # Errors
/// Files that cannot be read.
pub(crate) fn read_sources(workspace: &Path) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for krate in &CRATES {
        let root = workspace.join("crates").join(krate.folder).join("src");
        let mut texts = BTreeMap::new();
        if root.is_dir() {
            collect(&root, &mut texts)?;
        }
        let tests: BTreeSet<PathBuf> =
            texts.iter().flat_map(|(path, text)| test_files(path, text)).collect();
        let counted = |path: &Path| {
            let module = if path.ends_with("mod.rs") { path.parent() } else { Some(path) };
            !module.is_some_and(|module| {
                tests.iter().any(|test| module.with_extension("").starts_with(test))
            })
        };
        for (path, text) in texts.iter().filter(|(path, _)| counted(path)) {
            let below = path.strip_prefix(&root).unwrap_or(path);
            let modules = module_path(below);
            let name = if krate.by_module { modules.first().cloned() } else { None };
            let unit = Unit { krate: krate.folder, module: name.unwrap_or_default() };
            let path = path.strip_prefix(workspace).unwrap_or(path);
            let path = path.to_string_lossy().replace('\\', "/");
            let code = normalised(&without_tests(text));
            sources.push(Source { path, unit, depth: modules.len(), code });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// All Rust files below `folder`, with their text.
fn collect(folder: &Path, texts: &mut BTreeMap<PathBuf, String>) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(failed)?;
            texts.insert(path, text);
        }
    }
    Ok(())
}

/// Names of the modules around the content of a file at `below` the crate's `src`.
fn module_path(below: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        below.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod" || (names.len() == 1 && name == "lib")) {
        names.pop();
    }
    names
}

/// The modules, as paths without extension, that a file declares for tests alone.
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let stem = path.file_stem().unwrap_or_default();
    let inside = if stem == "mod" || stem == "lib" {
        path.parent().unwrap_or(path).to_path_buf()
    } else {
        path.with_extension("")
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let named = declared.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    named.map(|name| inside.join(name)).collect()
}

/// A file without its inner test modules: from `#[cfg(test)]` before `mod … {` to the next `}` that begins
/// a line, which rustfmt puts at the module's end.
fn without_tests(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::new();
    let mut place = 0;
    while place < lines.len() {
        let item = if lines[place] == "#[cfg(test)]" { item_after(&lines, place) } else { "" };
        if item.starts_with("mod ") && item.ends_with('{') {
            place += lines[place..].iter().take_while(|line| **line != "}").count();
        } else {
            kept.push_str(lines[place]);
            kept.push('\n');
        }
        place += 1;
    }
    kept
}

/// The line that begins the item to which the attribute at `place` belongs, other attributes passed over.
fn item_after<'a>(lines: &[&'a str], mut place: usize) -> &'a str {
    while place < lines.len() && lines[place].starts_with("#[") {
        place += lines[place..].iter().take_while(|line| !line.ends_with(']')).count() + 1;
    }
    lines.get(place).copied().unwrap_or_default()
}

/// Lines without surrounding blanks; those that are empty or begin with `//` are dropped.
pub(crate) fn normalised(text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
