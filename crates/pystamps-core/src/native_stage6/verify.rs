//! Checks every certificate of an unwrapped project again, from the files alone.

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::nearest_node::nearest_nodes;
use pystamps_kernels::node_edges::{NodeEdges, node_edges};
use pystamps_mat::{ArrayReader, Value};
use pystamps_unwrap::GridArcs;
use rayon::prelude::*;
use serde::Serialize;

use super::certificates::{SolverLog, StoredCertificate};
use super::costs::{GridCosts, arc_edges};
use super::solution::{CertificateRecord, UnwrappedGrid, node_phases_rad, problem};
use crate::error::{Diagnostic, Error, Result};
use crate::progress::Progress;
use crate::project::checksums::Checksums;
use crate::project::ledger::Ledger;
use crate::stage::settle;

/// What was found out about an unwrapped project.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Whose solutions are published, `native` or `snaphu`.
    pub solver: String,
    /// Rows and columns of the grid.
    pub grid: [usize; 2],
    /// What concerns no single interferogram.
    pub problems: Vec<String>,
    /// One entry an interferogram.
    pub interferograms: Vec<VerifiedInterferogram>,
}

/// What was found out about one interferogram.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedInterferogram {
    /// Number, from 1, the master's slot counted.
    pub interferogram: usize,
    /// Value of the solution.
    pub objective: i64,
    /// What no solution can be below.
    pub dual_bound: i64,
    /// Their difference.
    pub gap: i64,
    /// Cells around which wrapped differences do not add up.
    pub residues: u64,
    /// What does not hold; empty if the certificate is confirmed.
    pub problems: Vec<String>,
}

impl Verification {
    /// Whether every certificate is confirmed.
    pub fn holds(&self) -> bool {
        self.problems.is_empty() && self.interferograms.iter().all(|one| one.problems.is_empty())
    }
}

/// Checks the project `root`: nodes and edges from the occupied cells, wrapped differences from the
/// phase of the nodes, balance and dual feasibility from flow and potentials, the published phase from
/// the flow, and the checksums of what stage 6 wrote.
///
/// # Errors
/// `certificate-missing`, `certificate-damaged`; MATLAB file errors. What does not hold is no error
/// but part of the answer.
pub fn verify_unwrapping(root: &Path, progress: &Progress) -> Result<Verification> {
    settle(root, progress)?;
    let log = SolverLog::read(root)?;
    let mut problems = Vec::new();
    let grid = StoredGrid::read(root, log.grid, &mut problems)?;
    let used = log.interferograms.len();
    let stored = StoredCertificate::read(root, grid.edges.ends.len(), used)?;
    let phase = StoredPhase::open(root, grid.cells.len(), used)?;
    problems.extend(changed_files(root)?);
    let counted = progress.phase("certificates", used as u64, "interferograms");
    let interferograms = log
        .interferograms
        .par_iter()
        .enumerate()
        .map(|(place, record)| {
            let one = check(place, record, &log.solver, &grid, &stored, &phase);
            counted.advance(1);
            one
        })
        .collect::<Result<_>>()?;
    Ok(Verification { solver: log.solver, grid: log.grid, problems, interferograms })
}

/// Grid and edges as they follow from the occupied cells.
struct StoredGrid {
    shape: [usize; 2],
    cells: Vec<u32>,
    edges: NodeEdges,
    arc_edges: GridArcs<i32>,
}

impl StoredGrid {
    fn read(root: &Path, shape: [usize; 2], problems: &mut Vec<String>) -> Result<Self> {
        let path = root.join("uw_grid.mat");
        let Value::Logical(occupied) = pystamps_mat::read_variable(&path, "nzix")? else {
            return Err(unfit(&path, "nzix", "a logical plane", "another class"));
        };
        if occupied.dims() != shape {
            return Err(unfit(
                &path,
                "nzix",
                &format!("{shape:?}"),
                &format!("{:?}", occupied.dims()),
            ));
        }
        let [rows, columns] = shape;
        let nearest = nearest_nodes(occupied.data(), rows, columns);
        let edges = node_edges(&nearest, rows, columns);
        let cells =
            (0..).zip(occupied.data()).filter(|(_, there)| **there).map(|(k, _)| k).collect();
        let path = root.join("uw_interp.mat");
        let stored = pystamps_mat::read_variable(&path, "Z")?.to_f64_vec().unwrap_or_default();
        if !nearest.iter().map(|&node| f64::from(node) + 1.0).eq(stored) {
            problems.push("Z of uw_interp.mat is not the nearest node of every cell".to_owned());
        }
        let stored = pystamps_mat::read_variable(&path, "edgs")?.to_f64_vec().unwrap_or_default();
        let ends = [0, 1].into_iter().flat_map(|end| edges.ends.iter().map(move |e| e[end]));
        if !ends.map(|node| f64::from(node) + 1.0).eq(stored.into_iter().skip(edges.ends.len())) {
            problems.push("edgs of uw_interp.mat do not follow from the nodes".to_owned());
        }
        let arc_edges = arc_edges(&edges, shape);
        Ok(Self { shape, cells, edges, arc_edges })
    }
}

