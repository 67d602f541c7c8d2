//! Joins points to a network: the edges of their Delaunay triangulation, made unique.

use std::collections::BTreeMap;

use robust::{Coord, incircle};
use spade::{DelaunayTriangulation, HasPosition, Point2, Triangulation};

/// A point that no triangulation can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Its number, from 0.
    pub point: usize,
}

/// A point and its number.
#[derive(Clone, Copy, Debug)]
struct Vertex {
    position: Point2<f64>,
    number: u32,
}

impl HasPosition for Vertex {
    type Scalar = f64;

    fn position(&self) -> Point2<f64> {
        self.position
    }
}

/// Edges of the Delaunay triangulation of `points` (m, single precision, at most 2^32): pairs of
/// numbers from 0, the lower first, sorted.
///
/// # StaMPS compatibility
/// Stage4.md section 5, where the original calls Shewchuk's Triangle. Points on one circle have
/// several triangulations, of which Triangle (and every other program) takes one that depends on
/// its version; here every such polygon is cut into a fan from its point of lowest number. Fewer
/// than three points, or points on one line, where the original fails, are joined to a chain in the
/// order of x, then y. Of several points at one place only that of lowest number is joined.
///
/// # Algorithm
/// 1. Triangulate with exact predicates.
/// 2. Triangles side by side whose four corners lie exactly on one circle are one cell; edges
///    inside cells are forgotten.
/// 3. Each cell gets the edges from its lowest number to all its other points.
///
/// # Errors
/// [`NotFinite`] for a coordinate that is NaN or infinite.
pub fn delaunay_edges(points: &[[f32; 2]]) -> Result<Vec<[u32; 2]>, NotFinite> {
    if let Some(point) = points.iter().position(|p| !(p[0].is_finite() && p[1].is_finite())) {
        return Err(NotFinite { point });
    }
    let vertices = distinct(points);
    let triangulation = (vertices.len() > 2)
        .then(|| DelaunayTriangulation::<Vertex>::bulk_load(vertices.clone()))
        .map(|loaded| loaded.expect("invariant: coordinates are finite and not too small"));
    let mut edges = match triangulation {
        Some(triangulation) if triangulation.num_inner_faces() > 0 => cell_edges(&triangulation),
        _ => vertices.windows(2).map(|pair| [pair[0].number, pair[1].number]).collect(),
    };
    for edge in &mut edges {
        edge.sort_unstable();
    }
    edges.sort_unstable();
    edges.dedup();
    Ok(edges)
}

/// The points in the order of x, then y, without repeated places.
fn distinct(points: &[[f32; 2]]) -> Vec<Vertex> {
    // A picometre: the predicates are exact above 1e-43, and nothing is measured below.
    let coordinate = |metres: f32| if metres.abs() < 1e-12 { 0.0 } else { f64::from(metres) };
    let mut vertices: Vec<Vertex> = points
        .iter()
        .zip(0..)
        .map(|(point, number)| {
            let position = Point2::new(coordinate(point[0]), coordinate(point[1]));
            Vertex { position, number }
        })
        .collect();
    vertices.sort_by(|a, b| {
        let (p, q) = (a.position, b.position);
        p.x.total_cmp(&q.x).then(p.y.total_cmp(&q.y)).then(a.number.cmp(&b.number))
    });
    vertices.dedup_by_key(|vertex| vertex.position);
    vertices
}

/// Edges between cells, and fans inside them.
fn cell_edges(triangulation: &DelaunayTriangulation<Vertex>) -> Vec<[u32; 2]> {
    let mut cells = Cells { parent: (0..triangulation.num_all_faces()).collect() };
    let mut edges = Vec::with_capacity(triangulation.num_undirected_edges());
    for edge in triangulation.undirected_edges() {
        let (one, other) = (edge.as_directed(), edge.as_directed().rev());
        let [from, to] = edge.vertices();
        let sides = one.face().as_inner().zip(other.face().as_inner());
        let opposite = one.opposite_vertex().zip(other.opposite_vertex());
        if let Some(((left, right), (third, fourth))) = sides.zip(opposite)
            && on_one_circle([from, to, third, fourth].map(|vertex| vertex.position()))
        {
            cells.join(left.index(), right.index());
        } else {
            edges.push([from.data().number, to.data().number]);
        }
    }
    let mut corners: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for face in triangulation.inner_faces() {
        let cell = cells.root(face.index());
        let numbers = face.vertices().map(|vertex| vertex.data().number);
        corners.entry(cell).or_default().extend(numbers);
    }
    for numbers in corners.values().filter(|numbers| numbers.len() > 3) {
        let lowest = *numbers.iter().min().expect("invariant: a cell has corners");
        edges.extend(numbers.iter().filter(|&&n| n != lowest).map(|&n| [lowest, n]));
    }
    edges
}

fn on_one_circle(corners: [Point2<f64>; 4]) -> bool {
    let [a, b, c, d] = corners.map(|p| Coord { x: p.x, y: p.y });
    incircle(a, b, c, d) == 0.0
}

