//! Unwraps every interferogram on the grid: costs, solution, proof, phase of the nodes.

use num_complex::Complex;
use pystamps_kernels::node_edges::NodeEdges;
use pystamps_unwrap::{GridArcs, Workspace};
use rayon::prelude::*;

use super::checkpoint::{Checkpoints, Found};
use super::costs::{EdgeCosts, GridCosts, agree_with_nodes, arc_edges, edge_variances};
use super::edge_analysis::EdgeAnalysis;
use super::node_phase::NodePhase;
use super::nodes::Nodes;
use super::snaphu::{External, Handed, KeptCosts};
use super::solution::{
    CertificateRecord, Proof, UnwrappedGrid, Verified, node_phases_rad, problem, solve,
};
use crate::error::{Diagnostic, Result};
use crate::progress::{Phase, Progress};

/// The grid as the solver sees it; the same for all interferograms.
pub(super) struct SolverGrid<'a> {
    pub(super) nodes: &'a Nodes,
    /// Node of every cell, column by column.
    pub(super) nearest: &'a [u32],
    pub(super) edges: &'a NodeEdges,
    /// Edges of the arcs, row by row.
    pub(super) arc_edges: GridArcs<i32>,
    /// Variance of every edge without local gradients; 0 without statistics.
    pub(super) variances: Vec<i16>,
    /// Arcs that an edge stands for.
    occurrences: Vec<u32>,
}

/// One unwrapped interferogram.
pub(super) struct Unwrapped {
    /// Phase of the nodes, rad.
    pub(super) node_phase_rad: Vec<f32>,
    /// Roughness of the grid, rad^2.
    pub(super) roughness_rad2: f64,
    pub(super) record: CertificateRecord,
    /// Numbers in the proof: arcs with flow, cells with a potential.
    pub(super) proof_entries: [usize; 2],
}

/// What the unwrapping does besides.
pub(super) struct Extras<'a> {
    pub(super) checkpoints: &'a Checkpoints,
    /// Keeps what SNAPHU would be handed.
    pub(super) kept: Option<&'a KeptCosts>,
    /// Unwraps with SNAPHU.
    pub(super) external: Option<&'a External>,
}

impl<'a> SolverGrid<'a> {
    pub(super) fn new(
        nodes: &'a Nodes,
        nearest: &'a [u32],
        edges: &'a NodeEdges,
        analysis: &EdgeAnalysis,
    ) -> Self {
        let occurrences = edges.occurrences();
        let variances = edge_variances(&analysis.variance_cycles2, &occurrences);
        let arc_edges = arc_edges(edges, nodes.shape());
        Self { nodes, nearest, edges, arc_edges, variances, occurrences }
    }

    /// Edges without statistics.
    pub(super) fn edges_without_statistics(&self) -> usize {
        self.variances.iter().filter(|&&variance| variance == 0).count()
    }

    /// Costs of the edges in one interferogram, as SNAPHU is handed them.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn costs(&self, analysis: &EdgeAnalysis, place: usize) -> Result<EdgeCosts> {
        let difference_rad = analysis.difference_rad.column(place)?;
        // The method 2D expects what it finds.
        let noise_rad = match &analysis.noise_rad {
            Some(noise) => noise.column(place)?,
            None => vec![0.0; difference_rad.len()],
        };
        let chosen = analysis.by_gradients.as_ref();
        let spread = chosen
            .map_or_else(Vec::new, |chosen| chosen.spread_column(place, difference_rad.len()));
        let (variances, occurrences) = (&self.variances, &self.occurrences);
        Ok(EdgeCosts::of(&difference_rad, &noise_rad, variances, &spread, occurrences))
    }

    /// The same with every difference wrapped as the nodes' phase has it: what is solved.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn solved_costs(
        &self,
        mut costs: EdgeCosts,
        analysis: &EdgeAnalysis,
        place: usize,
        node_phase_rad: &[f64],
    ) -> Result<EdgeCosts> {
        let difference_rad = analysis.difference_rad.column(place)?;
        agree_with_nodes(&mut costs, &difference_rad, node_phase_rad, &self.edges.ends);
        Ok(costs)
    }
}

/// Unwraps the interferograms `used`, whose nodes have the wrapped `phase`.
///
/// # Errors
/// `unwrapping-failed`, `unwrapping-unproven`; those of SNAPHU where it is used; I/O errors.
pub(super) fn unwrap_all(
    grid: &SolverGrid<'_>,
    analysis: &EdgeAnalysis,
    phase: &NodePhase,
    used: &[usize],
    extras: &Extras<'_>,
    progress: &Progress,
) -> Result<Vec<Unwrapped>> {
    let counted = progress.phase("unwrapping", used.len() as u64, "interferograms");
    used.par_iter()
        .enumerate()
        .map_init(Workspace::default, |workspace, (place, &column)| {
            let work = Work { grid, analysis, extras, column, place, progress };
            work.unwrap(phase.column(place), workspace, &counted)
        })
        .collect()
}

