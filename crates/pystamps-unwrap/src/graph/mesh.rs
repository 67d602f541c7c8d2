//! Unwrapping on a planar mesh, for example a triangulation of scattered points.

use super::network::{FlowNetwork, solve_network, verify_network};
use crate::residual::numbered;
use crate::{Certificate, ConvexCost, SolveStatistics, UnwrapError, Workspace};

/// A connected planar graph given by its faces: every edge lies between two of them.
///
/// The dual network has a node for every face and an arc for every edge; a unit of flow on an edge
/// from vertex a to vertex b (a < b) leaves the face in which the edge is walked from a to b.
#[derive(Clone, Debug)]
pub struct PlanarMesh {
    vertices: usize,
    edges: Vec<(u32, u32)>,
    dual: FlowNetwork,
}

/// An edge as one of its faces walks it.
struct Side {
    edge: (u32, u32),
    face: u32,
    ascending: bool,
}

impl PlanarMesh {
    /// A mesh of `vertices` vertices and all its faces, each as the vertices in the order in which its
    /// border is walked, all in the same sense of rotation as seen from their own side.
    ///
    /// The outside is a face, and so is every hole: a loop of edges that is no face would be left out
    /// of the balance. That they are all there follows from Euler's formula, which is checked.
    ///
    /// # Errors
    ///
    /// A vertex that does not exist; an edge that is not walked exactly once in each direction; a
    /// mesh that is not connected, or of another topology than the sphere.
    pub fn new(vertices: usize, faces: &[Vec<u32>]) -> Result<Self, UnwrapError> {
        let limit = (u32::MAX / 4) as usize;
        let count = faces.len().max(vertices);
        if count > limit {
            return Err(UnwrapError::TooLarge { what: "faces or vertices", count, limit });
        }
        let mut sides = Vec::new();
        for (index, walk) in faces.iter().enumerate() {
            let face = numbered(index);
            for (at, &from) in walk.iter().enumerate() {
                let to = walk[(at + 1) % walk.len()];
                if let Some(node) = [from, to].into_iter().find(|&v| v as usize >= vertices) {
                    let node = node as usize;
                    let what = "face";
                    return Err(UnwrapError::NoSuchNode { what, index, node, count: vertices });
                }
                let edge = (from.min(to), from.max(to));
                sides.push(Side { edge, face, ascending: from < to });
            }
        }
        sides.sort_by_key(|side| (side.edge, !side.ascending));
        let mut edges = Vec::with_capacity(sides.len() / 2);
        let mut arcs = Vec::with_capacity(sides.len() / 2);
        for pair in sides.chunks(2) {
            match pair {
                [tail, head] if tail.edge == head.edge && tail.ascending && !head.ascending => {
                    edges.push(tail.edge);
                    arcs.push((tail.face, head.face));
                }
                _ => {
                    let (a, b) = pair[0].edge;
                    let reason = format!("edge {a}-{b} is not walked once in each direction");
                    return Err(UnwrapError::NotPlanar { reason });
                }
            }
        }
        // An edge walked twice in both directions makes two equal pairs.
        if let Some(pair) = edges.windows(2).find(|pair| pair[0] == pair[1]) {
            let (a, b) = pair[0];
            let reason = format!("edge {a}-{b} is walked more than once in each direction");
            return Err(UnwrapError::NotPlanar { reason });
        }
        let dual = FlowNetwork::new(faces.len(), arcs)?;
        let mesh = Self { vertices, edges, dual };
        mesh.check_topology()?;
        Ok(mesh)
    }

    /// Vertices - edges + faces = 2 for a connected graph on the sphere and less on other surfaces.
    fn check_topology(&self) -> Result<(), UnwrapError> {
        let (edges, faces) = (self.edges.len(), self.dual.nodes());
        let reached = self.walk(|_, _| {});
        if reached != self.vertices {
            let reason = format!("{reached} of {} vertices are connected", self.vertices);
            return Err(UnwrapError::NotPlanar { reason });
        }
        if self.vertices + faces != edges + 2 {
            let reason = format!(
                "{} vertices - {edges} edges + {faces} faces is not 2: a face is missing, or a \
                 handle is too many",
                self.vertices
            );
            return Err(UnwrapError::NotPlanar { reason });
        }
        Ok(())
    }

