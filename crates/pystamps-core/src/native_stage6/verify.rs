//! Checks every certificate of an unwrapped project again, from the files alone.

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::node_edges::{NodeEdges, node_edges};
use pystamps_mat::{ArrayReader, Value};
use pystamps_unwrap::GridArcs;
use rayon::prelude::*;
use serde::Serialize;

use super::certificates::{SolverLog, StoredCertificate};
use super::costs::{GridCosts, arc_edges};
use super::nearest::{OccupiedCells, WRONG_NODES};
use super::solution::{CertificateRecord, UnwrappedGrid, node_phases_rad, problem};
use super::transfer::at_ps;
use crate::error::{Diagnostic, Error, Result};
use crate::progress::Progress;
use crate::project::checksums::checksum_of_file;
use crate::project::ledger::{Ledger, LedgerEntry};
use crate::stage::{UnwrappingSolver, settle};

/// What was found out about an unwrapped project.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Whose solutions are published.
    pub solver: UnwrappingSolver,
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
/// phase of the nodes, balance and dual feasibility from flow and potentials, the phase of the nodes from
/// the flow, that of the PS from their nodes (where nothing was left out while unwrapping), and the
/// checksums of what stage 6 wrote. Costs are those that stage 6 has stored with the proof.
///
/// # Errors
/// `certificate-missing`, `certificate-damaged`; MATLAB file errors. What does not hold is no error
/// but part of the answer.
pub fn verify_unwrapping(root: &Path, progress: &Progress) -> Result<Verification> {
    settle(root, progress)?;
    let log = SolverLog::read(root)?;
    let mut problems = Vec::new();
    let grid = StoredGrid::read(root, log.grid, &mut problems)?;
    let numbers: Vec<usize> =
        log.interferograms.iter().map(|record| record.interferogram).collect();
    let stored = StoredCertificate::read(root, grid.edges.ends.len(), &numbers)?;
    let phase = StoredPhase::open(root, &grid, &log)?;
    let ledger = Ledger::load(root)?;
    let entry = ledger.stage("6");
    problems.extend(changed_files(root, entry)?);
    let solver = solver_of(entry);
    let used = numbers.len();
    let counted = progress.phase("certificates", used as u64, "interferograms");
    let interferograms = log
        .interferograms
        .par_iter()
        .enumerate()
        .map(|(place, record)| {
            let one = check(place, record, solver, &grid, &stored, &phase);
            counted.advance(1);
            one
        })
        .collect::<Result<_>>()?;
    Ok(Verification { solver, grid: log.grid, problems, interferograms })
}

impl StoredGrid {
    /// Node of every PS, by its cell in `uw_grid.mat`.
    fn nodes_of_ps(&self, root: &Path) -> Result<Vec<u32>> {
        let path = root.join("uw_grid.mat");
        let value = pystamps_mat::read_variable(&path, "grid_ij")?;
        let cells = value.to_f64_vec().unwrap_or_default();
        let count = cells.len() / 2;
        let [rows, columns] = self.shape;
        let mut node_of = vec![u32::MAX; rows * columns];
        for (node, &cell) in (0..).zip(&self.cells) {
            node_of[cell as usize] = node;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in range"
        )]
        let index = |value: f64, length: usize| {
            let cell = value.fract() == 0.0 && value >= 1.0 && value <= length as f64;
            cell.then(|| value as usize - 1)
        };
        let node = |ps: usize| {
            let (row, column) = (index(cells[ps], rows)?, index(cells[count + ps], columns)?);
            Some(node_of[column * rows + row]).filter(|&node| node != u32::MAX)
        };
        let nodes: Option<Vec<u32>> = (0..count).map(node).collect();
        nodes.ok_or_else(|| unfit(&path, "grid_ij", "cells with PS", "others"))
    }
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
        if !occupied.data().contains(&true) {
            return Err(unfit(&path, "nzix", "at least one cell with PS", "none"));
        }
        let cells =
            (0..).zip(occupied.data()).filter(|(_, there)| **there).map(|(k, _)| k).collect();
        let path = root.join("uw_interp.mat");
        let nearest = stored_nearest(&path, shape, occupied.data(), problems)?;
        let edges = node_edges(&nearest, rows, columns);
        let stored = pystamps_mat::read_variable(&path, "edgs")?.to_f64_vec().unwrap_or_default();
        let ends = [0, 1].into_iter().flat_map(|end| edges.ends.iter().map(move |e| e[end]));
        if !ends.map(|node| f64::from(node) + 1.0).eq(stored.into_iter().skip(edges.ends.len())) {
            problems.push("edgs of uw_interp.mat do not follow from the nodes".to_owned());
        }
        let arc_edges = arc_edges(&edges, shape);
        Ok(Self { shape, cells, edges, arc_edges })
    }
}

