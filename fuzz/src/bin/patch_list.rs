//! Finds the patches that a `patch.list` names.
#![no_main]

use pystamps_core::project::dataset::{patches, patches_at_hand};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let folder = pystamps_fuzz::folder();
    let _ = std::fs::create_dir(folder.join("PATCH_1"));
    std::fs::write(folder.join("patch.list"), input).expect("the input");
    pystamps_fuzz::bounded(input, || {
        for found in patches(folder).into_iter().flatten() {
            assert!(found.folder.starts_with(folder), "{} leads out", found.folder.display());
        }
        let _ = patches_at_hand(folder);
    });
});
