//! `adopt`: results of another folder come to stand as a run would have left them, or not at all.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod patch_by_hand;
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;
mod two_patches;

use std::path::Path;
use std::process::{Command, Output};

use pystamps_core::native_stage4::run_stage4_native;
use pystamps_core::native_stage5::{run_stage5_merge_native, run_stage5_patch_native};
use pystamps_core::progress::Progress;
use pystamps_core::project::ledger::{Ledger, Origin};
use pystamps_core::project::parameters::Parameters;
use pystamps_core::stage::{StageOptions, StageOutcome, StageStatus};
use pystamps_mat::Value as Matrix;
use serde_json::Value;
use two_patches::{change, two_patches};

fn adopt(stage: &str, scope: [&str; 2], from: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pystamps-native"));
    command.args(["adopt", stage]).args(scope).arg("--from").arg(from);
    command.args(["--origin", "replayed", "--json"]).args(more).output().unwrap()
}

fn adopt_patch(stage: &str, patch: &Path, from: &Path, more: &[&str]) -> Output {
    adopt(stage, ["--patch", patch.to_str().unwrap()], from, more)
}

fn last_line(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().last().unwrap_or_else(|| {
        panic!("no output: {}", String::from_utf8_lossy(&output.stderr));
    });
    serde_json::from_str(line).unwrap()
}

fn completed(output: &Output) -> Value {
    let outcome = last_line(output);
    assert!(output.status.success(), "{outcome}");
    assert_eq!((&outcome["event"], &outcome["status"]), (&"outcome".into(), &"completed".into()));
    outcome
}

