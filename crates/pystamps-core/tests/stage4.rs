//! Stage 4 against original StaMPS and on a patch made by hand.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod oracle_scene;
mod patch_by_hand;

use std::path::Path;

use oracle_scene::{L, Lineage, S, T, T_D1, assert_same_file, largest_difference, oracle, reals};
use patch_by_hand::{HandMade, INTERFEROGRAMS, matrix};
use pystamps_core::native_stage4::run_stage4_native;
use pystamps_core::progress::Progress;
use pystamps_core::stage::{StageOptions, StageOutcome, StageStatus};
use pystamps_mat::{NumericData, Value};

fn weed(patch: &Path, options: &StageOptions) -> pystamps_core::Result<StageOutcome> {
    run_stage4_native(patch, options, &Progress::silent())
}

fn set(overrides: &[(&str, &str)]) -> StageOptions {
    let overrides = overrides.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    StageOptions { overrides, ..StageOptions::default() }
}

/// Parameters with which the oracle's scene was made.
fn options_of(scene: &str) -> StageOptions {
    set(if scene == "T_d1" { &[("weed_neighbours", "y")] } else { &[] })
}

const PROMOTED: [&str; 7] =
    ["ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "hgt2.mat", "la2.mat", "psver.mat"];

/// Everything in a patch is the oracle's; gives the largest differences of deviation and maximum.
fn compare(scene: &Lineage, oracle: &Path, project: &Path, patch: &str) -> [f64; 2] {
    for file in PROMOTED {
        let reference = scene.reference(oracle, 4, &format!("{patch}/{file}"));
        assert_same_file(&project.join(patch).join(file), &reference, &[]);
    }
    let ours = project.join(patch).join("weed1.mat");
    let theirs = scene.reference(oracle, 4, &format!("{patch}/weed1.mat"));
    assert_same_file(&ours, &theirs, &["ps_std", "ps_max"]);
    ["ps_std", "ps_max"].map(|name| largest_difference(&reals(&ours, name), &reals(&theirs, name)))
}

#[test]
fn weeding_is_the_oracles() {
    let Some(oracle) = oracle() else { return };
    for (name, scene) in [("T", &T), ("T_d1", &T_D1), ("L", &L)] {
        for patch in ["PATCH_1", "PATCH_2"] {
            let edges = scene.reference(&oracle, 4, &format!("{patch}/psweed.2.edge"));
            // Our own edges are the oracle's in other directions, which act on the weights of the
            // interferograms (stage4.md section 7).
            for (edges, limits) in [(Some(edges), [5e-6, 5e-6]), (None, [1e-4, 2e-3])] {
                let project = scene.after(&oracle, 3);
                let options = StageOptions { edges, ..options_of(name) };
                weed(&project.path().join(patch), &options).unwrap();
                let found = compare(scene, &oracle, project.path(), patch);
                let allowed = found[0] <= limits[0] && found[1] <= limits[1];
                assert!(allowed, "{name} {patch}: {found:?}, allowed {limits:?}");
            }
        }
    }
}

#[test]
fn small_baselines_keep_what_is_in_place() {
    let Some(oracle) = oracle() else { return };
    let project = S.after(&oracle, 3);
    for patch in ["PATCH_1", "PATCH_2"] {
        weed(&project.path().join(patch), &StageOptions::default()).unwrap();
        assert_eq!(compare(&S, &oracle, project.path(), patch), [0.0, 0.0]);
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    let Some(oracle) = oracle() else { return };
    let bytes = |threads: usize| {
        let project = T.after(&oracle, 3);
        let patch = project.path().join("PATCH_1");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| weed(&patch, &StageOptions::default())).unwrap();
        ["weed1.mat", "ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "la2.mat"]
            .map(|file| fs_err::read(patch.join(file)).unwrap())
    };
    let one = bytes(1);
    assert!(one == bytes(2) && one == bytes(5));
}

#[test]
fn dropped_interferograms_do_not_count() {
    let Some(oracle) = oracle() else { return };
    let project = T.after(&oracle, 3);
    let patch = project.path().join("PATCH_1");
    weed(&patch, &set(&[("drop_ifg_index", "[3 9]")])).unwrap();
    let used = reals(&patch.join("weed1.mat"), "ifg_index");
    let expected: Vec<f64> = (1..=17).filter(|&k| k != 3 && k != 9).map(f64::from).collect();
    assert_eq!(used, expected);
    let theirs = T.reference(&oracle, 4, "PATCH_1/weed1.mat");
    let deviation = reals(&patch.join("weed1.mat"), "ps_std");
    assert!(largest_difference(&deviation, &reals(&theirs, "ps_std")) > 1e-3);
}

/// A 4 x 4 raster of PS, slightly bent so that no four lie on a circle.
fn raster() -> Vec<[f32; 2]> {
    (0..16_u8)
        .map(|i| {
            let (x, y) = (f32::from(i % 4), f32::from(i / 4));
            [100.0 * x + y * y, 100.0 * y + 3.0 * x * x]
        })
        .collect()
}

#[test]
fn a_current_result_is_kept_and_other_edges_outdate_it() {
    let made = HandMade::new(&raster());
    let outcome = weed(&made.patch(), &StageOptions::default()).unwrap();
    assert_eq!((outcome.status, outcome.rows_processed), (StageStatus::Completed, 16));
    let again = weed(&made.patch(), &StageOptions::default()).unwrap();
    assert_eq!(again.status, StageStatus::SkippedExisting);
    let edges = made.root().join("chain.edge");
    let chain: Vec<String> = (1..16).map(|i| format!("{i} {i} {} 0", i + 1)).collect();
    fs_err::write(&edges, format!("15 1\n{}\n", chain.join("\n"))).unwrap();
    let options = StageOptions { edges: Some(edges), ..StageOptions::default() };
    assert_eq!(weed(&made.patch(), &options).unwrap().status, StageStatus::Completed);
}

#[test]
fn noisy_neighbourless_and_low_ps_go() {
    let made = HandMade::new(&raster());
    // Row 6 (from 1) is noise; row 11 lies on the sea.
    let mut ph = made.value("ph1.mat", "ph").to_array2_c32().unwrap();
    for (column, sample) in ph.row_mut(5).iter_mut().enumerate() {
        *sample = pystamps_mat::Complex::from_polar(1.0, 2.5 * (column * column) as f32);
    }
    let (rows, columns) = ph.dim();
    let data = ph.t().iter().copied().collect();
    made.set("ph1.mat", "ph", matrix(rows, columns, NumericData::C32(data)));
    let mut height = vec![100.0; 16];
    height[10] = 0.0;
    made.set("hgt1.mat", "hgt", Value::column_f64(&height));
    weed(&made.patch(), &set(&[("weed_zero_elevation", "y")])).unwrap();
    let stays = made.reals("weed1.mat", "ix_weed");
    let expected: Vec<f64> =
        (0..16).map(|row| f64::from(u8::from(row != 5 && row != 10))).collect();
    assert_eq!(stays, expected);
    assert_eq!(made.reals("weed1.mat", "ix_weed2").len(), 15);
    let ids = made.reals("ps2.mat", "ij");
    assert_eq!(ids[..6], [1.0, 2.0, 3.0, 4.0, 5.0, 7.0], "identifiers keep their numbers");
    assert!(!made.patch().join("da2.mat").exists());
}

#[test]
fn coincident_ps_leave_the_most_coherent() {
    let mut xy = raster();
    xy[3] = xy[12];
    let made = HandMade::new(&xy);
    assert_eq!(weed(&made.patch(), &StageOptions::default()).unwrap().rows_processed, 15);
    assert_eq!(made.reals("weed1.mat", "ix_weed")[3], 0.0);
}

#[test]
fn few_ps_are_recorded() {
    for (xy, left) in [
        (vec![], 0),
        (vec![[0.0, 0.0]], 0),
        (vec![[0.0, 0.0], [5.0, 5.0]], 0),
        (vec![[0.0, 0.0], [5.0, 5.0], [10.0, 10.0], [20.0, 20.0]], 4),
    ] {
        let made = HandMade::new(&xy);
        let outcome = weed(&made.patch(), &StageOptions::default()).unwrap();
        assert_eq!(outcome.rows_processed, left, "{xy:?}");
        assert_eq!(made.value("ph2.mat", "ph").dims()[0] as u64, left);
        let marks = made.reals("no_ps_info.mat", "stamps_step_no_ps");
        assert_eq!(marks[3], f64::from(u8::from(left == 0)));
        assert_eq!(made.reals("psver.mat", "psver"), [2.0]);
    }
}

#[test]
fn missing_phase_is_named_with_its_date() {
    let made = HandMade::new(&raster());
    let mut data = vec![pystamps_mat::Complex::new(1.0, 0.0); 16 * INTERFEROGRAMS];
    data[4 * 16 + 7] = pystamps_mat::Complex::new(0.0, 0.0);
    made.set("ph1.mat", "ph", matrix(16, INTERFEROGRAMS, NumericData::C32(data)));
    let error = weed(&made.patch(), &StageOptions::default()).unwrap_err();
    assert_eq!(error.name(), "phase-missing");
    // The fifth day, 737,048.
    assert!(error.to_string().contains("interferogram 5 (19-Dec-2017)"), "{error}");
    assert!(!made.patch().join("weed1.mat").exists());
    // Without the interferogram the rest can be compared.
    weed(&made.patch(), &set(&[("drop_ifg_index", "5")])).unwrap();
}

#[test]
fn spoilt_inputs_are_refused() {
    type Spoil = fn(&HandMade);
    let cases: [(&str, Spoil); 7] = [
        ("stage-input-missing", |made| {
            fs_err::remove_file(made.patch().join("pm1.mat")).unwrap();
        }),
        ("variable-range", |made| {
            made.set("select1.mat", "ix", Value::column_f64(&[17.0; 16]));
        }),
        ("variable-shape", |made| {
            made.set("select1.mat", "keep_ix", Value::from_logical_column(&[true; 15]));
        }),
        ("variable-shape", |made| {
            made.set("select1.mat", "coh_ps2", Value::column_f64(&[0.5; 15]));
        }),
        ("variable-shape", |made| made.set("ph1.mat", "ph", patch_by_hand::phasors(16, 5))),
        ("variable-shape", |made| made.set("pm1.mat", "ph_patch", patch_by_hand::phasors(15, 5))),
        ("phase-missing", |made| {
            made.set("select1.mat", "K_ps2", Value::column_f64(&[f64::NAN; 16]));
        }),
    ];
    for (name, spoil) in cases {
        let made = HandMade::new(&raster());
        spoil(&made);
        let error = weed(&made.patch(), &StageOptions::default()).unwrap_err();
        assert_eq!(error.name(), name, "{error}");
        assert!(!made.patch().join("weed1.mat").exists(), "{name} left a result");
    }
}

#[test]
fn impossible_options_are_refused() {
    let made = HandMade::new(&raster());
    for (options, name) in [
        (set(&[("drop_ifg_index", "1:6")]), "parameter-range"),
        (set(&[("drop_ifg_index", "7")]), "parameter-range"),
        (set(&[("weed_time_win", "0")]), "parameter-range"),
        (StageOptions { memory_limit_bytes: Some(1 << 20), ..set(&[]) }, "memory-limit"),
    ] {
        assert_eq!(weed(&made.patch(), &options).unwrap_err().name(), name);
    }
    let edges = made.root().join("wrong.edge");
    fs_err::write(&edges, "1 1\n1 1 17 0\n").unwrap();
    let options = StageOptions { edges: Some(edges), ..StageOptions::default() };
    assert_eq!(weed(&made.patch(), &options).unwrap_err().name(), "edge-file");
}

#[test]
fn results_of_later_steps_are_not_thrown_away_unasked() {
    let made = HandMade::new(&raster());
    weed(&made.patch(), &StageOptions::default()).unwrap();
    fs_err::write(made.patch().join("rc2.mat"), "a later result").unwrap();
    let changed = set(&[("weed_standard_dev", "0.5")]);
    assert_eq!(weed(&made.patch(), &changed).unwrap_err().name(), "results-would-be-lost");
    let forced = StageOptions { force: true, ..changed };
    weed(&made.patch(), &forced).unwrap();
    assert!(!made.patch().join("rc2.mat").exists());
}
