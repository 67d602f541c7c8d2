//! Finds the modules that a Rust file names: `crate::a::…`, `use crate::{a, b::c}`, `pystamps_kernels::a`,
//! and `super` where it leads up to the crate itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{CRATES, Source, Unit};

/// The units that `source` names; `units` are those there are, `exports` the code of
/// every crate's `lib.rs`.
pub(crate) fn references(
    source: &Source,
    units: &BTreeSet<Unit>,
    exports: &BTreeMap<&str, String>,
) -> BTreeSet<Unit> {
    let mut named = BTreeSet::new();
    for (head, rest) in path_heads(&source.code) {
        match head {
            "crate" => named.extend(inside(source.unit.krate, rest, units, exports)),
            "super" => {
                if let Some(rest) = beyond_supers(rest, source.depth) {
                    named.extend(inside(source.unit.krate, rest, units, exports));
                }
            }
            other => {
                let Some(krate) = CRATES.iter().find(|krate| krate.name == other) else { continue };
                // Without a path, under another name for example: all of it.
                let rest = if rest.starts_with("::") { rest } else { "::*" };
                named.extend(inside(krate.folder, rest, units, exports));
            }
        }
    }
    named
}

/// Every word that may begin a path, and the text after it.
fn path_heads(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code;
    std::iter::from_fn(move || {
        loop {
            let begin = rest.find(is_word)?;
            let before = rest[..begin].chars().next_back();
            let tail = &rest[begin..];
            let end = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
            let (word, after) = tail.split_at(end);
            rest = after;
            // The later parts of a path follow a colon.
            if before != Some(':') {
                return Some((word, after));
            }
        }
    })
}

/// What follows the last `super` of a chain, if the chain leads to the crate itself.
fn beyond_supers(mut rest: &str, depth: usize) -> Option<&str> {
    let mut steps = 1;
    while let Some(after) = rest.strip_prefix("::super") {
        rest = after;
        steps += 1;
    }
    (steps == depth).then_some(rest)
}

/// The units of the crate `folder` that the path going on with `rest` names.
fn inside(
    folder: &'static str,
    rest: &str,
    units: &BTreeSet<Unit>,
    exports: &BTreeMap<&str, String>,
) -> BTreeSet<Unit> {
    let whole = Unit { krate: folder, module: String::new() };
    let krate = CRATES.iter().find(|krate| krate.folder == folder);
    if krate.is_some_and(|krate| !krate.by_module) {
        return BTreeSet::from([whole]);
    }
    let all = || units.iter().filter(|unit| unit.krate == folder).cloned();
    let mut named = BTreeSet::new();
    for name in first_names(rest) {
        let unit = Unit { krate: folder, module: name.to_owned() };
        if units.contains(&unit) {
            named.insert(unit);
        } else if name == "*" {
            named.extend(all());
        } else {
            // Something that the crate hands on under its own name: whatever that may be.
            let handed_on = exports.get(folder).map_or("", String::as_str);
            let modules = handed_on.lines().filter_map(|line| line.strip_prefix("pub use "));
            let modules = modules.map(|path| path.split("::").next().unwrap_or(path).to_owned());
            let known = modules.map(|module| Unit { krate: folder, module });
            named.extend(known.filter(|unit| units.contains(unit)));
        }
    }
    named
}

/// The names that follow a crate: one after `::a`, several after `::{a, b::c}`; `*` for all.
fn first_names(rest: &str) -> Vec<&str> {
    let Some(rest) = rest.strip_prefix("::") else { return Vec::new() };
    let Some(list) = rest.strip_prefix('{') else {
        return leading_name(rest).into_iter().collect();
    };
    let mut names = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (place, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                names.extend(leading_name(&list[begin..place]));
                begin = place + 1;
            }
            '}' => {
                names.extend(leading_name(&list[begin..place]));
                break;
            }
            _ => {}
        }
    }
    names
}

fn leading_name(path: &str) -> Option<&str> {
    let path = path.trim_start();
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    match (end, path.starts_with('*')) {
        (0, true) => Some("*"),
        (0, false) => None,
        _ => Some(&path[..end]),
    }
}
