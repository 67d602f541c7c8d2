//! Networks that are no grid: any directed graph, and planar meshes.

mod mesh;
mod network;

pub use mesh::{MeshSolution, PlanarMesh, solve_mesh, verify_mesh};
pub use network::{FlowNetwork, NetworkSolution, solve_network, verify_network};
