//! Stage 6, phase unwrapping of the merged project.
//!
//! | reads | writes |
//! |---|---|
//! | `rc2.mat` (stage 5), `ps2 pm2 bp2 la2` | `phuw2.mat`, with small baselines `phuw_sb2 phuw2 phuw_sb_res2`: phase of the PS |
//! | `scla_smooth2.mat` (stage 7 of an earlier pass) | `uw_grid uw_interp uw_space_time uw_phaseuw`: grid, edges, series, nodes |
//! | `tca2.mat` (tropospheric correction) | `uw_solver.json`, `uw_certificate.mat`: the proof; `snaphu_keep/` on request |
//!
//! ```text
//! phase (of the PS) -> nodes, node_phase (sums on a grid, filtered)
//!   -> edge_analysis (expected differences and their noise) -> costs
//!   -> solution (whole cycles, by pystamps-unwrap), certificates -> transfer (phase of the PS)
//!   -> inversion (small baselines)
//! ```
//!
//! # StaMPS compatibility
//! `ps_unwrap` and `uw_3d`, stage6.md. Triangle is not needed: the nearest node of a cell is found
//! exactly, the smallest number on ties. SNAPHU is replaced by an exact solver of the very problem
//! that SNAPHU is handed, with arcs without statistics at one a cycle. The annealing of `3D` with
//! several masters is seeded, and so repeatable, but equal to the original's only in its statistics.
//! `unwrap_hold_good_values` is refused.

mod certificates;
mod checkpoint;
mod costs;
mod edge_analysis;
mod files;
mod incidence;
mod inversion;
pub(crate) mod memory;
mod node_phase;
mod nodes;
mod phase;
mod rules;
mod snaphu;
mod solution;
mod transfer;
mod unwrapping;
mod verify;

use std::path::Path;

use pystamps_kernels::edge_series::{EdgeSeries, EdgeSeriesOptions, Network as EdgeNetwork};
use pystamps_kernels::nearest_node::nearest_nodes;
use pystamps_kernels::node_edges::{NodeEdges, node_edges};

use crate::error::{Diagnostic, IoContext, Result};
use crate::parameter_checks::dropped_interferograms;
use crate::patch_scope::{
    Input, acting_parameters, optional, recipe, recorded_parameters, required,
};
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::artifacts::stage6::feedback;
use crate::project::checksums::Checksums;
use crate::project::layout::{AFTER_MERGED_STAGE_6, MERGED_STAGE_6};
use crate::project::ledger::{Ledger, Recipe};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::Residence;
use crate::scratch::Room;
use crate::stage::{
    Computed, ScopeStage, StageOptions, StageOutcome, UnwrappingSolver, open_scope,
};
use crate::trial_wraps::LargestDemError;

use certificates::{GridFacts, SolverLog, write_certificate};
use checkpoint::Checkpoints;
use edge_analysis::{EdgeAnalysis, analyse_edges};
use incidence::mean_incidence_rad;
use memory::Need;
use node_phase::{NodePhase, node_phase};
use nodes::Nodes;
use phase::WrappedPhase;
use rules::{ACTING_PARAMETERS, REFERENCE_PARAMETERS, Rules};
use snaphu::{External, KEPT_FOLDER, KeptCosts};
use transfer::{UnwrappedNodes, write_unwrapped};
use unwrapping::{Extras, SolverGrid, Unwrapped, unwrap_all};
pub use verify::{Verification, verify_unwrapping};

/// Raised whenever stage 6 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Files that stage 6 reads in any project.
const INPUTS: [Input; 5] = [
    required("rc2.mat", 5),
    required("ps2.mat", 5),
    optional("pm2.mat"),
    optional("bp2.mat"),
    optional("la2.mat"),
];

