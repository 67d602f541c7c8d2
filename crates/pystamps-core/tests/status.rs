//! `status`: what it says of every stage, and that asking changes and disturbs nothing.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod patch_by_hand;
mod two_patches;

use std::path::Path;
use std::process::Command;

use patch_by_hand::HandMade;
use pystamps_core::native_stage5::{run_stage5_merge_native, run_stage5_patch_native};
use pystamps_core::progress::Progress;
use pystamps_core::project::lock::ScopeLock;
use pystamps_core::stage::{StageOptions, StageStatus};
use pystamps_mat::Value as Matrix;
use serde_json::Value;
use two_patches::{change, two_patches};

/// How the first patch was weeded.
const AS_RUN: &str = "weed_standard_dev=Inf";

fn status(root: &Path, options: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pystamps-native"));
    command.args(["status", "--json", "--dataset"]).arg(root).args(options);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn scope<'a>(status: &'a Value, target: &str) -> &'a Value {
    let scopes = status["scopes"].as_array().unwrap();
    scopes.iter().find(|scope| scope["target"] == target).unwrap()
}

fn stage<'a>(status: &'a Value, target: &str, number: u8) -> &'a Value {
    let stages = scope(status, target)["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["stage"] == number).unwrap()
}

/// State and reason of a stage.
fn state(root: &Path, target: &str, number: u8) -> (String, String) {
    let status = status(root, &["--set", AS_RUN]);
    let stage = stage(&status, target, number);
    (stage["state"].as_str().unwrap().into(), stage["reason"].as_str().unwrap().into())
}

fn merge(made: &HandMade) {
    let done = run_stage5_merge_native(&made.root(), &StageOptions::default(), &Progress::silent());
    assert_eq!(done.unwrap().status, StageStatus::Completed);
}

/// Every path below `folder` with its bytes.
fn tree(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
            files.push((path, Vec::new()));
        } else if !path.ends_with("checksums.json") {
            let bytes = fs_err::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}

