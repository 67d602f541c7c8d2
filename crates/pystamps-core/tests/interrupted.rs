//! The program dies at every single step of a publication; whoever comes next finds the old state or
//! the new one, and a rerun ends with the bytes of an undisturbed run.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod prep_scene;
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Runs the program; it dies at its `fault`-th fault point, if there are as many.
fn native(arguments: &[&str], fault: usize) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pystamps-native"))
        .args(arguments)
        .env("PYSTAMPS_FAULT_AFTER", fault.to_string())
        .env("SOURCE_DATE_EPOCH", "1600000000")
        .output()
        .unwrap()
}

fn undisturbed(arguments: &[&str]) {
    let output = native(arguments, 0);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every file but those of our control folders.
fn tree(folder: &Path) -> Tree {
    let mut files = Tree::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".pystamps") {
            continue;
        }
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            files.extend(tree(&path).into_iter().map(|(inner, bytes)| (name.join(inner), bytes)));
        } else {
            files.insert(name, fs_err::read(path).unwrap());
        }
    }
    files
}

fn restore(backup: &Path, target: &Path) {
    let _ = fs_err::remove_dir_all(target);
    let status = Command::new("cp").arg("-a").args([backup, target]).status().unwrap();
    assert!(status.success());
}

/// Dies at every step of `work` on `target` in turn; `next` is what a user runs afterwards, with
/// the state it must leave when the work was not, or was, committed.
fn die_everywhere(target: &Path, work: &[&str], next: &[&str], outcomes: [&Tree; 2]) {
    let backup = target.with_file_name("backup");
    restore(target, &backup);
    restore(&backup, target);
    undisturbed(work);
    let finished = tree(target);
    let (mut old, mut new) = (0, 0);
    for fault in 1.. {
        restore(&backup, target);
        if native(work, fault).status.success() {
            break;
        }
        undisturbed(next);
        let state = tree(target);
        assert!(outcomes.contains(&&state), "mixture after dying at step {fault}");
        old += usize::from(state == *outcomes[0]);
        new += usize::from(state == *outcomes[1]);
        undisturbed(work);
        assert!(tree(target) == finished, "the rerun after step {fault} gives other bytes");
    }
    assert!(new >= 5, "only {new} deaths after the commit point");
    assert!(old >= 1 || outcomes[0] == outcomes[1], "no death before the commit point");
}

#[test]
fn preparation_that_replaces_another() {
    let scene = prep_scene::Scene::single_master();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("dataset");
    let export = scene.path("");
    let arguments = |patches| {
        ["prep", "snap", "--force", "--azimuth-patches", patches, "--export"]
            .into_iter()
            .map(str::to_owned)
            .chain([export.display().to_string(), "--dataset".into(), target.display().to_string()])
            .collect::<Vec<_>>()
    };
    let (three, two) = (arguments("3"), arguments("2"));
    let [three, two] =
        [&three, &two].map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    undisturbed(&two);
    let new = tree(&target);
    fs_err::remove_dir_all(&target).unwrap();
    undisturbed(&three);
    fs_err::write(target.join("PATCH_3/ps1.mat"), "a result").unwrap();
    fs_err::write(target.join("phuw2.mat"), "a merged result").unwrap();
    let old = tree(&target);
    let plan = ["plan", "--without-times", "--dataset", target.to_str().unwrap()];
    die_everywhere(&target, &two, &plan, [&old, &new]);
}

#[test]
fn results_taken_from_another_project() {
    let (theirs, ours) = (support::Project::new(), support::Project::new());
    let (from, patch) = (theirs.patch(), ours.patch());
    undisturbed(&["stage", "1", "--patch", from.to_str().unwrap()]);
    let next = ["adopt", "1", "--origin", "replayed", "--from", from.to_str().unwrap(), "--patch"];
    let next = [&next[..], &[patch.to_str().unwrap()]].concat();
    let work = [&next[..], &["--force"]].concat();
    let root = ours.root();
    let backup = root.with_file_name("first");
    restore(&root, &backup);
    undisturbed(&work);
    let taken = tree(&root);
    restore(&backup, &root);
    die_everywhere(&root, &work, &next, [&taken, &taken]);
}

#[test]
fn first_stage_1_and_one_that_replaces_results() {
    let project = support::Project::new();
    let root = project.root();
    let dataset = root.to_str().unwrap().to_owned();
    let work = ["stage", "1", "--force", "--dataset", &dataset];
    let next = ["stage", "1", "--dataset", &dataset];
    let backup = root.with_file_name("first");
    restore(&root, &backup);
    undisturbed(&work);
    let loaded = tree(&root);
    restore(&backup, &root);
    // Whatever happened, the next run of stage 1 ends with the result.
    die_everywhere(&root, &work, &next, [&loaded, &loaded]);
}
