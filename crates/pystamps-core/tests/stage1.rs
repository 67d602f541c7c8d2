//! Black-box tests of stage 1 on a project made by hand: what it writes, when it runs, and what it
//! says about bad input.

#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod support;

use pystamps_core::progress::Progress;
use pystamps_core::project::lock::ScopeLock;
use pystamps_core::stage::{StageOptions, StageStatus};
use support::{CANDIDATES, MASTER, Project, edit};

fn options() -> StageOptions {
    StageOptions::default()
}

/// Runs stage 1 on a spoilt project: the named diagnostic, and nothing written.
fn assert_refused(project: &Project, name: &str) -> String {
    let error = project.run(&options()).expect_err(name);
    assert_eq!(error.name(), name, "{error}");
    assert!(!project.patch().join("ps1.mat").exists(), "{name} left a result");
    error.to_string()
}

#[test]
fn rows_are_sorted_and_every_file_follows() {
    let project = Project::new();
    let outcome = project.run(&options()).unwrap();
    assert_eq!((outcome.status, outcome.rows_processed), (StageStatus::Completed, 6));
    // Candidates were listed from north to south; rows go from south to north.
    let sorted = project.value("ps1.mat", "sort_ix").to_f64_vec().unwrap();
    assert_eq!(sorted, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
    let height = project.value("hgt1.mat", "hgt").to_f64_vec().unwrap();
    assert_eq!(height, [105.0, 104.0, 103.0, 102.0, 101.0, 100.0]);
    let ph = project.value("ph1.mat", "ph").to_array2_c32().unwrap();
    assert_eq!(ph.dim(), (6, 4));
    assert_eq!((ph[[0, 0]].re, ph[[0, 0]].im), (5.0, -5.0));
    assert_eq!((ph[[2, 1]].re, ph[[2, 1]].im), (1.0, 0.0), "the master's column");
    assert_eq!(ph[[0, 2]].re, 11.0);
    let days = project.value("ps1.mat", "day").to_f64_vec().unwrap();
    assert_eq!(days.windows(2).map(|d| d[1] - d[0]).collect::<Vec<_>>(), [12.0, 12.0, 12.0]);
    assert_eq!(project.value("ps1.mat", "master_ix").to_scalar(), Some(2.0));
    let heading = pystamps_mat::read_variable(project.root().join("parms.mat"), "heading");
    assert_eq!(heading.unwrap().to_scalar(), Some(-167.0));
}

#[test]
fn equal_inputs_are_not_computed_twice_and_changed_ones_are() {
    let project = Project::new();
    project.run(&options()).unwrap();
    assert_eq!(project.run(&options()).unwrap().status, StageStatus::SkippedExisting);
    fs_err::write(project.patch().join("pm1.mat"), "a later result").unwrap();
    edit(&project.export("20210113_20210101.base"), "10.25", "11.25");
    let error = project.run(&options()).unwrap_err();
    assert_eq!(error.name(), "results-would-be-lost");
    assert!(error.to_string().contains("pm1.mat"), "{error}");
    assert!(project.patch().join("pm1.mat").exists());
    let forced = project.run(&StageOptions { force: true, ..options() }).unwrap();
    assert_eq!(forced.status, StageStatus::Completed);
    assert!(!project.patch().join("pm1.mat").exists(), "a stale later result stayed");
    edit(&project.export("20210113_20210101.base"), "11.25", "12.25");
    assert_eq!(project.run(&options()).unwrap().status, StageStatus::Completed);
}

#[test]
fn what_original_stamps_rewrites_does_not_outdate_stage_1() {
    let project = Project::new();
    project.run(&options()).unwrap();
    for name in ["psver.mat", "no_ps_info.mat", "pm1.mat", "select1.mat"] {
        fs_err::write(project.patch().join(name), "by original StaMPS").unwrap();
    }
    assert_eq!(project.run(&options()).unwrap().status, StageStatus::SkippedExisting);
    assert!(project.patch().join("pm1.mat").exists());
}

#[test]
fn results_of_another_program_are_kept_unless_forced() {
    let project = Project::new();
    let marker = project.patch().join("ps1.mat");
    fs_err::write(&marker, "no MATLAB file").unwrap();
    assert_eq!(project.run(&options()).unwrap_err().name(), "mat-not-matlab");
    let made: pystamps_mat::Variables =
        [("n_ps", pystamps_mat::Value::scalar(3.0))].into_iter().collect();
    pystamps_mat::write(&marker, &made, &pystamps_mat::WriteOptions::default()).unwrap();
    let outcome = project.run(&options()).unwrap();
    assert_eq!(outcome.status, StageStatus::SkippedExisting);
    assert!(outcome.details.contains("another program"), "{}", outcome.details);
    assert_eq!(outcome.rows_processed, 3);
    let forced = project.run(&StageOptions { force: true, ..options() }).unwrap();
    assert_eq!(forced.status, StageStatus::Completed);
    assert_eq!(project.value("ps1.mat", "n_ps").to_scalar(), Some(6.0));
}

#[test]
fn threads_do_not_change_a_byte() {
    let bytes = |threads: usize| {
        let project = Project::new();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| project.run(&options())).unwrap();
        ["ps1.mat", "ph1.mat", "bp1.mat", "la1.mat"]
            .map(|name| fs_err::read(project.patch().join(name)).unwrap())
    };
    let one = bytes(1);
    assert!(one == bytes(2) && one == bytes(16));
}

