//! Solves a problem in SNAPHU's files and prints one line of JSON:
//! `solve_snaphu_files FOLDER COLUMNS [RUNS]`, for `parity/bench_unwrap.py`.
#![expect(clippy::print_stdout, reason = "prints its result")]

use std::path::PathBuf;
use std::time::Instant;

use pystamps_unwrap::{
    ArcCost, GridArcs, GridProblem, GridSolution, Workspace, solve_grid, verify_grid,
};

#[path = "../tests/snaphu_files/mod.rs"]
#[expect(dead_code, reason = "results of SNAPHU are read by the tests")]
mod snaphu_files;

/// Sum of the costs with arcs without statistics counted as 0 or 1, as SNAPHU does.
fn counted(costs: &GridArcs<ArcCost>, flow: &GridArcs<i16>) -> i64 {
    let sum = |costs: &[ArcCost], flow: &[i16]| -> i64 {
        costs.iter().zip(flow).map(|(cost, &flow)| cost.counted(flow.into())).sum()
    };
    sum(&costs.down, &flow.down) + sum(&costs.right, &flow.right)
}

/// Greatest resident memory of this process so far, bytes; 0 where the system does not say.
fn peak_bytes() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok());
    kib.map_or(0, |kib: u64| kib * 1024)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, columns, runs @ ..] = arguments.as_slice() else {
        return Err("usage: solve_snaphu_files FOLDER COLUMNS [RUNS]".into());
    };
    let runs: usize = runs.first().map_or(Ok(1), |runs| runs.parse())?;
    let process_bytes = peak_bytes();
    let file = snaphu_files::FileProblem::read(&PathBuf::from(folder), columns.parse()?)?;
    let wraps = GridArcs::from_wrapped_phase(file.rows, file.columns, &file.phase_rad)?;
    drop(file.phase_rad);
    let problem = GridProblem::new(file.rows, file.columns, &wraps, &file.costs)?;
    let mut workspace = Workspace::new();
    let mut seconds = f64::INFINITY;
    let mut solution: Option<GridSolution> = None;
    for _ in 0..runs.max(1) {
        drop(solution.take());
        let begin = Instant::now();
        let solved = solve_grid(&problem, &mut workspace)?;
        seconds = seconds.min(begin.elapsed().as_secs_f64());
        solution = Some(solved);
    }
    let solution = solution.ok_or("no run")?;
    // Of the problem and its solution, without the programme.
    let peak = peak_bytes() - process_bytes;
    let begin = Instant::now();
    let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
    let verify_seconds = begin.elapsed().as_secs_f64();
    let statistics = solution.statistics;
    println!(
        "{{\"seconds\": {seconds}, \"verify_seconds\": {verify_seconds}, \"peak_bytes\": {peak}, \
         \"objective\": {}, \"counted\": {}, \"gap\": {}, \"optimal\": {}, \"residues\": {}, \
         \"imbalance\": {}, \"augmentations\": {}, \"searches\": {}, \"nodes_reached\": {}}}",
        certificate.objective,
        counted(&file.costs, &solution.flow),
        certificate.gap(),
        certificate.is_optimal(),
        statistics.residues,
        statistics.imbalance,
        statistics.augmentations,
        statistics.searches,
        statistics.nodes_reached,
    );
    Ok(())
}
