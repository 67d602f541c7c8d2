//! The measurement of whole source trees, complete and in parts.

#[path = "../build/certificates.rs"]
mod certificates;
#[path = "../build/closure.rs"]
mod closure;
#[path = "../build/differences.rs"]
mod differences;
#[path = "../build/evidence.rs"]
mod evidence;
#[path = "../build/foundation.rs"]
mod foundation;
#[path = "../build/references.rs"]
mod references;
#[path = "../build/sources.rs"]
mod sources;
mod tree;

use evidence::{SUBJECTS, as_rust, measure};
use serde_json::json;
use tree::Tree;

/// The line of the constants about one subject.
fn line(tree: &Tree, name: &str) -> String {
    let code = as_rust(&measure(tree.root()).expect("a tree that can be measured"));
    let told = format!("Evidence {{ name: {name:?}");
    code.lines().find(|line| line.contains(&told)).expect("every subject has a line").to_owned()
}

/// The digest of a subject's code.
fn digest(tree: &Tree, name: &str) -> String {
    let line = line(tree, name);
    let (_, rest) = line.split_once("code_sha256: Some(\"").expect("a subject with code");
    rest[..64].to_owned()
}

fn certify(tree: &Tree, name: &str, code_sha256: &str) {
    let certificate = json!({
        "schema": 1, "name": name, "passed": true,
        "oracle": {"engine": "StaMPS", "data": "full"},
        "program": {
            "version": "0.6.0", "commit": "abcdef0123456789", "date": "2026-11-28",
            "code_sha256": code_sha256,
        },
        "cases": [{"name": "a \"quoted\" case", "passed": true}],
        "mutations": {"made": 3, "detected": 3},
    });
    tree.write(&format!("parity/certificates/{name}.json"), &certificate.to_string());
}

#[test]
fn certificates_hold_until_their_code_changes() {
    let tree = Tree::copy_of_the_workspace();
    for name in ["stage7-merged", "stage8-merged", "chain"] {
        assert!(
            line(&tree, name).contains("state: State::Native, reason: Some(\"no certificate\")")
        );
        certify(&tree, name, &digest(&tree, name));
        let certified = line(&tree, name);
        assert!(certified.contains("state: State::Certified, reason: None"), "{certified}");
        assert!(certified.contains("cases: &[\"a \\\"quoted\\\" case\"]"), "{certified}");
    }
    let path = "crates/pystamps-core/src/native_stage7/clamp.rs";
    tree.write(path, &tree.text(path).replace("fn ", "fn  "));
    for name in ["stage7-merged", "chain"] {
        assert!(line(&tree, name).contains("the code has changed since commit abcdef0"));
    }
    assert!(line(&tree, "stage8-merged").contains("State::Certified"));
    certify(&tree, "prep", "another");
    assert!(line(&tree, "prep").contains("the code has changed"));
    tree.write("parity/certificates/stage1-patch.json", "{\"schema\":");
    assert!(line(&tree, "stage1-patch").contains("the certificate is no JSON (line 1)"));
}

#[test]
fn a_tree_in_parts_can_be_measured() {
    let bare = Tree::empty();
    for subject in &SUBJECTS {
        let line = line(&bare, subject.name);
        assert!(
            line.contains("State::Native, reason: Some(\"no certificate\"), code_sha256: None")
        );
    }
    certify(&bare, "stage2-patch", "anything");
    assert!(line(&bare, "stage2-patch").contains("not here to compare the certificate with"));
    bare.write("crates/pystamps-core/src/native_stage2/mod.rs", "use crate::samples::Rows;\n");
    assert!(line(&bare, "stage3-patch").contains("state: State::Planned"));
    assert!(line(&bare, "stage2-patch").contains("the code has changed"));
}

#[test]
fn the_document_must_have_every_section() {
    let tree = Tree::empty();
    tree.write("docs/differences.md", "## Preparation\n");
    let problem = measure(tree.root()).err().expect("a document without sections");
    assert_eq!(problem, "docs/differences.md has no section 'Stage 1'");
    tree.write("docs/differences.md", "## Stage 1\n\n| original |\n");
    let problem = measure(tree.root()).err().expect("a malformed document");
    assert!(problem.contains("line 3"), "{problem}");
}
