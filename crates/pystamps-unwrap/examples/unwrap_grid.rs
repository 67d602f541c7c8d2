//! Unwraps a synthetic scene: a subsidence cone cut by a fault.
#![expect(clippy::print_stdout, reason = "an example prints what it does")]

use std::f32::consts::{PI, TAU};

use pystamps_unwrap::{
    ArcCost, GridArcs, GridProblem, Workspace, integrate_cycles, solve_grid, verify_grid,
};

const ROWS: usize = 80;
const COLUMNS: usize = 120;

/// Phase of the scene, rad: a cone of five cycles; right of a fault everything is two cycles higher.
fn phase_rad(row: usize, column: usize) -> f32 {
    let (y, x) = (row as f32 - 40.0, column as f32 - 45.0);
    let cone = 5.0 * TAU * (1.0 - (x * x + y * y).sqrt() / 60.0).max(0.0);
    cone + if is_beyond_fault(row, column) { 2.0 * TAU } else { 0.0 }
}

/// The fault runs from the top edge to the middle.
fn is_beyond_fault(row: usize, column: usize) -> bool {
    row < 40 && column >= 80
}

fn wrapped(phase_rad: f32) -> f32 {
    let turned = phase_rad.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pixels = || (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
    let truth: Vec<f32> = pixels().map(|(row, column)| phase_rad(row, column)).collect();
    let psi: Vec<f32> = truth.iter().map(|&phase| wrapped(phase)).collect();

    // Every arc expects a smooth phase; arcs across the fault expect the jump of two cycles.
    let smooth = ArcCost::quadratic(0, 50);
    let across = ArcCost::quadratic(-400, 50);
    let (down, right) = GridArcs::<ArcCost>::lengths(ROWS, COLUMNS);
    let mut costs = GridArcs { down: vec![smooth; down], right: vec![smooth; right] };
    for row in 0..40 {
        costs.right[row * (COLUMNS - 1) + 79] = across;
    }
    // Below the end of the fault the jump has to fade somewhere: nothing is known there.
    for column in 80..COLUMNS {
        costs.down[39 * COLUMNS + column] = ArcCost::ABSOLUTE;
    }

    let wraps = GridArcs::from_wrapped_phase(ROWS, COLUMNS, &psi)?;
    let problem = GridProblem::new(ROWS, COLUMNS, &wraps, &costs)?;
    let solution = solve_grid(&problem, &mut Workspace::new())?;
    println!("{:?}", solution.statistics);

    let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
    println!("{certificate:?}");
    println!("gap {}, optimal: {}", certificate.gap(), certificate.is_optimal());

    let cycles = integrate_cycles(ROWS, COLUMNS, &wraps, &solution.flow);
    let offset = psi[0] - truth[0];
    let wrong = (0..truth.len())
        .filter(|&at| (psi[at] + TAU * cycles[at] as f32 - truth[at] - offset).abs() > 1.0)
        .count();
    println!("{wrong} of {} pixels differ from the truth", truth.len());
    Ok(())
}
