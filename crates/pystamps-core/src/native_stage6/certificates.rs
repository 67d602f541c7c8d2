//! Writes and reads what proves the unwrapping: a log for people and programs, and the numbers behind
//! it.
//!
//! | file | holds |
//! |---|---|
//! | `uw_solver.json` | one record an interferogram: value, bound, gap, residues, … |
//! | `uw_certificate.mat` | `offset`, `variance` of every edge (variance 0: no statistics), `flow` and `potential` as rows of place, column and value, all from 1 |
//!
//! Arcs are counted row by row, those to the next row first; potentials belong to the cells between
//! four pixels, row by row, and the last to the border. With `uw_grid.mat` and `uw_interp.mat` the
//! problem and its proof are complete: `uw_space_time.mat` is not needed, which stage 8 replaces.

use std::path::Path;

use pystamps_mat::{ElementType, NumericData, Value, Variables};
use serde::{Deserialize, Serialize};

use super::costs::EdgeCosts;
use super::solution::{CertificateRecord, Effort, Proof};
use super::unwrapping::Unwrapped;
use crate::columns::Columns;
use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::mat_output::{Streamed, matrix, write_streamed};
use crate::progress::Progress;

pub(super) const LOG_FILE: &str = "uw_solver.json";
pub(super) const CERTIFICATE_FILE: &str = "uw_certificate.mat";
const SCHEMA: u32 = 1;

/// The solver's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SolverLog {
    schema: u32,
    /// `pystamps`, or `snaphu` if what is published is SNAPHU's solution.
    pub(super) solver: String,
    /// Rows and columns of the grid.
    pub(super) grid: [usize; 2],
    pub(super) nodes: usize,
    pub(super) edges: usize,
    pub(super) edges_without_statistics: usize,
    pub(super) interferograms: Vec<CertificateRecord>,
}

/// What the log says of the grid.
#[derive(Clone, Debug)]
pub(super) struct GridFacts {
    pub(super) shape: [usize; 2],
    pub(super) nodes: usize,
    pub(super) edges: usize,
    pub(super) edges_without_statistics: usize,
}

impl SolverLog {
    /// The log of these interferograms.
    pub(super) fn of(solver: &str, facts: &GridFacts, unwrapped: &[Unwrapped]) -> Self {
        Self {
            schema: SCHEMA,
            solver: solver.to_owned(),
            grid: facts.shape,
            nodes: facts.nodes,
            edges: facts.edges,
            edges_without_statistics: facts.edges_without_statistics,
            interferograms: unwrapped.iter().map(|one| one.record.clone()).collect(),
        }
    }

    /// Writes the log into `folder`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).expect("invariant: plain data serialise");
        text.push(b'\n');
        fs_err::write(folder.join(LOG_FILE), text).while_doing("write the solver's log")
    }

    /// Reads the log in `folder`.
    ///
    /// # Errors
    /// `certificate-missing`, `certificate-damaged`; I/O errors.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(LOG_FILE);
        let text = match fs_err::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(missing(&path)),
            text => text.while_doing("read the solver's log")?,
        };
        let log: Self = serde_json::from_slice(&text).map_err(|e| damaged(&path, "", e))?;
        if log.schema != SCHEMA {
            return Err(damaged(&path, "schema", log.schema));
        }
        Ok(log)
    }
}

/// Writes `uw_certificate.mat`; `costs` makes the solved costs of an interferogram again.
///
/// # Errors
/// Those of `costs`; I/O errors.
pub(super) fn write_certificate(
    folder: &Path,
    edges: usize,
    unwrapped: &[Unwrapped],
    shared_variance: Option<&[i16]>,
    costs: impl Fn(usize) -> Result<EdgeCosts> + Sync,
    progress: &Progress,
) -> Result<()> {
    let used = unwrapped.len();
    let counted = progress.phase("uw_certificate.mat", 2 * used as u64, "columns");
    let mut offset = Columns::new(edges, used, |place| Ok(costs(place)?.offset), &counted);
    let mut variance = Columns::new(edges, used, |place| Ok(costs(place)?.variance), &counted);
    let (element, dims) = (ElementType::I16, vec![edges, used]);
    let mut streamed =
        vec![Streamed { name: "offset", element, dims: dims.clone(), source: &mut offset }];
    let numbers = unwrapped.iter().map(|one| one.record.interferogram as f64);
    let mut variables = vec![
        ("interferogram", Value::column_f64(&numbers.collect::<Vec<_>>())),
        ("flow", rows_of(unwrapped, |proof| &proof.flow, f64::from)),
        ("potential", rows_of(unwrapped, |proof| &proof.potentials, |potential| potential as f64)),
    ];
    match shared_variance {
        Some(values) => {
            variables.push(("variance", matrix(edges, 1, NumericData::I16(values.to_vec()))));
        }
        None => streamed.push(Streamed { name: "variance", element, dims, source: &mut variance }),
    }
    let variables: Variables = variables.into_iter().collect();
    write_streamed(folder, CERTIFICATE_FILE, &mut streamed, &variables)
}