/// The nearest nodes as they are stored, which may break ties as another program does; our own where they
/// are no nearest nodes.
fn stored_nearest(
    path: &Path,
    shape: [usize; 2],
    occupied: &[bool],
    problems: &mut Vec<String>,
) -> Result<Vec<u32>> {
    let cells = OccupiedCells { shape, occupied };
    match cells.nearest(Some(path)) {
        Err(Error::Data(wrong)) if wrong.name == WRONG_NODES => {
            let [expected, found] = [wrong.expected, wrong.found].map(Option::unwrap_or_default);
            problems.push(format!(
                "Z of uw_interp.mat is not the nearest node of every cell: {} should be {expected}, not \
                 {found}",
                wrong.variable.unwrap_or_default()
            ));
            cells.nearest(None)
        }
        nearest => nearest,
    }
}

/// Wrapped and unwrapped phase of the nodes and of the PS.
struct StoredPhase {
    wrapped: ArrayReader,
    unwrapped: ArrayReader,
    node_count: usize,
    /// Phase of the PS; none where something was left out while unwrapping and added to it.
    of_ps: Option<PhaseOfPs>,
}

/// Phase of the PS before and after unwrapping.
struct PhaseOfPs {
    wrapped: ArrayReader,
    unwrapped: ArrayReader,
    /// Node of every PS.
    node: Vec<u32>,
}

impl StoredPhase {
    fn open(root: &Path, grid: &StoredGrid, log: &SolverLog) -> Result<Self> {
        let (node_count, used) = (grid.cells.len(), log.interferograms.len());
        let of_ps = if log.left_out.is_empty() {
            let node = grid.nodes_of_ps(root)?;
            let file = ["phuw_sb2.mat", "phuw2.mat"].into_iter().find(|f| root.join(f).is_file());
            let file = file.unwrap_or("phuw2.mat");
            let wrapped = open(root, "uw_grid.mat", "ph_in", [node.len(), used])?;
            let unwrapped = ArrayReader::open(root.join(file), "ph_uw")?;
            let most = log.interferograms.iter().map(|one| one.interferogram).max().unwrap_or(0);
            if unwrapped.dims()[0] != node.len() || unwrapped.dims()[1] < most {
                let found = format!("{:?}", unwrapped.dims());
                let expected = format!("{} x {most} or more", node.len());
                return Err(unfit(&root.join(file), "ph_uw", &expected, &found));
            }
            Some(PhaseOfPs { wrapped, unwrapped, node })
        } else {
            None
        };
        Ok(Self {
            wrapped: open(root, "uw_grid.mat", "ph", [node_count, used])?,
            unwrapped: open(root, "uw_phaseuw.mat", "ph_uw", [node_count, used])?,
            node_count,
            of_ps,
        })
    }
}

impl PhaseOfPs {
    /// PS whose phase is not the one next to their node's.
    fn different(&self, place: usize, number: usize, node_rad: &[f32]) -> Result<usize> {
        let count = self.node.len();
        let wrapped = complex_column(&self.wrapped, place, count)?;
        let expected = at_ps(node_rad, &self.node, &wrapped);
        let found = real_column(&self.unwrapped, number - 1, count)?;
        Ok(expected.iter().zip(found).filter(|(expected, found)| **expected != *found).count())
    }
}

fn open(root: &Path, file: &str, name: &str, expected: [usize; 2]) -> Result<ArrayReader> {
    let path = root.join(file);
    let reader = ArrayReader::open(&path, name)?;
    let found = reader.dims().to_vec();
    if found != expected {
        return Err(unfit(&path, name, &format!("{expected:?}"), &format!("{found:?}")));
    }
    Ok(reader)
}

