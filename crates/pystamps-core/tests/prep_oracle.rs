//! Preparation of the oracle's scene P is byte-identical to original StaMPS.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod prep_scene;

use std::path::{Path, PathBuf};

use prep_scene::{prepare, prepare_with, tree};
use pystamps_core::prep::{PrepRequest, Processor, Tuning};

/// The folder with the oracle, or `None` with a reason on standard error. CI must have it.
fn oracle() -> Option<PathBuf> {
    let shared = std::env::var_os("PYSTAMPS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let scene = shared.join("oracle/P");
    if scene.is_dir() {
        return Some(scene);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no oracle at {}", scene.display());
    #[expect(clippy::print_stderr, reason = "says why nothing is tested")]
    {
        eprintln!("skipped: no oracle at {} (set PYSTAMPS_SHARED)", scene.display());
    }
    None
}

/// What the oracle's scene P was prepared with.
fn request(scene: &Path) -> PrepRequest {
    PrepRequest {
        amplitude_dispersion: Some("0.4".parse().unwrap()),
        range_patches: 2,
        azimuth_patches: 2,
        range_overlap: 12,
        azimuth_overlap: 15,
        ..PrepRequest::new(Processor::Snap, scene.join("export"))
    }
}

#[test]
fn scene_p_is_byte_identical() {
    let Some(scene) = oracle() else { return };
    let prepared = prepare(&request(&scene));
    let (ours, summary) = (prepared.files, prepared.summary);
    let export = fs_err::canonicalize(scene.join("export")).unwrap();
    let export = export.to_str().unwrap();
    let mut expected = tree(&scene.join("stage0_prep"));
    expected.remove(Path::new("parms.mat")).unwrap();
    assert_eq!(expected.len(), 51);
    assert_eq!(ours.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, expected) in expected {
        let content = match String::from_utf8(expected) {
            Ok(text) => text.replace("@EXPORT@/P", export).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        assert!(ours[&name] == content, "{} differs", name.display());
    }
    let counts: Vec<_> = summary.patches.iter().map(|patch| patch.candidates).collect();
    assert_eq!(counts, [865, 805, 936, 902]);
    assert!(summary.warnings.is_empty(), "{:?}", summary.warnings);
}

#[test]
fn threads_and_block_sizes_do_not_change_a_byte() {
    let Some(scene) = oracle() else { return };
    let mut reference = None;
    for (threads, block_pixels, wave_blocks, band_pixels, open_files) in [
        (1, 1 << 15, 64, 1 << 22, 96),
        (3, 1, 1, 1, 0),
        (2, 1_000, 5, 7_000, 2),
        (7, usize::MAX, usize::MAX, 3_000, usize::MAX),
    ] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let tuning = Tuning { block_pixels, wave_blocks, band_pixels, open_files };
        let outcome = pool.install(|| prepare_with(&request(&scene), tuning));
        assert!(*reference.get_or_insert_with(|| outcome.clone()) == outcome, "{tuning:?}");
    }
}
