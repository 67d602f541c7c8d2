//! Carries stage 6 out, from the phase of the PS to their unwrapped phase and its proof.

use std::path::Path;

use pystamps_kernels::edge_series::Method;
use pystamps_kernels::node_edges::{NodeEdges, node_edges};

use super::certificates::{GridFacts, SolverLog, write_certificate};
use super::checkpoint::Checkpoints;
use super::edge_analysis::{EdgeAnalysis, analyse_edges};
use super::incidence::mean_incidence_rad;
use super::inversion::{self, Inversion, invert};
use super::memory::Need;
use super::nearest::OccupiedCells;
use super::node_phase::{NodePhase, node_phase};
use super::nodes::Nodes;
use super::phase::WrappedPhase;
use super::rules::Rules;
use super::series_network::SeriesNetwork;
use super::snaphu::{External, KeptCosts};
use super::solution::node_phases_rad;
use super::transfer::{UnwrappedNodes, write_unwrapped};
use super::unwrapping::{Extras, SolverGrid, Unwrapped, unwrap_all};
use super::{ALGORITHM_VERSION, files};
use crate::error::{Diagnostic, Result};
use crate::merged_scope::refuse_without_ps;
use crate::parameter_checks::dropped_interferograms;
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::Residence;
use crate::scratch::Room;
use crate::stage::{Computed, StageOptions};
use crate::trial_wraps::LargestDemError;

/// One run of the stage.
pub(super) struct Unwrapping<'a> {
    pub(super) root: &'a Path,
    pub(super) parameters: &'a Parameters,
    pub(super) rules: &'a Rules,
    pub(super) options: &'a StageOptions,
    pub(super) staging: &'a Path,
}

/// The grid of the project and its edges.
pub(super) struct Geometry {
    pub(super) nodes: Nodes,
    /// Node of every cell, column by column.
    nearest: Vec<u32>,
    pub(super) edges: NodeEdges,
}

impl Geometry {
    /// The grid of the `stack` of the project `root`; `given` is a file with the nearest node of every cell, in
    /// place of our search.
    ///
    /// # Errors
    /// As [`Nodes::of`] and [`OccupiedCells::read`].
    pub(super) fn of(
        root: &Path,
        stack: &Stack,
        rules: &Rules,
        given: Option<&Path>,
    ) -> Result<Self> {
        let nodes =
            Nodes::of(&stack.xy_m, rules).map_err(|error| error.in_file(&root.join("ps2.mat")))?;
        let [rows, columns] = nodes.shape();
        let cells = OccupiedCells { shape: nodes.shape(), occupied: &nodes.occupied() };
        let nearest = cells.nearest(given)?;
        let edges = node_edges(&nearest, rows, columns);
        Ok(Self { nodes, nearest, edges })
    }
}

