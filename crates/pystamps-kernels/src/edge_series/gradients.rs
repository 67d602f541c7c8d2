//! Replaces the analysis of edges in time by local gradients where those leave less noise.

use std::f64::consts::{PI, TAU};

use super::Tile;

/// Standard deviation of noise above which gradients explain nothing, rad.
const MOST_NOISE: f32 = 1.3;

/// Edges judged by gradients; matrices are `[edges, interferograms]`, column-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GradientTile {
    /// Edges whose series was replaced. StaMPS: `shaky_ix`.
    pub shaky: Vec<bool>,
    /// Change of the gradients from the lower to the higher node, rad a cell, for those edges; 0 for
    /// the others. StaMPS: `spread`.
    pub spread: Vec<f32>,
}

/// Compares every edge's noise with what differences from the mean gradients of its two nodes leave,
/// and takes the smaller.
///
/// * `tile`: the analysis in time of `edges`, changed in place.
/// * `edges`: lower and higher node from 0.
/// * `nodes`: row and column of every node, cells.
/// * `row_rad`, `column_rad`: gradients of all nodes, `[nodes, interferograms]`, column-major, rad a
///   cell, NaN where unknown: [`node_gradients`](crate::goldstein::node_gradients).
///
/// # StaMPS compatibility
/// `unwrap_spatial_cost_func_flag = y`, stage6.md section 5, step 8: all in single precision. An edge
/// is replaced if it has no statistics in time, or if the deviation of its noise in time is above
/// that of its noise in space, unless the latter is NaN or above 1.3 rad. Differences of an edge
/// without statistics are NaN already, and stay so.
///
/// # Panics
/// If the lengths do not fit together, or a node is not there.
pub fn smooth_along_gradients(
    tile: &mut Tile,
    edges: &[[u32; 2]],
    nodes: &[[i32; 2]],
    [row_rad, column_rad]: [&[f32]; 2],
) -> GradientTile {
    let count = edges.len();
    let values = tile.dph_space_uw_rad.len();
    assert_eq!(tile.dph_noise_rad.len(), values, "noise of every difference");
    assert_eq!(tile.with_statistics.len(), count, "a tile of these edges");
    let columns = values.checked_div(count).unwrap_or(0);
    for gradients in [row_rad, column_rad] {
        assert!(gradients.len() == nodes.len() * columns || count == 0, "gradients of all nodes");
    }
    let mut result = GradientTile { shaky: vec![false; count], spread: vec![0.0; values] };
    let (mut expected, mut noise, mut spread) =
        (vec![0.0; columns], vec![0.0; columns], vec![0.0; columns]);
    for (edge, ends) in edges.iter().enumerate() {
        let [low, high] = ends.map(|node| node as usize);
        let [rows, across] = [0, 1].map(|axis| (nodes[high][axis] - nodes[low][axis]) as f32);
        for column in 0..columns {
            let plane = column * nodes.len();
            let [down, right] =
                [row_rad, column_rad].map(|all| [all[plane + low], all[plane + high]]);
            expected[column] = rows * (f32::midpoint(down[0], down[1]))
                + across * f32::midpoint(right[0], right[1]);
            spread[column] = (down[1] - down[0]) + (right[1] - right[0]);
            noise[column] = wrap(tile.dph_space_uw_rad[column * count + edge] - expected[column]);
        }
        let of_time = (0..columns).map(|column| tile.dph_noise_rad[column * count + edge]);
        let in_time = deviation(of_time);
        let in_space = deviation(noise.iter().copied());
        if !(in_time.is_nan() || (in_space <= MOST_NOISE && in_time > in_space)) {
            continue;
        }
        result.shaky[edge] = true;
        let known = in_space <= MOST_NOISE;
        tile.with_statistics[edge] = known;
        for column in 0..columns {
            let at = column * count + edge;
            let left = if known { noise[column] } else { f32::NAN };
            tile.dph_noise_rad[at] = left;
            tile.dph_space_uw_rad[at] = expected[column] + left;
            result.spread[at] = spread[column];
        }
    }
    result
}

/// The angle brought to [-pi, pi], in single precision.
fn wrap(angle_rad: f32) -> f32 {
    let angle_rad = f64::from(angle_rad);
    if angle_rad.abs() <= PI {
        return single(angle_rad);
    }
    single(angle_rad - TAU * (angle_rad / TAU).round())
}

#[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Standard deviation, divisor n - 1; 0 of a single value.
fn deviation(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let squares: f64 = values.map(|value| (f64::from(value) - mean).powi(2)).sum();
    single((squares / (count - 1.0).max(1.0)).sqrt())
}
