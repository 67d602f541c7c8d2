//! The dependency arrows of ARCHITECTURE.md, read from `cargo metadata`: mat, kernels, unwrap ->
//! core -> py; stages is data.

use std::collections::BTreeMap;
use std::process::Command;

/// For every crate, the crates of ours it may use.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("pystamps-mat", &[]),
    ("pystamps-kernels", &[]),
    ("pystamps-unwrap", &[]),
    ("pystamps-stages", &[]),
    ("pystamps-core", &["pystamps-mat", "pystamps-kernels", "pystamps-unwrap", "pystamps-stages"]),
    ("pystamps-py", &["pystamps-core", "pystamps-mat", "pystamps-kernels", "pystamps-unwrap"]),
];

fn upward_arrows(metadata: &serde_json::Value) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    assert!(packages.len() >= 5, "the workspace has {} packages", packages.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let permitted = allowed.get(name).copied().unwrap_or(&[]);
        if !allowed.contains_key(name) {
            wrong.push(format!("{name} has no place in the architecture"));
        }
        for dependency in package["dependencies"].as_array().expect("a list") {
            // Tests of the kernels read the oracle's files.
            if dependency["kind"] == "dev" {
                continue;
            }
            let target = dependency["name"].as_str().expect("a dependency has a name");
            if target.starts_with("pystamps-") && !permitted.contains(&target) {
                wrong.push(format!("{name} -> {target}"));
            }
        }
    }
    wrong
}

fn workspace_metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

#[test]
fn dependencies_point_one_way() {
    assert_eq!(upward_arrows(&workspace_metadata()), Vec::<String>::new());
}

#[test]
fn an_upward_arrow_would_be_found() {
    let mut metadata = workspace_metadata();
    let packages = metadata["packages"].as_array_mut().expect("a list");
    let mat = packages.iter_mut().find(|p| p["name"] == "pystamps-mat").expect("our crate");
    mat["dependencies"]
        .as_array_mut()
        .expect("a list")
        .push(serde_json::json!({ "name": "pystamps-core" }));
    assert_eq!(upward_arrows(&metadata), ["pystamps-mat -> pystamps-core"]);
}