impl Unwrapping<'_> {
    pub(super) fn run(&self, external: Option<&External>, progress: &Progress) -> Result<Computed> {
        let Self { root, rules, staging, .. } = *self;
        let stack = Stack::load(root, 2, rules.network)?;
        let used = self.used(&stack)?;
        let method = rules.method(&stack, &used);
        let inversion = match rules.network {
            Network::SingleMaster => None,
            Network::SmallBaselines => {
                Some(Inversion::prepare(root, &stack, self.parameters, &used)?)
            }
        };
        let wrapped = WrappedPhase::open(root, &stack, rules)?;
        self.note_left_out(&wrapped, progress);
        let left_out = wrapped.left_out();
        if !left_out.is_empty() {
            progress.note(&format!("unwraps without the {}", left_out.join(", the ")));
        }
        let geometry = Geometry::of(root, &stack, rules, self.options.nearest_nodes.as_deref())?;
        let Geometry { nodes, nearest, edges } = &geometry;
        let residence = self.residence(&stack, &used, &geometry, &wrapped, method)?;
        let network = SeriesNetwork::of(&stack, &used);
        let mut plan = network.plan(rules, method, self.trial_wraps(&stack)?)?;

        let phase = node_phase(&wrapped, nodes, &used, rules, method, progress)?;
        files::write_grid(staging, nodes, &phase, &wrapped, &used, progress)?;
        files::write_interpolation(staging, nodes.shape(), nearest, edges)?;
        let room = Room { residence, folder: staging };
        let analysis = analyse_edges(&mut plan, method, edges, nodes, &phase, &room, progress)?;
        files::write_series(staging, &analysis, &plan, method, &phase, None, progress)?;

        let grid = SolverGrid::new(nodes, nearest, edges, &analysis);
        note_lack_of_statistics(&grid, progress);
        let checkpoints =
            Checkpoints::open(root, nodes.shape(), &grid.arc_edges, ALGORITHM_VERSION)?;
        let kept = self.options.keep_costs.then(|| KeptCosts::in_folder(staging));
        let extras = Extras { checkpoints: &checkpoints, kept: kept.as_ref(), external };
        let unwrapped = unwrap_all(&grid, &analysis, &phase, &used, &extras, progress)?;
        self.write_results(&stack, &wrapped, &grid, &used, &unwrapped, progress)?;
        let solved =
            Solved { grid: &grid, analysis: &analysis, phase: &phase, unwrapped: &unwrapped };
        self.write_proof(&solved, &left_out, &checkpoints, progress)?;
        if let Some(inversion) = &inversion {
            invert(root, staging, &stack, inversion, &used, progress)?;
        }
        Ok((stack.row_count() as u64, details(&stack, &grid, &unwrapped)))
    }

    /// Columns of the interferograms to unwrap.
    pub(super) fn used(&self, stack: &Stack) -> Result<Vec<usize>> {
        let dropped = dropped_interferograms(self.parameters, stack.interferogram_count())?;
        let used: Vec<usize> =
            stack.measured().into_iter().filter(|column| !dropped.contains(column)).collect();
        refuse_without_ps(self.root, stack)?;
        if used.is_empty() {
            return Err(Diagnostic::new("interferograms-all-dropped", "nothing is left to unwrap")
                .variable("drop_ifg_index")
                .expected("at least one interferogram besides the master's slot")
                .found(format!("all {} dropped", stack.measured().len()))
                .remedy("pystamps-native params set --dataset … drop_ifg_index '[]'")
                .usage());
        }
        Ok(used)
    }

    pub(super) fn note_left_out(&self, wrapped: &WrappedPhase<'_>, progress: &Progress) {
        let left_out = wrapped.left_out();
        if wrapped.without_values() > 0 {
            progress.note(&format!(
                "stage 7 has no value for {} PS, for want of phase: nothing is left out of theirs",
                wrapped.without_values()
            ));
        }
        if !self.rules.patch_phase && !wrapped.restores_look_angle() {
            progress.note("pm2.mat has no K_ps: the look-angle term of stage 5 is not put back");
        }
        if self.rules.troposphere.is_some() && !left_out.contains(&"tropospheric correction") {
            progress.note("subtr_tropo is set but there is no tca file: nothing is subtracted");
        }
    }

    /// Where the series of the edges are kept, by the memory limit.
    pub(super) fn residence(
        &self,
        stack: &Stack,
        used: &[usize],
        geometry: &Geometry,
        wrapped: &WrappedPhase<'_>,
        method: Method,
    ) -> Result<Residence> {
        let [rows, columns] = geometry.nodes.shape();
        let gradients = self.rules.uses_gradients(method);
        let several = method == Method::MultiMaster;
        let again = match stack.network {
            Network::SingleMaster => 0,
            Network::SmallBaselines => inversion::resident_bytes(self.root)?,
        };
        let need = Need {
            rows: stack.row_count() as u64,
            columns: used.len() as u64,
            cells: (rows * columns) as u64,
            nodes: geometry.nodes.len() as u64,
            edges: geometry.edges.ends.len() as u64,
            threads: rayon::current_num_threads() as u64,
            extra_node_bytes: if gradients { 16 } else { 0 } + if several { 16 } else { 0 },
            extra_edge_bytes: if gradients { 32 } else { 0 } + if several { 8 } else { 0 },
            resident_bytes: wrapped.resident_bytes() + again,
        };
        let limit_bytes = self.options.memory_limit_bytes;
        if limit_bytes.is_none_or(|limit| limit >= need.bytes(Residence::Memory)) {
            return Ok(Residence::Memory);
        }
        check_memory(limit_bytes, need.bytes(Residence::File), "stage 6")?;
        Ok(Residence::File)
    }

    /// Cycles of phase that the largest look-angle error makes over the range of baselines.
    pub(super) fn trial_wraps(&self, stack: &Stack) -> Result<f64> {
        let largest = LargestDemError {
            height_m: self.rules.max_topo_err_m,
            wavelength_m: self.rules.wavelength_m,
        };
        let incidence_rad = mean_incidence_rad(self.root, stack)?;
        largest.trial_wraps(&stack.bperp_m, stack.single_precision, incidence_rad)
    }

    fn write_results(
        &self,
        stack: &Stack,
        wrapped: &WrappedPhase<'_>,
        grid: &SolverGrid<'_>,
        used: &[usize],
        unwrapped: &[Unwrapped],
        progress: &Progress,
    ) -> Result<()> {
        let phase_rad: Vec<&[f32]> =
            unwrapped.iter().map(|one| one.node_phase_rad.as_slice()).collect();
        let roughness_rad2: Vec<f64> = unwrapped.iter().map(|one| one.roughness_rad2).collect();
        files::write_unwrapped_nodes(self.staging, &phase_rad, &roughness_rad2, progress)?;
        let nodes = UnwrappedNodes { used, phase_rad: &phase_rad, roughness_rad2: &roughness_rad2 };
        write_unwrapped(self.staging, stack, wrapped, grid.nodes, &nodes, progress)
    }

    fn write_proof(
        &self,
        solved: &Solved<'_>,
        left_out: &[&str],
        checkpoints: &Checkpoints,
        progress: &Progress,
    ) -> Result<()> {
        let &Solved { grid, analysis, phase, unwrapped } = solved;
        let facts = GridFacts {
            shape: grid.nodes.shape(),
            nodes: grid.nodes.len(),
            edges: grid.edges.ends.len(),
            edges_without_statistics: grid.edges_without_statistics(),
            left_out: left_out.iter().map(|&part| part.to_owned()).collect(),
        };
        let solver = self.options.solver.to_string();
        SolverLog::of(&solver, &facts, unwrapped).write(self.staging)?;
        let costs = |place: usize| {
            let node_phase_rad = node_phases_rad(phase.column(place));
            grid.solved_costs(grid.costs(analysis, place)?, analysis, place, &node_phase_rad)
        };
        let shared = analysis.by_gradients.is_none().then_some(grid.variances.as_slice());
        let proof = |place: usize| checkpoints.published(unwrapped[place].record.interferogram - 1);
        write_certificate(self.staging, facts.edges, unwrapped, shared, costs, proof, progress)
    }
}

