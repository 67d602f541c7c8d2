//! Tells what all code stands on and what changes numbers with it: the compiler and the versions of the
//! dependencies.
//!
//! Of `Cargo.lock` only the packages count that `pystamps-core` reaches through `[dependencies]`, those for
//! tests and builds apart. Of the manifests `[workspace.dependencies]` counts, which chooses features: those
//! of `rustfft` choose transforms. Profiles do not change what Rust computes. What hands options and
//! parameters to the stages counts too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fs_err as fs;

use crate::sources::normalised;

/// Files of `pystamps-core/src` that decide which options and parameters act. They lead to every stage, so
/// they are counted as they are and not followed.
const DISPATCH: [&str; 3] = ["cli/commands/stage.rs", "merged_scope.rs", "patch_scope.rs"];

/// One package of the lock file.
#[derive(Clone, Debug, Default)]
struct Package {
    name: String,
    version: String,
    checksum: String,
    /// As the lock file has them: the name, with the version where there are several.
    dependencies: Vec<String>,
}

/// The lines that the digest of every scope ends with; what is not there is left out.
pub(crate) fn foundation(workspace: &Path) -> String {
    let text = |name: &str| fs::read_to_string(workspace.join(name)).unwrap_or_default();
    let toolchain = normalised(&text("rust-toolchain.toml"));
    let toolchain: Vec<&str> = toolchain.lines().filter(|line| !line.starts_with('#')).collect();
    let packages = packages(&text("Cargo.lock"));
    let features = workspace_dependencies(&text("Cargo.toml"));
    let dispatch =
        DISPATCH.map(|file| normalised(&text(&format!("crates/pystamps-core/src/{file}"))));
    [toolchain.join("\n"), features, reached(workspace, &packages), dispatch.join("\n")].join("\n")
}

/// The lines of `[workspace.dependencies]`, without comments.
fn workspace_dependencies(manifest: &str) -> String {
    let lines = manifest.lines().map(str::trim);
    let inside = lines.skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let section = inside.take_while(|line| !line.starts_with('['));
    let entries: Vec<&str> = section
        .map(|line| line.split(" #").next().unwrap_or_default().trim_end())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    entries.join("\n")
}

/// Name, version and checksum of every package of others that `pystamps-core` reaches, sorted.
fn reached(workspace: &Path, packages: &[Package]) -> String {
    let mut by_name: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        by_name.entry(&package.name).or_default().push(package);
    }
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Package> = by_name.get("pystamps-core").cloned().unwrap_or_default();
    while let Some(package) = open.pop() {
        if !seen.insert((&package.name, &package.version, &package.checksum)) {
            continue;
        }
        let own = package.name.starts_with("pystamps-");
        let wanted = own.then(|| ordinary_dependencies(workspace, &package.name));
        for dependency in &package.dependencies {
            let mut words = dependency.split(' ');
            let (name, version) = (words.next().unwrap_or_default(), words.next());
            if wanted.as_ref().is_none_or(|wanted| wanted.contains(name)) {
                let found = by_name.get(name).into_iter().flatten();
                open.extend(found.filter(|p| version.is_none_or(|version| p.version == version)));
            }
        }
    }
    let others = seen.iter().filter(|(name, _, _)| !name.starts_with("pystamps-"));
    let lines: Vec<String> =
        others.map(|(name, version, checksum)| format!("{name} {version} {checksum}")).collect();
    lines.join("\n")
}

/// Keys of `[dependencies]` in the manifest of one of our crates.
fn ordinary_dependencies(workspace: &Path, krate: &str) -> BTreeSet<String> {
    let manifest = workspace.join("crates").join(krate).join("Cargo.toml");
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let keys = lines.filter_map(|line| line.split(['.', '=', ' ']).next());
    keys.filter(|key| !key.is_empty() && !key.starts_with('#')).map(str::to_owned).collect()
}

/// The packages of a lock file, as Cargo writes it.
fn packages(lock: &str) -> Vec<Package> {
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .map(|block| {
            let value = |key: &str| {
                let prefix = format!("{key} = ");
                let found = block.lines().find_map(|line| line.strip_prefix(&prefix));
                found.unwrap_or_default().trim_matches('"').to_owned()
            };
            let quoted =
                block.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
            Package {
                name: value("name"),
                version: value("version"),
                checksum: value("checksum"),
                dependencies: quoted.map(str::to_owned).collect(),
            }
        })
        .collect()
}
