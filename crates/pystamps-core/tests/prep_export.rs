//! Preparation of small hand-made exports: order, masks, precisions, odd but valid input.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod prep_scene;

use std::path::{Path, PathBuf};

use prep_scene::{LENGTH, MASTER, Scene, WIDTH, prepare, prepare_with};
use pystamps_core::prep::{PrepRequest, Processor, SamplePrecision, Tuning};

#[test]
fn files_agree_with_each_other() {
    let scene = Scene::single_master();
    let prepared = prepare(&scene.request());
    let candidates = prepared.summary.patches[0].candidates;
    assert!((15..40).contains(&candidates), "{candidates}");
    let rows: Vec<Vec<usize>> = prepared
        .text("PATCH_1/pscands.1.ij")
        .lines()
        .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
        .collect();
    assert!(rows.iter().enumerate().all(|(index, row)| row[0] == index + 1));
    assert!(rows.windows(2).all(|pair| pair[0][1..] < pair[1][1..]));
    assert_eq!(prepared.text("PATCH_1/pscands.1.da").lines().count() as u64, candidates);
    // Every candidate's phase is that of its pixel, interferogram by interferogram.
    let phase = &prepared.files[Path::new("PATCH_1/pscands.1.ph")];
    let mut expected = Vec::new();
    for slave in prep_scene::SLAVES {
        let raster = fs_err::read(scene.path(&format!("diff0/{MASTER}_{slave}.diff"))).unwrap();
        for row in &rows {
            let offset = 8 * (row[1] * WIDTH + row[2]);
            expected.extend_from_slice(&raster[offset..offset + 8]);
        }
    }
    assert!(*phase == expected);
    let mean_amplitude = &prepared.files[Path::new("PATCH_1/mean_amp.flt")];
    assert_eq!(mean_amplitude.len(), 4 * WIDTH * LENGTH);
    assert_eq!(
        prepared.text("rsc.txt"),
        format!("{}\n", scene.path("rslc/20210224.rslc.par").display())
    );
}

#[test]
fn settings_do_not_change_a_byte() {
    let scene = Scene::with_dates("export", MASTER, &["20210107", "20210401"], (41, 53));
    let mask: Vec<u8> = (0..41 * 53).map(|pixel| u8::from(pixel % 11 == 4)).collect();
    scene.write("mask", &mask);
    let request = PrepRequest {
        range_patches: 3,
        azimuth_patches: 2,
        range_overlap: 4,
        azimuth_overlap: 1,
        mask: Some(scene.path("mask")),
        ..scene.request()
    };
    let reference = prepare(&request);
    assert_eq!(reference.summary.patches.len(), 6);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (block_pixels, wave_blocks, band_pixels, open_files) in
            [(1, 1, 1, 0), (100, 3, 500, 1), (82, 1000, 41, 2), (usize::MAX, 2, usize::MAX, 99)]
        {
            let tuning = Tuning { block_pixels, wave_blocks, band_pixels, open_files };
            let prepared = pool.install(|| prepare_with(&request, tuning));
            assert!(prepared == reference, "{threads} threads, {tuning:?}");
        }
    }
}

#[test]
fn a_master_later_than_every_slave_works() {
    let scene = Scene::with_dates("export", "20211231", &["20210107", "20210212"], (WIDTH, LENGTH));
    let prepared = prepare(&scene.request());
    assert_eq!(prepared.summary.master.to_string(), "20211231");
    assert!(prepared.summary.warnings.is_empty());
}

#[test]
fn blanks_and_accents_in_paths_work() {
    let plain = prepare(&Scene::single_master().request());
    let slaves = prep_scene::SLAVES;
    let scene = Scene::with_dates("Château d'eau 城", MASTER, &slaves, (WIDTH, LENGTH));
    let prepared = prepare(&scene.request());
    assert!(prepared.summary.warnings[0].contains("original StaMPS cannot read"));
    let first = prepared.text("calamp.out").lines().next().unwrap();
    let (path, constant) = first.rsplit_once(' ').unwrap();
    assert_eq!(Path::new(path), scene.path("rslc/20210107.rslc"));
    constant.parse::<f32>().unwrap();
    for (name, content) in plain.files.iter().filter(|(name, _)| name.starts_with("PATCH_1")) {
        assert!(prepared.files[name] == *content, "{}", name.display());
    }
}

