//! What must hold for every grid.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::f32::consts::TAU;

use proptest::prelude::*;
use pystamps_unwrap::{
    ArcCost, Certificate, GridArcs, GridProblem, GridSolution, UnwrapError, Workspace,
    integrate_cycles, solve_grid, verify_grid, verify_unwrapped,
};

mod random;
use random::{Random, random_problem};

type Arcs = (GridArcs<i8>, GridArcs<ArcCost>);

fn solve(rows: usize, columns: usize, (wraps, costs): &Arcs) -> (GridSolution, Certificate) {
    let problem = GridProblem::new(rows, columns, wraps, costs).unwrap();
    let solution = solve_grid(&problem, &mut Workspace::new()).unwrap();
    let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
    assert!(certificate.is_optimal(), "{certificate:?}");
    assert_eq!(certificate.residues, solution.statistics.residues);
    (solution, certificate)
}

/// A grid of 1 to 14 pixels a side with random costs; a seed for more.
fn grids() -> impl Strategy<Value = (usize, usize, u64)> {
    (1usize..15, 1usize..15, any::<u64>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whole_cycles_of_pixels_change_nothing((rows, columns, seed) in grids()) {
        let mut random = Random::new(seed);
        let phase_rad: Vec<f32> =
            (0..rows * columns).map(|_| random.within(-3_000, 3_000) as f32 / 1000.0).collect();
        let (_, costs) = random_problem(&mut random, rows, columns, 400);
        let wraps = GridArcs::from_wrapped_phase(rows, columns, &phase_rad).unwrap();
        let (solution, _) = solve(rows, columns, &(wraps.clone(), costs.clone()));
        let turned: Vec<f32> = phase_rad
            .iter()
            .map(|&phase| if phase < 0.0 { phase + std::f32::consts::TAU } else { phase })
            .collect();
        let turned_wraps = GridArcs::from_wrapped_phase(rows, columns, &turned).unwrap();
        let (turned_solution, _) = solve(rows, columns, &(turned_wraps.clone(), costs));
        prop_assert_eq!(&solution.flow, &turned_solution.flow);
        // The unwrapped phases agree, too, up to one constant.
        let cycles = integrate_cycles(rows, columns, &wraps, &solution.flow);
        let turned_cycles = integrate_cycles(rows, columns, &turned_wraps, &turned_solution.flow);
        let extra = |at: usize| {
            cycles[at] - turned_cycles[at] - i32::from(phase_rad[at] < 0.0)
        };
        prop_assert!((0..cycles.len()).all(|at| extra(at) == extra(0)));
    }

    #[test]
    fn the_transposed_grid_costs_the_same((rows, columns, seed) in grids()) {
        let arcs = random_problem(&mut Random::new(seed), rows, columns, 400);
        let transposed = (arcs.0.transposed(rows, columns), arcs.1.transposed(rows, columns));
        let (_, certificate) = solve(rows, columns, &arcs);
        let (_, expected) = solve(columns, rows, &transposed);
        prop_assert_eq!(certificate.objective, expected.objective);
    }

    #[test]
    fn false_certificates_are_noticed((rows, columns, seed) in (2usize..12, 2usize..12, any::<u64>())) {
        let mut random = Random::new(seed);
        let (wraps, costs) = random_problem(&mut random, rows, columns, 400);
        let problem = GridProblem::new(rows, columns, &wraps, &costs).unwrap();
        let (solution, certificate) = solve(rows, columns, &(wraps.clone(), costs.clone()));
        let check = |flow: &GridArcs<i16>, potentials: &[i64]| verify_grid(&problem, flow, potentials);

        // A unit round one pixel balances; it is optimal only if it costs the same.
        let row = random.below(rows - 1);
        let column = random.below(columns - 1);
        let mut round = solution.flow.clone();
        round.down[row * columns + column] += 1;
        round.right[row * (columns - 1) + column] += 1;
        if row > 0 { round.down[(row - 1) * columns + column] -= 1; }
        if column > 0 { round.right[row * (columns - 1) + column - 1] -= 1; }
        let moved = check(&round, &solution.potentials);
        prop_assert_eq!(moved.unbalanced_cells, 0);
        prop_assert!(moved.objective >= certificate.objective);
        prop_assert_eq!(moved.dual_bound, certificate.dual_bound);
        prop_assert_eq!(moved.is_optimal(), moved.objective == certificate.objective);

        // A unit on one arc alone does not balance.
        let mut alone = solution.flow.clone();
        alone.down[row * columns + column] += 1;
        prop_assert!(check(&alone, &solution.potentials).unbalanced_cells > 0);
        prop_assert!(!check(&alone, &solution.potentials).is_optimal());

        // Other potentials never prove more than the truth.
        let mut wrong = solution.potentials.clone();
        wrong[row * (columns - 1) + column] += 1 << 40;
        let unproven = check(&solution.flow, &wrong);
        prop_assert!(unproven.infeasible_arcs > 0 && !unproven.is_optimal());
        prop_assert!(unproven.dual_bound < certificate.objective);
    }
}

#[test]
fn large_fields_are_solved_the_same_with_any_workspace() {
    let mut used = Workspace::new();
    let mut random = Random::new(3);
    // Dense enough that searches from what is missing take part.
    for (rows, columns) in [(150, 140), (60, 200), (100, 100)] {
        let (wraps, mut costs) = random_problem(&mut random, rows, columns, 300);
        for (at, cost) in costs.down.iter_mut().enumerate() {
            if at % 8 != 0 {
                *cost = ArcCost::ABSOLUTE;
            }
        }
        let problem = GridProblem::new(rows, columns, &wraps, &costs).unwrap();
        let solution = solve_grid(&problem, &mut used).unwrap();
        assert_eq!(solution, solve_grid(&problem, &mut Workspace::new()).unwrap());
        assert!(solution.statistics.augmentations > 1000);
        assert!(verify_grid(&problem, &solution.flow, &solution.potentials).is_optimal());
    }
}

#[test]
fn uniform_grids_of_every_kind() {
    let mut random = Random::new(11);
    for cost in [ArcCost::ABSOLUTE, ArcCost::FREE, ArcCost::quadratic(0, 1)] {
        let (wraps, mut costs) = random_problem(&mut random, 60, 70, 1);
        costs.down.fill(cost);
        costs.right.fill(cost);
        let (_, certificate) = solve(60, 70, &(wraps, costs));
        assert_eq!(certificate.objective == 0, cost.is_free());
        assert!(certificate.residues > 500);
    }
}

#[test]
fn a_gradient_that_is_expected_needs_no_search() {
    // 0.7 cycles a pixel: all differences wrap, and all costs expect it.
    let (rows, columns) = (20, 30);
    let step = 0.7 * std::f32::consts::TAU;
    let phase_rad: Vec<f32> = (0..rows * columns)
        .map(|at| (step * (at % columns) as f32).rem_euclid(std::f32::consts::TAU))
        .collect();
    let wraps = GridArcs::from_wrapped_phase(rows, columns, &phase_rad).unwrap();
    let (down, right) = GridArcs::<ArcCost>::lengths(rows, columns);
    let costs = GridArcs {
        down: vec![ArcCost::quadratic(0, 10); down],
        right: vec![ArcCost::quadratic(-200, 10); right],
    };
    let (solution, certificate) = solve(rows, columns, &(wraps, costs));
    assert_eq!((solution.statistics.searches, certificate.objective), (0, 0));
    assert!(solution.flow.right.iter().all(|&flow| flow == 1));
    assert!(solution.potentials.iter().all(|&potential| potential == 0));
}

#[test]
fn lines_of_pixels_take_their_minima() {
    for (rows, columns) in [(1, 1), (1, 9), (9, 1)] {
        let (wraps, costs) = random_problem(&mut Random::new(2), rows, columns, 900);
        let (solution, certificate) = solve(rows, columns, &(wraps, costs));
        assert_eq!(solution.potentials, [0]);
        assert_eq!((certificate.residues, certificate.gap()), (0, 0));
    }
}

/// An arc that asks for an impossible flow.
#[derive(Copy, Clone)]
struct Greedy;

impl pystamps_unwrap::ConvexCost for Greedy {
    fn cost(self, flow: i32) -> i64 {
        (i64::from(flow) - 40_000).abs()
    }
    fn minimiser(self) -> i32 {
        40_000
    }
}

#[test]
fn what_cannot_be_represented_is_refused() {
    let wraps = GridArcs { down: vec![0; 2], right: vec![0; 2] };
    let costs = GridArcs { down: vec![Greedy; 2], right: vec![Greedy; 2] };
    let problem = GridProblem::new(2, 2, &wraps, &costs).unwrap();
    let error = solve_grid(&problem, &mut Workspace::new()).unwrap_err();
    assert!(matches!(error, UnwrapError::FlowOverflow { .. }));
    assert!(GridProblem::new(2, 3, &wraps, &costs).is_err());
    assert!(GridProblem::new(0, 0, &wraps, &costs).is_err());
    let short = GridArcs { down: vec![0; 1], right: vec![0; 2] };
    assert!(!verify_grid(&problem, &short, &[0, 0]).is_optimal());
}

#[test]
fn an_unwrapped_phase_is_verified_by_itself() {
    let wrapped: Vec<f32> = (0..30).map(|k| ((k * k) as f32 * 0.37) % TAU).collect();
    let costs = GridArcs {
        down: vec![ArcCost::quadratic(20, 7); 4 * 6],
        right: vec![ArcCost::quadratic(-30, 9); 5 * 5],
    };
    let wraps = GridArcs::from_wrapped_phase(5, 6, &wrapped).unwrap();
    let problem = GridProblem::new(5, 6, &wraps, &costs).unwrap();
    let solution = solve_grid(&problem, &mut Workspace::new()).unwrap();
    let cycles = integrate_cycles(5, 6, &wraps, &solution.flow);
    let mut unwrapped: Vec<f32> =
        wrapped.iter().zip(&cycles).map(|(&psi, &k)| psi + TAU * k as f32).collect();
    let potentials = &solution.potentials;
    let verify =
        |unwrapped: &[f32]| verify_unwrapped([5, 6], &wrapped, unwrapped, &costs, potentials);
    let certificate = verify(&unwrapped).unwrap();
    assert!(certificate.is_optimal());
    assert_eq!(certificate, verify_grid(&problem, &solution.flow, potentials));
    unwrapped[13] += TAU;
    assert!(!verify(&unwrapped).unwrap().is_optimal());
    unwrapped[13] += 1.0;
    assert_eq!(verify(&unwrapped), Err(UnwrapError::NotCongruent { row: 2, column: 1 }));
    unwrapped[13] = f32::NAN;
    assert!(verify(&unwrapped).is_err());
    assert!(verify(&unwrapped[1..]).is_err());
}
