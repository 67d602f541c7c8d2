//! Interpolates gradients of windows to the nodes of a grid.

use spade::{DelaunayTriangulation, FloatTriangulation, HasPosition, Point2, Triangulation};

use super::gradients::WindowGradient;

/// A peak must stand out this much, the more the steeper the gradient.
const LEAST_PEAK: f64 = 3.0;

/// A power of two, so that sheared places are exact, and too small to matter where distances are not
/// equal.
const SHEAR: f64 = -1.0 / 1_048_576.0;

/// Where a place (row, column) lies in the triangulation. Of the two diagonals of a rectangle the
/// shear shortens one, which makes it the one to cut along; weights within a triangle stay the same.
fn sheared([row, column]: [f64; 2]) -> Point2<f64> {
    Point2::new(column + SHEAR * row, row)
}

/// Gradients at the nodes of one interferogram.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeGradients {
    /// Down the rows, rad a cell; NaN where it is not known. StaMPS: `ifreq_ij`.
    pub row_rad: Vec<f32>,
    /// Across the columns. StaMPS: `jfreq_ij`.
    pub column_rad: Vec<f32>,
}

/// Gradients at `nodes` (row and column in cells, counted from 1), linear between the centres of
/// windows whose peak stands out: `peak / (|gradient| + 1) > 3`, for each direction by itself.
/// Outside of what those centres span, and everywhere if there are two or less, they are NaN.
///
/// # StaMPS compatibility
/// Stage6.md section 5, step 8. Centres form a lattice, whose cells can be cut into triangles along
/// either diagonal. Here they are cut from the lower row and column to the higher row and column,
/// which is what Octave did on the oracle's scene (704 values equal to the bit; along the other
/// diagonal 128 of them differ by up to three eighths of the step between frequencies). A second
/// window at the same place is ignored, and centres on one line span nothing.
pub fn node_gradients(windows: &[WindowGradient], nodes: &[[f64; 2]]) -> NodeGradients {
    let by = |value: fn(&WindowGradient) -> f64| {
        let clear =
            |window: &&WindowGradient| window.peak / (value(window).abs() + 1.0) > LEAST_PEAK;
        let centres: Vec<Centre> = windows
            .iter()
            .filter(clear)
            .map(|window| {
                let [row, column] = window.centre;
                Centre { position: sheared([row, column]), value: value(window) }
            })
            .collect();
        interpolate(centres, nodes)
    };
    NodeGradients {
        row_rad: by(|window| window.row_rad),
        column_rad: by(|window| window.column_rad),
    }
}

#[derive(Clone, Copy, Debug)]
struct Centre {
    position: Point2<f64>,
    value: f64,
}

impl HasPosition for Centre {
    type Scalar = f64;

    fn position(&self) -> Point2<f64> {
        self.position
    }
}

fn interpolate(mut centres: Vec<Centre>, nodes: &[[f64; 2]]) -> Vec<f32> {
    let unknown = || vec![f32::NAN; nodes.len()];
    if centres.len() <= 2 {
        return unknown();
    }
    // A stable sort: of several windows at one place the first stays.
    centres.sort_by(|a, b| {
        let (a, b) = (a.position, b.position);
        a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x))
    });
    centres.dedup_by_key(|centre| centre.position);
    let triangulation = DelaunayTriangulation::<Centre>::bulk_load(centres)
        .expect("invariant: centres are finite and not too small");
    if triangulation.num_inner_faces() == 0 {
        return unknown();
    }
    let weights = triangulation.barycentric();
    let mut corners = Vec::new();
    nodes
        .iter()
        .map(|&[row, column]| {
            weights.get_weights(sheared([row, column]), &mut corners);
            if corners.is_empty() {
                return f32::NAN;
            }
            let value: f64 = corners
                .iter()
                .map(|&(corner, weight)| triangulation.vertex(corner).data().value * weight)
                .sum();
            #[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
            let single = value as f32;
            single
        })
        .collect()
}
