//! Finds the patches that a `patch.list` names; none may lie outside the project, none be named twice.
#![no_main]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use pystamps_core::project::dataset::{patches, patches_at_hand};
use pystamps_fuzz::{bounded, input_file, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    static INSIDE: OnceLock<PathBuf> = OnceLock::new();
    let file = input_file("project/patch.list");
    let project = INSIDE.get_or_init(|| {
        for name in ["project/PATCH_1", "project/PATCH_2", "PATCH_3"] {
            std::fs::create_dir(file.folder().join(name)).expect("a folder");
        }
        file.folder().join("project")
    });
    file.hold(input);
    bounded(of_text(input), || {
        let found = patches(project).unwrap_or_default();
        let folders: BTreeSet<_> = found.iter().map(|patch| patch.folder.clone()).collect();
        assert_eq!(folders.len(), found.len(), "a patch twice");
        for patch in found {
            assert!(patch.folder.ends_with(&patch.name) && patch.folder.starts_with(project));
        }
        let _ = patches_at_hand(project);
    });
});