/// One interferogram in work.
struct Work<'a> {
    grid: &'a SolverGrid<'a>,
    analysis: &'a EdgeAnalysis,
    extras: &'a Extras<'a>,
    column: usize,
    place: usize,
    progress: &'a Progress,
}

impl Work<'_> {
    fn unwrap(
        &self,
        phasors: &[Complex<f32>],
        workspace: &mut Workspace,
        counted: &Phase<'_>,
    ) -> Result<Unwrapped> {
        let Self { grid, analysis, extras, .. } = *self;
        let shape = grid.nodes.shape();
        let node_phase_rad = node_phases_rad(phasors);
        let handed = grid.costs(analysis, self.place)?;
        if let Some(kept) = extras.kept {
            kept.write(self.place, &handed, grid, phasors)?;
        }
        let edge_costs =
            grid.solved_costs(handed.clone(), analysis, self.place, &node_phase_rad)?;
        let costs = GridCosts::of(&edge_costs, &node_phase_rad, grid.edges, &grid.arc_edges);
        let (proof, verified) = self.proven(&edge_costs, &costs, workspace)?;
        let mut record =
            verified.record(self.column + 1, &costs, proof.statistics, edge_costs.saturated);
        let mut result = (proof, verified.flow);
        if let Some(external) = extras.external {
            let handed = Handed { number: self.column + 1, costs: &handed, grid, phasors };
            let flow = external.flow(&handed, &costs, extras.checkpoints.folder())?;
            let theirs = Proof { flow: Proof::entries_of(&flow), ..result.0 };
            extras.checkpoints.keep_external(self.column, &theirs)?;
            let verified = self.verified(&theirs, &costs)?;
            record = CertificateRecord {
                external_excess: Some(verified.certificate.objective - record.objective),
                ..verified.record(self.column + 1, &costs, theirs.statistics, edge_costs.saturated)
            };
            result = (theirs, flow);
        }
        let (proof, flow) = result;
        let unwrapped = UnwrappedGrid::integrate(shape, &costs.wraps, &flow);
        let node_phase = unwrapped.at_nodes(shape[0], grid.nodes.cells(), &node_phase_rad);
        let roughness_rad2 = unwrapped.roughness_rad2(grid.nearest, &node_phase_rad);
        counted.advance(1);
        let proof_entries = [proof.flow.len(), proof.potentials.len()];
        Ok(Unwrapped { node_phase_rad: node_phase, roughness_rad2, record, proof_entries })
    }

    /// The solution of an earlier run, if it is there and proves itself, or a new one.
    fn proven(
        &self,
        edge_costs: &EdgeCosts,
        costs: &GridCosts,
        workspace: &mut Workspace,
    ) -> Result<(Proof, Verified)> {
        let checkpoints = self.extras.checkpoints;
        let reason = match checkpoints.find(self.column, edge_costs, &costs.wraps) {
            Found::Nothing => None,
            Found::Unusable(reason) => Some(reason),
            Found::Solved(proof) => {
                let verified = self.verified(&proof, costs);
                match verified {
                    Ok(verified) if verified.certificate.is_optimal() => {
                        return Ok((proof, verified));
                    }
                    _ => Some("its proof does not hold"),
                }
            }
        };
        if let Some(reason) = reason {
            let number = self.column + 1;
            self.progress
                .note(&format!("interferogram {number} is unwrapped again: checkpoint: {reason}"));
        }
        let proof = {
            let problem = problem(self.grid.nodes.shape(), costs)?;
            Proof::of(&solve(&problem, workspace)?)
        };
        let verified = self.verified(&proof, costs)?;
        if !verified.certificate.is_optimal() {
            return Err(self.unproven(&verified));
        }
        checkpoints.keep(self.column, edge_costs, &costs.wraps, &proof)?;
        Ok((proof, verified))
    }

    fn verified(&self, proof: &Proof, costs: &GridCosts) -> Result<Verified> {
        let shape = self.grid.nodes.shape();
        let problem = problem(shape, costs)?;
        let verified = proof.verify(&problem, shape);
        verified.ok_or_else(|| {
            Diagnostic::new("unwrapping-failed", "a solution names arcs that do not exist").data()
        })
    }

    fn unproven(&self, verified: &Verified) -> crate::Error {
        Diagnostic::new("unwrapping-unproven", "the solver's own proof does not hold")
            .variable(format!("interferogram {}", self.column + 1))
            .expected("gap 0, all cells balanced, all arcs feasible")
            .found(format!("{:?}", verified.certificate))
            .remedy("report this with the project: it is an error of pystamps")
            .data()
    }
}
