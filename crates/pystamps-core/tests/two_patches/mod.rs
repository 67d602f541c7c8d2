//! A project with two corrected patches of the same sixteen PS, one ours, one of another program.

use std::path::Path;

use pystamps_core::native_stage4::run_stage4_native;
use pystamps_core::native_stage5::run_stage5_patch_native;
use pystamps_core::progress::Progress;
use pystamps_core::stage::StageOptions;
use pystamps_mat::{Value, WriteOptions};

use crate::patch_by_hand::HandMade;

/// Two patches with the same sixteen pixels: the first owns azimuth lines up to 84 (nine pixels),
/// the second those after, and its estimates differ.
pub(crate) fn two_patches() -> HandMade {
    let xy: Vec<[f32; 2]> = (0..16_u8)
        .map(|i| [100.0 * f32::from(i % 4), 100.0 * f32::from(i / 4) + f32::from(i)])
        .collect();
    let made = HandMade::new(&xy);
    let all = StageOptions {
        overrides: vec![("weed_standard_dev".into(), "Inf".into())],
        ..StageOptions::default()
    };
    run_stage4_native(&made.patch(), &all, &Progress::silent()).unwrap();
    run_stage5_patch_native(&made.patch(), &StageOptions::default(), &Progress::silent()).unwrap();
    let second = made.root().join("PATCH_2");
    fs_err::create_dir(&second).unwrap();
    for file in ["ps2", "ph2", "rc2", "pm2", "bp2", "la2", "hgt2"] {
        let file = format!("{file}.mat");
        fs_err::copy(made.patch().join(&file), second.join(&file)).unwrap();
    }
    fs_err::write(made.root().join("patch.list"), "PATCH_1\nPATCH_2\n").unwrap();
    fs_err::write(made.patch().join("patch_noover.in"), "1\n500\n1\n85\n").unwrap();
    fs_err::write(second.join("patch_noover.in"), "1\n500\n86\n500\n").unwrap();
    change(&second.join("pm2.mat"), "K_ps", Value::column_f64(&[0.002; 16]));
    made
}

/// Changes or adds a variable of a file.
pub(crate) fn change(path: &Path, name: &str, value: Value) {
    let mut variables = pystamps_mat::read(path).unwrap_or_default();
    variables.insert(name, value);
    pystamps_mat::write(path, &variables, &WriteOptions::default()).unwrap();
}
