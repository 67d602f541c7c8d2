//! Solves one interferogram on the grid and holds the proof: flow, potentials, certificate.

use num_complex::Complex;
use pystamps_unwrap::{
    ArcCost, Certificate, GridArcs, GridProblem, GridSolution, SolveStatistics, Workspace,
    integrate_cycles, solve_grid, verify_grid,
};
use serde::{Deserialize, Serialize};

use super::costs::GridCosts;
use crate::error::{Diagnostic, Error, Result};

/// The numbers other than 0 of a long array: places and values.
pub(super) type Entries<T> = Vec<(u32, T)>;

/// A solution as it is kept: almost all flows and potentials are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proof {
    /// Whole cycles of the arcs, those down first, row by row.
    pub(super) flow: Entries<i16>,
    /// Potentials of the cells between four pixels, row by row, and of the border.
    pub(super) potentials: Entries<i64>,
    /// How the solution was found.
    pub(super) statistics: Effort,
}

/// What the search for the solution took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effort {
    /// Units of flow that the cheapest cycles of single arcs leave unbalanced.
    pub(super) imbalance: u64,
    /// Units moved along shortest paths.
    pub(super) augmentations: u64,
}

impl From<SolveStatistics> for Effort {
    fn from(statistics: SolveStatistics) -> Self {
        Self { imbalance: statistics.imbalance, augmentations: statistics.augmentations }
    }
}

/// One line of the solver's log: what is proven of an interferogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CertificateRecord {
    /// Number of the interferogram, from 1, the master's slot counted.
    pub(crate) interferogram: usize,
    /// Value of the solution, arcs without statistics at one a cycle.
    pub(crate) objective: i64,
    /// What no solution can be below.
    pub(crate) dual_bound: i64,
    /// Their difference; 0 proves the solution optimal.
    pub(crate) gap: i64,
    /// Value as SNAPHU counts it: arcs without statistics at one, however many cycles.
    pub(crate) objective_of_snaphu: i64,
    /// Cells around which the wrapped differences do not add up to 0.
    pub(crate) residues: u64,
    #[serde(flatten)]
    pub(super) effort: Effort,
    /// Arcs without statistics that carry cycles.
    pub(crate) arcs_without_statistics_used: u64,
    /// Most cycles on an arc.
    pub(crate) largest_flow: u32,
    /// Edges whose costs were cut at 16 bits.
    pub(crate) saturated_edges: u64,
    /// With an external solver: how much its value is above the optimum; what is published is its
    /// solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_excess: Option<i64>,
}

/// The problem of one interferogram.
pub(super) fn problem(shape: [usize; 2], costs: &GridCosts) -> Result<GridProblem<'_, ArcCost>> {
    GridProblem::new(shape[0], shape[1], &costs.wraps, &costs.costs).map_err(|e| failed(&e))
}

/// Solves the problem.
///
/// # Errors
/// `unwrapping-failed` where flows or costs leave the range of the solver.
pub(super) fn solve(
    problem: &GridProblem<'_, ArcCost>,
    workspace: &mut Workspace,
) -> Result<GridSolution> {
    solve_grid(problem, workspace).map_err(|e| failed(&e))
}

fn failed(error: &pystamps_unwrap::UnwrapError) -> Error {
    Diagnostic::new("unwrapping-failed", "the solver cannot take this interferogram")
        .expected("costs and cycles within the solver's range")
        .found(error)
        .remedy("look for phase that is no phase: extreme offsets come from it")
        .data()
}

impl Proof {
    pub(super) fn of(solution: &GridSolution) -> Self {
        Self {
            flow: Self::entries_of(&solution.flow),
            potentials: entries(solution.potentials.iter().copied()),
            statistics: solution.statistics.into(),
        }
    }

    /// The arcs with flow.
    pub(super) fn entries_of(flow: &GridArcs<i16>) -> Entries<i16> {
        entries(flow.down.iter().chain(&flow.right).copied())
    }

    /// Flow of every arc; `None` if an entry names an arc that does not exist.
    pub(super) fn full_flow(&self, [rows, columns]: [usize; 2]) -> Option<GridArcs<i16>> {
        let down = (rows - 1) * columns;
        let mut all = filled(&self.flow, down + rows * (columns - 1))?;
        let right = all.split_off(down);
        Some(GridArcs { down: all, right })
    }

    /// Potential of every cell and the border; `None` as above.
    pub(super) fn full_potentials(&self, [rows, columns]: [usize; 2]) -> Option<Vec<i64>> {
        filled(&self.potentials, (rows - 1) * (columns - 1) + 1)
    }

    /// Checks the proof by itself: nothing of the solver's work is used.
    pub(super) fn verify(
        &self,
        problem: &GridProblem<'_, ArcCost>,
        shape: [usize; 2],
    ) -> Option<Verified> {
        let flow = self.full_flow(shape)?;
        let certificate = verify_grid(problem, &flow, &self.full_potentials(shape)?);
        Some(Verified { flow, certificate })
    }
}