/// Unwraps the merged project `dataset`.
///
/// # Errors
/// `phase-missing`, `grid-too-small`, `interferograms-all-dropped`, `unwrapping-failed`; diagnostics
/// about parameters and files; memory limit; I/O errors. The project is then unchanged, and finished
/// interferograms are not solved again.
pub fn run_stage6_native(
    dataset: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let root = &std::path::absolute(dataset).while_doing("find the project")?;
    Parameters::load(root)?;
    let lock = open_scope(root, "stage 6", progress)?;
    let parameters = acting_parameters(root, options)?;
    let rules = Rules::of(&parameters)?;
    let external = match options.solver {
        UnwrappingSolver::Snaphu => Some(External::find()?),
        UnwrappingSolver::Native => None,
    };
    let marker = match rules.network {
        Network::SingleMaster => "phuw2.mat",
        Network::SmallBaselines => "phuw_sb2.mat",
    };
    let stage = ScopeStage {
        stage: "6",
        marker,
        present: Some(is_unwrapped(root, marker)),
        invalidated_stages: &["7", "8"],
        own_files: MERGED_STAGE_6,
        invalidated_files: AFTER_MERGED_STAGE_6,
        // Stage 8 puts its own analysis of the edges in the place of ours.
        shared_files: &["uw_space_time.mat"],
        recipe: recipe_of(root, &parameters, &rules, options, progress)?,
    };
    if options.keep_costs && !options.force && !root.join(KEPT_FOLDER).exists() {
        progress.note("costs are kept while unwrapping: add --force if that is done already");
    }
    let outcome = stage.run(&lock, options, progress, |staging| {
        let work = Unwrapping { root, parameters: &parameters, rules: &rules, options, staging };
        work.run(external.as_ref(), progress)
    })?;
    Checkpoints::clear(root);
    Ok(outcome)
}

/// Whether another program, or we, have unwrapped the project: the merge leaves a `phuw2.mat` of
/// zeros, without `msd`.
fn is_unwrapped(root: &Path, marker: &str) -> bool {
    let bundle = ["uw_phaseuw.mat", "uw_grid.mat", "uw_interp.mat", "uw_space_time.mat"];
    let listed = pystamps_mat::list(root.join(marker)).unwrap_or_default();
    let rough = listed.iter().any(|info| info.name == "msd");
    rough && bundle.iter().all(|name| root.join(name).is_file())
}

/// What goes into the stage.
///
/// The result of an earlier pass of stage 7 is left out while unwrapping. Stage 7 writes it after
/// stage 6, and that alone does not make the unwrapping outdated: `--force` asks for the second pass.
fn recipe_of(
    root: &Path,
    parameters: &Parameters,
    rules: &Rules,
    options: &StageOptions,
    progress: &Progress,
) -> Result<Recipe> {
    let mut recorded = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    if rules.network == Network::SmallBaselines {
        recorded.extend(recorded_parameters(parameters, &REFERENCE_PARAMETERS)?);
    }
    recorded.insert("solver".to_owned(), options.solver.to_string().into());
    let mut inputs = INPUTS.to_vec();
    if rules.troposphere.is_some() {
        inputs.push(optional(match rules.network {
            Network::SingleMaster => "tca2.mat",
            Network::SmallBaselines => "tca_sb2.mat",
        }));
    }
    let first_pass = recipe(root, "6", ALGORITHM_VERSION, recorded, &inputs)?;
    let file = feedback(rules.network).slope.file;
    let mut checksums = Checksums::load(root);
    let path = root.join(file);
    let now = if path.is_file() { Some(checksums.record(root, &path)?) } else { None };
    if let Some(entry) = Ledger::load(root)?.stage("6")
        && !options.force
    {
        let then = entry.recipe.inputs.iter().find(|record| record.path == file).cloned();
        if then != now {
            let mut as_then = first_pass.clone();
            as_then.inputs.extend(then);
            if entry.staleness(&as_then, root, &mut checksums)?.is_none() {
                progress.note(&format!(
                    "{file} has changed since: --force unwraps again without what it holds now \
                     (a second pass)"
                ));
                return Ok(as_then);
            }
        }
    }
    checksums.save();
    let mut with_feedback = first_pass;
    with_feedback.inputs.extend(now);
    Ok(with_feedback)
}

/// One run of the stage.
struct Unwrapping<'a> {
    root: &'a Path,
    parameters: &'a Parameters,
    rules: &'a Rules,
    options: &'a StageOptions,
    staging: &'a Path,
}

/// The grid of the project and its edges.
struct Geometry {
    nodes: Nodes,
    /// Node of every cell, column by column.
    nearest: Vec<u32>,
    edges: NodeEdges,
}