fn real_column(array: &ArrayReader, column: usize, rows: usize) -> Result<Vec<f32>> {
    let mut values = vec![0.0_f32; rows];
    array.read_real((column * rows) as u64, &mut values)?;
    Ok(values)
}

fn complex_column(array: &ArrayReader, column: usize, rows: usize) -> Result<Vec<Complex<f32>>> {
    let mut imaginary = vec![0.0_f32; rows];
    array.read_imaginary((column * rows) as u64, &mut imaginary)?;
    let real = real_column(array, column, rows)?;
    Ok(real.into_iter().zip(imaginary).map(|(re, im)| Complex::new(re, im)).collect())
}

/// Who found the solutions, by the ledger.
fn solver_of(entry: Option<&LedgerEntry>) -> UnwrappingSolver {
    let recorded = entry.and_then(|entry| entry.recipe.parameters.get("solver"));
    if recorded.and_then(|value| value.as_str()) == Some("snaphu") {
        UnwrappingSolver::Snaphu
    } else {
        UnwrappingSolver::Native
    }
}

fn check(
    place: usize,
    record: &CertificateRecord,
    solver: UnwrappingSolver,
    grid: &StoredGrid,
    stored: &StoredCertificate,
    phase: &StoredPhase,
) -> Result<VerifiedInterferogram> {
    let wrapped = complex_column(&phase.wrapped, place, phase.node_count)?;
    let node_phase_rad = node_phases_rad(&wrapped);
    let costs = GridCosts::of(&stored.costs[place], &node_phase_rad, &grid.edges, &grid.arc_edges);
    let proof = &stored.proofs[place];
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
    if solver == UnwrappingSolver::Native && !certificate.is_optimal() {
        problems.push(format!(
            "not proven optimal: gap {}, {} arcs infeasible",
            certificate.gap(),
            certificate.infeasible_arcs
        ));
    }
    let again = CertificateRecord {
        external_excess: (solver == UnwrappingSolver::Snaphu).then(|| certificate.gap()),
        ..verified.record(record.interferogram, &costs, record.effort, record.saturated_edges)
    };
    if again != *record {
        problems.push("the log says something else".to_owned());
    }
    let unwrapped = UnwrappedGrid::integrate(grid.shape, &costs.wraps, &verified.flow);
    let expected = unwrapped.at_nodes(grid.shape[0], &grid.cells, &node_phase_rad);
    let found = real_column(&phase.unwrapped, place, phase.node_count)?;
    let different = expected.iter().zip(found).filter(|(a, b)| **a != *b).count();
    if different > 0 {
        problems.push(format!("{different} nodes of uw_phaseuw.mat have another phase"));
    }
    if let Some(of_ps) = &phase.of_ps {
        let different = of_ps.different(place, record.interferogram, &expected)?;
        if different > 0 {
            problems
                .push(format!("{different} PS have another phase than follows from their node"));
        }
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

/// Files that every unwrapping has.
const EXPECTED_FILES: [&str; 6] = [
    "phuw2.mat",
    "uw_grid.mat",
    "uw_interp.mat",
    "uw_phaseuw.mat",
    "uw_certificate.mat",
    "uw_solver.json",
];

/// Files of stage 6 that are no longer what it wrote.
fn changed_files(root: &Path, entry: Option<&LedgerEntry>) -> Result<Vec<String>> {
    let Some(entry) = entry else {
        return Ok(vec!["the ledger does not know who unwrapped this project".to_owned()]);
    };
    let recorded = |name: &&&str| !entry.outputs.iter().any(|output| output.path == ***name);
    let mut problems: Vec<String> = EXPECTED_FILES
        .iter()
        .filter(recorded)
        .map(|name| format!("the ledger has no record of {name}"))
        .collect();
    // Read, not remembered: a proof is about what is on the disk.
    for output in &entry.outputs {
        let path = root.join(&output.path);
        if !path.is_file() {
            problems.push(format!("{} is missing", output.path));
        } else if checksum_of_file(&path)? != output.identity {
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
