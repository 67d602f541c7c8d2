//! Measures, while it builds, what the inventory says: see `build/evidence.rs`.

#[path = "build/certificates.rs"]
mod certificates;
#[path = "build/closure.rs"]
mod closure;
#[path = "build/differences.rs"]
mod differences;
#[path = "build/evidence.rs"]
mod evidence;
#[path = "build/foundation.rs"]
mod foundation;
#[path = "build/references.rs"]
mod references;
#[path = "build/sources.rs"]
mod sources;

use std::env;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let variable = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
    let workspace = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../..");
    for path in watched(&workspace) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    match evidence::measure(&workspace) {
        Ok(measured) => {
            let target = Path::new(&variable("OUT_DIR")?).join("evidence.rs");
            fs_err::write(target, evidence::as_rust(&measured)).map_err(|error| error.to_string())
        }
        Err(problem) => {
            println!("cargo::error={problem}");
            Ok(())
        }
    }
}

/// What was read. A path that does not exist would make every build begin anew: until there are
/// certificates the folder is watched in which theirs would appear.
fn watched(workspace: &Path) -> Vec<PathBuf> {
    let mut paths = vec!["build.rs".into(), "build".into(), workspace.join("Cargo.lock")];
    paths.push(workspace.join("rust-toolchain.toml"));
    paths.push(workspace.join("docs/differences.md"));
    for krate in &sources::CRATES {
        let folder = workspace.join("crates").join(krate.folder);
        paths.extend([folder.join("src"), folder.join("Cargo.toml")]);
    }
    let certificates = workspace.join("parity/certificates");
    paths.push(if certificates.exists() { certificates } else { workspace.join("parity") });
    paths.retain(|path| path.exists());
    paths
}