#[test]
fn candidates_without_phase_or_position_are_left_out() {
    let project = Project::new();
    let path = project.patch().join("pscands.1.ph");
    let mut phase = fs_err::read(&path).unwrap();
    // Imaginary part of candidate 2 in the last interferogram.
    let offset = 8 * (2 * CANDIDATES + 1) + 4;
    phase[offset..offset + 4].copy_from_slice(&f32::NAN.to_be_bytes());
    fs_err::write(&path, phase).unwrap();
    let path = project.patch().join("pscands.1.ll");
    let mut lonlat = fs_err::read(&path).unwrap();
    lonlat[8 * 4..8 * 4 + 4].copy_from_slice(&f32::NAN.to_be_bytes());
    fs_err::write(&path, lonlat).unwrap();
    let outcome = project.run(&options()).unwrap();
    assert_eq!(outcome.rows_processed, 4);
    assert!(outcome.details.contains("2 without position or phase"), "{}", outcome.details);
    let sorted = project.value("ps1.mat", "sort_ix").to_f64_vec().unwrap();
    assert_eq!(sorted, [6.0, 4.0, 3.0, 2.0, 1.0, 5.0], "no position sorts last");
    let height = project.value("hgt1.mat", "hgt").to_f64_vec().unwrap();
    assert_eq!(height, [105.0, 103.0, 102.0, 100.0]);
    assert_eq!(
        project.value("ps1.mat", "ij").to_array2_f64().unwrap().column(0).to_vec(),
        [1.0, 2.0, 3.0, 4.0]
    );
}

#[test]
fn positions_of_zero_are_missing() {
    let project = Project::new();
    let path = project.patch().join("pscands.1.ll");
    let mut lonlat = fs_err::read(&path).unwrap();
    lonlat[..8].fill(0);
    fs_err::write(&path, lonlat).unwrap();
    assert_eq!(project.run(&options()).unwrap().rows_processed, 5);
    let origin = project.value("ps1.mat", "ll0").to_f64_vec().unwrap();
    assert!((origin[0] - 11.303).abs() < 1e-4, "the origin is that of the others: {origin:?}");
}

#[test]
fn impossible_geometry_is_refused() {
    let project = Project::new();
    edit(&project.export("20210113.rslc.par"), "856141.0187", "56141.0187");
    let text = assert_refused(&project, "imaging-geometry");
    assert!(text.contains("20210113.rslc.par"), "{text}");
}

