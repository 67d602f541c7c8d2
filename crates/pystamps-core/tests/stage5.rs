//! Stage 5 against original StaMPS: correction of patches, their merge, noise of interferograms.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod oracle_scene;

use std::path::Path;

use oracle_scene::{
    L, Lineage, S, T, T_D1, assert_same_file, largest_difference, oracle, phasor_difference,
    phasors, reals,
};
use pystamps_core::native_stage5::{run_stage5_merge_native, run_stage5_patch_native};
use pystamps_core::progress::Progress;
use pystamps_core::stage::{RandomEngine, StageOptions, StageOutcome, StageStatus};

fn correct(patch: &Path) -> pystamps_core::Result<StageOutcome> {
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

fn merge(project: &Path, options: &StageOptions) -> pystamps_core::Result<StageOutcome> {
    run_stage5_merge_native(project, options, &Progress::silent())
}

/// A scene whose patches the oracle has corrected.
fn corrected(scene: &Lineage, oracle: &Path) -> tempfile::TempDir {
    let project = scene.after(oracle, 4);
    for patch in ["PATCH_1", "PATCH_2"] {
        let rc2 = scene.reference(oracle, 5, &format!("{patch}/rc2.mat"));
        fs_err::copy(rc2, project.path().join(patch).join("rc2.mat")).unwrap();
    }
    project
}

/// The merged `rc2.mat` and `ifgstd2.mat` agree with the oracle's to single rounding.
fn assert_merged_phase(scene: &Lineage, oracle: &Path, project: &Path) {
    let theirs = |file: &str| scene.reference(oracle, 5, file);
    let ours = |file: &str| project.join(file);
    assert_same_file(&ours("rc2.mat"), &theirs("rc2.mat"), &["ph_rc"]);
    let (angle, modulus) = phasor_difference(
        &phasors(&ours("rc2.mat"), "ph_rc"),
        &phasors(&theirs("rc2.mat"), "ph_rc"),
    );
    assert!(angle < 2.5e-7 && modulus < 2.5e-7, "{angle} rad, {modulus}");
    assert_same_file(&ours("ifgstd2.mat"), &theirs("ifgstd2.mat"), &["ifg_std"]);
    let noise = |file: &Path| reals(file, "ifg_std");
    let worst = largest_difference(&noise(&ours("ifgstd2.mat")), &noise(&theirs("ifgstd2.mat")));
    assert!(worst < 2e-4, "ifg_std {worst} deg");
}

#[test]
fn patches_are_merged_as_in_the_oracle() {
    let Some(oracle) = oracle() else { return };
    for scene in [&T, &T_D1, &L] {
        let project = corrected(scene, &oracle);
        let outcome = merge(project.path(), &StageOptions::default()).unwrap();
        assert_eq!(outcome.status, StageStatus::Completed);
        for file in ["ps2", "ph2", "pm2", "bp2", "hgt2", "la2", "inc2", "phuw2", "psver"] {
            let file = format!("{file}.mat");
            let reference = scene.reference(&oracle, 5, &file);
            assert_same_file(&project.path().join(&file), &reference, &[]);
        }
        assert_merged_phase(scene, &oracle, project.path());
        let again = merge(project.path(), &StageOptions::default()).unwrap();
        assert_eq!(again.status, StageStatus::SkippedExisting, "{}", again.details);
    }
}

/// Largest difference of complex numbers, relative to the largest modulus.
fn relative_difference(file: &str, name: &str, ours: &Path, theirs: &Path) -> f64 {
    let (a, b) = (phasors(&ours.join(file), name), phasors(&theirs.join(file), name));
    assert_eq!(a.len(), b.len());
    let largest = b.iter().map(|z| z.norm()).fold(0.0, f64::max);
    a.iter().zip(&b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max) / largest
}

#[test]
fn cells_are_combined_as_in_the_oracle() {
    let Some(oracle) = oracle() else { return };
    let project = corrected(&S, &oracle);
    let options = StageOptions { random_engine: RandomEngine::Octave, ..StageOptions::default() };
    merge(project.path(), &options).unwrap();
    let theirs = oracle.join("S/stage5");
    let of_cells = ["xy", "lonlat", "ij"];
    assert_same_file(&project.path().join("ps2.mat"), &theirs.join("ps2.mat"), &of_cells);
    for (file, name) in [
        ("ps2.mat", "lonlat"),
        ("ps2.mat", "xy"),
        ("ps2.mat", "ij"),
        ("ph2.mat", "ph"),
        ("rc2.mat", "ph_rc"),
        ("pm2.mat", "ph_patch"),
        ("pm2.mat", "ph_res"),
        ("pm2.mat", "K_ps"),
        ("pm2.mat", "C_ps"),
        ("pm2.mat", "coh_ps"),
        ("bp2.mat", "bperp_mat"),
        ("la2.mat", "la"),
        ("hgt2.mat", "hgt"),
        ("ifgstd2.mat", "ifg_std"),
    ] {
        eprintln!("{file} {name} {:e}", relative_difference(file, name, project.path(), &theirs));
    }
}
