//! Which code belongs to a scope, and when its digest changes: on the sources as they are, and on small
//! trees made for a test.

#[path = "../build/closure.rs"]
mod closure;
#[path = "../build/foundation.rs"]
mod foundation;
#[path = "../build/references.rs"]
mod references;
#[path = "../build/sources.rs"]
mod sources;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use closure::{CUT, Closures};
use tree::{Tree, workspace};

/// The modules in which the nine scopes and the preparation begin.
const STARTS: [&str; 9] = [
    "native_stage1",
    "native_stage2",
    "native_stage3",
    "native_stage4",
    "native_stage5",
    "native_stage6",
    "native_stage7",
    "native_stage8",
    "prep",
];

fn digests(root: &Path) -> BTreeMap<&'static str, String> {
    let closures = Closures::read(root).expect("sources that can be read");
    let foundation = foundation::foundation(root);
    let digest = |start| closures.digest(start, &foundation).expect("a stage with code");
    STARTS.iter().map(|&start| (start, digest(start))).collect()
}

/// Where `edit` of the file `path` changes the digest.
fn changed(tree: &Tree, path: &str, edit: impl Fn(&str) -> String) -> Vec<&'static str> {
    let before = digests(tree.root());
    let text = tree.text(path);
    tree.write(path, &edit(&text));
    let after = digests(tree.root());
    tree.write(path, &text);
    before.iter().filter(|(start, old)| after[*start] != **old).map(|(start, _)| *start).collect()
}

#[test]
fn closures_are_what_one_expects() {
    let closures = Closures::read(&workspace()).expect("sources that can be read");
    assert!(closures.has_sources());
    let expected: [(&str, &[&str], &[&str]); 9] = [
        ("native_stage1", &["gamma_text", "imaging_geometry", "dates"], &["topofit", "unwrap/"]),
        ("native_stage2", &["clap/mod", "topofit/mod", "random_coherence"], &["edge_noise/"]),
        ("native_stage3", &["native_stage2/", "clap/patch", "histogram"], &["native_stage4"]),
        ("native_stage4", &["edge_noise/mod", "triangulation"], &["clap/", "native_stage2"]),
        ("native_stage5", &["merge_max_coherence", "native_stage4/"], &["clap/", "unwrap/"]),
        (
            "native_stage6",
            &["pystamps-unwrap/src/search", "goldstein/", "nearest_node"],
            &["kriging"],
        ),
        ("native_stage7", &["look_angle_error/", "triangulation", "ramp"], &["clap/", "unwrap/"]),
        ("native_stage8", &["kriging/", "native_stage6/", "products/"], &["native_stage7"]),
        ("prep", &["prep/scan", "kernels/src/simd", "dates"], &["native_stage", "clap/"]),
    ];
    for (start, present, absent) in expected {
        let files = closures.files(start);
        let has = |part: &str| files.iter().any(|file| file.contains(part));
        assert!(has(&format!("src/{start}/mod.rs")), "{start}");
        for always in ["pystamps-core/src/project/parameters/", "pystamps-core/src/project/layout"]
        {
            assert!(has(always), "{start} without {always}");
        }
        for part in present {
            assert!(has(part), "{start} without {part}: {files:#?}");
        }
        for part in absent {
            assert!(!has(part), "{start} with {part}: {files:#?}");
        }
        for part in ["/cli/", "/plan/", "project/lock", "/status.rs", "tests.rs"] {
            assert!(!has(part), "{start} with {part}");
        }
    }
}

