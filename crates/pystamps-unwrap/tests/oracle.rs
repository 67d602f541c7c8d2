//! Problems that original StaMPS handed to SNAPHU 2.0.7, with SNAPHU's solutions.
//!
//! They are read from the shared oracle; the test ends early where it is absent (and fails where `CI` is
//! `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::cast_possible_truncation, reason = "few cycles")]
#![expect(clippy::print_stderr, reason = "says why a test ended early")]

use std::path::{Path, PathBuf};

use pystamps_unwrap::{
    ArcCost, ConvexCost, GridArcs, GridProblem, Workspace, flows_of_cycles, solve_grid, verify_grid,
};
use snaphu_files::{FileProblem, read_singles};

mod snaphu_files;

/// The oracle folder, or `None` with a word about why.
fn oracle() -> Option<PathBuf> {
    let root = std::env::var_os("PYSTAMPS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("oracle");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    eprintln!("skipped: {} is missing (PYSTAMPS_SHARED says where to look)", path.display());
    None
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Folders of single problems.
fn problems(oracle: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<PathBuf> = [
        "T/stage6",
        "T_it2/stage6",
        "T_opt/stage6",
        "T_opt/stage6_iter1",
        "S/stage6",
        "T_d1/stage6",
    ]
    .map(|run| oracle.join(run))
    .into();
    let is_unwrapping = |run: &PathBuf| {
        run.file_name().is_some_and(|name| name.to_string_lossy().starts_with("uw_"))
    };
    runs.extend(folders(&oracle.join("T/variants")).into_iter().filter(is_unwrapping));
    let kept = runs.into_iter().map(|run| run.join("snaphu_keep")).filter(|kept| kept.exists());
    kept.flat_map(|kept| folders(&kept)).collect()
}

/// The number after `before` in a text.
fn number_after(text: &str, before: &str) -> i64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

fn sum(
    costs: &GridArcs<ArcCost>,
    flow: &GridArcs<i16>,
    charge: impl Fn(ArcCost, i32) -> i64,
) -> i64 {
    let sum = |costs: &[ArcCost], flow: &[i16]| -> i64 {
        costs.iter().zip(flow).map(|(&cost, &flow)| charge(cost, flow.into())).sum()
    };
    sum(&costs.down, &flow.down) + sum(&costs.right, &flow.right)
}

/// SNAPHU's solution as flows.
fn flow_of_output(folder: &Path, file: &FileProblem, wraps: &GridArcs<i8>) -> GridArcs<i16> {
    let unwrapped_rad = read_singles(&folder.join("snaphu.out")).unwrap();
    let cycles: Vec<i32> = unwrapped_rad
        .iter()
        .zip(&file.phase_rad)
        .map(|(&phi, &psi)| {
            let cycles = (f64::from(phi) - f64::from(psi)) / std::f64::consts::TAU;
            assert!((cycles - cycles.round()).abs() < 1e-3, "{}", folder.display());
            cycles.round() as i32
        })
        .collect();
    flows_of_cycles(file.rows, file.columns, wraps, &cycles).unwrap()
}

#[test]
fn no_worse_than_snaphu_and_proven() {
    let Some(oracle) = oracle() else { return };
    let problems = problems(&oracle);
    assert!(problems.len() >= 100, "only {} problems", problems.len());
    let mut workspace = Workspace::new();
    let (mut better, mut moved, mut printed_totals) = (0, 0, 0);
    for folder in &problems {
        let read = |name: &str| fs_err::read_to_string(folder.join(name)).unwrap();
        let columns = number_after(&read("cmd.txt"), "snaphu.conf");
        let columns = usize::try_from(columns).unwrap();
        let file = FileProblem::read(folder, columns).unwrap();
        let wraps = GridArcs::from_wrapped_phase(file.rows, columns, &file.phase_rad).unwrap();
        let problem = GridProblem::new(file.rows, columns, &wraps, &file.costs).unwrap();

        let theirs = flow_of_output(folder, &file, &wraps);
        let their_total = sum(&file.costs, &theirs, ArcCost::counted);
        // One scene was kept without what SNAPHU printed.
        if folder.join("snaphu.log").exists() {
            let printed = number_after(&read("snaphu.log"), "Total solution cost:");
            assert_eq!(their_total, printed, "{folder:?}");
            printed_totals += 1;
        }

        let solution = solve_grid(&problem, &mut workspace).unwrap();
        let certificate = verify_grid(&problem, &solution.flow, &solution.potentials);
        assert!(certificate.is_optimal(), "{folder:?}: {certificate:?}");
        let their_convex = sum(&file.costs, &theirs, ConvexCost::cost);
        assert!(certificate.objective <= their_convex, "{folder:?}");
        let shortfall = their_convex - their_total;
        let counted = sum(&file.costs, &solution.flow, ArcCost::counted);
        assert!(counted - their_total <= shortfall, "{folder:?}");
        better += usize::from(certificate.objective < their_convex);
        moved += solution.statistics.augmentations;
    }
    eprintln!("{} problems, strictly better in {better}, {moved} units moved", problems.len());
    assert!(moved > 0 && printed_totals >= 90);
}
