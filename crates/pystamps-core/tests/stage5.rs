//! Stage 5 against original StaMPS: correction of patches, their merge, noise of interferograms.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod oracle_scene;
mod patch_by_hand;
mod two_patches;

use std::path::Path;

use oracle_scene::{
    L, Lineage, S, T, T_D1, assert_same_file, largest_difference, oracle, phasor_difference,
    phasors, reals,
};
use patch_by_hand::{HandMade, INTERFEROGRAMS, matrix};
use pystamps_core::native_stage4::run_stage4_native;
use pystamps_core::native_stage5::{run_stage5_merge_native, run_stage5_patch_native};
use pystamps_core::progress::Progress;
use pystamps_core::stage::{RandomEngine, StageOptions, StageOutcome, StageStatus};
use pystamps_mat::{Complex, NumericData, Value};
use two_patches::{change, two_patches};

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

/// Rows of a complex or real variable, picked in the order of `rows`.
fn picked(file: &Path, name: &str, rows: &[usize]) -> Vec<Vec<Complex<f64>>> {
    let value = pystamps_mat::read_variable(file, name).unwrap().to_array2_c64().unwrap();
    rows.iter().map(|&row| value.row(row).to_vec()).collect()
}

/// Rows of a merged project sorted by pixel.
fn by_pixel(project: &Path) -> Vec<usize> {
    let ij = pystamps_mat::read_variable(project.join("ps2.mat"), "ij").unwrap();
    let ij = ij.to_array2_f64().unwrap();
    let mut rows: Vec<usize> = (0..ij.nrows()).collect();
    rows.sort_by(|&a, &b| {
        ij[[a, 1]].total_cmp(&ij[[b, 1]]).then(ij[[a, 2]].total_cmp(&ij[[b, 2]]))
    });
    rows
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
    assert!(!project.path().join("phuw2.mat").exists());
    // Positions are means in single precision: a last bit moves a PS by 0.2 m and may exchange two
    // rows, so rows are compared by their pixels.
    let (ours_rows, their_rows) = (by_pixel(project.path()), by_pixel(&theirs));
    for (file, name, allowed) in [
        ("ps2.mat", "lonlat", 8e-6),
        ("ph2.mat", "ph", 1e-2),
        ("rc2.mat", "ph_rc", 1e-6),
        ("pm2.mat", "ph_patch", 2e-5),
        ("pm2.mat", "ph_res", 2e-5),
        ("pm2.mat", "K_ps", 5e-9),
        ("pm2.mat", "C_ps", 5e-7),
        ("pm2.mat", "coh_ps", 1e-6),
        ("bp2.mat", "bperp_mat", 1e-4),
        ("la2.mat", "la", 5e-7),
        ("hgt2.mat", "hgt", 1e-4),
    ] {
        let ours = picked(&project.path().join(file), name, &ours_rows);
        let expected = picked(&theirs.join(file), name, &their_rows);
        assert_eq!(ours.len(), expected.len());
        let pairs = ours.iter().flatten().zip(expected.iter().flatten());
        let worst = pairs.map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        assert!(worst <= allowed, "{file} {name}: {worst:e}");
        let class = |file: &Path| pystamps_mat::read_variable(file, name).unwrap().class();
        assert_eq!(class(&project.path().join(file)), class(&theirs.join(file)), "{name}");
    }
    let noise = |folder: &Path| reals(&folder.join("ifgstd2.mat"), "ifg_std");
    assert!(largest_difference(&noise(project.path()), &noise(&theirs)) < 2e-4);
}

#[test]
fn threads_do_not_change_a_byte() {
    let Some(oracle) = oracle() else { return };
    for scene in [&T, &S] {
        let bytes = |threads: usize| {
            let project = scene.after(&oracle, 4);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                correct(&project.path().join("PATCH_1")).unwrap();
                correct(&project.path().join("PATCH_2")).unwrap();
                merge(project.path(), &StageOptions::default()).unwrap();
            });
            [
                "PATCH_1/rc2.mat",
                "ps2.mat",
                "ph2.mat",
                "rc2.mat",
                "pm2.mat",
                "bp2.mat",
                "ifgstd2.mat",
            ]
            .map(|file| fs_err::read(project.path().join(file)).unwrap())
        };
        let one = bytes(1);
        assert!(one == bytes(2) && one == bytes(5));
    }
}

/// A variable of the merged project, its first column sorted by pixel.
fn merged(made: &HandMade, file: &str, name: &str) -> Vec<f64> {
    let rows = by_pixel(&made.root());
    let values = reals(&made.root().join(file), name);
    rows.into_iter().map(|row| values[row]).collect()
}