/// Wrapped and unwrapped phase of the nodes.
struct StoredPhase {
    wrapped: ArrayReader,
    unwrapped: ArrayReader,
    nodes: usize,
}

impl StoredPhase {
    fn open(root: &Path, nodes: usize, used: usize) -> Result<Self> {
        let open = |file: &str, name: &str| -> Result<ArrayReader> {
            let path = root.join(file);
            let reader = ArrayReader::open(&path, name)?;
            let (expected, found) = ([nodes, used], reader.dims().to_vec());
            if found != expected {
                return Err(unfit(&path, name, &format!("{expected:?}"), &format!("{found:?}")));
            }
            Ok(reader)
        };
        Ok(Self {
            wrapped: open("uw_grid.mat", "ph")?,
            unwrapped: open("uw_phaseuw.mat", "ph_uw")?,
            nodes,
        })
    }

    fn wrapped(&self, place: usize) -> Result<Vec<Complex<f32>>> {
        let (mut re, mut im) = (vec![0.0_f32; self.nodes], vec![0.0_f32; self.nodes]);
        self.wrapped.read_real((place * self.nodes) as u64, &mut re)?;
        self.wrapped.read_imaginary((place * self.nodes) as u64, &mut im)?;
        Ok(re.into_iter().zip(im).map(|(re, im)| Complex::new(re, im)).collect())
    }

    fn unwrapped(&self, place: usize) -> Result<Vec<f32>> {
        let mut phase_rad = vec![0.0_f32; self.nodes];
        self.unwrapped.read_real((place * self.nodes) as u64, &mut phase_rad)?;
        Ok(phase_rad)
    }
}

fn check(
    place: usize,
    record: &CertificateRecord,
    solver: &str,
    grid: &StoredGrid,
    stored: &StoredCertificate,
    phase: &StoredPhase,
) -> Result<VerifiedInterferogram> {
    let node_phase_rad = node_phases_rad(&phase.wrapped(place)?);
    let costs = GridCosts::of(&stored.costs[place], &node_phase_rad, &grid.edges, &grid.arc_edges);
    let proof = stored.proofs[place].clone().with_effort(record.effort);
    let problem = problem(grid.shape, &costs)?;
    let mut problems = Vec::new();
    let Some(verified) = proof.verify(&problem, grid.shape) else {
        return Ok(VerifiedInterferogram {
            interferogram: record.interferogram,
            objective: record.objective,
            dual_bound: record.dual_bound,
            gap: record.gap,
            residues: record.residues,
            problems: vec!["flow or potential of a place that does not exist".to_owned()],
        });
    };
    let certificate = &verified.certificate;
    if certificate.unbalanced_cells > 0 {
        problems.push(format!("{} cells are not balanced", certificate.unbalanced_cells));
    }
    if solver != "snaphu" && !certificate.is_optimal() {
        problems.push(format!(
            "not proven optimal: gap {}, {} arcs infeasible",
            certificate.gap(),
            certificate.infeasible_arcs
        ));
    }
    let again = CertificateRecord {
        external_excess: record.external_excess,
        ..verified.record(record.interferogram, &costs, record.effort, record.saturated_edges)
    };
    if again != *record {
        problems.push("the log says something else".to_owned());
    }
    let unwrapped = UnwrappedGrid::integrate(grid.shape, &costs.wraps, &verified.flow);
    let expected = unwrapped.at_nodes(grid.shape[0], &grid.cells, &node_phase_rad);
    let different = expected.iter().zip(phase.unwrapped(place)?).filter(|(a, b)| **a != *b).count();
    if different > 0 {
        problems.push(format!("{different} nodes of uw_phaseuw.mat have another phase"));
    }
    Ok(VerifiedInterferogram {
        interferogram: record.interferogram,
        objective: certificate.objective,
        dual_bound: certificate.dual_bound,
        gap: certificate.gap(),
        residues: certificate.residues,
        problems,
    })
}

/// Files of stage 6 that are no longer what it wrote.
fn changed_files(root: &Path) -> Result<Vec<String>> {
    let ledger = Ledger::load(root)?;
    let Some(entry) = ledger.stage("6") else {
        return Ok(vec!["the ledger does not know who unwrapped this project".to_owned()]);
    };
    let mut checksums = Checksums::load(root);
    let mut problems = Vec::new();
    for output in &entry.outputs {
        let path = root.join(&output.path);
        if !path.is_file() {
            problems.push(format!("{} is missing", output.path));
        } else if checksums.record(root, &path)?.identity != output.identity {
            problems.push(format!("{} has been changed since stage 6", output.path));
        }
    }
    Ok(problems)
}

fn unfit(path: &Path, name: &str, expected: &str, found: &str) -> Error {
    Diagnostic::new("variable-shape", "a variable does not fit the certificates")
        .path(path)
        .variable(name)
        .expected(expected)
        .found(found)
        .remedy("run stage 6 again with --force")
        .data()
}
