//! Whatever is wrong with an export is said by name before any work.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod prep_scene;

use prep_scene::{LENGTH, MASTER, Scene, WIDTH};
use pystamps_core::prep::{PrepRequest, Processor, plan, run};
use pystamps_core::progress::Progress;

/// Expects the diagnostic `name`, with `words` in its text, from an export that `spoil` spoiled.
#[track_caller]
fn refused(name: &str, words: &[&str], spoil: impl FnOnce(&Scene, &mut PrepRequest)) {
    refused_scene(&Scene::single_master(), name, words, spoil);
}

/// The same for small baselines.
#[track_caller]
fn refused_small_baselines(
    name: &str,
    words: &[&str],
    spoil: impl FnOnce(&Scene, &mut PrepRequest),
) {
    refused_scene(&Scene::small_baselines(), name, words, spoil);
}

#[track_caller]
fn refused_scene(
    scene: &Scene,
    name: &str,
    words: &[&str],
    spoil: impl FnOnce(&Scene, &mut PrepRequest),
) {
    let mut request = scene.request();
    plan(&request).unwrap();
    spoil(scene, &mut request);
    let error = plan(&request).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.name(), name, "{text}");
    for word in words.iter().chain(&["expected:", "found:", "to do:"]) {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

#[test]
fn missing_rasters() {
    refused("date-lists", &["no image (*.*slc) of 20210107"], |scene, _| {
        scene.remove("rslc/20210107.rslc");
    });
    refused("date-lists", &["no interferogram of 20210212"], |scene, _| {
        scene.remove("diff0/20210224_20210212.diff");
    });
    refused("missing-geo", &["longitude", "*.lon"], |scene, _| {
        scene.remove("geo/20210224.lon");
    });
    refused("missing-geo", &["latitude"], |scene, _| {
        scene.remove("geo/20210224.lat");
    });
    refused("missing-geo", &["height"], |scene, _| {
        scene.remove("geo/elevation_dem.rdc");
    });
    refused("missing-geo", &["pt2geo"], |scene, request| {
        request.processor = Processor::Gamma;
        scene.remove("geo/20210224.lon");
    });
    refused("missing-raster", &["20210107.rslc"], |scene, _| {
        scene.remove("rslc/20210107.rslc");
        fs_err::create_dir(scene.path("rslc/20210107.rslc")).unwrap();
    });
}

#[test]
fn rasters_of_another_size() {
    let bytes = WIDTH * LENGTH * 8;
    for raster in ["rslc/20210107.rslc", "diff0/20210224_20210107.diff"] {
        for found in [0, bytes - 1, bytes + 8] {
            let words = [raster, &format!("{bytes} bytes"), &format!("{found} bytes")];
            refused("raster-size", &words, |scene, _| {
                scene.write(raster, &vec![0; found]);
            });
        }
    }
    for raster in ["geo/20210224.lon", "geo/20210224.lat", "geo/elevation_dem.rdc"] {
        refused("raster-size", &[raster], |scene, _| {
            scene.write(raster, &[0; 12]);
        });
    }
    refused("raster-size", &["mask"], |scene, request| {
        scene.write("mask", &[0; WIDTH * LENGTH - 1]);
        request.mask = Some(scene.path("mask"));
    });
    refused("missing-mask", &["--mask"], |scene, request| {
        request.mask = Some(scene.path("mask"));
    });
}

#[test]
fn masters() {
    refused("master-missing", &["20210224", "20210401", "20211111"], |_, request| {
        request.master = Some("20211111".parse().unwrap());
    });
    refused("master-missing", &["20210224.rslc.par"], |scene, _| {
        scene.remove("rslc/20210224.rslc.par");
    });
    refused("master-disagrees", &["20210107", "master 20210224"], |_, request| {
        request.master = Some("20210107".parse().unwrap());
    });
    refused("master-ambiguous", &["20210107, 20210224"], |scene, _| {
        scene.write("diff0/20210107_20210212.diff", &[]);
    });
    refused("master-ambiguous", &["2 of them"], |scene, _| {
        scene.write("slc/20210224.slc.par", &[]);
    });
}

#[test]
fn parameter_files() {
    let par = &format!("rslc/{MASTER}.rslc.par");
    for key in [
        "sensor:",
        "heading:",
        "radar_frequency:",
        "range_pixel_spacing",
        "near_range_slc",
        "center_range_slc",
        "sar_to_earth_center",
        "earth_radius_below_sensor",
        "prf",
        "azimuth_lines",
        "range_samples",
    ] {
        refused("missing-key", &[par, key], |scene, _| {
            scene.edit(par, key, "other");
        });
    }
    for (from, to) in [("-167.0", "west"), ("prf: 8", "prf: -8"), ("samples: 7", "samples: 7.5")] {
        refused("unparsable-number", &[par], |scene, _| {
            scene.edit(par, from, to);
        });
    }
    refused("raster-size", &["range_samples"], |scene, _| {
        scene.edit(par, "range_samples: 7", "range_samples: 8");
    });
    refused("image-format", &["REAL", "SCOMPLEX"], |scene, request| {
        request.processor = Processor::Gamma;
        scene.edit(par, "FCOMPLEX", "REAL");
    });
    let base = "diff0/20210224_20210212.base";
    refused("missing-baseline", &[base], |scene, _| scene.remove(base));
    refused("missing-key", &[base, "initial_baseline_rate:"], |scene, _| {
        scene.edit(base, "_rate", "_speed");
    });
    refused("unparsable-number", &[base, "57.8x"], |scene, _| {
        scene.edit(base, "57.8", "57.8x");
    });
}

#[test]
fn dates() {
    refused("null-interferogram", &["20210224_20210224.diff"], |scene, _| {
        scene.write("diff0/20210224_20210224.diff", &[]);
    });
    refused("duplicate-date", &["20210107"], |scene, _| {
        scene.write("slc/20210107.slc", &[]);
    });
    refused("duplicate-date", &["20210107"], |scene, _| {
        scene.write("diff0/20210224-20210107.diff", &[]);
    });
    refused("date-order", &["late_", "20210401"], |scene, _| {
        scene.write("diff0/late_20210224_20210101.diff", &[]);
    });
    refused("interferogram-name", &["20210224_20210230.diff"], |scene, _| {
        scene.write("diff0/20210224_20210230.diff", &[]);
    });
    refused("slc-name", &["mosaic.rslc"], |scene, _| {
        scene.write("rslc/mosaic.rslc", &[]);
    });
}

#[test]
fn folders() {
    refused("export-missing", &["nowhere"], |scene, request| {
        request.export = scene.path("nowhere");
    });
    refused("not-an-export", &["SMALL_BASELINES", "0 images"], |scene, request| {
        request.export = scene.path("geo");
    });
    refused("patch-count", &["1 to 7"], |_, request| {
        request.range_patches = WIDTH + 1;
    });
    refused("patch-count", &["1 to 9"], |_, request| {
        request.azimuth_patches = 0;
    });
    let broken = Scene::with_dates("line\nbreak", MASTER, &["20210107"], (WIDTH, LENGTH));
    assert_eq!(plan(&broken.request()).unwrap_err().name(), "path-newline");
}

#[test]
fn small_baselines() {
    let pair = "SMALL_BASELINES/20200203_20200215";
    refused_small_baselines("date-lists", &[pair, "20200203"], |scene, _| {
        scene.remove(&format!("{pair}/20200215.rslc"));
    });
    refused_small_baselines("date-lists", &[pair, "interferograms: none"], |scene, _| {
        scene.remove(&format!("{pair}/20200203_20200215.diff"));
    });
    refused_small_baselines("duplicate-date", &["20200203_20200215", "again"], |scene, _| {
        for name in ["20200203.rslc", "20200215.rslc", "20200203_20200215.diff"] {
            scene.write(&format!("SMALL_BASELINES/again/{name}"), &[]);
        }
    });
    refused_small_baselines("master-ambiguous", &["20200203, 20200215"], |scene, _| {
        scene.write("geo/20200203.lon", &[]);
    });
    refused_small_baselines("master-ambiguous", &["none", "--master"], |scene, _| {
        let longitude = fs_err::read(scene.path("geo/20200215.lon")).unwrap();
        scene.remove("geo/20200215.lon");
        scene.write("geo/scene.lon", &longitude);
    });
    refused_small_baselines("master-missing", &["20211111"], |_, request| {
        request.master = Some("20211111".parse().unwrap());
    });
}

#[test]
fn a_raster_that_shrinks_during_the_work_is_an_error() {
    for raster in ["rslc/20210107.rslc", "diff0/20210224_20210107.diff", "geo/20210224.lat"] {
        let scene = Scene::single_master();
        let plan = plan(&scene.request()).unwrap();
        let bytes = fs_err::read(scene.path(raster)).unwrap();
        scene.write(raster, &bytes[..bytes.len() / 2]);
        let staging = tempfile::tempdir().unwrap();
        let error = run(&plan, staging.path(), &Progress::silent()).unwrap_err();
        assert_eq!(error.name(), "raster-size");
        assert!(error.to_string().contains(raster), "{error}");
    }
}