/// Which faces belong together.
struct Cells {
    parent: Vec<usize>,
}

impl Cells {
    fn root(&mut self, face: usize) -> usize {
        let mut face = face;
        while self.parent[face] != face {
            self.parent[face] = self.parent[self.parent[face]];
            face = self.parent[face];
        }
        face
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reproducible numbers in 0..limit.
    fn numbers(seed: u64, limit: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % limit
        }
    }

    #[test]
    fn a_square_is_cut_from_its_lowest_corner() {
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let edges = delaunay_edges(&square).unwrap();
        assert_eq!(edges, [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]);
        // The other way round the lowest number lies at another corner.
        let turned = [square[1], square[2], square[3], square[0]];
        assert_eq!(delaunay_edges(&turned).unwrap(), [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]);
    }

    #[test]
    fn many_points_on_a_circle_become_one_fan() {
        // All on the circle of radius 25 with exact coordinates.
        let circle = [
            [25.0, 0.0],
            [24.0, 7.0],
            [20.0, 15.0],
            [15.0, 20.0],
            [7.0, 24.0],
            [0.0, 25.0],
            [-24.0, 7.0],
            [-20.0, -15.0],
            [0.0, -25.0],
            [7.0, -24.0],
        ];
        let edges = delaunay_edges(&circle).unwrap();
        assert_eq!(edges.len(), 2 * circle.len() - 3);
        assert_eq!(edges.iter().filter(|edge| edge[0] == 0).count(), circle.len() - 1);
    }

    #[test]
    fn too_few_points_and_lines_become_chains() {
        assert_eq!(delaunay_edges(&[]).unwrap(), [] as [[u32; 2]; 0]);
        assert_eq!(delaunay_edges(&[[1.0, 2.0]]).unwrap(), [] as [[u32; 2]; 0]);
        assert_eq!(delaunay_edges(&[[1.0, 2.0], [0.0, 5.0]]).unwrap(), [[0, 1]]);
        let line = [[3.0, 3.0], [0.0, 0.0], [2.0, 2.0], [1.0, 1.0]];
        assert_eq!(delaunay_edges(&line).unwrap(), [[0, 2], [1, 3], [2, 3]]);
        let upright = [[1.0, 3.0], [1.0, -1.0], [1.0, 2.0]];
        assert_eq!(delaunay_edges(&upright).unwrap(), [[0, 2], [1, 2]]);
    }

    #[test]
    fn repeated_places_are_joined_once() {
        let points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [-0.0, 0.0]];
        assert_eq!(delaunay_edges(&points).unwrap(), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(delaunay_edges(&[[1.0, 1.0]; 5]).unwrap(), [] as [[u32; 2]; 0]);
    }

    #[test]
    fn points_nowhere_are_named() {
        let points = [[0.0, 0.0], [1.0, f32::NAN], [0.0, 1.0]];
        assert_eq!(delaunay_edges(&points), Err(NotFinite { point: 1 }));
        assert!(delaunay_edges(&[[f32::INFINITY, 0.0]]).is_err());
        // Numbers too small for the predicates count as zero.
        assert_eq!(delaunay_edges(&[[1e-45, 0.0], [1.0, 0.0], [0.0, 1.0]]).unwrap().len(), 3);
    }

    #[test]
    fn the_order_of_insertion_does_not_matter() {
        // A raster has nothing but ties; every second pixel is left out at random.
        let mut random = numbers(7, 1000);
        let points: Vec<[f32; 2]> = (0..900_u16)
            .filter(|_| random() < 500)
            .map(|i| [f32::from(i % 30), f32::from(i / 30)])
            .collect();
        let edges = delaunay_edges(&points).unwrap();
        for _ in 0..5 {
            let mut vertices = distinct(&points);
            for last in (1..vertices.len()).rev() {
                let other = usize::try_from(random()).unwrap() % (last + 1);
                vertices.swap(last, other);
            }
            let mut triangulation = DelaunayTriangulation::<Vertex>::new();
            for vertex in vertices {
                triangulation.insert(vertex).unwrap();
            }
            let mut again = cell_edges(&triangulation);
            for edge in &mut again {
                edge.sort_unstable();
            }
            again.sort_unstable();
            again.dedup();
            assert_eq!(again, edges);
        }
    }

    #[test]
    fn renumbering_renames_the_edges() {
        // No four of these lie on a circle, so that the numbers decide nothing.
        let mut random = numbers(3, 1 << 24);
        let points: Vec<[f32; 2]> = (0..400).map(|_| [random() as f32, random() as f32]).collect();
        let edges = delaunay_edges(&points).unwrap();
        let reversed: Vec<[f32; 2]> = points.iter().rev().copied().collect();
        let mut renamed: Vec<[u32; 2]> =
            delaunay_edges(&reversed).unwrap().iter().map(|[a, b]| [399 - b, 399 - a]).collect();
        renamed.sort_unstable();
        assert_eq!(renamed, edges);
    }
}
