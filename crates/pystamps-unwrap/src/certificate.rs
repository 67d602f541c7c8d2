//! Proof that a flow is the cheapest, checked without the solver.
//!
//! Nothing here is shared with the search: balances are taken cell by cell from wraps and flows, and
//! the bound is evaluated arc by arc from the costs and the potentials.

use crate::integrate::flows_of_cycles;
use crate::{ConvexCost, GridArcs, GridProblem, UnwrapError};

/// What a verifier found. [`is_optimal`](Self::is_optimal) sums it up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Sum of the costs of the flow.
    pub objective: i64,
    /// What every balanced flow (of 16 bits an arc) costs at least, by the potentials.
    pub dual_bound: i64,
    /// Cells round which the wrapped differences do not add up to 0.
    pub residues: u64,
    /// Cells round which wrapped differences and flows together do not add up to 0. The ground, which
    /// receives what the cells send, is then balanced too.
    pub unbalanced_cells: u64,
    /// Arcs of which one unit more or less would be cheaper, by the potentials.
    pub infeasible_arcs: u64,
    /// Greatest number of cycles on an arc.
    pub largest_flow: u32,
}

impl Certificate {
    /// What the objective may exceed the least one by, at most. Not negative where the flow balances.
    #[must_use]
    pub fn gap(&self) -> i64 {
        self.objective.saturating_sub(self.dual_bound)
    }

    /// Whether the flow balances and nothing cheaper exists.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.unbalanced_cells == 0 && self.infeasible_arcs == 0 && self.gap() == 0
    }
}

/// How far an unwrapped phase may be from the wrapped one plus whole cycles, cycles: rounding of
/// single precision.
const CONGRUENT_CYCLES: f64 = 0.01;

/// Checks somebody's unwrapped phase, from the phases themselves: wraps and flows are found anew.
///
/// `wrapped_rad` and `unwrapped_rad` are [rows, columns] row after row, `potentials` as for
/// [`verify_grid`].
///
/// # Errors
/// [`UnwrapError`] for lengths that do not fit, a phase that is none or not wrapped, and an unwrapped
/// phase that is not the wrapped one plus whole cycles.
pub fn verify_unwrapped<C: ConvexCost>(
    [rows, columns]: [usize; 2],
    wrapped_rad: &[f32],
    unwrapped_rad: &[f32],
    costs: &GridArcs<C>,
    potentials: &[i64],
) -> Result<Certificate, UnwrapError> {
    let wraps = GridArcs::from_wrapped_phase(rows, columns, wrapped_rad)?;
    let problem = GridProblem::new(rows, columns, &wraps, costs)?;
    let found = unwrapped_rad.len();
    if found != wrapped_rad.len() {
        let (what, expected) = ("unwrapped phase", wrapped_rad.len());
        return Err(UnwrapError::Length { what, expected, found });
    }
    let pixels = wrapped_rad.iter().zip(unwrapped_rad).enumerate();
    let cycles = pixels.map(|(pixel, (&wrapped, &unwrapped))| {
        let cycles = (f64::from(unwrapped) - f64::from(wrapped)) / std::f64::consts::TAU;
        let whole = cycles.round();
        let congruent = (cycles - whole).abs() < CONGRUENT_CYCLES && whole.abs() < 1e9;
        #[expect(clippy::cast_possible_truncation, reason = "below a thousand million")]
        congruent
            .then_some(whole as i32)
            .ok_or(UnwrapError::NotCongruent { row: pixel / columns, column: pixel % columns })
    });
    let cycles = cycles.collect::<Result<Vec<_>, _>>()?;
    let flow = flows_of_cycles(rows, columns, &wraps, &cycles)?;
    Ok(verify_grid(&problem, &flow, potentials))
}