/// Everything that the proof is made of.
struct Solved<'a> {
    grid: &'a SolverGrid<'a>,
    analysis: &'a EdgeAnalysis,
    phase: &'a NodePhase,
    unwrapped: &'a [Unwrapped],
}

/// Says so where most edges have no statistics.
fn note_lack_of_statistics(grid: &SolverGrid<'_>, progress: &Progress) {
    let edges = grid.variances.len();
    let without = grid.edges_without_statistics();
    if 2 * without > edges {
        progress.note(&format!(
            "{without} of {edges} edges have no statistics, because their noise is too large: there the \
             phase is unwrapped with as few jumps as possible; try another unwrap_method, or check \
             the interferograms"
        ));
    }
}

fn details(stack: &Stack, grid: &SolverGrid<'_>, unwrapped: &[Unwrapped]) -> String {
    let without = grid.edges_without_statistics();
    let [rows, columns] = grid.nodes.shape();
    let mut parts = vec![
        format!("{} PS in {} interferograms", stack.row_count(), unwrapped.len()),
        format!("{rows} x {columns} cells, {} of them with PS", grid.nodes.len()),
        format!("{} edges, {without} without statistics", grid.edges.ends.len()),
    ];
    let saturated: u64 = unwrapped.iter().map(|one| one.record.saturated_edges).sum();
    if saturated > 0 {
        parts.push(format!("{saturated} costs cut at 16 bits"));
    }
    parts.push(match unwrapped.iter().filter(|one| one.record.gap != 0).count() {
        0 => "every solution proven optimal".to_owned(),
        open => format!("{open} solutions of SNAPHU above the optimum"),
    });
    parts.join("; ")
}