impl Geometry {
    fn of(stack: &Stack, rules: &Rules) -> Result<Self> {
        let nodes = Nodes::of(&stack.xy_m, rules)?;
        let [rows, columns] = nodes.shape();
        let nearest = nearest_nodes(&nodes.occupied(), rows, columns);
        let edges = node_edges(&nearest, rows, columns);
        Ok(Self { nodes, nearest, edges })
    }
}

impl Unwrapping<'_> {
    fn run(&self, external: Option<&External>, progress: &Progress) -> Result<Computed> {
        let Self { root, rules, staging, .. } = *self;
        let stack = Stack::load(root, 2, rules.network)?;
        let used = self.used(&stack)?;
        let method = rules.method(&stack);
        let wrapped = WrappedPhase::open(root, &stack, rules)?;
        self.note_left_out(&wrapped, progress);
        let geometry = Geometry::of(&stack, rules)?;
        let Geometry { nodes, nearest, edges } = &geometry;
        let residence = self.residence(&stack, &used, &geometry, &wrapped)?;
        let network = SeriesNetwork::of(&stack, &used);
        let mut plan = network.plan(rules, method, self.trial_wraps(&stack)?)?;

        let phase = node_phase(&wrapped, nodes, &used, rules, method, progress)?;
        files::write_grid(staging, nodes, &phase, &wrapped, &used, progress)?;
        files::write_interpolation(staging, nodes.shape(), nearest, edges)?;
        let room = Room { residence, folder: staging };
        let analysis = analyse_edges(&mut plan, method, edges, nodes, &phase, &room, progress)?;
        let edge_count = edges.ends.len();
        files::write_series(staging, &analysis, &plan, method, &phase, edge_count, progress)?;

        let grid = SolverGrid::new(nodes, nearest, edges, &analysis);
        if edge_count > 0 && grid.variances.iter().all(|&variance| variance == 0) {
            progress.note(
                "no edge has statistics: the phase is unwrapped with as few jumps as possible; try \
                 another unwrap_method, or check the interferograms",
            );
        }
        let checkpoints = Checkpoints::open(root, &grid.arc_edges, ALGORITHM_VERSION)?;
        let kept = self.options.keep_costs.then(|| KeptCosts::in_folder(staging));
        let extras = Extras { checkpoints: &checkpoints, kept: kept.as_ref(), external };
        let unwrapped = unwrap_all(&grid, &analysis, &phase, &used, &extras, progress)?;
        self.write_results(&stack, &wrapped, &grid, &used, &unwrapped, progress)?;
        self.write_proof(&grid, &analysis, &phase, &unwrapped, progress)?;
        if rules.network == Network::SmallBaselines {
            inversion::invert(root, staging, &stack, self.parameters, &used, progress)?;
        }
        Ok((stack.row_count() as u64, details(&stack, &grid, &unwrapped)))
    }

    /// Columns of the interferograms to unwrap.
    fn used(&self, stack: &Stack) -> Result<Vec<usize>> {
        let dropped = dropped_interferograms(self.parameters, stack.interferogram_count())?;
        let used: Vec<usize> =
            stack.measured().into_iter().filter(|column| !dropped.contains(column)).collect();
        if stack.row_count() == 0 {
            return Err(Diagnostic::new("no-ps", "the project has no PS to unwrap")
                .path(self.root.join("ps2.mat"))
                .expected("PS of at least one patch")
                .found("none")
                .remedy("select more PS: raise density_rand or weed_standard_dev")
                .data());
        }
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

    fn note_left_out(&self, wrapped: &WrappedPhase<'_>, progress: &Progress) {
        let left_out = wrapped.left_out();
        if !left_out.is_empty() {
            progress.note(&format!("unwraps without the {}", left_out.join(", the ")));
        }
        if self.rules.troposphere.is_some() && !left_out.contains(&"tropospheric correction") {
            progress.note("subtr_tropo is set but there is no tca file: nothing is subtracted");
        }
    }

    /// Where the series of the edges are kept, by the memory limit.
    fn residence(
        &self,
        stack: &Stack,
        used: &[usize],
        geometry: &Geometry,
        wrapped: &WrappedPhase<'_>,
    ) -> Result<Residence> {
        let [rows, columns] = geometry.nodes.shape();
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
    fn trial_wraps(&self, stack: &Stack) -> Result<f64> {
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
        let phase_rad: Vec<Vec<f32>> =
            unwrapped.iter().map(|one| one.node_phase_rad.clone()).collect();
        let roughness_rad2: Vec<f64> = unwrapped.iter().map(|one| one.roughness_rad2).collect();
        files::write_unwrapped_nodes(self.staging, &phase_rad, &roughness_rad2, progress)?;
        let nodes = UnwrappedNodes { used, phase_rad: &phase_rad, roughness_rad2: &roughness_rad2 };
        write_unwrapped(self.staging, stack, wrapped, grid.nodes, &nodes, progress)
    }

    fn write_proof(
        &self,
        grid: &SolverGrid<'_>,
        analysis: &EdgeAnalysis,
        phase: &NodePhase,
        unwrapped: &[Unwrapped],
        progress: &Progress,
    ) -> Result<()> {
        let without_statistics = grid.variances.iter().filter(|&&variance| variance == 0).count();
        let facts = GridFacts {
            shape: grid.nodes.shape(),
            nodes: grid.nodes.len(),
            edges: grid.edges.ends.len(),
            edges_without_statistics: without_statistics,
        };
        let solver = self.options.solver.to_string();
        SolverLog::of(&solver, &facts, unwrapped).write(self.staging)?;
        let costs = |place: usize| {
            let node_phase_rad = solution::node_phases_rad(phase.column(place));
            grid.solved_costs(grid.costs(analysis, place)?, analysis, place, &node_phase_rad)
        };
        let shared = analysis.by_gradients.is_none().then_some(grid.variances.as_slice());
        write_certificate(self.staging, facts.edges, unwrapped, shared, costs, progress)
    }
}

/// PS, cells, nodes and edges of the merged project `root`, for plans.
///
/// # Errors
/// Those of parameters, `ps2.mat` and the grid.
pub(crate) fn grid_counts(root: &Path, parameters: &Parameters) -> Result<[u64; 4]> {
    let rules = Rules::of(parameters)?;
    let stack = Stack::load(root, 2, rules.network)?;
    let Geometry { nodes, edges, .. } = Geometry::of(&stack, &rules)?;
    let [rows, columns] = nodes.shape();
    Ok([stack.row_count(), rows * columns, nodes.len(), edges.ends.len()].map(|n| n as u64))
}

/// Images and baselines of the interferograms as the analysis of edges takes them.
struct SeriesNetwork {
    day: Vec<f64>,
    pairs: Vec<[usize; 2]>,
    bperp_m: Vec<f64>,
}

impl SeriesNetwork {
    fn of(stack: &Stack, used: &[usize]) -> Self {
        let master_day = stack.day[stack.master];
        let pair = |&column: &usize| match stack.network {
            Network::SingleMaster => [stack.master, column],
            Network::SmallBaselines => stack.pairs[column],
        };
        Self {
            day: stack.day.iter().map(|day| day - master_day).collect(),
            pairs: used.iter().map(pair).collect(),
            bperp_m: used.iter().map(|&column| stack.bperp_m[column]).collect(),
        }
    }

    fn plan(
        &self,
        rules: &Rules,
        method: pystamps_kernels::edge_series::Method,
        trial_wraps: f64,
    ) -> Result<EdgeSeries> {
        let options = EdgeSeriesOptions {
            method,
            look_angle_error: rules.look_angle_error,
            time_window_days: rules.time_window_days,
            trial_wraps,
        };
        let network = EdgeNetwork { day: &self.day, pairs: &self.pairs, bperp_m: &self.bperp_m };
        EdgeSeries::new(&network, &options).map_err(|error| {
            Diagnostic::new("series-impossible", "the series of the edges cannot be analysed")
                .variable("unwrap_method, ifgday_ix, bperp")
                .expected("interferograms that the method can use")
                .found(error)
                .remedy("choose another unwrap_method, for example 3D_QUICK")
                .data()
        })
    }
}

fn details(stack: &Stack, grid: &SolverGrid<'_>, unwrapped: &[Unwrapped]) -> String {
    let without = grid.variances.iter().filter(|&&variance| variance == 0).count();
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