/// Checks a flow and the potentials that shall prove it optimal, in time proportional to the arcs.
///
/// * balance: wraps and flows add up to 0 round every cell;
/// * every arc: `C(f) - C(f - 1) <= potential(tail) - potential(head) <= C(f + 1) - C(f)`;
/// * objective: the sum of `C(f)`;
/// * bound: the sum over the arcs of the least `C(f) - f (potential(tail) - potential(head))`, less
///   the sum over the cells of potential times residue. No balanced flow can cost less, whatever the
///   potentials are.
///
/// Potentials: [rows - 1, columns - 1] cells row after row, then the ground. The tail of a right arc is
/// the cell below it and its head the cell above, the tail of a down arc is the cell on its left.
/// Missing potentials count as 0; if flows are missing, every cell counts as unbalanced.
#[must_use]
pub fn verify_grid<C: ConvexCost>(
    problem: &GridProblem<C>,
    flow: &GridArcs<i16>,
    potentials: &[i64],
) -> Certificate {
    let (rows, columns) = (problem.rows, problem.columns);
    let shapes = [problem.wraps.check(rows, columns), flow.check(rows, columns)];
    if shapes.iter().any(Result::is_err) || problem.costs.check(rows, columns).is_err() {
        return Certificate {
            objective: i64::MAX,
            dual_bound: i64::MIN,
            residues: 0,
            unbalanced_cells: u64::MAX,
            infeasible_arcs: u64::MAX,
            largest_flow: 0,
        };
    }
    let mut tally = Tally::default();
    let cell_rows = rows - 1;
    let cell_columns = columns - 1;
    let ground = potentials.get(cell_rows * cell_columns).copied().unwrap_or(0);
    let potential = |row: Option<usize>, column: Option<usize>| match (row, column) {
        (Some(row), Some(column)) if row < cell_rows && column < cell_columns => {
            potentials.get(row * cell_columns + column).copied().unwrap_or(0)
        }
        _ => ground,
    };
    for row in 0..rows {
        for column in 0..cell_columns {
            let arc = row * cell_columns + column;
            let below = potential(Some(row), Some(column));
            let above = potential(row.checked_sub(1), Some(column));
            tally.arc(problem.costs.right[arc], flow.right[arc], below, above);
        }
    }
    for row in 0..cell_rows {
        for column in 0..columns {
            let arc = row * columns + column;
            let left = potential(Some(row), column.checked_sub(1));
            let right = potential(Some(row), Some(column));
            tally.arc(problem.costs.down[arc], flow.down[arc], left, right);
        }
        for column in 0..cell_columns {
            let (wrap, flow) = around(problem.wraps, flow, columns, row, column);
            let above_ground = potential(Some(row), Some(column)).saturating_sub(ground);
            tally.node(wrap.into(), flow.into(), above_ground);
        }
    }
    tally.certificate()
}

/// Sums clockwise round a cell: of the wraps and of the flows.
fn around(
    wraps: &GridArcs<i8>,
    flow: &GridArcs<i16>,
    columns: usize,
    row: usize,
    column: usize,
) -> (i32, i32) {
    let top = row * (columns - 1) + column;
    let bottom = top + columns - 1;
    let left = row * columns + column;
    let wrap = i32::from(wraps.right[top]) + i32::from(wraps.down[left + 1])
        - i32::from(wraps.right[bottom])
        - i32::from(wraps.down[left]);
    let flow = i32::from(flow.right[top]) + i32::from(flow.down[left + 1])
        - i32::from(flow.right[bottom])
        - i32::from(flow.down[left]);
    (wrap, flow)
}

/// Sums over arcs and cells.
#[derive(Default)]
pub(crate) struct Tally {
    objective: i128,
    bound: i128,
    residues: u64,
    unbalanced: u64,
    infeasible: u64,
    largest_flow: u32,
}

impl Tally {
    /// Adds an arc from a node of potential `tail` to one of potential `head`.
    #[inline]
    pub(crate) fn arc<C: ConvexCost>(&mut self, cost: C, flow: i16, tail: i64, head: i64) {
        let difference = tail.saturating_sub(head);
        let here = cost.cost(flow.into());
        let less = here.saturating_sub(cost.cost(i32::from(flow) - 1));
        let more = cost.cost(i32::from(flow) + 1).saturating_sub(here);
        self.objective += i128::from(here);
        self.largest_flow = self.largest_flow.max(flow.unsigned_abs().into());
        if less <= difference && difference <= more {
            self.bound += i128::from(here) - i128::from(flow) * i128::from(difference);
        } else {
            self.infeasible += 1;
            self.bound += least_reduced(cost, difference);
        }
    }

    /// Adds a node round which the wraps add up to `wrap` and the flows to `flow`: the flows have to
    /// make up for the wraps.
    #[inline]
    pub(crate) fn node(&mut self, wrap: i64, flow: i64, potential: i64) {
        if wrap != 0 {
            self.residues += 1;
            self.bound -= i128::from(wrap) * i128::from(potential);
        }
        self.unbalanced += u64::from(wrap + flow != 0);
    }

    pub(crate) fn certificate(&self) -> Certificate {
        let clamp = |value: i128| {
            i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
        };
        Certificate {
            objective: clamp(self.objective),
            dual_bound: clamp(self.bound),
            residues: self.residues,
            unbalanced_cells: self.unbalanced,
            infeasible_arcs: self.infeasible,
            largest_flow: self.largest_flow,
        }
    }
}

/// Least `C(f) - f * difference` over the flows of 16 bits.
#[cold]
fn least_reduced<C: ConvexCost>(cost: C, difference: i64) -> i128 {
    // The first flow from which one more does not pay; one more pays less and less.
    let (mut low, mut high) = (i32::from(i16::MIN), i32::from(i16::MAX));
    while low < high {
        let middle = low + (high - low) / 2;
        if cost.cost(middle + 1).saturating_sub(cost.cost(middle)) < difference {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    i128::from(cost.cost(low)) - i128::from(low) * i128::from(difference)
}