/// Every path in the code of a closure leads to a module of the closure, or to one that is cut off, and
/// nothing else is in it. Found line by line, without the code under test.
#[test]
fn closures_are_closed_and_nothing_more() {
    let closures = Closures::read(&workspace()).expect("sources that can be read");
    for start in STARTS {
        let files = closures.files(start);
        let mut named = BTreeSet::from([format!("core {start}")]);
        for file in &files {
            let krate = file.split(['-', '/']).nth(2).unwrap_or_default();
            let text = fs_err::read_to_string(workspace().join(file)).expect("a file of the tree");
            for line in lines_of_code(&text) {
                named.extend(modules_after(line, "crate::").map(|name| format!("{krate} {name}")));
                let of_kernels = modules_after(line, "pystamps_kernels::");
                named.extend(of_kernels.map(|name| format!("kernels {name}")));
            }
        }
        named.retain(|name| name.starts_with("core ") || name.starts_with("kernels "));
        for (module, _) in CUT {
            named.remove(&format!("core {module}"));
        }
        let below = files.iter().filter_map(|file| file.strip_prefix("crates/pystamps-"));
        let parts = below.map(|below| below.split(['/', '.']).collect::<Vec<_>>());
        let by_module = parts.filter(|parts| ["core", "kernels"].contains(&parts[0]));
        let found: BTreeSet<String> =
            by_module.map(|parts| format!("{} {}", parts[0], parts[2])).collect();
        assert_eq!(found, named, "{start}");
    }
}

/// Lines without comments and without the test module at the end.
fn lines_of_code(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_tests = |place: &usize| {
        lines[*place] == "#[cfg(test)]" && lines[*place + 1..].contains(&"mod tests {")
    };
    let end = (0..lines.len()).find(is_tests).unwrap_or(lines.len());
    lines.into_iter().take(end).filter(|line| !line.trim_start().starts_with("//"))
}

/// Where a module of `pystamps-core` lies.
fn core_folder(module: &str) -> String {
    let source = workspace().join("crates/pystamps-core/src").join(module);
    let file = source.with_extension("rs");
    if file.exists() { file } else { source }.to_string_lossy().into_owned()
}

/// First-level modules that `line` names after `path`; names of types and lists are passed over.
fn modules_after<'a>(line: &'a str, path: &str) -> impl Iterator<Item = String> + use<'a> {
    let parts: Vec<&str> = line.split(path).skip(1).collect();
    parts.into_iter().filter_map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        name.starts_with(|c: char| c.is_lowercase()).then_some(name)
    })
}

#[test]
fn every_cut_exists_and_has_a_reason() {
    for (module, reason) in CUT {
        assert!(Path::new(&core_folder(module)).exists(), "{module} is cut off and not there");
        assert!(reason.len() > 10, "{module}");
    }
}

#[test]
fn only_scopes_that_use_the_code_lose_their_certificate() {
    let tree = Tree::copy_of_the_workspace();
    let line = |text: &str| format!("{text}\npub(crate) const ANOTHER_LINE: u8 = 1;\n");
    let cases: [(&str, &[&str]); 9] = [
        ("crates/pystamps-core/src/native_stage7/clamp.rs", &["native_stage7"]),
        ("crates/pystamps-core/src/native_stage2/iterate.rs", &["native_stage2", "native_stage3"]),
        ("crates/pystamps-core/src/native_stage6/costs.rs", &["native_stage6", "native_stage8"]),
        ("crates/pystamps-core/src/prep/scan.rs", &["prep"]),
        (
            "crates/pystamps-kernels/src/look_angle_error/clamp.rs",
            &["native_stage7", "native_stage8"],
        ),
        ("crates/pystamps-unwrap/src/search.rs", &["native_stage6", "native_stage8"]),
        ("crates/pystamps-mat/src/level5/mod.rs", &STARTS),
        ("crates/pystamps-core/src/cli/mod.rs", &[]),
        ("crates/pystamps-kernels/src/clap/tests.rs", &[]),
    ];
    for (path, expected) in cases {
        assert_eq!(changed(&tree, path, line), expected, "{path}");
    }
    assert_eq!(changed(&tree, "rust-toolchain.toml", |t| t.replace("1.95", "1.96")), STARTS);
}

