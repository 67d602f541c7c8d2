//! Stage 5 against original StaMPS: correction of patches, their merge, noise of interferograms.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod oracle_scene;

use std::path::Path;

use oracle_scene::{L, Lineage, S, T, T_D1, assert_same_file, oracle, phasor_difference, phasors};
use pystamps_core::native_stage5::run_stage5_patch_native;
use pystamps_core::progress::Progress;
use pystamps_core::stage::{StageOptions, StageStatus};

fn correct(patch: &Path) -> pystamps_core::Result<pystamps_core::stage::StageOutcome> {
    run_stage5_patch_native(patch, &StageOptions::default(), &Progress::silent())
}

/// `rc2.mat` of a patch agrees with the oracle's to single rounding.
fn assert_corrected(scene: &Lineage, oracle: &Path, project: &Path, patch: &str) {
    let ours = project.join(patch).join("rc2.mat");
    let theirs = scene.reference(oracle, 5, &format!("{patch}/rc2.mat"));
    assert_same_file(&ours, &theirs, &["ph_rc"]);
    let (angle, modulus) = phasor_difference(&phasors(&ours, "ph_rc"), &phasors(&theirs, "ph_rc"));
    assert!(angle < 2.5e-7 && modulus < 2.5e-7, "{patch}: {angle} rad, {modulus}");
}

#[test]
fn patches_are_corrected_as_in_the_oracle() {
    let Some(oracle) = oracle() else { return };
    for scene in [&T, &T_D1, &L, &S] {
        let project = scene.after(&oracle, 4);
        for patch in ["PATCH_1", "PATCH_2"] {
            let outcome = correct(&project.path().join(patch)).unwrap();
            assert_eq!(outcome.status, StageStatus::Completed);
            assert_corrected(scene, &oracle, project.path(), patch);
        }
    }
}

#[test]
fn a_folder_with_weed1_alone_is_completed() {
    let Some(oracle) = oracle() else { return };
    for scene in [&T, &S] {
        let project = scene.after(&oracle, 4);
        let patch = project.path().join("PATCH_1");
        let promoted = ["ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "hgt2.mat", "la2.mat"];
        for file in promoted {
            fs_err::remove_file(patch.join(file)).unwrap();
        }
        correct(&patch).unwrap();
        for file in promoted {
            let reference = scene.reference(&oracle, 4, &format!("PATCH_1/{file}"));
            assert_same_file(&patch.join(file), &reference, &[]);
        }
        assert_corrected(scene, &oracle, project.path(), "PATCH_1");
        let again = correct(&patch).unwrap();
        assert_eq!(again.status, StageStatus::SkippedExisting, "{}", again.details);
    }
}