#[test]
fn a_pixel_belongs_to_the_patch_whose_window_holds_it() {
    let expected: Vec<f64> = (0..16).map(|i| if i < 9 { 0.001 } else { 0.002 }).collect();
    let mut files = Vec::new();
    for list in ["PATCH_1\nPATCH_2\n", "PATCH_2\nPATCH_1\n"] {
        let made = two_patches();
        fs_err::write(made.root().join("patch.list"), list).unwrap();
        fs_err::write(made.root().join("mean_amp.flt"), "of preparation").unwrap();
        let outcome = merge(&made.root(), &StageOptions::default()).unwrap();
        assert_eq!(outcome.rows_processed, 16);
        assert_eq!(merged(&made, "pm2.mat", "K_ps"), expected);
        assert!(!made.root().join("mean_amp.flt").exists());
        assert!(reals(&made.root().join("phuw2.mat"), "ph_uw").iter().all(|&x| x == 0.0));
        files.push(
            ["ps2.mat", "ph2.mat", "rc2.mat", "pm2.mat", "bp2.mat", "ifgstd2.mat"]
                .map(|file| fs_err::read(made.root().join(file)).unwrap()),
        );
    }
    assert!(files[0] == files[1], "the order of the patches shows");
}

#[test]
fn a_pixel_that_nobody_owns_comes_from_the_first_patch() {
    let made = two_patches();
    for patch in ["PATCH_1", "PATCH_2"] {
        let window = made.root().join(patch).join("patch_noover.in");
        fs_err::write(window, "400\n500\n400\n500\n").unwrap();
    }
    merge(&made.root(), &StageOptions::default()).unwrap();
    assert_eq!(merged(&made, "pm2.mat", "K_ps"), [0.001; 16]);
}

#[test]
fn one_position_keeps_its_most_coherent_ps() {
    let made = two_patches();
    let second = made.root().join("PATCH_2");
    let path = second.join("ps2.mat");
    let mut lonlat = reals(&path, "lonlat");
    // The second patch's pixel 12 has the position of pixel 3, and is more coherent.
    (lonlat[12], lonlat[16 + 12]) = (lonlat[3], lonlat[16 + 3]);
    change(&path, "lonlat", matrix(16, 2, NumericData::F64(lonlat)));
    let outcome = merge(&made.root(), &StageOptions::default()).unwrap();
    assert_eq!(outcome.rows_processed, 15);
    assert!(outcome.details.contains("1 at the position"), "{}", outcome.details);
    let azimuth = &reals(&made.root().join("ps2.mat"), "ij")[15..30];
    assert!(azimuth.contains(&120.0) && !azimuth.contains(&30.0));
}

#[test]
fn unwrapped_patches_are_shifted_by_whole_cycles_and_others_by_the_mean() {
    let made = two_patches();
    let level = 2.0 * std::f32::consts::TAU + 0.1;
    for (patch, level) in [("PATCH_1", 0.5_f32), ("PATCH_2", 0.5 + level)] {
        let array = || matrix(16, INTERFEROGRAMS, NumericData::F32(vec![level; 96]));
        let folder = made.root().join(patch);
        change(&folder.join("phuw2.mat"), "ph_uw", array());
        change(&folder.join("scn2.mat"), "ph_scn_slave", array());
    }
    merge(&made.root(), &StageOptions::default()).unwrap();
    let unwrapped = merged(&made, "phuw2.mat", "ph_uw");
    let expected: Vec<f64> = (0..16).map(|i| if i < 9 { 0.5 } else { 0.6 }).collect();
    assert!(largest_difference(&unwrapped, &expected) < 2e-6, "{unwrapped:?}");
    let noise = merged(&made, "scn2.mat", "ph_scn_slave");
    assert!(largest_difference(&noise, &[0.5; 16]) < 2e-6, "{noise:?}");
}

