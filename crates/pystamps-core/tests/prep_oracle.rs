//! Preparation of the oracle's scene P is byte-identical to original StaMPS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pystamps_core::prep::{PrepRequest, PrepSummary, Processor, Tuning, plan, run};
use pystamps_core::progress::Progress;

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
    assert!(
        std::env::var_os("CI").is_none(),
        "no oracle at {}",
        scene.display()
    );
    #[expect(clippy::print_stderr, reason = "says why nothing is tested")]
    {
        eprintln!(
            "skipped: no oracle at {} (set PYSTAMPS_SHARED)",
            scene.display()
        );
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

fn prepare(request: &PrepRequest, tuning: Tuning, staging: &Path) -> PrepSummary {
    let mut plan = plan(request).unwrap();
    plan.tuning = tuning;
    run(&plan, staging, &Progress::silent()).unwrap()
}

/// Relative path and content of every file below `root`.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_path_buf();
                files.insert(relative, fs_err::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn scene_p_is_byte_identical() {
    let Some(scene) = oracle() else { return };
    let staging = tempfile::tempdir().unwrap();
    let summary = prepare(&request(&scene), Tuning::default(), staging.path());
    let export = std::path::absolute(scene.join("export")).unwrap();
    let export = export.to_str().unwrap();
    let mut expected = tree(&scene.join("stage0_prep"));
    expected.remove(Path::new("parms.mat")).unwrap();
    assert_eq!(expected.len(), 51);
    let ours = tree(staging.path());
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, expected) in expected {
        let content = match String::from_utf8(expected) {
            Ok(text) => text.replace("@EXPORT@/P", export).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        assert!(ours[&name] == content, "{} differs", name.display());
    }
    let counts: Vec<_> = summary
        .patches
        .iter()
        .map(|patch| patch.candidates)
        .collect();
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
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let staging = tempfile::tempdir().unwrap();
        let tuning = Tuning {
            block_pixels,
            wave_blocks,
            band_pixels,
            open_files,
        };
        let summary = pool.install(|| prepare(&request(&scene), tuning, staging.path()));
        let outcome = (tree(staging.path()), summary);
        assert!(
            *reference.get_or_insert_with(|| outcome.clone()) == outcome,
            "{tuning:?}"
        );
    }
}
