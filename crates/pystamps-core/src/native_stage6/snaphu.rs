//! What SNAPHU would be handed, kept on request; and SNAPHU itself, where the user has it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use num_complex::Complex;
use pystamps_unwrap::{GridArcs, flows_of_cycles};

use super::costs::{EdgeCosts, GridCosts};
use super::solution::node_phases_rad;
use super::unwrapping::SolverGrid;
use crate::error::{Diagnostic, Error, IoContext, Result};

/// Folder of the kept files.
pub(super) const KEPT_FOLDER: &str = "pystamps_costs";

const COST_FILE: &str = "snaphu.costinfile";
const INPUT_FILE: &str = "snaphu.in";
const OUTPUT_FILE: &str = "snaphu.out";
const CONFIGURATION_FILE: &str = "snaphu.conf";
/// Everything SNAPHU is told; all else is its default (stage6.md 6.3).
const CONFIGURATION: &str = "INFILE  snaphu.in\nOUTFILE snaphu.out\nCOSTINFILE snaphu.costinfile\n\
     STATCOSTMODE  DEFO\nINFILEFORMAT  COMPLEX_DATA\nOUTFILEFORMAT FLOAT_DATA\n";

/// Where the files for SNAPHU are kept, a folder an interferogram.
#[derive(Debug)]
pub(super) struct KeptCosts {
    folder: PathBuf,
}

impl KeptCosts {
    /// Keeps files in `folder`.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.join(KEPT_FOLDER) }
    }

    /// Writes the files of the interferogram at `place` among those unwrapped.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn write(
        &self,
        place: usize,
        costs: &EdgeCosts,
        grid: &SolverGrid<'_>,
        phasors: &[Complex<f32>],
    ) -> Result<()> {
        write_files(&self.folder.join(format!("{:03}", place + 1)), costs, grid, phasors)
    }
}

/// Writes cost file, input and configuration into `folder`, little endian, row by row.
fn write_files(
    folder: &Path,
    costs: &EdgeCosts,
    grid: &SolverGrid<'_>,
    phasors: &[Complex<f32>],
) -> Result<()> {
    let [rows, columns] = grid.nodes.shape();
    let cells = (0..rows * columns).map(|k| k % columns * rows + k / columns);
    let samples = cells.map(|cell| phasors[grid.nearest[cell] as usize]);
    let input: Vec<u8> = samples.flat_map(|z| [z.re, z.im]).flat_map(f32::to_le_bytes).collect();
    fs_err::create_dir_all(folder)
        .and_then(|()| fs_err::write(folder.join(COST_FILE), costs.file(&grid.arc_edges)))
        .and_then(|()| fs_err::write(folder.join(INPUT_FILE), input))
        .and_then(|()| fs_err::write(folder.join(CONFIGURATION_FILE), CONFIGURATION))
        .while_doing("write the files for SNAPHU")
}

/// What SNAPHU is handed of one interferogram.
#[derive(Clone, Copy)]
pub(super) struct Handed<'a> {
    /// Its number, from 1.
    pub(super) number: usize,
    pub(super) costs: &'a EdgeCosts,
    pub(super) grid: &'a SolverGrid<'a>,
    /// Phase of the nodes.
    pub(super) phasors: &'a [Complex<f32>],
}

/// The user's SNAPHU.
#[derive(Debug)]
pub(super) struct External {
    program: PathBuf,
}

impl External {
    /// Finds the program in the search path.
    ///
    /// # Errors
    /// `snaphu-missing`.
    pub(super) fn find() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let candidates = std::env::split_paths(&path).map(|folder| folder.join("snaphu"));
        candidates
            .into_iter()
            .find(|path| path.is_file())
            .map(|program| Self { program })
            .ok_or_else(|| {
                Diagnostic::new("snaphu-missing", "SNAPHU is not installed")
                    .variable("--solver")
                    .expected("a program snaphu in the search path")
                    .found("none")
                    .remedy("leave --solver out: our own solver is exact; SNAPHU is for comparison")
                    .usage()
            })
    }

    /// Has SNAPHU unwrap an interferogram in a folder of its own inside `folder`, and gives its flow.
    ///
    /// # Errors
    /// `snaphu-failed` with its last words, or if what it leaves is not the phase it was given but for
    /// whole cycles; I/O errors.
    pub(super) fn flow(
        &self,
        handed: &Handed<'_>,
        solved: &GridCosts,
        folder: &Path,
    ) -> Result<GridArcs<i16>> {
        let &Handed { number, costs, grid, phasors } = handed;
        let [rows, columns] = grid.nodes.shape();
        let folder = tempfile::tempdir_in(folder).while_doing("make a folder for SNAPHU")?;
        write_files(folder.path(), costs, grid, phasors)?;
        let output = Command::new(&self.program)
            .args(["-d", "-f", CONFIGURATION_FILE, &columns.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .while_doing("run SNAPHU")?;
        let unwrapped = fs_err::read(folder.path().join(OUTPUT_FILE)).unwrap_or_default();
        if !output.status.success() || unwrapped.len() != 4 * rows * columns {
            let said = [output.stdout, output.stderr].concat();
            return Err(failed(number, &output.status.to_string(), &said));
        }
        let phase_rad = unwrapped
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("invariant: four bytes")));
        let node_phase_rad = node_phases_rad(phasors);
        let cycles_of = |(k, phase_rad): (usize, f32)| {
            let node = grid.nearest[k % columns * rows + k / columns] as usize;
            whole_cycles(f64::from(phase_rad) - node_phase_rad[node])
        };
        let cycles: Option<Vec<i32>> = phase_rad.enumerate().map(cycles_of).collect();
        let cycles = cycles.ok_or_else(|| {
            failed(number, "a phase that is not the wrapped phase plus whole cycles", b"")
        })?;
        flows_of_cycles(rows, columns, &solved.wraps, &cycles)
            .map_err(|e| failed(number, &e.to_string(), b""))
    }
}

/// The whole cycles in a difference; none if it is anything else, or far beyond any unwrapped phase.
fn whole_cycles(difference_rad: f64) -> Option<i32> {
    const ROUNDING_CYCLES: f64 = 0.05;
    let cycles = difference_rad / std::f64::consts::TAU;
    let whole = (cycles - cycles.round()).abs() < ROUNDING_CYCLES && cycles.abs() < 1e6;
    #[expect(clippy::cast_possible_truncation, reason = "below a million")]
    whole.then_some(cycles.round() as i32)
}

fn failed(number: usize, found: &str, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Diagnostic::new("snaphu-failed", "SNAPHU did not unwrap an interferogram")
        .variable(format!("interferogram {number}"))
        .expected("exit status 0 and an unwrapped phase of the grid")
        .found(format!("{found}; {}", last.join(" | ")))
        .remedy("leave --solver out: our own solver needs no other program")
        .data()
}
