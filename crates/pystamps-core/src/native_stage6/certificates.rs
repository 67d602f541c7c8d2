//! Writes and reads what proves the unwrapping: a log for people and programs, and the numbers behind
//! it.
//!
//! | file | holds |
//! |---|---|
//! | `uw_solver.json` | one record an interferogram: value, bound, gap, residues, … |
//! | `uw_certificate.mat` | `offset`, `variance` of every edge (variance 0: no statistics); of each interferogram in turn the arcs with flow (`flow_count`, `flow_arc` from 1, `flow`) and the cells with a potential (`potential_count`, `potential_cell`, `potential`) |
//!
//! Arcs are counted row by row, those to the next row first; potentials belong to the cells between
//! four pixels, row by row, and the last to the border. With `uw_grid.mat` and `uw_interp.mat` the
//! problem and its proof are complete: `uw_space_time.mat` is not needed, which stage 8 replaces.

use std::io;
use std::path::Path;

use pystamps_mat::{ElementSource, ElementType, ElementsMut, NumericData, Value, Variables};
use serde::{Deserialize, Serialize};

use super::costs::EdgeCosts;
use super::solution::{CertificateRecord, Effort, Proof};
use super::unwrapping::Unwrapped;
use crate::columns::{Columns, Element};
use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::mat_output::{Streamed, matrix, write_streamed};
use crate::progress::Progress;

pub(super) const LOG_FILE: &str = "uw_solver.json";
pub(super) const CERTIFICATE_FILE: &str = "uw_certificate.mat";
const SCHEMA: u32 = 1;

/// The solver's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SolverLog {
    schema: u32,
    /// `native`, or `snaphu` if what is published is SNAPHU's solution.
    pub(super) solver: String,
    /// Rows and columns of the grid.
    pub(super) grid: [usize; 2],
    pub(super) nodes: usize,
    pub(super) edges: usize,
    pub(super) edges_without_statistics: usize,
    /// What was left out while unwrapping and added to the PS afterwards.
    pub(super) left_out: Vec<String>,
    pub(super) interferograms: Vec<CertificateRecord>,
}

/// What the log says of the grid.
#[derive(Clone, Debug)]
pub(super) struct GridFacts {
    pub(super) shape: [usize; 2],
    pub(super) nodes: usize,
    pub(super) edges: usize,
    pub(super) edges_without_statistics: usize,
    pub(super) left_out: Vec<String>,
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
            left_out: facts.left_out.clone(),
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
        Self::parse(&text, &path)
    }

    /// The log that is written in `text`; `path` is only named in errors.
    ///
    /// # Errors
    /// `certificate-damaged`.
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        let log: Self = serde_json::from_slice(text).map_err(|e| damaged(path, "", e))?;
        if log.schema != SCHEMA {
            return Err(damaged(path, "schema", log.schema));
        }
        Ok(log)
    }
}

