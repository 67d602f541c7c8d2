//! Unwrapping of a grid of pixels.

mod minima;
mod network;

use crate::balance::Balancing;
use crate::wraps::count_residues;
use crate::{ConvexCost, GridArcs, UnwrapError, Workspace};
use network::DualGrid;

/// A wrapped phase on a grid of pixels, and what every arc charges for its flow.
#[derive(Copy, Clone, Debug)]
pub struct GridProblem<'a, C> {
    /// Rows of pixels.
    pub rows: usize,
    /// Columns of pixels.
    pub columns: usize,
    /// Whole cycles that wrap the differences ([`GridArcs::from_wrapped_phase`]).
    pub wraps: &'a GridArcs<i8>,
    /// Costs of the flows.
    pub costs: &'a GridArcs<C>,
}

impl<'a, C: ConvexCost> GridProblem<'a, C> {
    /// A problem whose arrays have the lengths of its shape.
    ///
    /// # Errors
    ///
    /// Arrays of other lengths; a grid without pixels, or with more than 32 bits can number.
    pub fn new(
        rows: usize,
        columns: usize,
        wraps: &'a GridArcs<i8>,
        costs: &'a GridArcs<C>,
    ) -> Result<Self, UnwrapError> {
        let problem = Self { rows, columns, wraps, costs };
        problem.check()?;
        Ok(problem)
    }

    fn check(&self) -> Result<(), UnwrapError> {
        self.wraps.check(self.rows, self.columns)?;
        self.costs.check(self.rows, self.columns)
    }
}

/// What a solver did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SolveStatistics {
    /// Cells round which the wrapped differences do not add up to 0.
    pub residues: u64,
    /// Units that had to be moved after every arc had taken its cheapest flow.
    pub imbalance: u64,
    /// Paths along which a unit was moved.
    pub augmentations: u64,
    /// Searches for shortest paths.
    pub searches: u64,
    /// Nodes that the searches reached, counted once a search.
    pub nodes_reached: u64,
}

/// The cheapest flow that balances, and the potentials that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridSolution {
    /// Whole cycles on every arc beyond the wrapped difference:
    /// `phi_next - phi = psi_next - psi + 2 pi (w + f)`.
    pub flow: GridArcs<i16>,
    /// Potentials of the cells, [rows - 1, columns - 1] row after row, then of the ground. Those of
    /// nodes that no search came to are exactly 0.
    pub potentials: Vec<i64>,
    /// What it took.
    pub statistics: SolveStatistics,
}

/// Solves a problem to proven optimality.
///
/// # Algorithm
///
/// 1. Every arc takes its cheapest flow ([`ConvexCost::minimiser`]).
/// 2. The cells where wraps and flows do not add up to 0 have a unit or more too many or too few.
/// 3. From every cell with too many, in the order of their numbers and the ground last, units move one
///    by one along the shortest path to a cell with too few.
///
/// The crate's documentation derives it and says why the result is optimal.
///
/// # Errors
///
/// [`UnwrapError::FlowOverflow`] where a flow exceeds 16 bits, [`UnwrapError::CostOverflow`] where a path
/// exceeds 63, and whatever [`GridProblem::new`] refuses.
pub fn solve_grid<C: ConvexCost>(
    problem: &GridProblem<C>,
    workspace: &mut Workspace,
) -> Result<GridSolution, UnwrapError> {
    problem.check()?;
    let (rows, columns) = (problem.rows, problem.columns);
    let nodes = (rows - 1) * (columns - 1) + 1;
    let mut statistics = SolveStatistics {
        residues: count_residues(rows, columns, problem.wraps),
        ..SolveStatistics::default()
    };
    let mut flow = minima::cheapest_flows(problem.costs)?;
    let mut potentials = vec![0; nodes];
    if nodes > 1 {
        let work = balance(problem, workspace, &mut flow, &mut potentials, &mut statistics);
        if work.is_err() {
            // What a later call finds must not depend on this one.
            *workspace = Workspace::new();
        }
        work?;
    }
    Ok(GridSolution { flow, potentials, statistics })
}

/// Moves units until every cell balances.
fn balance<C: ConvexCost>(
    problem: &GridProblem<C>,
    workspace: &mut Workspace,
    flow: &mut GridArcs<i16>,
    potentials: &mut [i64],
    statistics: &mut SolveStatistics,
) -> Result<(), UnwrapError> {
    workspace.prepare(potentials.len());
    let sources = minima::imbalances(problem, flow, &mut workspace.excess)?;
    let network = DualGrid::new(problem.rows, problem.columns, problem.costs, flow);
    Balancing { network, workspace, potentials, statistics }.run(&sources)
}
