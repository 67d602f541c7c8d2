//! Two-dimensional phase unwrapping as a convex integer minimum-cost flow, with certificates.
//!
//! A wrapped phase is known up to whole cycles. Unwrapping chooses the cycles such that the differences
//! of neighbouring pixels cost as little as possible, for costs that are convex functions of the whole
//! cycles on a difference. This crate solves that problem to proven optimality, on grids
//! ([`solve_grid`]), planar meshes ([`solve_mesh`]) and any directed graph ([`solve_network`]), and checks
//! proofs in a way that shares nothing with the solver ([`verify_grid`]).
//!
//! ```
//! use pystamps_unwrap::*;
//!
//! let psi = [0.0, 2.5, -1.3, 1.2]; // rad; truly 0, 2.5, 5.0, 7.5
//! let wraps = GridArcs::from_wrapped_phase(1, 4, &psi)?;
//! let costs = GridArcs { down: vec![], right: vec![ArcCost::quadratic(0, 10); 3] };
//! let problem = GridProblem::new(1, 4, &wraps, &costs)?;
//! let solution = solve_grid(&problem, &mut Workspace::new())?;
//! assert!(verify_grid(&problem, &solution.flow, &solution.potentials).is_optimal());
//! assert_eq!(integrate_cycles(1, 4, &wraps, &solution.flow), [0, 0, 1, 1]);
//! # Ok::<(), UnwrapError>(())
//! ```
//!
//! # The problem
//!
//! Pixels p have a wrapped phase psi(p); wanted are whole numbers k(p), the unwrapped phase being
//! phi = psi + 2 pi k. Every pair of neighbours (an *arc*, right or down) has a *wrap* w in {-1, 0, 1}
//! that brings its difference d = psi' - psi + 2 pi w into (-pi, pi]. What the solution adds to it is the
//! *flow* f of the arc,
//!
//! ```text
//! phi' - phi = d + 2 pi f,     that is     k' - k = w + f.
//! ```
//!
//! Every arc charges C(f), and the sum is to be least. For a Gaussian expectation of the true difference
//! C is a parabola ([`ArcCost::quadratic`]).
//!
//! # The dual network
//!
//! Flows come from some k if and only if w + f adds up to 0 round every cell of 2 x 2 pixels:
//!
//! ```text
//! f(top) + f(right side) - f(bottom) - f(left side) = -residue,
//! residue = w(top) + w(right side) - w(bottom) - w(left side).
//! ```
//!
//! Every flow stands in the equations of the two cells beside its arc, with opposite signs: the equations
//! say that a flow in a network whose nodes are the cells carries -residue units out of each. Arcs
//! of the border lead to one more node, the *ground*, whose equation is the sum of all others. For a
//! planar mesh the faces take the place of the cells, the outside and the holes among them.
//!
//! # Why arc minima and shortest paths are optimal
//!
//! Give every node v a potential p(v). For flows that balance,
//!
//! ```text
//! sum C(f) = sum [C(f) - f (p(tail) - p(head))] - sum p(v) residue(v)
//!         >= sum min over g of [C(g) - g (p(tail) - p(head))] - sum p(v) residue(v),
//! ```
//!
//! because the terms with p cancel by the balance. The right side does not depend on f: it is a bound for
//! every solution, whatever the potentials are. Both sides are equal if every f is a minimum of its
//! term, which for a convex C means
//!
//! ```text
//! C(f) - C(f - 1) <= p(tail) - p(head) <= C(f + 1) - C(f).                                  (*)
//! ```
//!
//! The solver starts with p = 0 and every arc at its minimum, which fulfils (*), and leaves some nodes with
//! units too many or too few. It then moves single units along paths that are shortest in the
//! *reduced costs* (cost of one unit more, less the difference of potentials; by (*) never negative),
//! and raises the potentials of the nodes that the search has passed by until the path costs nothing.
//! Both keep (*): on the path a unit more or less now costs nothing or more because C is convex, and
//! elsewhere because no way was shorter. After as many paths as there were units too many, the flow
//! balances and (*) holds: it is optimal. Everything is a whole number, so nothing is rounded.
//!
//! Starting at the minima is what makes it quick: where the phase is good they balance already, and a
//! search only visits the neighbourhood of two residues that cancel. For residue-dense fields see the
//! source of `balance`.
//!
//! # The certificate
//!
//! [`verify_grid`] takes the problem, flows and potentials from wherever they come, checks balance and
//! (*), and evaluates both sides of the inequality. If they are equal, the flow is optimal: that is a
//! proof, not a matter of trust in the solver. [`verify_unwrapped`] does the same for an unwrapped phase. Potentials of nodes that no search came to are exactly 0,
//! so that they can be stored sparsely.
//!
//! # Determinism
//!
//! The same problem gives the same flows and potentials on every machine and with any [`Workspace`].
//! Solutions of equal cost may exist; which one is found follows from the order of the work: sources in
//! the order of their numbers, and in a search the nearest node first, among equally near ones the one
//! that was last found to be so near. Solving is single-threaded; solve several problems in parallel,
//! each with its own workspace.
//!
//! # Memory
//!
//! A grid takes 2 bytes a cell for the wraps, 8 for the costs, 4 for the flows, 8 for the potentials and
//! 16 for the buffers of the search, of which only the pages that are used are ever claimed.

mod arcs;
mod balance;
mod certificate;
mod cost;
mod error;
mod graph;
mod grid;
mod integrate;
mod queue;
mod residual;
mod search;
mod wraps;

pub use arcs::GridArcs;
pub use certificate::{Certificate, verify_grid, verify_unwrapped};
pub use cost::{ArcCost, ConvexCost};
pub use error::UnwrapError;
pub use graph::{
    FlowNetwork, MeshSolution, NetworkSolution, PlanarMesh, solve_mesh, solve_network, verify_mesh,
    verify_network,
};
pub use grid::{GridProblem, GridSolution, SolveStatistics, solve_grid};
pub use integrate::{flows_of_cycles, integrate_cycles};
pub use search::Workspace;
pub use wraps::count_residues;
