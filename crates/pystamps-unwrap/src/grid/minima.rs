//! Where the solver starts: every arc at its cheapest, and what is then out of balance.

use super::GridProblem;
use crate::residual::numbered;
use crate::{ConvexCost, GridArcs, UnwrapError};

/// The cheapest flow of every arc on its own.
pub(super) fn cheapest_flows<C: ConvexCost>(
    costs: &GridArcs<C>,
) -> Result<GridArcs<i16>, UnwrapError> {
    let right = cheapest(&costs.right, 0)?;
    Ok(GridArcs { down: cheapest(&costs.down, right.len())?, right })
}

fn cheapest<C: ConvexCost>(costs: &[C], first_arc: usize) -> Result<Vec<i16>, UnwrapError> {
    // Most flows are 0: their pages are never written.
    let mut flows = vec![0; costs.len()];
    for (arc, (flow, cost)) in flows.iter_mut().zip(costs).enumerate() {
        let minimiser = cost.minimiser();
        if minimiser != 0 {
            let overflow = |_| UnwrapError::FlowOverflow { arc: first_arc + arc };
            *flow = i16::try_from(minimiser).map_err(overflow)?;
        }
    }
    Ok(flows)
}

/// Writes what every node has too much of into `excess` (which is 0 everywhere), and returns the nodes
/// that have too much, in ascending order.
pub(super) fn imbalances<C>(
    problem: &GridProblem<C>,
    flow: &GridArcs<i16>,
    excess: &mut [i32],
) -> Result<Vec<u32>, UnwrapError> {
    let (columns, cells) = (problem.columns, problem.columns - 1);
    let wraps = problem.wraps;
    let mut sources = Vec::new();
    let mut total = 0i64;
    let mut row_excess = vec![0i32; cells];
    for row in 0..problem.rows - 1 {
        let right = [row * cells..(row + 1) * cells, (row + 1) * cells..(row + 2) * cells];
        let [top, bottom] = right.map(|at| (&wraps.right[at.clone()], &flow.right[at]));
        let down = row * columns..(row + 1) * columns;
        let side = (&wraps.down[down.clone()], &flow.down[down]);
        let any = row_imbalances(top, bottom, side, &mut row_excess);
        if !any {
            continue;
        }
        for (cell, &here) in row_excess.iter().enumerate() {
            if here != 0 {
                let node = row * cells + cell;
                excess[node] = here;
                total += i64::from(here);
                if here > 0 {
                    sources.push(numbered(node));
                }
            }
        }
    }
    let ground = (problem.rows - 1) * cells;
    let overflow = |_| UnwrapError::FlowOverflow { arc: 0 };
    excess[ground] = i32::try_from(-total).map_err(overflow)?;
    if total < 0 {
        sources.push(numbered(ground));
    }
    Ok(sources)
}

/// Wraps and flows of a row of arcs.
type Arcs<'a> = (&'a [i8], &'a [i16]);

/// Excess of the cells of one row, and whether any has one. `side`: the down arcs.
fn row_imbalances(top: Arcs, bottom: Arcs, side: Arcs, excess: &mut [i32]) -> bool {
    let cells = excess.len();
    let whole = |arcs: Arcs, at: usize| i32::from(arcs.0[at]) + i32::from(arcs.1[at]);
    let mut any = 0;
    assert!(top.0.len() == cells && top.1.len() == cells);
    assert!(bottom.0.len() == cells && bottom.1.len() == cells);
    assert!(side.0.len() == cells + 1 && side.1.len() == cells + 1);
    for (cell, excess) in excess.iter_mut().enumerate() {
        // Clockwise: what adds up to something must flow out, to leave 0.
        let around =
            whole(top, cell) + whole(side, cell + 1) - whole(bottom, cell) - whole(side, cell);
        *excess = -around;
        any |= around;
    }
    any != 0
}