/// A table of place, column and value, the first two from 1.
fn rows_of<T: Copy>(
    unwrapped: &[Unwrapped],
    entries: impl Fn(&Proof) -> &Vec<(u32, T)>,
    number: impl Fn(T) -> f64,
) -> Value {
    let all = || {
        let each = unwrapped.iter().enumerate();
        each.flat_map(|(column, one)| entries(&one.proof).iter().map(move |e| (column, e)))
    };
    let places = all().map(|(_, (place, _))| f64::from(*place) + 1.0);
    let columns = all().map(|(column, _)| column as f64 + 1.0);
    let values = all().map(|(_, (_, value))| number(*value));
    let table: Vec<f64> = places.chain(columns).chain(values).collect();
    matrix(table.len() / 3, 3, NumericData::F64(table))
}

/// The contents of `uw_certificate.mat`.
pub(super) struct StoredCertificate {
    /// Costs of the edges in every interferogram.
    pub(super) costs: Vec<EdgeCosts>,
    pub(super) proofs: Vec<Proof>,
}

impl StoredCertificate {
    /// Reads the certificates of `used` interferograms on `edges` edges.
    ///
    /// # Errors
    /// `certificate-missing`, `certificate-damaged`; MATLAB file errors.
    pub(super) fn read(folder: &Path, edges: usize, used: usize) -> Result<Self> {
        let path = folder.join(CERTIFICATE_FILE);
        if !path.is_file() {
            return Err(missing(&path));
        }
        let names = ["offset", "variance", "flow", "potential"];
        let variables = pystamps_mat::read_variables(&path, &names)?;
        let numbers = |name: &str| -> Result<(Vec<usize>, Vec<f64>)> {
            let value =
                variables.get(name).ok_or_else(|| damaged(&path, name, "no such variable"))?;
            let numbers = value.to_f64_vec();
            Ok((value.dims().to_vec(), numbers.ok_or_else(|| damaged(&path, name, "no numbers"))?))
        };
        let (offset_dims, offset) = numbers("offset")?;
        let (variance_dims, variance) = numbers("variance")?;
        if offset_dims != [edges, used] {
            return Err(damaged(&path, "offset", format!("{offset_dims:?}")));
        }
        if variance_dims != [edges, used] && variance_dims != [edges, 1] {
            return Err(damaged(&path, "variance", format!("{variance_dims:?}")));
        }
        let column = |values: &[f64], place: usize| -> Option<Vec<i16>> {
            values[place * edges..(place + 1) * edges].iter().map(|&value| whole(value)).collect()
        };
        let shared = variance_dims[1] == 1;
        let costs = (0..used).map(|place| {
            let offset =
                column(&offset, place).ok_or_else(|| damaged(&path, "offset", "not 16 bits"));
            let place = if shared { 0 } else { place };
            let variance = column(&variance, place)
                .filter(|values| values.iter().all(|&value| value >= 0))
                .ok_or_else(|| damaged(&path, "variance", "not 0 to 32767"))?;
            Ok(EdgeCosts { offset: offset?, variance, saturated: 0 })
        });
        let costs = costs.collect::<Result<_>>()?;
        let mut proofs = vec![Proof::default(); used];
        let (dims, flow) = numbers("flow")?;
        let flow = table(&dims, &flow, used).ok_or_else(|| damaged(&path, "flow", "bad rows"))?;
        for (place, column, cycles) in flow {
            let cycles = whole(cycles).ok_or_else(|| damaged(&path, "flow", cycles))?;
            proofs[column].flow.push((place, cycles));
        }
        let (dims, potential) = numbers("potential")?;
        let rows = table(&dims, &potential, used);
        for (place, column, value) in rows.ok_or_else(|| damaged(&path, "potential", "bad rows"))? {
            let potential = whole_i64(value).ok_or_else(|| damaged(&path, "potential", value))?;
            proofs[column].potentials.push((place, potential));
        }
        Ok(Self { costs, proofs })
    }
}

impl Proof {
    /// The proof with what the log says of the search.
    pub(super) fn with_effort(mut self, effort: Effort) -> Self {
        self.statistics = effort;
        self
    }
}

/// Rows of place and column, counted from 0, and value.
fn table(dims: &[usize], values: &[f64], columns: usize) -> Option<Vec<(u32, usize, f64)>> {
    let rows = dims[0];
    if !(dims == [rows, 3] || values.is_empty()) {
        return None;
    }
    (0..values.len() / 3)
        .map(|row| {
            let place = whole_i64(values[row])?.checked_sub(1)?;
            let column = usize::try_from(whole_i64(values[rows + row])?.checked_sub(1)?).ok()?;
            let place = u32::try_from(place).ok()?;
            (column < columns).then_some((place, column, values[2 * rows + row]))
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
fn whole(value: f64) -> Option<i16> {
    let fits = value.fract() == 0.0 && (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&value);
    fits.then_some(value as i16)
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
fn whole_i64(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= 2_f64.powi(53)).then_some(value as i64)
}

fn missing(path: &Path) -> Error {
    Diagnostic::new("certificate-missing", "the unwrapping has no certificates")
        .path(path)
        .expected("the files that stage 6 of pystamps writes beside phuw2.mat")
        .found("no such file: another program has unwrapped this project")
        .remedy("pystamps-native stage 6 --dataset … --force unwraps it again, with certificates")
        .data()
}

fn damaged(path: &Path, variable: &str, found: impl std::fmt::Display) -> Error {
    let problem = Diagnostic::new("certificate-damaged", "the certificates cannot be read");
    let problem = if variable.is_empty() { problem } else { problem.variable(variable) };
    problem
        .path(path)
        .expected("what stage 6 wrote, for the grid in uw_grid.mat and uw_interp.mat")
        .found(found)
        .remedy("run stage 6 again with --force")
        .data()
}