#[test]
fn a_patch_without_candidates_is_recorded() {
    let project = Project::new();
    for name in ["ij", "da", "ll", "hgt", "ph"] {
        fs_err::write(project.patch().join(format!("pscands.1.{name}")), "").unwrap();
    }
    let outcome = project.run(&options()).unwrap();
    assert_eq!((outcome.status, outcome.rows_processed), (StageStatus::Completed, 0));
    assert_eq!(project.value("ph1.mat", "ph").dims(), [0, 4]);
    assert_eq!(project.value("ps1.mat", "xy").dims(), [0, 3]);
    let flags = project.value("no_ps_info.mat", "stamps_step_no_ps").to_f64_vec().unwrap();
    assert_eq!(flags, [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn the_master_may_be_first_or_last() {
    for (master, slaves, place) in [
        ("20210401", ["20210101", "20210125", "20210206"], 4_u8),
        ("20201201", ["20210101", "20210125", "20210206"], 1),
    ] {
        let project = Project::named("project", master, &slaves);
        project.run(&options()).unwrap();
        assert_eq!(project.value("ps1.mat", "master_ix").to_scalar(), Some(f64::from(place)));
        let bperp = project.value("ps1.mat", "bperp").to_f64_vec().unwrap();
        assert_eq!((bperp.len(), bperp[usize::from(place) - 1]), (4, 0.0));
    }
}

#[test]
fn a_null_interferogram_is_left_out() {
    let project = Project::named("project", MASTER, &["20210101", MASTER, "20210206"]);
    project.run(&options()).unwrap();
    assert_eq!(project.value("ps1.mat", "n_ifg").to_scalar(), Some(3.0));
    assert_eq!(project.value("bp1.mat", "bperp_mat").dims(), [6, 2]);
    let ph = project.value("ph1.mat", "ph").to_array2_c32().unwrap();
    assert_eq!((ph[[0, 1]].re, ph[[0, 2]].re), (1.0, 17.0));
}

#[test]
fn blanks_and_foreign_letters_in_paths_work() {
    let project = Project::named("Ätna süd 火山", MASTER, &["20210101"]);
    assert_eq!(project.run(&options()).unwrap().rows_processed, 6);
}

#[test]
fn candidate_files_that_disagree_are_refused() {
    for (file, content) in [
        ("pscands.1.ll", vec![0_u8; 40]),
        ("pscands.1.hgt", vec![0; 23]),
        ("pscands.1.ph", vec![0; 8 * CANDIDATES * 3 - 8]),
        ("pscands.1.da", b"0.1\n0.2\n".to_vec()),
    ] {
        let project = Project::new();
        fs_err::write(project.patch().join(file), content).unwrap();
        let text = assert_refused(&project, "candidate-count");
        assert!(text.contains(file), "{text}");
    }
}

#[test]
fn damaged_text_files_are_refused_by_name() {
    type Spoil = fn(&Project);
    let cases: [(&str, Spoil); 8] = [
        ("candidate-pixel", |p| edit(&p.patch().join("pscands.1.ij"), "3 4 6", "3 4 600")),
        ("candidate-pixel", |p| edit(&p.patch().join("pscands.1.ij"), "3 4 6", "3 4")),
        ("unparsable-number", |p| edit(&p.patch().join("pscands.1.da"), "0.3", "zero")),
        ("missing-key", |p| edit(&p.export("20210113.rslc.par"), "near_range_slc", "x")),
        ("unparsable-number", |p| edit(&p.export("20210113.rslc.par"), "485.7", "fast")),
        ("missing-key", |p| {
            edit(&p.export("20210113_20210125.base"), "initial_baseline_rate", "x");
        }),
        ("interferogram-name", |p| {
            edit(&p.root().join("pscphase.in"), "20210113_20210125", "first");
        }),
        ("dates-not-chronological", |p| {
            edit(&p.root().join("pscphase.in"), "_20210206", "_20210101");
        }),
    ];
    for (name, spoil) in cases {
        let project = Project::new();
        spoil(&project);
        assert_refused(&project, name);
    }
}

#[test]
fn a_moved_export_is_named() {
    let project = Project::new();
    fs_err::remove_file(project.export("20210113.rslc.par")).unwrap();
    let text = assert_refused(&project, "master-parameters-missing");
    assert!(text.contains("20210113.rslc.par"), "{text}");
}

#[test]
fn other_processors_unknown_parameters_and_small_limits_are_refused() {
    let project = Project::new();
    let with = |name: &str, value: &str| StageOptions {
        overrides: vec![(name.into(), value.into())],
        ..options()
    };
    let error = project.run(&with("insar_processor", "isce")).unwrap_err();
    assert_eq!(error.name(), "processor-unsupported");
    assert!(error.to_string().contains("insar_processor"), "{error}");
    let error = project.run(&with("insar_procesor", "snap")).unwrap_err();
    assert_eq!((error.name(), error.exit_code()), ("parameter-unknown", 2));
    let small = StageOptions { memory_limit_bytes: Some(1 << 20), ..options() };
    assert_eq!(project.run(&small).unwrap_err().name(), "memory-limit");
    assert!(!project.patch().join("ps1.mat").exists());
}

#[test]
fn a_second_writer_is_refused() {
    let project = Project::new();
    let held = ScopeLock::acquire(&project.patch(), "stage 1", &Progress::silent()).unwrap();
    assert_refused(&project, "scope-locked");
    drop(held);
    project.run(&options()).unwrap();
}

#[test]
fn a_folder_that_is_no_patch_is_named_and_left_alone() {
    let project = Project::new();
    for folder in [project.root().join("PATCH_9"), project.export("")] {
        let before = folder.exists();
        let run = pystamps_core::native_stage1::run_stage1_native;
        let error = run(&folder, &options(), &Progress::silent()).unwrap_err();
        assert_eq!(error.name(), "not-a-patch");
        assert_eq!(folder.exists(), before);
        assert!(!folder.join(".pystamps").exists());
    }
}

#[test]
fn a_folder_that_is_no_project_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = pystamps_core::native_stage1::run_stage1_native(
        folder.path(),
        &options(),
        &Progress::silent(),
    )
    .unwrap_err();
    assert_eq!(error.name(), "parameters-missing");
}