#[test]
fn one_cell_sums_phasors_and_averages_the_rest() {
    let made = two_patches();
    let options = StageOptions {
        overrides: vec![("merge_resample_size".into(), "5000".into())],
        ..StageOptions::default()
    };
    merge(&made.root(), &options).unwrap();
    // Every PS has the residuals -0.1 (five times) and C = 0.2: less scatter than 10 degrees.
    let phasor = Complex::from_polar(5.0_f64, -0.1) + Complex::from_polar(1.0, 0.2);
    let coherence = (phasor.norm() / 6.0).min(0.985_723_131_556_56);
    let ratio = 1.0 / (coherence.powi(-2) - 1.0);
    let cells = merged(&made, "pm2.mat", "coh_ps");
    // A cell of each side of the line through 1 m: x or y of 0 or more than 1.
    assert!((2..=8).contains(&cells.len()), "{cells:?}");
    let total: f64 = reals(&made.root().join("pm2.mat"), "ph_res").iter().sum();
    let expected = 16.0 * 5.0 * 0.1 * ratio;
    assert!((total - expected).abs() < 1e-4 * expected, "{total} {expected}");
    // The weights of a cell follow from its coherence: 1/coh² - 1 = 1/(ratio sqrt(members)).
    let members: f64 = cells.iter().map(|coh| (1.0 / (coh.powi(-2) - 1.0) / ratio).powi(2)).sum();
    assert!((members - 16.0).abs() < 1e-3, "{members}");
    let moduli = phasors(&made.root().join("rc2.mat"), "ph_rc");
    assert!(moduli.iter().all(|z| (z.norm() - 1.0).abs() < 1e-12));
}

#[test]
fn patches_without_ps_are_left_out() {
    let made = two_patches();
    let third = made.root().join("PATCH_3");
    fs_err::create_dir(&third).unwrap();
    let marks = Value::column_f64(&[0.0, 0.0, 1.0, 0.0, 0.0]);
    change(&third.join("no_ps_info.mat"), "stamps_step_no_ps", marks.clone());
    fs_err::write(made.root().join("patch.list"), "PATCH_1\nPATCH_2\nPATCH_3\n").unwrap();
    let outcome = merge(&made.root(), &StageOptions::default()).unwrap();
    assert!(outcome.details.contains("without PS: PATCH_3"), "{}", outcome.details);
    fs_err::write(made.root().join("patch.list"), "PATCH_3\n").unwrap();
    assert_eq!(merge(&made.root(), &StageOptions::default()).unwrap_err().name(), "no-ps");
}

#[test]
fn an_empty_patch_is_corrected_to_nothing() {
    let made = HandMade::new(&[]);
    run_stage4_native(&made.patch(), &StageOptions::default(), &Progress::silent()).unwrap();
    assert_eq!(correct(&made.patch()).unwrap().rows_processed, 0);
    assert_eq!(made.value("rc2.mat", "ph_rc").dims(), [0, INTERFEROGRAMS]);
    let marks = made.reals("no_ps_info.mat", "stamps_step_no_ps");
    assert_eq!(marks, [0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn spoilt_projects_are_refused() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 5] = [
        ("patch-not-corrected", |patch| fs_err::remove_file(patch.join("rc2.mat")).unwrap()),
        ("patches-disagree", |patch| {
            let mut days = reals(&patch.join("ps2.mat"), "day");
            days[5] += 1.0;
            change(&patch.join("ps2.mat"), "day", Value::column_f64(&days));
        }),
        ("variable-shape", |patch| {
            change(&patch.join("pm2.mat"), "coh_ps", Value::column_f64(&[0.5; 15]));
        }),
        ("patch-window", |patch| fs_err::write(patch.join("patch_noover.in"), "1 2 3").unwrap()),
        ("stage-input-missing", |patch| fs_err::remove_file(patch.join("bp2.mat")).unwrap()),
    ];
    for (name, spoil) in cases {
        let made = two_patches();
        spoil(&made.root().join("PATCH_2"));
        let error = merge(&made.root(), &StageOptions::default()).unwrap_err();
        assert_eq!(error.name(), name, "{error}");
        assert!(error.to_string().contains("PATCH_2"), "{error}");
        assert!(!made.root().join("ifgstd2.mat").exists(), "{name} left a result");
    }
    let made = two_patches();
    let noisy = vec![
        ("merge_resample_size".to_owned(), "100".to_owned()),
        ("merge_standard_dev".to_owned(), "0.01".to_owned()),
    ];
    let options = StageOptions { overrides: noisy, ..StageOptions::default() };
    assert_eq!(merge(&made.root(), &options).unwrap_err().name(), "no-ps");
    let tight = StageOptions { memory_limit_bytes: Some(1 << 20), ..StageOptions::default() };
    assert_eq!(merge(&made.root(), &tight).unwrap_err().name(), "memory-limit");
    assert_eq!(
        run_stage5_patch_native(
            &made.patch(),
            &StageOptions { force: true, ..tight },
            &Progress::silent()
        )
        .unwrap_err()
        .name(),
        "memory-limit"
    );
}
