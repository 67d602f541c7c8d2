//! Two-dimensional phase unwrapping as a convex integer minimum-cost flow, with certificates.

mod arcs;
mod balance;
mod certificate;
mod cost;
mod error;
mod graph;
mod grid;
mod integrate;
mod residual;
mod search;
mod wraps;

pub use arcs::GridArcs;
pub use certificate::{Certificate, verify_grid};
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