/// Writes `uw_certificate.mat`; `costs` makes the solved costs of an interferogram again, `proof` reads
/// its proof.
///
/// # Errors
/// Those of `costs` and `proof`; I/O errors.
pub(super) fn write_certificate(
    folder: &Path,
    edges: usize,
    unwrapped: &[Unwrapped],
    shared_variance: Option<&[i16]>,
    costs: impl Fn(usize) -> Result<EdgeCosts> + Sync,
    proof: impl Fn(usize) -> Result<Proof>,
    progress: &Progress,
) -> Result<()> {
    let used = unwrapped.len();
    let columns = if shared_variance.is_some() { used } else { 2 * used };
    let counted = progress.phase("uw_certificate.mat", columns as u64, "columns");
    let mut offset = Columns::new(edges, used, |place| Ok(costs(place)?.offset), &counted);
    let mut variance = Columns::new(edges, used, |place| Ok(costs(place)?.variance), &counted);
    let counts = |which: usize| -> Vec<usize> {
        unwrapped.iter().map(|one| one.proof_entries[which]).collect()
    };
    let (flows, potentials) = (counts(0), counts(1));
    let arc = |place: usize| Ok(numbers_of(&proof(place)?.flow));
    let cycles = |place: usize| Ok(values_of(&proof(place)?.flow));
    let cell = |place: usize| Ok(numbers_of(&proof(place)?.potentials));
    let potential = |place: usize| Ok(values_of(&proof(place)?.potentials));
    let mut arc = OneAfterAnother::new(&flows, &arc);
    let mut cycles = OneAfterAnother::new(&flows, &cycles);
    let mut cell = OneAfterAnother::new(&potentials, &cell);
    let mut potential = OneAfterAnother::new(&potentials, &potential);
    let (flow_dims, potential_dims) = (arc.dims(), cell.dims());
    let dims = vec![edges, used];
    let mut streamed = vec![
        stream("offset", ElementType::I16, &dims, &mut offset),
        stream("flow_arc", ElementType::I32, &flow_dims, &mut arc),
        stream("flow", ElementType::I16, &flow_dims, &mut cycles),
        stream("potential_cell", ElementType::I32, &potential_dims, &mut cell),
        stream("potential", ElementType::I64, &potential_dims, &mut potential),
    ];
    let numbers: Vec<usize> = unwrapped.iter().map(|one| one.record.interferogram).collect();
    let mut variables = vec![
        ("interferogram", doubles(&numbers)),
        ("flow_count", doubles(&flows)),
        ("potential_count", doubles(&potentials)),
    ];
    match shared_variance {
        Some(values) => {
            variables.push(("variance", matrix(edges, 1, NumericData::I16(values.to_vec()))));
        }
        None => streamed.push(stream("variance", ElementType::I16, &dims, &mut variance)),
    }
    let variables: Variables = variables.into_iter().collect();
    write_streamed(folder, CERTIFICATE_FILE, &mut streamed, &variables)
}

fn stream<'a>(
    name: &'static str,
    element: ElementType,
    dims: &[usize],
    source: &'a mut dyn ElementSource,
) -> Streamed<'a> {
    Streamed { name, element, dims: dims.to_vec(), source }
}

fn doubles(numbers: &[usize]) -> Value {
    Value::column_f64(&numbers.iter().map(|&number| number as f64).collect::<Vec<_>>())
}

/// Places of the entries, from 1.
fn numbers_of<T>(entries: &[(u32, T)]) -> Vec<i32> {
    let number = |place: u32| i32::try_from(place + 1).expect("invariant: the grid's arcs fit");
    entries.iter().map(|&(place, _)| number(place)).collect()
}

fn values_of<T: Copy>(entries: &[(u32, T)]) -> Vec<T> {
    entries.iter().map(|&(_, value)| value).collect()
}

/// Values of all interferograms one after another, read when they are written.
struct OneAfterAnother<'a, T> {
    /// Where the values of every interferogram begin, and the end.
    starts: Vec<usize>,
    read: &'a dyn Fn(usize) -> Result<Vec<T>>,
    held: (usize, Vec<T>),
}

impl<'a, T> OneAfterAnother<'a, T> {
    fn new(counts: &[usize], read: &'a dyn Fn(usize) -> Result<Vec<T>>) -> Self {
        let mut starts = vec![0];
        for count in counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        Self { starts, read, held: (usize::MAX, Vec::new()) }
    }

    fn dims(&self) -> Vec<usize> {
        vec![self.starts[self.starts.len() - 1], 1]
    }
}

impl<T: Element> ElementSource for OneAfterAnother<'_, T> {
    fn read_elements(&mut self, first: u64, block: ElementsMut<'_>) -> io::Result<()> {
        let out = T::block(block)
            .ok_or_else(|| io::Error::other("the writer asked for another element type"))?;
        let first = usize::try_from(first).map_err(io::Error::other)?;
        for (out, position) in out.iter_mut().zip(first..) {
            let place = self.starts.partition_point(|&start| start <= position) - 1;
            if self.held.0 != place {
                self.held = (place, (self.read)(place).map_err(io::Error::other)?);
            }
            *out = self.held.1[position - self.starts[place]];
        }
        Ok(())
    }
}