    /// Edges (a, b), a < b, in ascending order: arcs of wraps, costs and flows.
    pub fn edges(&self) -> &[(u32, u32)] {
        &self.edges
    }

    /// Visits the vertices from vertex 0 over edges, calling `visit` with (from, edge) for each new
    /// one, and returns how many were found.
    fn walk(&self, mut visit: impl FnMut(u32, usize)) -> usize {
        if self.vertices == 0 {
            return 0;
        }
        let mut neighbours = vec![Vec::new(); self.vertices];
        for (edge, &(a, b)) in self.edges.iter().enumerate() {
            neighbours[a as usize].push(edge);
            neighbours[b as usize].push(edge);
        }
        let mut found = vec![false; self.vertices];
        found[0] = true;
        let mut queue = vec![0u32];
        let mut next = 0;
        while let Some(&from) = queue.get(next) {
            next += 1;
            for &edge in &neighbours[from as usize] {
                let (a, b) = self.edges[edge];
                let to = if a == from { b } else { a };
                if !found[to as usize] {
                    found[to as usize] = true;
                    visit(from, edge);
                    queue.push(to);
                }
            }
        }
        queue.len()
    }

    /// What every face has to send out: minus the sum of the wraps along its border.
    fn supplies(&self, wraps: &[i8]) -> Result<Vec<i32>, UnwrapError> {
        if wraps.len() != self.edges.len() {
            let (expected, found) = (self.edges.len(), wraps.len());
            return Err(UnwrapError::Length { what: "wraps", expected, found });
        }
        let mut supplies = vec![0; self.dual.nodes()];
        for (&(tail, head), &wrap) in self.dual.arcs().iter().zip(wraps) {
            supplies[tail as usize] -= i32::from(wrap);
            supplies[head as usize] += i32::from(wrap);
        }
        Ok(supplies)
    }

    /// Whole cycles k of the vertices, `k_b - k_a = w + f` along every edge (a, b), and k(0) = 0.
    ///
    /// # Panics
    ///
    /// If there are not as many wraps or flows as edges.
    #[must_use]
    pub fn integrate_cycles(&self, wraps: &[i8], flow: &[i16]) -> Vec<i32> {
        assert!(wraps.len() == self.edges.len() && flow.len() == self.edges.len());
        let mut cycles = vec![0i32; self.vertices];
        self.walk(|from, edge| {
            let (a, b) = self.edges[edge];
            let rise = i32::from(wraps[edge]) + i32::from(flow[edge]);
            let here = cycles[from as usize];
            if from == a {
                cycles[b as usize] = here.wrapping_add(rise);
            } else {
                cycles[a as usize] = here.wrapping_sub(rise);
            }
        });
        cycles
    }
}

/// The cheapest flow on a mesh, and the potentials that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshSolution {
    /// Whole cycles on every edge (a, b) beyond the wrapped difference from a to b.
    pub flow: Vec<i16>,
    /// Potential of every face.
    pub potentials: Vec<i64>,
    /// What it took; residues are faces round which the wraps do not add up to 0.
    pub statistics: SolveStatistics,
}

/// Unwraps a mesh: `wraps` and `costs` have one value for every edge (a, b), from a to b.
///
/// # Errors
///
/// Arrays of other lengths than there are edges, and those of [`solve_network`].
pub fn solve_mesh<C: ConvexCost>(
    mesh: &PlanarMesh,
    wraps: &[i8],
    costs: &[C],
    workspace: &mut Workspace,
) -> Result<MeshSolution, UnwrapError> {
    let supplies = mesh.supplies(wraps)?;
    let solution = solve_network(&mesh.dual, costs, &supplies, workspace)?;
    let (flow, potentials) = (solution.flow, solution.potentials);
    Ok(MeshSolution { flow, potentials, statistics: solution.statistics })
}

/// Checks a flow on a mesh like [`verify_grid`](crate::verify_grid).
///
/// # Errors
///
/// Arrays of other lengths than there are edges and faces.
pub fn verify_mesh<C: ConvexCost>(
    mesh: &PlanarMesh,
    wraps: &[i8],
    costs: &[C],
    flow: &[i16],
    potentials: &[i64],
) -> Result<Certificate, UnwrapError> {
    verify_network(&mesh.dual, costs, &mesh.supplies(wraps)?, flow, potentials)
}