fn names(outcome: &Value) -> Vec<&str> {
    outcome["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect()
}

fn correct(patch: &Path) -> StageOutcome {
    run_stage5_patch_native(patch, &StageOptions::default(), &Progress::silent()).unwrap()
}

/// The files that StaMPS and native runs leave besides ours in both patches' stage 4.
fn with_marks(patch: &Path) {
    change(&patch.join("psver.mat"), "psver", Matrix::scalar(2.0));
}

#[test]
fn stage_1_of_another_project_with_what_it_learned_of_the_scene() {
    let (theirs, ours) = (support::Project::new(), support::Project::new());
    theirs.run(&StageOptions::default()).unwrap();
    let heading = || Parameters::load(&ours.root()).unwrap().number("heading").ok();
    assert!(heading() != Some(-167.0));
    let outcome = completed(&adopt_patch("1", &ours.patch(), &theirs.patch(), &[]));
    assert_eq!(outcome["stage"], "1");
    assert_eq!(outcome["replayed"], true);
    assert_eq!(outcome["rows_processed"], 6);
    let mut taken = names(&outcome);
    taken.sort_unstable();
    let expected = ["bp1", "da1", "hgt1", "la1", "no_ps_info", "ph1", "ps1", "psver"];
    assert_eq!(taken, expected.map(|name| format!("{name}.mat")));
    for file in outcome["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let (copy, origin) = (ours.patch().join(name), theirs.patch().join(name));
        assert_eq!(fs_err::read(copy).unwrap(), fs_err::read(&origin).unwrap(), "{name}");
        assert_eq!(file["bytes"], fs_err::metadata(origin).unwrap().len());
        assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(heading(), Some(-167.0));
    // The scene's exports lie elsewhere, but are the same.
    let later = ours.run(&StageOptions::default()).unwrap();
    assert_eq!(later.status, StageStatus::SkippedExisting, "{}", later.details);
    assert!(later.replayed && later.details.contains("replayed from another project"));
    assert_eq!(later.rows_processed, 6);
    let again = last_line(&adopt_patch("1", &ours.patch(), &theirs.patch(), &[]));
    assert_eq!((&again["status"], &again["replayed"]), (&"skipped_existing".into(), &true.into()));
    assert_eq!(again["files"], serde_json::json!([]));
    change(&ours.root().join("parms.mat"), "heading", Matrix::scalar(-100.0));
    let forced = adopt_patch("1", &ours.patch(), &theirs.patch(), &["--force"]);
    completed(&forced);
    assert_eq!(heading(), Some(-100.0), "what the project says of the scene stays");
    support::edit(&ours.export("20210113_20210101.base"), "10.25", "11.25");
    assert_eq!(ours.run(&StageOptions::default()).unwrap().status, StageStatus::Completed);
}

#[test]
fn an_incomplete_folder_names_all_that_is_missing_and_changes_nothing() {
    let (theirs, ours) = (support::Project::new(), support::Project::new());
    theirs.run(&StageOptions::default()).unwrap();
    fs_err::remove_file(theirs.patch().join("ph1.mat")).unwrap();
    fs_err::remove_file(theirs.patch().join("la1.mat")).unwrap();
    // A link that leads to no file.
    fs_err::create_dir(theirs.patch().join("folder")).unwrap();
    fs_err::remove_file(theirs.patch().join("bp1.mat")).unwrap();
    let link = theirs.patch().join("bp1.mat");
    std::os::unix::fs::symlink(theirs.patch().join("folder"), link).unwrap();
    let output = adopt_patch("1", &ours.patch(), &theirs.patch(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = last_line(&output);
    assert_eq!(error["name"], "bundle-incomplete");
    assert_eq!(error["found"], "missing: ph1.mat, bp1.mat, la1.mat");
    assert!(!ours.patch().join("ps1.mat").exists());
    assert_eq!(Ledger::load(&ours.patch()).unwrap(), Ledger::default());
    assert!(!ours.patch().join(".pystamps/staging").exists());
}

#[test]
fn what_is_no_matlab_file_is_not_taken() {
    let (theirs, ours) = (support::Project::new(), support::Project::new());
    theirs.run(&StageOptions::default()).unwrap();
    let bytes = fs_err::read(theirs.patch().join("ph1.mat")).unwrap();
    fs_err::write(theirs.patch().join("ph1.mat"), &bytes[..60]).unwrap();
    let error = last_line(&adopt_patch("1", &ours.patch(), &theirs.patch(), &[]));
    assert!(error["name"].as_str().unwrap().starts_with("mat-"), "{error}");
    assert!(!ours.patch().join("ps1.mat").exists());
}

#[test]
fn links_to_files_are_followed_and_nothing_else_is_copied() {
    let (theirs, ours) = (support::Project::new(), support::Project::new());
    theirs.run(&StageOptions::default()).unwrap();
    let elsewhere = theirs.root().join("elsewhere.mat");
    fs_err::rename(theirs.patch().join("ph1.mat"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, theirs.patch().join("ph1.mat")).unwrap();
    fs_err::write(theirs.patch().join("pm1.mat"), "of stage 2").unwrap();
    fs_err::write(theirs.patch().join("notes.txt"), "private").unwrap();
    completed(&adopt_patch("1", &ours.patch(), &theirs.patch(), &[]));
    let copy = ours.patch().join("ph1.mat").symlink_metadata().unwrap();
    assert!(copy.is_file());
    assert!(!ours.patch().join("pm1.mat").exists() && !ours.patch().join("notes.txt").exists());
}

#[test]
fn sources_and_scopes_that_cannot_be_are_wrong_usage() {
    let project = support::Project::new();
    let (patch, root) = (project.patch(), project.root());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    for (stage, scope, from, name) in [
        ("1", ["--patch", &text(&patch)], &patch, "adopt-source"),
        ("1", ["--patch", &text(&patch)], &root.join("nowhere"), "adopt-source"),
        ("6", ["--patch", &text(&patch)], &root, "stage-scope"),
        ("2", ["--dataset", &text(&root)], &patch, "stage-scope"),
    ] {
        let output = adopt(stage, scope, from, &[]);
        assert_eq!(output.status.code(), Some(2), "{stage} {scope:?}");
        assert_eq!(last_line(&output)["name"], name);
    }
    let native = ["adopt", "1", "--patch", &text(&patch), "--from", "x", "--origin", "native"];
    let output = Command::new(env!("CARGO_BIN_EXE_pystamps-native")).args(native).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

#[test]
fn later_results_go_when_an_earlier_stage_is_replaced() {
    let (ours, theirs) = (two_patches(), two_patches());
    let weeding = StageOptions {
        overrides: vec![("weed_standard_dev".into(), "Inf".into())],
        ..StageOptions::default()
    };
    let as_weeded = ["--set", "weed_standard_dev=Inf"];
    with_marks(&theirs.patch());
    // Scla of a patch is none of stage 4's, though stage 4 takes it away.
    fs_err::write(theirs.patch().join("scla2.mat"), "of stage 7").unwrap();
    let skipped = last_line(&adopt_patch("4", &ours.patch(), &theirs.patch(), &as_weeded));
    assert_eq!(skipped["status"], "skipped_existing", "ours are current");
    assert!(ours.patch().join("rc2.mat").exists());
    let forced =
        adopt_patch("4", &ours.patch(), &theirs.patch(), &["--force", as_weeded[0], as_weeded[1]]);
    let outcome = completed(&forced);
    assert!(!names(&outcome).contains(&"scla2.mat"));
    assert!(!ours.patch().join("scla2.mat").exists());
    assert!(!ours.patch().join("rc2.mat").exists(), "stage 5 was made from other files");
    let later = run_stage4_native(&ours.patch(), &weeding, &Progress::silent()).unwrap();
    assert!(later.replayed, "{}", later.details);
    assert_eq!(correct(&ours.patch()).status, StageStatus::Completed);
}

#[test]
fn stage_5_brings_version_2_only_where_it_is_not_there() {
    let theirs = two_patches();
    with_marks(&theirs.patch());
    let ours = two_patches();
    fs_err::remove_file(ours.patch().join("rc2.mat")).unwrap();
    let outcome = completed(&adopt_patch("5", &ours.patch(), &theirs.patch(), &[]));
    assert!(names(&outcome).contains(&"rc2.mat") && !names(&outcome).contains(&"ps2.mat"));
    assert_eq!(outcome["rows_processed"], 16);
    assert!(correct(&ours.patch()).replayed);
    let entry = Ledger::load(&ours.patch()).unwrap();
    assert_eq!(entry.stage("5").unwrap().origin, Origin::Replayed);
    assert_eq!(entry.stage("4").unwrap().origin, Origin::Native);

    let bare = two_patches();
    for name in ["rc2", "ps2", "ph2", "pm2", "bp2", "hgt2", "la2"] {
        fs_err::remove_file(bare.patch().join(format!("{name}.mat"))).unwrap();
    }
    let outcome = completed(&adopt_patch("5", &bare.patch(), &theirs.patch(), &[]));
    assert!(names(&outcome).contains(&"ps2.mat"));
    let later = correct(&bare.patch());
    assert!(later.replayed, "{}", later.details);
}

#[test]
fn the_merge_is_taken_without_what_stage_6_made_of_it() {
    let (ours, theirs) = (two_patches(), two_patches());
    run_stage5_merge_native(&theirs.root(), &StageOptions::default(), &Progress::silent()).unwrap();
    let root = ours.root();
    let dataset = ["--dataset", root.to_str().unwrap()];
    let outcome = completed(&adopt("5", dataset, &theirs.root(), &[]));
    assert!(names(&outcome).contains(&"phuw2.mat"), "the zeros of the merge");
    let again = || {
        run_stage5_merge_native(&ours.root(), &StageOptions::default(), &Progress::silent())
            .unwrap()
    };
    assert!(again().replayed, "{}", again().details);

    change(&theirs.root().join("phuw2.mat"), "msd", Matrix::scalar(0.0));
    fs_err::write(ours.root().join("uw_grid.mat"), "a later result").unwrap();
    let outcome = completed(&adopt("5", dataset, &theirs.root(), &["--force"]));
    assert!(!names(&outcome).contains(&"phuw2.mat"), "unwrapped phase is not the merge's");
    assert!(!ours.root().join("phuw2.mat").exists() && !ours.root().join("uw_grid.mat").exists());
    assert!(again().replayed, "{}", again().details);
    // The patches decide whether the merge still fits.
    change(&ours.root().join("PATCH_2/pm2.mat"), "K_ps", Matrix::column_f64(&[0.003; 16]));
    assert_eq!(again().status, StageStatus::Completed);
}

#[test]
fn unwrapped_phase_must_tell_that_it_is() {
    let (ours, theirs) = (two_patches(), two_patches());
    for name in ["phuw2", "uw_phaseuw", "uw_grid", "uw_interp"] {
        change(&theirs.root().join(format!("{name}.mat")), "x", Matrix::scalar(0.0));
    }
    change(&ours.root().join("parms.mat"), "lambda", Matrix::scalar(0.056));
    let root = ours.root();
    let dataset = ["--dataset", root.to_str().unwrap()];
    let error = last_line(&adopt("6", dataset, &theirs.root(), &[]));
    assert_eq!(error["name"], "bundle-incomplete");
    let found = error["found"].as_str().unwrap();
    assert_eq!(found, "missing: uw_space_time.mat, msd in phuw2.mat");
    change(&theirs.root().join("phuw2.mat"), "msd", Matrix::scalar(0.0));
    change(&theirs.root().join("uw_space_time.mat"), "x", Matrix::scalar(0.0));
    let error = last_line(&adopt("6", dataset, &theirs.root(), &[]));
    assert_eq!(error["name"], "stage-input-missing", "there is no merge that they belong to");
    run_stage5_merge_native(&ours.root(), &StageOptions::default(), &Progress::silent()).unwrap();
    let outcome = completed(&adopt("6", dataset, &theirs.root(), &[]));
    assert_eq!(outcome["rows_processed"], 16);
    let status = Command::new(env!("CARGO_BIN_EXE_pystamps-native"))
        .args(["status", "--json", "--dataset"])
        .arg(&root)
        .output()
        .unwrap();
    let status = last_line(&status);
    let stages = &status["scopes"][2]["stages"];
    assert_eq!(
        (&stages[1]["state"], &stages[1]["origin"]),
        (&"current".into(), &"replayed".into())
    );
    assert_eq!(stages[0]["state"], "current", "stage 6 replaces the zeros of the merge: {stages}");
    assert_eq!(stages[2]["state"], "missing");
}
