//! The solver against every possible solution of small grids.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use pystamps_unwrap::{
    ArcCost, ConvexCost, GridArcs, GridProblem, Workspace, flows_of_cycles, integrate_cycles,
    solve_grid, verify_grid,
};

mod random;
use random::{Random, random_problem};

fn objective(costs: &GridArcs<ArcCost>, flow: &GridArcs<i16>) -> i64 {
    let sum = |costs: &[ArcCost], flow: &[i16]| -> i64 {
        costs.iter().zip(flow).map(|(cost, &flow)| cost.cost(flow.into())).sum()
    };
    sum(&costs.down, &flow.down) + sum(&costs.right, &flow.right)
}

/// The least objective of all assignments of -`reach`..=`reach` cycles to the pixels but the first.
fn least_objective(
    rows: usize,
    columns: usize,
    wraps: &GridArcs<i8>,
    costs: &GridArcs<ArcCost>,
    reach: i32,
) -> i64 {
    let pixels = rows * columns;
    let mut cycles = vec![-reach; pixels];
    cycles[0] = 0;
    let mut least = i64::MAX;
    loop {
        let flow = flows_of_cycles(rows, columns, wraps, &cycles).unwrap();
        least = least.min(objective(costs, &flow));
        let Some(digit) = (1..pixels).find(|&pixel| cycles[pixel] < reach) else { return least };
        cycles[1..digit].fill(-reach);
        cycles[digit] += 1;
    }
}

#[test]
fn nothing_is_cheaper_on_small_grids() {
    let mut random = Random::new(1);
    let mut workspace = Workspace::new();
    for (rows, columns, reach, runs) in [
        (2, 2, 4, 100),
        (2, 3, 2, 100),
        (3, 2, 2, 100),
        (3, 3, 1, 30),
        (2, 4, 2, 4),
        (1, 5, 3, 20),
        (5, 1, 3, 20),
    ] {
        let mut moved = 0;
        for _ in 0..runs {
            let (wraps, costs) = random_problem(&mut random, rows, columns, 250);
            let problem = GridProblem::new(rows, columns, &wraps, &costs).unwrap();
            let solution = solve_grid(&problem, &mut workspace).unwrap();
            moved += solution.statistics.augmentations;
            let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
            assert!(certificate.is_optimal(), "{certificate:?}");
            assert_eq!(certificate.objective, objective(&costs, &solution.flow));
            let cycles = integrate_cycles(rows, columns, &wraps, &solution.flow);
            let flow = flows_of_cycles(rows, columns, &wraps, &cycles).unwrap();
            assert_eq!(flow, solution.flow);
            let least = least_objective(rows, columns, &wraps, &costs, reach);
            let within = cycles.iter().all(|k| k.abs() <= reach);
            assert!(certificate.objective <= least);
            assert!(!within || certificate.objective == least);
        }
        assert!(moved > 0 || rows.min(columns) == 1, "nothing was out of balance");
    }
}