#[test]
fn a_patch_without_candidates_is_recorded() {
    let scene = Scene::single_master();
    let request =
        PrepRequest { amplitude_dispersion: Some("0".parse().unwrap()), ..scene.request() };
    let prepared = prepare(&request);
    assert_eq!(prepared.summary.patches[0].candidates, 0);
    assert!(prepared.summary.warnings.iter().any(|text| text == "PATCH_1 has no candidates"));
    for name in ["ij", "ij.int", "ij0", "da", "ll", "hgt", "ph"] {
        let path = PathBuf::from(format!("PATCH_1/pscands.1.{name}"));
        assert!(prepared.files[&path].is_empty(), "{name}");
    }
}

#[test]
fn positions_that_cannot_be_right_are_counted_and_kept() {
    let scene = Scene::single_master();
    let good = prepare(&scene.request());
    let bad = |pixel: usize, value: f32| match pixel % WIDTH {
        0 => 0.0,
        1 => f32::NAN,
        _ => value,
    };
    scene.write("geo/20210224.lon", &scene.floats(|pixel| bad(pixel, 11.0)));
    scene.write("geo/20210224.lat", &scene.floats(|pixel| bad(pixel, 44.0)));
    let prepared = prepare(&scene.request());
    let patch = &prepared.summary.patches[0];
    assert_eq!(patch.candidates, good.summary.patches[0].candidates);
    let column = |sample: &str| {
        let rows = prepared.text("PATCH_1/pscands.1.ij").lines();
        rows.filter(|line| line.ends_with(sample)).count() as u64
    };
    assert!(column(" 0") > 0 && column(" 1") > 0);
    assert_eq!((patch.zero_positions, patch.impossible_positions), (column(" 0"), column(" 1")));
    assert_eq!(prepared.summary.warnings.len(), 2);
}

#[test]
fn an_image_of_zeros_is_a_warning() {
    let scene = Scene::single_master();
    scene.write("rslc/20210107.rslc", &[0; 8 * WIDTH * LENGTH]);
    let prepared = prepare(&scene.request());
    assert!(prepared.text("calamp.out").lines().next().unwrap().ends_with("20210107.rslc 0"));
    assert_eq!(prepared.summary.patches[0].candidates, 0);
    assert!(prepared.summary.warnings[0].contains("no amplitudes"), "{:?}", prepared.summary);
}

#[test]
fn the_mask_works_by_relative_and_absolute_path() {
    let scene = Scene::single_master();
    let everything = prepare(&scene.request());
    let mask: Vec<u8> =
        (0..WIDTH * LENGTH).map(|pixel| u8::from(pixel % WIDTH < 4) * 255).collect();
    scene.write("mask", &mask);
    let absolute = PrepRequest { mask: Some(scene.path("mask")), ..scene.request() };
    let masked = prepare(&absolute);
    let samples: Vec<usize> = masked
        .text("PATCH_1/pscands.1.ij")
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect();
    assert!(!samples.is_empty() && samples.iter().all(|&sample| sample >= 4));
    assert_ne!(masked.text("calamp.out"), everything.text("calamp.out"));
    // Sums are written for masked pixels too, with the constants of the masked scene.
    assert_eq!(masked.files[Path::new("PATCH_1/mean_amp.flt")].len(), 4 * WIDTH * LENGTH);
    let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
    let mask = up.join(scene.path("mask").strip_prefix("/").unwrap());
    assert!(mask.is_relative());
    assert!(prepare(&PrepRequest { mask: Some(mask), ..scene.request() }) == masked);
}

#[test]
fn int16_and_float32_images_of_the_same_numbers_give_the_same() {
    let scene = Scene::single_master();
    let request = PrepRequest { processor: Processor::Gamma, ..scene.request() };
    let float = prepare(&request);
    assert_eq!(float.summary.precision, SamplePrecision::Float32);
    for (index, date) in prep_scene::SLAVES.iter().chain([&MASTER]).enumerate() {
        let samples = scene.samples(index);
        let bytes: Vec<u8> = samples.iter().flatten().flat_map(|part| part.to_be_bytes()).collect();
        scene.write(&format!("rslc/{date}.rslc"), &bytes);
    }
    scene.edit("rslc/20210224.rslc.par", "FCOMPLEX", "SCOMPLEX");
    let short = prepare(&request);
    assert_eq!(short.summary.precision, SamplePrecision::Int16);
    assert!(short.files == float.files);
    assert_eq!(short.text("processor.txt"), "gamma\n");
}