#[test]
fn every_stage_of_every_scope_is_told() {
    let made = two_patches();
    let before = tree(&made.root());
    let told = status(&made.root(), &["--set", AS_RUN]);
    assert_eq!(told["network"], "single_master");
    let targets: Vec<&Value> =
        told["scopes"].as_array().unwrap().iter().map(|scope| &scope["target"]).collect();
    assert_eq!(targets, ["PATCH_1", "PATCH_2", "."]);
    let states = |target: &str| -> Vec<String> {
        let stages = scope(&told, target)["stages"].as_array().unwrap();
        stages.iter().map(|stage| stage["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states("PATCH_1"), ["foreign", "foreign", "foreign", "current", "current"]);
    assert_eq!(states("PATCH_2"), ["missing", "missing", "missing", "missing", "foreign"]);
    assert_eq!(states("."), ["missing"; 4]);
    let weeding = stage(&told, "PATCH_1", 4);
    assert_eq!((&weeding["origin"], &weeding["rows"]), (&"native".into(), &16.into()));
    assert_eq!(weeding["reads"][0], "select1.mat");
    assert_eq!(weeding["writes"][0], "weed1.mat");
    assert_eq!(weeding["invalidates"], serde_json::json!(["rc2.mat"]));
    assert_eq!(weeding["missing"], serde_json::json!([]));
    let coherence = stage(&told, "PATCH_2", 2);
    assert_eq!(coherence["missing"], serde_json::json!(["ps1.mat", "ph1.mat", "bp1.mat"]));
    assert_eq!(coherence["origin"], Value::Null);
    assert!(
        stage(&told, "PATCH_2", 1)["reason"].as_str().unwrap().contains("computing it would fail")
    );
    assert_eq!(stage(&told, ".", 5)["reads"].as_array().unwrap().len(), 16);
    assert_eq!(tree(&made.root()), before, "asking has changed something");
}

#[test]
fn what_has_changed_is_named() {
    let made = two_patches();
    let without = status(&made.root(), &[]);
    let weeding = stage(&without, "PATCH_1", 4);
    assert_eq!(weeding["state"], "outdated");
    assert_eq!(weeding["reason"], "parameter weed_standard_dev has changed");
    merge(&made);
    assert_eq!(state(&made.root(), ".", 5).0, "current");
    // The merge leaves zeros under the name of the unwrapped phase.
    assert_eq!(state(&made.root(), ".", 6).0, "missing");
    change(&made.root().join("PATCH_2/pm2.mat"), "K_ps", Matrix::column_f64(&[0.003; 16]));
    let (condition, reason) = state(&made.root(), ".", 5);
    assert_eq!((condition.as_str(), reason.as_str()), ("outdated", "PATCH_2/pm2.mat has changed"));
    fs_err::remove_file(made.patch().join("ph2.mat")).unwrap();
    let (condition, reason) = state(&made.root(), "PATCH_1", 4);
    assert_eq!((condition.as_str(), reason.as_str()), ("outdated", "ph2.mat is missing"));
    fs_err::write(made.patch().join("rc2.mat"), "cut").unwrap();
    assert_eq!(state(&made.root(), "PATCH_1", 5).0, "outdated");
    fs_err::write(made.root().join("PATCH_2/rc2.mat"), "cut").unwrap();
    let (condition, reason) = state(&made.root(), "PATCH_2", 5);
    assert!(condition == "damaged" && reason.contains("[mat-not-matlab]"), "{reason}");
}

#[test]
fn a_damaged_scope_does_not_hide_the_others() {
    let made = two_patches();
    fs_err::write(made.patch().join(".pystamps/ledger.json"), "{").unwrap();
    fs_err::write(made.root().join("PATCH_2/localparms.mat"), "x").unwrap();
    let told = status(&made.root(), &[]);
    for (target, word) in [("PATCH_1", "[ledger-damaged]"), ("PATCH_2", "[mat-")] {
        for number in 1..=5 {
            let stage = stage(&told, target, number);
            let reason = stage["reason"].as_str().unwrap();
            assert!(stage["state"] == "damaged" && reason.contains(word), "{stage}");
            assert!(!reason.contains('\n'), "{reason}");
        }
    }
    assert_eq!(stage(&told, ".", 7)["state"], "missing");
}

#[test]
fn writers_are_named_and_not_disturbed() {
    let made = two_patches();
    let held = ScopeLock::acquire(&made.patch(), "stage 2", &Progress::silent()).unwrap();
    let told = status(&made.root(), &[]);
    let holder = scope(&told, "PATCH_1")["in_use_by"].as_str().unwrap();
    assert!(holder.contains("'stage 2'"), "{holder}");
    assert_eq!(scope(&told, "PATCH_2")["in_use_by"], Value::Null);
    let again = ScopeLock::acquire(&made.patch(), "stage 3", &Progress::silent()).unwrap_err();
    assert_eq!(again.name(), "scope-locked");
    drop(held);
    assert_eq!(scope(&status(&made.root(), &[]), "PATCH_1")["in_use_by"], Value::Null);
    let dead = serde_json::json!({ "pid": 4_194_305, "host": "", "command": "stage 2" });
    let mut dead = dead;
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap();
    dead["host"] = host.trim().into();
    fs_err::write(made.patch().join(".pystamps/lock"), dead.to_string()).unwrap();
    assert_eq!(scope(&status(&made.root(), &[]), "PATCH_1")["in_use_by"], Value::Null);
}

#[test]
fn asking_while_results_are_replaced_does_no_harm() {
    let made = two_patches();
    let writer = std::thread::spawn({
        let patch = made.patch();
        move || {
            let again = StageOptions { force: true, ..StageOptions::default() };
            for _ in 0..30 {
                run_stage5_patch_native(&patch, &again, &Progress::silent()).unwrap();
            }
        }
    });
    let mut asked = 0;
    while !writer.is_finished() || asked < 5 {
        status(&made.root(), &[]);
        asked += 1;
    }
    writer.join().unwrap();
    assert_eq!(state(&made.root(), "PATCH_1", 5).0, "current");
}

#[test]
fn an_unfinished_publication_is_told_and_left_alone() {
    let made = two_patches();
    let staging = made.patch().join(".pystamps/staging");
    fs_err::create_dir_all(staging.join("new")).unwrap();
    let journal = r#"{"remove":["rc2.mat"],"install":[],"markers":[]}"#;
    fs_err::write(staging.join("journal.json"), journal).unwrap();
    let told = status(&made.root(), &[]);
    assert_eq!(scope(&told, "PATCH_1")["unfinished_publication"], true);
    assert_eq!(scope(&told, "PATCH_2")["unfinished_publication"], false);
    assert!(staging.join("journal.json").exists() && made.patch().join("rc2.mat").exists());
}

#[test]
fn patches_of_a_merged_project_may_have_been_put_away() {
    let made = two_patches();
    merge(&made);
    for patch in ["PATCH_1", "PATCH_2"] {
        let away = tempfile::tempdir().unwrap();
        fs_err::rename(made.root().join(patch), away.path().join(patch)).unwrap();
    }
    let told = status(&made.root(), &[]);
    assert_eq!(told["scopes"].as_array().unwrap().len(), 1);
    let merged = stage(&told, ".", 5);
    assert_eq!(merged["state"], "current", "{merged}");
    assert!(merged["reason"].as_str().unwrap().contains("put away"));
    fs_err::write(made.root().join("rc2.mat"), "changed").unwrap();
    assert_eq!(stage(&status(&made.root(), &[]), ".", 5)["state"], "outdated");
}

#[test]
fn a_partial_merge_is_current_and_says_what_it_lacks() {
    let made = two_patches();
    fs_err::create_dir(made.root().join("PATCH_3")).unwrap();
    fs_err::write(made.root().join("PATCH_3/pscands.1.ij"), "").unwrap();
    fs_err::write(made.root().join("patch.list"), "PATCH_1\nPATCH_2\nPATCH_3\n").unwrap();
    let partial = StageOptions { partial_without: Some(Vec::new()), ..StageOptions::default() };
    run_stage5_merge_native(&made.root(), &partial, &Progress::silent()).unwrap();
    let told = status(&made.root(), &[]);
    let merged = stage(&told, ".", 5);
    assert_eq!(merged["state"], "current", "{merged}");
    let missing = merged["missing"].as_array().unwrap();
    assert!(missing.contains(&"PATCH_3/rc2.mat".into()), "{missing:?}");
}

#[test]
fn what_a_stage_has_written_is_not_read_again() {
    let made = two_patches();
    let path = made.patch().join("rc2.mat");
    let metadata = fs_err::metadata(&path).unwrap();
    // The same place, size and time: only reading it would tell.
    let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(file.file(), b"X", metadata.len() / 2).unwrap();
    file.file().set_modified(metadata.modified().unwrap()).unwrap();
    assert_eq!(state(&made.root(), "PATCH_1", 5).0, "current");
    fs_err::remove_file(made.patch().join(".pystamps/checksums.json")).unwrap();
    assert_eq!(state(&made.root(), "PATCH_1", 5).0, "outdated");
}

#[test]
fn a_folder_that_is_no_project_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pystamps-native"));
    let output = command.args(["status", "--json", "--dataset"]).arg(folder.path()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["name"], "parameters-missing");
}
