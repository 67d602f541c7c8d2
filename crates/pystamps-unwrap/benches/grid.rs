//! Throughput of the grid solver on one core, typical and residue-dense.

#![expect(clippy::cast_possible_truncation, reason = "phases are held in single precision")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(dead_code, reason = "shared with the tests, which draw more")]

use std::f64::consts::TAU;
use std::time::Instant;

use pystamps_unwrap::{ArcCost, GridArcs, GridProblem, Workspace, solve_grid, verify_grid};
use random::Random;

#[path = "../tests/random/mod.rs"]
mod random;

/// A number between -1 and 1 with a maximum at 0.
fn triangular(random: &mut Random) -> f64 {
    f64::from(random.within(-500_000, 500_000) + random.within(-500_000, 500_000)) / 1e6
}

/// A slope with noise of up to `noise` cycles, and costs that expect the slope with some error.
fn scene(size: usize, noise: f64) -> (GridArcs<i8>, GridArcs<ArcCost>) {
    let mut random = Random::new(size as u64);
    let slope = 0.02; // cycles a pixel
    let cycles: Vec<f64> = (0..size * size)
        .map(|at| slope * (at / size + at % size) as f64 + noise * triangular(&mut random))
        .collect();
    let phase_rad: Vec<f32> =
        cycles.iter().map(|cycles| (cycles.rem_euclid(1.0) * TAU) as f32).collect();
    let wraps = GridArcs::from_wrapped_phase(size, size, &phase_rad)
        .expect("invariant: phases within one cycle");
    let mut cost = |from: usize, to: usize| {
        let difference = cycles[to] - cycles[from];
        let expected = slope + 0.1 * triangular(&mut random);
        let offset = (difference - difference.round() - expected) * 200.0;
        ArcCost::quadratic(offset.round() as i16, 1 + random.within(0, 40) as i16)
    };
    let down = (0..(size - 1) * size).map(|arc| cost(arc, arc + size)).collect();
    let pixel = |arc: usize| arc + arc / (size - 1);
    let right = (0..(size - 1) * size).map(|arc| cost(pixel(arc), pixel(arc) + 1)).collect();
    (wraps, GridArcs { down, right })
}

fn bench(name: &str, size: usize, noise: f64) {
    let (wraps, costs) = scene(size, noise);
    let problem =
        GridProblem::new(size, size, &wraps, &costs).expect("invariant: lengths of the shape");
    let mut workspace = Workspace::new();
    let mut seconds = f64::INFINITY;
    for _ in 0..3 {
        let begin = Instant::now();
        let solution = solve_grid(&problem, &mut workspace).expect("invariant: a solvable grid");
        seconds = seconds.min(begin.elapsed().as_secs_f64());
        std::hint::black_box(&solution);
    }
    let solution = solve_grid(&problem, &mut workspace).expect("invariant: a solvable grid");
    let begin = Instant::now();
    let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
    let verify_seconds = begin.elapsed().as_secs_f64();
    assert!(certificate.is_optimal(), "{certificate:?}");
    let million_cells = (size * size) as f64 / 1e6;
    println!(
        "solve_grid {size:4} x {size:<4} {name:8} {seconds:8.4} s {:8.1} M cells/s  verified {:6.1} M cells/s  {} residues",
        million_cells / seconds,
        million_cells / verify_seconds,
        certificate.residues,
    );
}

fn main() {
    for size in [500, 1000, 2000] {
        bench("typical", size, 0.35);
    }
    for size in [500, 1000, 2000] {
        bench("dense", size, 0.6);
    }
}
