//! Filters of stage 8 against what original StaMPS computed for the same inputs.
//!
//! Files are read from the shared oracle; tests end early where it is absent (they fail where `CI` is
//! `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::cast_possible_truncation, reason = "phase is single")]

mod oracle_files;

use oracle_files::{column, largest_difference, places, real, shared, single};
use pystamps_kernels::spatial_noise::{SpatialLowPass, TemporalHighPass};

/// Folder of stage 5, of stage 6, of stage 7, of stage 8, dropped columns and deramped ones.
type Scene = [&'static str; 4];
const SCENES: [(Scene, &[usize], &[usize]); 6] = [
    (["T/stage5", "T/stage6", "T/stage7", "T/stage8"], &[], &[]),
    (["T/stage5", "T_it2/stage6", "T_it2/stage7", "T_it2/stage8"], &[], &[]),
    (["T/stage5", "T_opt/stage6_iter1", "T_opt/stage7_iter1", "T_opt/stage8_iter1"], &[2], &[0, 1]),
    (["T/stage5", "T_opt/stage6", "T_opt/stage7", "T_opt/stage8"], &[2], &[0, 1]),
    (["T_d1/stage5", "T_d1/stage6", "T_d1/stage7", "T_d1/stage8"], &[], &[]),
    (["L/stage5", "L/stage6", "L/stage7", "L/stage8"], &[], &[]),
];

/// Phase of the used columns less look-angle error, master and ramps; NaN is 0.
fn reduced(folders: &Scene, rows: usize, used: &[usize]) -> Vec<f32> {
    let total = single(&shared(&format!("{}/phuw2.mat", folders[1])).unwrap(), "ph_uw");
    let known = shared(&format!("{}/scla2.mat", folders[2])).unwrap();
    let (look_angle, master) = (single(&known, "ph_scla"), single(&known, "C_ps_uw"));
    let ramp = real(&known, "ph_ramp");
    let value = |at: usize| {
        let mut phase = total[at] - look_angle[at] - master[at % rows];
        if !ramp.is_empty() {
            phase = (f64::from(phase) - ramp[at]) as f32;
        }
        if phase.is_nan() { 0.0 } else { phase }
    };
    used.iter().flat_map(|column| (column * rows..(column + 1) * rows).map(value)).collect()
}

#[test]
fn noise_of_the_images() {
    for (folders, dropped, deramped) in SCENES {
        let Some(result) = shared(&format!("{}/scn2.mat", folders[3])) else { return };
        let ps = shared(&format!("{}/ps2.mat", folders[0])).unwrap();
        let (xy_m, day, master) = (places(&ps, "xy"), real(&ps, "day"), column(&ps, "master_ix"));
        let rows = xy_m.len();
        let used: Vec<usize> = (0..day.len()).filter(|k| !dropped.contains(k)).collect();
        let mut phase_rad = reduced(&folders, rows, &used);
        let ramps = real(&result, "ph_ramp");
        for (&number, ramp) in deramped.iter().zip(ramps.chunks_exact(rows)) {
            let column = &mut phase_rad[number * rows..][..rows];
            column.iter_mut().zip(ramp).for_each(|(p, r)| *p = (f64::from(*p) - r) as f32);
        }
        let days: Vec<f64> = used.iter().map(|&column| day[column]).collect();
        // As the original has it: the number of the master's column counts among the used ones.
        let high_pass = TemporalHighPass::new(&days, 365.0, Some(master));
        let mut left_rad = vec![0.0; phase_rad.len()];
        high_pass.apply(&phase_rad, rows, &mut left_rad);
        for (number, column) in left_rad.chunks_exact_mut(rows).enumerate() {
            let first = column[0];
            for phase in column.iter_mut() {
                *phase -= first;
            }
            if let Some(at) = deramped.iter().position(|&ramped| ramped == number) {
                let ramp = &ramps[at * rows..][..rows];
                column.iter_mut().zip(ramp).for_each(|(p, r)| *p = (f64::from(*p) + r) as f32);
            }
        }
        let difference = largest_difference(left_rad.iter().copied(), real(&result, "ph_hpt"));
        assert!(difference < 1e-5, "{}: ph_hpt {difference}", folders[3]);

        let columns = used.len();
        let by_row: Vec<f32> =
            (0..rows * columns).map(|at| left_rad[at % columns * rows + at / columns]).collect();
        let mut smooth = vec![0.0; by_row.len()];
        let low_pass = SpatialLowPass::new(&xy_m, 100.0);
        low_pass.smooth(0..rows, &by_row, columns, &mut smooth);
        let noise = real(&result, "ph_scn_slave");
        for (number, &column) in used.iter().enumerate().filter(|(_, column)| **column != master) {
            let got = (0..rows).map(|row| smooth[row * columns + number] - smooth[number]);
            let expected = noise[column * rows..][..rows].iter().copied();
            let difference = largest_difference(got, expected);
            assert!(difference < 1e-5, "{}: column {column} {difference}", folders[3]);
        }
    }
}
