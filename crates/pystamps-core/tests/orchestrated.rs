//! What a program that runs `pystamps-native` relies on: removal of results that no longer fit, an end
//! with the program that started it, outcomes and failures as JSON.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pystamps_core::stage::{StageOptions, StageStatus};
use serde_json::Value;
use support::{Project, edit};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pystamps-native"));
    command.args(arguments).env("SOURCE_DATE_EPOCH", "1600000000");
    command
}

fn native(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// The lines of standard output, each a JSON object.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn invalidate_removes_later_results_only_when_the_new_ones_are_published() {
    let project = Project::new();
    let invalidate = StageOptions { invalidate: true, ..StageOptions::default() };
    project.run(&invalidate).unwrap();
    let later = project.patch().join("pm1.mat");
    fs_err::write(&later, "a later result").unwrap();
    assert_eq!(project.run(&invalidate).unwrap().status, StageStatus::SkippedExisting);
    assert!(later.exists(), "a current stage removes nothing");

    edit(&project.export("20210113_20210101.base"), "10.25", "11.25");
    let refusal = project.run(&StageOptions::default()).unwrap_err();
    assert!(refusal.to_string().contains("--invalidate"), "{refusal}");
    let impossible = StageOptions { memory_limit_bytes: Some(1), ..invalidate.clone() };
    assert_eq!(project.run(&impossible).unwrap_err().name(), "memory-limit");
    assert!(later.exists(), "a failed run removes nothing");
    assert_eq!(project.run(&invalidate).unwrap().status, StageStatus::Completed);
    assert!(!later.exists(), "a stale later result stayed");
}

#[test]
fn outcomes_and_failures_are_lines_of_json() {
    let project = Project::new();
    let patch = project.patch();
    let stage = ["stage", "1", "--patch", text(&patch), "--json"];
    let first = native(&stage);
    let outcome = &lines(&first)[0];
    assert!(first.stdout.starts_with(b"{\"event\":\"outcome\",\"stage\":\"1\","), "{outcome}");
    assert_eq!(outcome["status"], "completed");
    assert_eq!(outcome["replayed"], false);
    assert!(outcome["memory_peak_bytes"].as_u64().unwrap() > 1 << 20, "{outcome}");

    fs_err::write(project.patch().join("pm1.mat"), "a later result").unwrap();
    edit(&project.export("20210113_20210101.base"), "10.25", "11.25");
    for how in [&["--json"][..], &["--progress", "json"], &["--progress=json"]] {
        let refused = native(&[&stage[..4], how].concat());
        assert_eq!(refused.status.code(), Some(1));
        let error = lines(&refused).pop().unwrap();
        assert_eq!(error["event"], "error");
        assert_eq!(error["name"], "results-would-be-lost");
        assert_eq!(error["path"], text(&project.patch()));
        assert_eq!(error["variable"], Value::Null);
        assert_eq!(error["found"], "pm1.mat");
        assert_eq!(error["exit_code"], 1);
        assert!(error["remedy"].as_str().unwrap().contains("--invalidate"));
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("error: [results-would-be-lost]")
        );
    }
    assert!(native(&stage[..4]).stdout.is_empty(), "nobody asked for JSON");
}

#[test]
fn a_command_line_that_cannot_be_understood_is_told_in_json_too() {
    let output = native(&["stage", "9", "--patch", "x", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let error = &lines(&output)[0];
    assert_eq!((&error["name"], &error["exit_code"]), (&"usage".into(), &2.into()));
    assert!(error["problem"].as_str().unwrap().contains("invalid value '9'"), "{error}");
    assert_eq!(native(&["--help", "--json"]).status.code(), Some(0));
}

/// Stage 1 of the project, which waits until `held` is released before it publishes.
fn waiting_stage(project: &Project, more: &[&str]) -> (fs_err::File, Child) {
    let control = project.root().join(".pystamps");
    fs_err::create_dir_all(&control).unwrap();
    let held = fs_err::File::create(control.join("parameters.lock")).unwrap();
    held.file().lock().unwrap();
    let patch = project.patch();
    let mut command = program(&["stage", "1", "--patch", text(&patch)]);
    let child = command.args(more).stdin(Stdio::piped()).spawn().unwrap();
    let staged = project.patch().join(".pystamps/staging/new/ps1.mat");
    let begin = Instant::now();
    while !staged.exists() {
        assert!(begin.elapsed() < Duration::from_mins(1), "the stage has not begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    (held, child)
}

#[test]
fn the_end_of_standard_input_ends_the_program() {
    let project = Project::new();
    let (held, mut child) = waiting_stage(&project, &["--stop-with-stdin"]);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(child.try_wait().unwrap(), None, "it ended before its input did");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(!project.patch().join("ps1.mat").exists(), "something was published");
    drop(held);
    assert_eq!(project.run(&StageOptions::default()).unwrap().status, StageStatus::Completed);
}

#[test]
fn without_being_asked_the_program_does_not_care_about_its_input() {
    let project = Project::new();
    let (held, mut child) = waiting_stage(&project, &[]);
    drop(child.stdin.take());
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(child.try_wait().unwrap(), None);
    drop(held);
    assert!(child.wait().unwrap().success());
}