#[test]
fn low_amplitudes_go_to_a_list_of_their_own() {
    let slaves = ["20210107", "20210212"];
    let scene = Scene::with_dates("export", MASTER, &slaves, (2, 2));
    let raster = |amplitudes: [f32; 4]| -> Vec<u8> {
        amplitudes.iter().flat_map(|a| [a.to_be_bytes(), 0_f32.to_be_bytes()].concat()).collect()
    };
    // Pixel 1 is dark in the first image. Its sums start anew, so it still looks steady enough
    // for a threshold of 0.9.
    scene.write("rslc/20210107.rslc", &raster([2.0, 0.0, 2.0, 2.0]));
    scene.write("rslc/20210212.rslc", &raster([3.0, 3.0, 3.0, 3.0]));
    scene.write("rslc/20210224.rslc", &raster([4.0, 4.0, 4.0, 4.0]));
    let request =
        PrepRequest { amplitude_dispersion: Some("0.9".parse().unwrap()), ..scene.request() };
    let prepared = prepare(&request);
    assert_eq!(prepared.text("PATCH_1/pscands.1.ij"), "1 0 0\n2 1 0\n3 1 1\n");
    assert_eq!(prepared.text("PATCH_1/pscands.1.ij0"), "1 0 1\n");
    assert_eq!(prepared.text("PATCH_1/pscands.1.da"), "0\n0\n0\n");
    assert_eq!(prepared.summary.patches[0].low_amplitude_rows, 1);
}

#[test]
fn a_negative_threshold_takes_the_other_pixels() {
    let scene = Scene::single_master();
    let with = |text: &str| {
        let amplitude_dispersion = Some(text.parse().unwrap());
        prepare(&PrepRequest { amplitude_dispersion, ..scene.request() })
    };
    let (below, above) = (with("0.4"), with("-0.4"));
    let total = (WIDTH * LENGTH) as u64;
    assert_eq!(below.summary.patches[0].candidates + above.summary.patches[0].candidates, total);
    assert_eq!(above.text("selpsc.in").lines().next().unwrap(), "-0.4");
}

#[test]
fn small_baseline_pairs() {
    let scene = Scene::small_baselines();
    let prepared = prepare(&scene.request());
    assert!(prepared.summary.small_baselines);
    assert_eq!(prepared.summary.master.to_string(), "20200215");
    assert_eq!(prepared.summary.images.len(), 6);
    assert!(prepared.text("selsbc.in").starts_with("0.6\n7\n"));
    let last_par = scene.path("SMALL_BASELINES/20200215_20200227/20200215.rslc.par");
    assert_eq!(prepared.text("rsc.txt"), format!("{}\n", last_par.display()));
    assert!(!prepared.files.contains_key(Path::new("PATCH_1/pscands.1.ij0")));
    assert!(prepared.summary.patches[0].candidates > 0);
}

#[test]
fn more_than_35000_lines() {
    let slaves = ["20210107"];
    let scene = Scene::with_dates("export", MASTER, &slaves, (2, 36_001));
    let prepared = prepare(&scene.request());
    let last = prepared.text("PATCH_1/pscands.1.ij").lines().last().unwrap();
    let line: usize = last.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(line > 35_990, "{line}");
    assert_eq!(prepared.text("len.txt"), "36001\n");
}

#[test]
fn hundreds_of_images_and_patches() {
    // Try `ulimit -n 128` as well: neither images nor patches stay open.
    let dates: Vec<String> = (0..300)
        .map(|day| format!("{}{:02}{:02}", 2019 + day / 150, 1 + day % 150 / 15, 1 + day % 15))
        .collect();
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    let scene = Scene::with_dates("export", "20211231", &dates, (20, 20));
    let request = PrepRequest {
        range_patches: 20,
        azimuth_patches: 20,
        range_overlap: 1,
        azimuth_overlap: 1,
        ..scene.request()
    };
    let prepared = prepare(&request);
    assert_eq!(prepared.summary.patches.len(), 400);
    assert_eq!(prepared.text("patch.list").lines().last().unwrap(), "PATCH_400");
    assert_eq!(prepared.text("PATCH_400/patch.in"), "19\n20\n19\n20\n");
}

#[test]
fn a_memory_limit_makes_the_pieces_smaller_or_refuses() {
    let scene = Scene::single_master();
    let mut plan = pystamps_core::prep::plan(&scene.request()).unwrap();
    let need = plan.memory_bytes(2);
    plan.fit_into(need, 2).unwrap();
    assert_eq!(plan.memory_bytes(2), need);
    plan.fit_into(need / 2, 2).unwrap();
    assert!(plan.memory_bytes(2) <= need / 2);
    assert_eq!(plan.fit_into(1 << 20, 2).unwrap_err().name(), "memory-limit");
}
