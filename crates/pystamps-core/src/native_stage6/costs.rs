//! Turns the analysis of edges into the costs of whole cycles on the arcs of the grid: what SNAPHU
//! would be handed, and what our solver is.

use num_complex::Complex;
use pystamps_kernels::node_edges::NodeEdges;
use pystamps_unwrap::{ArcCost, GridArcs};

use super::nodes::Nodes;
use super::phase::angle;

/// Steps of SNAPHU's costs in a cycle.
const STEPS_PER_CYCLE: f32 = 200.0;
/// What SNAPHU divides costs by.
const COST_SCALE: f32 = 100.0;
/// The variance that SNAPHU takes for an arc that costs nothing.
const RESERVED_VARIANCE: i16 = 32000;
/// Distance from the expected difference beyond which SNAPHU's costs would be flat, steps.
const MOST_STEPS: i16 = 32000;
/// Marks an arc without a flat part.
const NO_SHELF: i16 = -32000;

/// Variances of the edges as they enter the costs; 0 marks an edge without statistics.
///
/// # StaMPS compatibility
/// `uw_stat_costs`, stage6.md 6.1: in single precision, rounded half away from zero, at least 1, and
/// cut at the largest 16-bit integer. `variance_cycles2` is NaN for an edge without statistics.
pub(super) fn edge_variances(variance_cycles2: &[f32], occurrences: &[u32]) -> Vec<i16> {
    let scaled = |(&variance, &occurrences): (&f32, &u32)| {
        if variance.is_nan() {
            return 0;
        }
        let steps2 = STEPS_PER_CYCLE * STEPS_PER_CYCLE;
        saturated(f64::from((variance * steps2 / COST_SCALE * occurrences as f32).round())).max(1)
    };
    variance_cycles2.iter().zip(occurrences).map(scaled).collect()
}

/// Variance of an edge in units of square cycles from the deviation of its noise.
pub(super) fn variance_of_noise(deviation_rad: f32) -> f32 {
    let deviation_cycles = deviation_rad / 2.0 / std::f32::consts::PI;
    deviation_cycles * deviation_cycles
}

/// Variance of an edge from its length, as the method `2D` has it.
pub(super) fn variance_of_length(edge: [u32; 2], nodes: &Nodes) -> f32 {
    let [rows, _] = nodes.shape();
    let place = |node: u32| {
        let cell = nodes.cells()[node as usize] as usize;
        [(cell % rows) as f64, (cell / rows) as f64]
    };
    let ([i, j], [k, l]) = (place(edge[0]), place(edge[1]));
    let cell_m = if nodes.cell_m() > 0.0 { f64::from(nodes.cell_m()) } else { 5.0 };
    let length_m = (k - i).hypot(l - j) * cell_m;
    let two_pi = std::f64::consts::TAU;
    #[expect(clippy::cast_possible_truncation, reason = "variances are single precision")]
    let variance = (two_pi * two_pi * (1.0 - (-3.0 * length_m / 20_000.0).exp()) / 10.0) as f32;
    variance
}

/// Costs of the edges in one interferogram.
#[derive(Clone, Debug)]
pub(super) struct EdgeCosts {
    /// Wrapped difference minus expected difference, in steps.
    pub(super) offset: Vec<i16>,
    /// Variance; 0 without statistics.
    pub(super) variance: Vec<i16>,
    /// Edges whose offset or variance does not fit 16 bits.
    pub(super) saturated: u64,
}

impl EdgeCosts {
    /// Costs of an interferogram from its column of the edge analysis.
    ///
    /// `spread` holds what the local gradients add to the deviation, cycles a cell; empty for none.
    pub(super) fn of(
        difference_rad: &[f32],
        noise_rad: &[f32],
        variances: &[i16],
        spread: &[f64],
        occurrences: &[u32],
    ) -> Self {
        let mut saturated_edges = 0;
        let offset = difference_rad.iter().zip(noise_rad).zip(variances);
        let offset = offset
            .map(|((&difference, &noise), &variance)| {
                let steps = if variance == 0 { 0.0 } else { offset_steps(difference, noise) };
                saturated_edges += u64::from(steps.abs() > f64::from(i16::MAX));
                saturated(steps)
            })
            .collect();
        let mut variance = variances.to_vec();
        if !spread.is_empty() {
            for ((variance, spread), &occurrences) in
                variance.iter_mut().zip(spread).zip(occurrences)
            {
                let steps2 = f64::from(STEPS_PER_CYCLE * STEPS_PER_CYCLE);
                let more = spread.abs() * steps2 / 6.0 / f64::from(COST_SCALE);
                let more = saturated((more * f64::from(occurrences)).round());
                *variance = if *variance == 0 { 0 } else { variance.saturating_add(more) };
            }
        }
        saturated_edges += variance.iter().filter(|&&variance| variance == i16::MAX).count() as u64;
        Self { offset, variance, saturated: saturated_edges }
    }

    /// What SNAPHU's cost file says of an arc that is `sign` times the edge counted from 1 (0 within
    /// a node): offset, variance, largest distance, shelf.
    fn record(&self, signed_edge: i32, down: bool) -> [i16; 4] {
        let Some(edge) = edge_of(signed_edge) else { return [0, 1, MOST_STEPS, NO_SHELF] };
        if self.variance[edge] == 0 {
            return [0, 1, MOST_STEPS, 1];
        }
        // SNAPHU counts the flow of downward arcs with the other sign.
        let along = if (signed_edge < 0) == down {
            self.offset[edge]
        } else {
            self.offset[edge].saturating_neg()
        };
        [along, self.variance[edge], MOST_STEPS, NO_SHELF]
    }

