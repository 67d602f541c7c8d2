//! Ramps and look-angle error against what original StaMPS computed for the same inputs.
//!
//! Files are read from the shared oracle; tests end early where it is absent (they fail where `CI` is
//! `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod oracle_files;

use oracle_files::{column, largest_difference, places, real, shared, single};
use pystamps_kernels::look_angle_error::{
    Method, Network, Observations, Settings, clamp_to_neighbours, estimate,
};
use pystamps_kernels::ramp::{RampDegree, RampDesign};
use pystamps_kernels::triangulation::delaunay_edges;

/// Folder of stage 5, of stage 6, of stage 7, dropped columns, and whether ramps are taken off.
const SCENES: [(&str, &str, &str, &[usize], bool); 6] = [
    ("T/stage5", "T/stage6", "T/stage7", &[], false),
    ("T/stage5", "T_it2/stage6", "T_it2/stage7", &[], false),
    ("T/stage5", "T_opt/stage6_iter1", "T_opt/stage7_iter1", &[2], true),
    ("T/stage5", "T_opt/stage6", "T_opt/stage7", &[2], true),
    ("T_d1/stage5", "T_d1/stage6", "T_d1/stage7", &[], false),
    ("L/stage5", "L/stage6", "L/stage7", &[], false),
];

#[test]
fn ramps_of_every_degree() {
    let Some(path) = shared("kernels/k_deramp.mat") else { return };
    let xy_m = places(&path, "xy_in");
    let phase_rad = single(&path, "ph_all");
    for (name, degree) in [("1", 1.0), ("1_5", 1.5), ("2", 2.0), ("3", 3.0)] {
        let design = RampDesign::new(&xy_m, RampDegree::of(degree).unwrap());
        let expected = real(&path, &format!("ph_ramp_{name}"));
        for (number, (phase_rad, expected)) in
            phase_rad.chunks_exact(800).zip(expected.chunks_exact(800)).enumerate()
        {
            match design.fit(phase_rad) {
                None => assert!(expected.iter().all(|ramp| ramp.is_nan()), "{name} {number}"),
                Some(_) if expected.iter().all(|&ramp| ramp == 0.0) => {
                    assert!(phase_rad.iter().all(|&phase| phase == 0.0));
                }
                Some(coefficients) => {
                    let ramp = design.values(&coefficients);
                    let difference = largest_difference(ramp, expected.iter().copied());
                    assert!(difference < 1e-4, "{name} {number}: {difference}");
                }
            }
        }
    }
}

/// Phase less ramps and the mean of all PS, and the ramps.
#[expect(clippy::cast_possible_truncation, reason = "phase is single")]
fn referenced(phase_rad: &mut [f32], xy_m: &[[f32; 2]], deramped: bool) -> Vec<f64> {
    let mut ramps = Vec::new();
    let design = RampDesign::new(xy_m, RampDegree::Plane);
    for phase_rad in phase_rad.chunks_exact_mut(xy_m.len()) {
        if deramped {
            let ramp = design.values(&design.fit(phase_rad).unwrap());
            phase_rad.iter_mut().zip(&ramp).for_each(|(p, r)| *p = (f64::from(*p) - r) as f32);
            ramps.extend(ramp);
        }
        let known = || phase_rad.iter().filter(|phase| !phase.is_nan());
        let sum: f64 = known().map(|&phase| f64::from(phase)).sum();
        let mean = (sum / known().count() as f64) as f32;
        for phase in phase_rad {
            *phase -= mean;
        }
    }
    ramps
}

/// Baselines of all columns: stored are those without the master.
fn baselines(path: &std::path::Path, rows: usize, master: usize) -> Vec<f32> {
    let mut bperp_m = single(path, "bperp_mat");
    bperp_m.splice(master * rows..master * rows, vec![0.0; rows]);
    bperp_m
}

#[test]
fn look_angle_error_and_atmosphere_of_the_master() {
    for (stage5, stage6, stage7, dropped, deramped) in SCENES {
        let Some(result) = shared(&format!("{stage7}/scla2.mat")) else { return };
        let ps = shared(&format!("{stage5}/ps2.mat")).unwrap();
        let (xy_m, day, master) = (places(&ps, "xy"), real(&ps, "day"), column(&ps, "master_ix"));
        let rows = xy_m.len();
        let mut phase_rad = single(&shared(&format!("{stage6}/phuw2.mat")).unwrap(), "ph_uw");
        let ramps = referenced(&mut phase_rad, &xy_m, deramped);
        if deramped {
            let difference = largest_difference(ramps, real(&result, "ph_ramp"));
            assert!(difference < 1e-4, "{stage7}: ramp {difference}");
        }
        let bperp_m = baselines(&shared(&format!("{stage5}/bp2.mat")).unwrap(), rows, master);
        let columns: Vec<usize> = (0..day.len()).filter(|k| !dropped.contains(k)).collect();
        let settings = Settings {
            columns: &columns,
            day: &day,
            covariance: &real(&result, "ifg_vcm"),
            master: Some(master),
            network: Network::SingleMaster,
            method: Method::LeastSquares,
            velocity: true,
        };
        let observations = Observations { rows, phase_rad: &phase_rad, bperp_m: &bperp_m };
        let found = estimate(&observations, &settings).unwrap();
        let slope = largest_difference(found.slope_rad_per_m, real(&result, "K_ps_uw"));
        let offset = largest_difference(found.offset_rad, real(&result, "C_ps_uw"));
        let phase = largest_difference(found.phase_rad, real(&result, "ph_scla"));
        assert!(slope < 1e-6, "{stage7}: slope {slope}");
        assert!(offset < 5e-5, "{stage7}: offset {offset}");
        assert!(phase < 5e-5, "{stage7}: phase {phase}");
    }
}

#[test]
fn outliers_are_clamped() {
    for (stage5, _, stage7, ..) in SCENES {
        let Some(raw) = shared(&format!("{stage7}/scla2.mat")) else { return };
        let smooth = shared(&format!("{stage7}/scla_smooth2.mat")).unwrap();
        let xy_m = places(&shared(&format!("{stage5}/ps2.mat")).unwrap(), "xy");
        let edges = delaunay_edges(&xy_m).unwrap();
        for (name, limit) in [("K_ps_uw", 1e-9), ("C_ps_uw", 0.0)] {
            let given = real(&raw, name);
            let clamped = clamp_to_neighbours(&given, &edges);
            let changed = given.iter().zip(&clamped).filter(|(a, b)| a != b).count();
            assert!(changed > given.len() / 20, "{stage7}: {changed} {name} changed");
            let difference = largest_difference(clamped, real(&smooth, name));
            assert!(difference <= limit, "{stage7}: {name} {difference}");
        }
    }
}