/// The contents of `uw_certificate.mat`.
pub(super) struct StoredCertificate {
    /// Costs of the edges in every interferogram.
    pub(super) costs: Vec<EdgeCosts>,
    pub(super) proofs: Vec<Proof>,
}

impl StoredCertificate {
    /// Reads the certificates of the interferograms `expected` on `edges` edges.
    ///
    /// # Errors
    /// `certificate-missing`, `certificate-damaged`; MATLAB file errors.
    pub(super) fn read(folder: &Path, edges: usize, expected: &[usize]) -> Result<Self> {
        let used = expected.len();
        let path = folder.join(CERTIFICATE_FILE);
        if !path.is_file() {
            return Err(missing(&path));
        }
        let names = [
            "offset",
            "variance",
            "interferogram",
            "flow_count",
            "flow_arc",
            "flow",
            "potential_count",
            "potential_cell",
            "potential",
        ];
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
        let flow = entries(&path, &numbers, ["flow_count", "flow_arc", "flow"], used)?;
        let names = ["potential_count", "potential_cell", "potential"];
        let potentials = entries(&path, &numbers, names, used)?;
        let proofs = flow.into_iter().zip(potentials).map(|(flow, potentials)| {
            let flow = flow.into_iter().map(|(place, value)| Some((place, whole(value)?)));
            let flow: Option<_> = flow.collect();
            let potentials =
                potentials.into_iter().map(|(place, value)| Some((place, whole_i64(value)?)));
            let potentials: Option<_> = potentials.collect();
            Ok(Proof {
                flow: flow.ok_or_else(|| damaged(&path, "flow", "not 16 bits"))?,
                potentials: potentials.ok_or_else(|| damaged(&path, "potential", "no integers"))?,
                statistics: Effort::default(),
            })
        });
        let proofs = proofs.collect::<Result<_>>()?;
        let (_, found) = numbers("interferogram")?;
        if !found.into_iter().eq(expected.iter().map(|&number| number as f64)) {
            return Err(damaged(&path, "interferogram", "other interferograms than in the log"));
        }
        Ok(Self { costs, proofs })
    }
}

/// Reads one variable as numbers, with its dimensions.
type ReadNumbers<'a> = dyn Fn(&str) -> Result<(Vec<usize>, Vec<f64>)> + 'a;

/// Places from 0 and values of every interferogram, stored as counts, places and values.
fn entries(
    path: &Path,
    numbers: &ReadNumbers<'_>,
    [counts, places, values]: [&str; 3],
    used: usize,
) -> Result<Vec<Vec<(u32, f64)>>> {
    let (_, stored_counts) = numbers(counts)?;
    let (_, stored_places) = numbers(places)?;
    let (_, stored_values) = numbers(values)?;
    let mut all = stored_places.into_iter().zip(stored_values).map(|(place, value)| {
        let place = whole_i64(place)?.checked_sub(1)?;
        Some((u32::try_from(place).ok()?, value))
    });
    let of_each = stored_counts.iter().map(|&count| {
        let count = whole_i64(count).and_then(|count| usize::try_from(count).ok());
        let entries = count.map(|count| all.by_ref().take(count).collect::<Option<Vec<_>>>());
        let complete = |entries: &Vec<_>| Some(entries.len()) == count;
        entries.flatten().filter(complete).ok_or_else(|| damaged(path, places, "bad entries"))
    });
    let of_each: Vec<_> = of_each.collect::<Result<_>>()?;
    if of_each.len() != used || all.next().is_some() {
        return Err(damaged(path, counts, "counts that do not fit"));
    }
    Ok(of_each)
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