fn entries<T: Copy + Default + PartialEq>(values: impl Iterator<Item = T>) -> Entries<T> {
    (0..).zip(values).filter(|(_, value)| *value != T::default()).collect()
}

fn filled<T: Copy + Default>(entries: &[(u32, T)], length: usize) -> Option<Vec<T>> {
    let mut all = vec![T::default(); length];
    for &(place, value) in entries {
        *all.get_mut(place as usize)? = value;
    }
    Some(all)
}

/// A flow and what the verifier says of it.
pub(super) struct Verified {
    pub(super) flow: GridArcs<i16>,
    pub(super) certificate: Certificate,
}

impl Verified {
    /// The record of the interferogram `number`.
    pub(super) fn record(
        &self,
        number: usize,
        costs: &GridCosts,
        effort: Effort,
        saturated_edges: u64,
    ) -> CertificateRecord {
        let Certificate { objective, dual_bound, residues, largest_flow, .. } = self.certificate;
        let arcs = || {
            let down = costs.costs.down.iter().zip(&self.flow.down);
            down.chain(costs.costs.right.iter().zip(&self.flow.right))
        };
        let used = arcs().filter(|(cost, flow)| cost.is_absolute() && **flow != 0).count();
        let counted: i128 =
            arcs().map(|(cost, &flow)| i128::from(cost.counted(i32::from(flow)))).sum();
        CertificateRecord {
            interferogram: number,
            objective,
            dual_bound,
            gap: self.certificate.gap(),
            objective_of_snaphu: i64::try_from(counted).unwrap_or(i64::MAX),
            residues,
            effort,
            arcs_without_statistics_used: used as u64,
            largest_flow,
            saturated_edges,
            external_excess: None,
        }
    }
}

/// Unwrapped phase of the grid in one interferogram.
pub(super) struct UnwrappedGrid {
    /// Whole cycles of every cell, row by row; 0 in the first.
    pub(super) cycles: Vec<i32>,
    columns: usize,
}

impl UnwrappedGrid {
    /// Adds the cycles up, from the first cell.
    pub(super) fn integrate(shape: [usize; 2], wraps: &GridArcs<i8>, flow: &GridArcs<i16>) -> Self {
        let cycles = integrate_cycles(shape[0], shape[1], wraps, flow);
        Self { cycles, columns: shape[1] }
    }

    /// Unwrapped phase of the cell in `row` and `column`, whose node has the wrapped phase
    /// `node_phase_rad`.
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    pub(super) fn phase_rad(&self, row: usize, column: usize, node_phase_rad: f64) -> f32 {
        let cycles = f64::from(self.cycles[row * self.columns + column]);
        (node_phase_rad + std::f64::consts::TAU * cycles) as f32
    }

    /// Unwrapped phase of every node, rad.
    pub(super) fn at_nodes(&self, rows: usize, cells: &[u32], node_phase_rad: &[f64]) -> Vec<f32> {
        let nodes = cells.iter().zip(node_phase_rad);
        nodes
            .map(|(&cell, &phase_rad)| {
                self.phase_rad(cell as usize % rows, cell as usize / rows, phase_rad)
            })
            .collect()
    }

    /// Mean squared difference of neighbouring cells that differ, rad^2; `nearest` is the node of
    /// every cell, column by column.
    ///
    /// # StaMPS compatibility
    /// stage6.md 6.5. Cells of one node never differ here; in SNAPHU's output some do by rounding, and
    /// the original's divisor counts them.
    pub(super) fn roughness_rad2(&self, nearest: &[u32], node_phase_rad: &[f64]) -> f64 {
        let rows = self.cycles.len() / self.columns;
        let at = |row: usize, column: usize| {
            let node = nearest[column * rows + row] as usize;
            f64::from(self.phase_rad(row, column, node_phase_rad[node]))
        };
        let (mut sum, mut count) = (0.0, 0_u64);
        let mut add = |difference: f64| {
            sum += difference * difference;
            count += u64::from(difference != 0.0);
        };
        for row in 0..rows {
            for column in 0..self.columns {
                let here = at(row, column);
                if row + 1 < rows {
                    add(at(row + 1, column) - here);
                }
                if column + 1 < self.columns {
                    add(at(row, column + 1) - here);
                }
            }
        }
        if count == 0 { 0.0 } else { sum / count as f64 }
    }
}

/// Phase of the nodes in [0, 2 pi), rad.
pub(super) fn node_phases_rad(phasors: &[Complex<f32>]) -> Vec<f64> {
    phasors
        .iter()
        .map(|phasor| {
            let phase_rad = f64::from(phasor.im).atan2(f64::from(phasor.re));
            if phase_rad < 0.0 { phase_rad + std::f64::consts::TAU } else { phase_rad }
        })
        .collect()
}
