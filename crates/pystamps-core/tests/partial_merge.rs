//! `stage 5 --dataset` of a project whose patches are not all there: `--merge-only`, `--allow-partial`.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod patch_by_hand;
mod two_patches;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use patch_by_hand::HandMade;
use two_patches::two_patches;

fn stage_5(options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pystamps-native"));
    command.args(["stage", "5"]).args(options).output().unwrap()
}

fn merge(project: &Path, options: &[&str]) -> (Option<i32>, String) {
    let output = stage_5(&[&["--dataset", project.to_str().unwrap()], options].concat());
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(all).unwrap())
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs_err::metadata(path).unwrap().modified().unwrap()
}

/// A third patch that stage 5 cannot be run on.
fn with_a_hopeless_patch(made: &HandMade) -> PathBuf {
    let third = made.root().join("PATCH_3");
    fs_err::create_dir(&third).unwrap();
    fs_err::write(made.root().join("patch.list"), "PATCH_1\nPATCH_2\nPATCH_3\n").unwrap();
    third
}

#[test]
fn merge_only_leaves_the_patches_as_they_are() {
    let made = two_patches();
    let corrected = made.patch().join("rc2.mat");
    fs_err::write(made.patch().join("ps2.mat.backup"), "").unwrap();
    // Stage 5 would correct this patch again.
    fs_err::remove_dir_all(made.patch().join(".pystamps")).unwrap();
    let before = modified(&corrected);
    let (code, text) = merge(&made.root(), &["--merge-only"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("PATCH_1"), "{text}");
    assert_eq!(modified(&corrected), before);
    assert!(made.root().join("ifgstd2.mat").exists());
}

#[test]
fn patches_without_results_are_left_out_where_that_is_allowed() {
    let made = two_patches();
    let third = with_a_hopeless_patch(&made);
    let (code, text) = merge(&made.root(), &["--merge-only"]);
    assert!(code == Some(1) && text.contains("[patch-not-corrected]"), "{text}");
    assert!(!made.root().join("ifgstd2.mat").exists());

    let (code, text) = merge(&made.root(), &["--merge-only", "--allow-partial"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("PATCH_3 has no usable results of stage 5: left out"), "{text}");
    assert!(text.contains("left out, without results: PATCH_3"), "{text}");
    let (_, again) = merge(&made.root(), &["--merge-only", "--allow-partial"]);
    assert!(again.contains("current"), "the set of patches has not changed: {again}");

    // Once the third is there, the merge is another.
    for file in fs_err::read_dir(made.root().join("PATCH_2")).unwrap() {
        let file = file.unwrap();
        if file.path().is_file() {
            fs_err::copy(file.path(), third.join(file.file_name())).unwrap();
        }
    }
    let (code, text) = merge(&made.root(), &["--merge-only", "--allow-partial"]);
    assert!(code == Some(0) && text.contains("3 patches"), "{text}");
}

#[test]
fn a_patch_that_has_just_failed_is_left_out_whatever_it_holds() {
    let made = two_patches();
    // Its older results cannot be made again: an input is gone.
    fs_err::remove_dir_all(made.root().join("PATCH_2/.pystamps")).ok();
    fs_err::write(made.root().join("PATCH_2/.pystamps"), "no folder").unwrap();
    let (code, text) = merge(&made.root(), &[]);
    assert!(code == Some(1) && text.contains("failed: PATCH_2"), "{text}");
    let (code, text) = merge(&made.root(), &["--allow-partial", "--json"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("\"event\":\"error\"") && text.contains("in 1 patches"), "{text}");
    assert!(text.contains("left out, without results: PATCH_2"), "{text}");
}

#[test]
fn options_of_the_merge_belong_to_the_merge() {
    let made = two_patches();
    let (root, patch) = (made.root(), made.patch());
    let (root, patch) = (root.to_str().unwrap(), patch.to_str().unwrap());
    for option in ["--merge-only", "--allow-partial"] {
        let of_a_patch = stage_5(&["--patch", patch, option]);
        assert_eq!(of_a_patch.status.code(), Some(2), "{option}");
        let program = env!("CARGO_BIN_EXE_pystamps-native");
        let other = Command::new(program).args(["stage", "6", "--dataset", root, option]).output();
        let other = other.unwrap();
        assert_eq!(other.status.code(), Some(2), "{option}");
        assert!(String::from_utf8_lossy(&other.stderr).contains("option-unused"));
    }
}