#[test]
fn documentation_layout_and_tests_change_nothing() {
    let tree = Tree::copy_of_the_workspace();
    let path = "crates/pystamps-core/src/native_stage7/clamp.rs";
    let none: &[&str] = &[];
    let told = |text: &str| format!("// Another comment.\n\n{text}\n    /// And one more.\n");
    assert_eq!(changed(&tree, path, told), none);
    let indented = |text: &str| text.replace("\n    ", "\n\t\t");
    assert_eq!(changed(&tree, path, indented), none);
    let tested =
        |text: &str| format!("{text}\n#[cfg(test)]\nmod more_tests {{\n    fn any() {{}}\n}}\n");
    assert_eq!(changed(&tree, path, tested), none);
    let behind = |text: &str| format!("{}\nfn behind() {{}}\n", tested(text));
    assert_eq!(changed(&tree, path, behind), ["native_stage7"]);
}

#[test]
fn versions_of_dependencies_count_if_they_are_reached() {
    let tree = Tree::copy_of_the_workspace();
    let version = |name: &'static str| {
        move |lock: &str| {
            let (before, after) =
                lock.split_once(&format!("name = \"{name}\"\nversion = \"")).expect("a package");
            format!("{before}name = \"{name}\"\nversion = \"9{after}")
        }
    };
    let none: &[&str] = &[];
    assert_eq!(changed(&tree, "Cargo.lock", version("rustfft")), STARTS);
    // Of tests alone, of Python alone, and our own.
    for name in ["proptest", "pyo3", "pystamps-core"] {
        assert_eq!(changed(&tree, "Cargo.lock", version(name)), none, "{name}");
    }
    // Features choose code; what a comment says of them does not.
    let features = |text: &str| {
        text.replace("[workspace.dependencies]", "[workspace.dependencies]\nx = \"1\"")
    };
    assert_eq!(changed(&tree, "Cargo.toml", features), STARTS);
    let told = |text: &str| {
        text.replace("[workspace.dependencies]", "[workspace.dependencies]\n# x = \"1\"")
    };
    assert_eq!(changed(&tree, "Cargo.toml", told), none);
}

#[test]
fn all_ways_to_name_a_module_are_followed() {
    let tree = Tree::empty();
    tree.write("crates/pystamps-core/src/lib.rs", "mod a;\npub use h::Handed;\n");
    let start = "use crate::{a::{x, y}, b, Handed};\nuse pystamps_kernels::{\n    k1,\n    k2::{p, q},\n};\n\
                 fn f() { super::c::run(); crate::d::run() }\n// crate::comment\n";
    tree.write("crates/pystamps-core/src/prep.rs", start);
    for module in ["a", "b", "c", "d", "h", "comment", "unused"] {
        tree.write(&format!("crates/pystamps-core/src/{module}.rs"), "fn it() {}\n");
    }
    tree.write("crates/pystamps-core/src/d.rs", "use crate::e::it;\n");
    tree.write("crates/pystamps-core/src/e/mod.rs", "mod inner;\n");
    tree.write(
        "crates/pystamps-core/src/e/inner.rs",
        "use super::super::g::it;\nuse super::b::no;\n",
    );
    tree.write("crates/pystamps-core/src/g.rs", "use pystamps_unwrap as cycles;\n");
    for module in ["k1", "k2", "k3"] {
        tree.write(&format!("crates/pystamps-kernels/src/{module}.rs"), "fn it() {}\n");
    }
    tree.write("crates/pystamps-unwrap/src/lib.rs", "mod one;\n");
    tree.write("crates/pystamps-unwrap/src/one.rs", "fn it() {}\n");
    let closures = Closures::read(tree.root()).expect("sources that can be read");
    let names: Vec<&str> = closures
        .files("prep")
        .into_iter()
        .filter_map(|file| file.strip_prefix("crates/pystamps-")?.strip_suffix(".rs"))
        .collect();
    let expected = "core/src/a core/src/b core/src/c core/src/d core/src/e/inner core/src/e/mod \
                    core/src/g core/src/h core/src/prep kernels/src/k1 kernels/src/k2 unwrap/src/lib \
                    unwrap/src/one";
    assert_eq!(names.join(" "), expected);
}