    /// The cost file of SNAPHU for arcs in the order of the file.
    pub(super) fn file(&self, arc_edges: &GridArcs<i32>) -> Vec<u8> {
        let down = arc_edges.down.iter().map(|&edge| self.record(edge, true));
        let right = arc_edges.right.iter().map(|&edge| self.record(edge, false));
        down.chain(right).flatten().flat_map(i16::to_le_bytes).collect()
    }
}

/// Offset of an edge in steps.
///
/// # StaMPS compatibility
/// Single precision in the order of the original, stage6.md 6.2.
fn offset_steps(difference_rad: f32, noise_rad: f32) -> f64 {
    let smooth_rad = difference_rad - noise_rad;
    let (sin, cos) = f64::from(difference_rad).sin_cos();
    #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
    let wrapped_rad = angle(Complex::new(cos as f32, sin as f32));
    let cycles = (wrapped_rad - smooth_rad) / 2.0 / std::f32::consts::PI;
    f64::from((cycles * STEPS_PER_CYCLE).round())
}

/// A whole number as a 16-bit integer, cut at its limits.
#[expect(clippy::cast_possible_truncation, reason = "cut at the limits, as meant")]
fn saturated(number: f64) -> i16 {
    number as i16
}

/// The edge of an arc, from 0; none within a node.
fn edge_of(signed_edge: i32) -> Option<usize> {
    (signed_edge != 0).then(|| signed_edge.unsigned_abs() as usize - 1)
}

/// Edges of the arcs row by row, as the solver and SNAPHU's file order them.
pub(super) fn arc_edges(edges: &NodeEdges, [rows, columns]: [usize; 2]) -> GridArcs<i32> {
    let by_rows = |values: &[i32], rows: usize, columns: usize| -> Vec<i32> {
        (0..rows * columns).map(|k| values[k % columns * rows + k / columns]).collect()
    };
    GridArcs {
        down: by_rows(&edges.down, rows - 1, columns),
        right: by_rows(&edges.right, rows, columns - 1),
    }
}

/// What the solver is given for one interferogram.
#[derive(Clone, Debug)]
pub(super) struct GridCosts {
    /// Whole cycles that wrapping adds to the difference of two cells.
    pub(super) wraps: GridArcs<i8>,
    /// Costs of whole cycles.
    pub(super) costs: GridArcs<ArcCost>,
}

impl GridCosts {
    /// Wraps and costs of every arc from those of the edges and the phase of the nodes.
    ///
    /// # StaMPS compatibility
    /// Wrapped differences are those of the nodes' phase in double precision, one for every edge. Where
    /// the analysis of edges has wrapped a difference of almost half a cycle to the other side, the
    /// offset is moved by a cycle; SNAPHU's file keeps it, and so misplaces what it expects there. The
    /// reserved variance 32000, free of cost in SNAPHU, is 31999 here.
    pub(super) fn of(
        costs: &EdgeCosts,
        node_phase_rad: &[f64],
        edges: &NodeEdges,
        arc_edges: &GridArcs<i32>,
    ) -> Self {
        let wrap_of_edge = |&[low, high]: &[u32; 2]| {
            wrap_of(node_phase_rad[low as usize], node_phase_rad[high as usize])
        };
        let wraps: Vec<i8> = edges.ends.iter().map(wrap_of_edge).collect();
        let wrap = |&signed: &i32| match edge_of(signed) {
            None => 0,
            Some(edge) if signed < 0 => -wraps[edge],
            Some(edge) => wraps[edge],
        };
        let cost = |&signed: &i32| match edge_of(signed) {
            None => ArcCost::quadratic(0, 1),
            Some(edge) if costs.variance[edge] == 0 => ArcCost::ABSOLUTE,
            Some(edge) => {
                let offset = costs.offset[edge];
                let offset = if signed < 0 { offset.saturating_neg() } else { offset };
                let variance = costs.variance[edge];
                ArcCost::quadratic(offset, variance - i16::from(variance == RESERVED_VARIANCE))
            }
        };
        Self {
            wraps: GridArcs {
                down: arc_edges.down.iter().map(wrap).collect(),
                right: arc_edges.right.iter().map(wrap).collect(),
            },
            costs: GridArcs {
                down: arc_edges.down.iter().map(cost).collect(),
                right: arc_edges.right.iter().map(cost).collect(),
            },
        }
    }
}

/// Whole cycles that bring the difference of two phases into (-pi, pi].
#[expect(clippy::cast_possible_truncation, reason = "-1, 0 or 1")]
fn wrap_of(low_rad: f64, high_rad: f64) -> i8 {
    let cycles = (high_rad - low_rad) / std::f64::consts::TAU;
    -((cycles - 0.5).ceil() as i8)
}

/// Moves the offsets of edges whose difference the analysis has wrapped to the other side.
pub(super) fn agree_with_nodes(
    costs: &mut EdgeCosts,
    difference_rad: &[f32],
    node_phase_rad: &[f64],
    ends: &[[u32; 2]],
) {
    for (edge, &[low, high]) in ends.iter().enumerate() {
        if costs.variance[edge] == 0 {
            continue;
        }
        let (low, high) = (node_phase_rad[low as usize], node_phase_rad[high as usize]);
        let by_nodes = high - low + std::f64::consts::TAU * f64::from(wrap_of(low, high));
        let by_edge = {
            let (sin, cos) = f64::from(difference_rad[edge]).sin_cos();
            sin.atan2(cos)
        };
        let cycles = ((by_edge - by_nodes) / std::f64::consts::TAU).round();
        if cycles != 0.0 {
            let moved = f64::from(costs.offset[edge]) - cycles * f64::from(STEPS_PER_CYCLE);
            costs.saturated += u64::from(moved.abs() > f64::from(i16::MAX));
            costs.offset[edge] = saturated(moved);
        }
    }
}
