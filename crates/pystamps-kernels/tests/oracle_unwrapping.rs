//! Kernels of stage 6 against what original StaMPS computed for the same inputs.
//!
//! Files are read from the shared oracle; tests end early where it is absent (they fail where `CI` is
//! `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::print_stderr, reason = "says why a test ended early")]

use std::path::{Path, PathBuf};

use num_complex::{Complex, Complex32, Complex64};
use pystamps_kernels::goldstein::{GoldsteinFilter, node_gradients, window_gradients};
use pystamps_kernels::nearest_node::nearest_nodes;
use pystamps_kernels::node_edges::node_edges;
use pystamps_mat::{NumericData, Value, read_variable};

/// A file of the shared oracle, or `None` with a word about why.
fn shared(name: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("PYSTAMPS_SHARED")
        .map_or_else(|| repository.join("../shared"), PathBuf::from);
    let path = root.join("oracle").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    eprintln!("skipped: {} is missing (PYSTAMPS_SHARED says where to look)", path.display());
    None
}

fn complex(path: &Path, variable: &str) -> Vec<Complex64> {
    let value = read_variable(path, variable).unwrap();
    let numeric = match &value {
        Value::Numeric(numeric) => numeric,
        Value::Logical(flags) => {
            return flags.data().iter().map(|x| f64::from(*x).into()).collect();
        }
        _ => panic!("{variable} holds numbers"),
    };
    match numeric.data() {
        NumericData::C64(values) => values.clone(),
        NumericData::C32(values) => {
            values.iter().map(|z| Complex::new(z.re.into(), z.im.into())).collect()
        }
        data => data.to_f64_vec().unwrap().into_iter().map(Complex64::from).collect(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
fn single(path: &Path, variable: &str) -> Vec<Complex32> {
    let values = complex(path, variable);
    values.into_iter().map(|z| Complex::new(z.re as f32, z.im as f32)).collect()
}

fn real(path: &Path, variable: &str) -> Vec<f64> {
    complex(path, variable).iter().map(|z| z.re).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers")]
fn whole(path: &Path, variable: &str) -> Vec<i64> {
    real(path, variable).iter().map(|x| *x as i64).collect()
}

fn rows(path: &Path, variable: &str) -> usize {
    read_variable(path, variable).unwrap().dims()[0]
}

/// Folders of stage 6 with all its files.
const FOLDERS: [&str; 9] = [
    "T/stage6",
    "T_it2/stage6",
    "T_opt/stage6_iter1",
    "T_opt/stage6",
    "T_d1/stage6",
    "L/stage6",
    "S/stage6",
    "T/variants/uw_2D_scfn_lay",
    "T/variants/uw_3D_FULL_scfy_lay",
];

/// The grid of one stage 6.
struct Grid {
    rows: usize,
    columns: usize,
    /// Cells with PS.
    occupied: Vec<bool>,
    /// Unfiltered sums, interferogram by interferogram.
    planes: Vec<Vec<Complex32>>,
}

fn grid(path: &Path) -> Grid {
    let shape = read_variable(path, "nzix").unwrap().dims().to_vec();
    let occupied: Vec<bool> = real(path, "nzix").iter().map(|x| *x != 0.0).collect();
    let places = whole(path, "grid_ij");
    let scatterers = places.len() / 2;
    let cell = |ps: usize| {
        let [row, column] =
            [places[ps], places[scatterers + ps]].map(|x| usize::try_from(x).unwrap());
        (column - 1) * shape[0] + row - 1
    };
    let planes = single(path, "ph_in")
        .chunks_exact(scatterers)
        .map(|phasors| {
            let mut plane = vec![Complex32::ZERO; shape[0] * shape[1]];
            phasors.iter().enumerate().for_each(|(ps, phasor)| plane[cell(ps)] += phasor);
            plane
        })
        .collect();
    Grid { rows: shape[0], columns: shape[1], occupied, planes }
}

#[test]
fn filters_of_whole_grids() {
    for size in ["61x75", "64x64", "97x50"] {
        for class in ["double", "single"] {
            let name = format!("kernels/k_goldstein_wrap_{size}_{class}.mat");
            let Some(path) = shared(&name) else { return };
            let given = single(&path, "ph_in");
            let (rows, columns) = (rows(&path, "ph_in"), given.len() / rows(&path, "ph_in"));
            let filter = GoldsteinFilter::new(rows, columns, 32, 0.8).unwrap();
            let mut scratch = filter.scratch();
            for (variable, got) in [
                ("wrap_out", filter.filter(&given, &mut scratch)),
                ("wrap_low", filter.low_pass(&given, &mut scratch)),
            ] {
                let expected = complex(&path, variable);
                assert!(expected.iter().any(|z| z.norm() > 0.5));
                let off = |(g, e): (&Complex32, &Complex64)| {
                    (Complex::new(f64::from(g.re), f64::from(g.im)) - e).norm()
                };
                let worst = got.iter().zip(&expected).map(off).fold(0.0, f64::max);
                eprintln!("{name} {variable}: {worst:e}");
                assert!(worst < 1e-5, "{name} {variable}: {worst}");
            }
        }
    }
}

#[test]
fn filtered_grids() {
    for folder in FOLDERS {
        let Some(path) = shared(&format!("{folder}/uw_grid.mat")) else { return };
        let grid = grid(&path);
        let filter = GoldsteinFilter::new(grid.rows, grid.columns, 32, 0.8).unwrap();
        let mut scratch = filter.scratch();
        let expected = single(&path, "ph");
        let nodes = rows(&path, "ph");
        let mut worst = 0.0_f32;
        for (plane, expected) in grid.planes.iter().zip(expected.chunks_exact(nodes)) {
            let filtered = filter.filter(plane, &mut scratch);
            let at_nodes = filtered.iter().zip(&grid.occupied).filter(|(_, occupied)| **occupied);
            for ((got, _), expected) in at_nodes.zip(expected) {
                worst = worst.max((got - expected).norm());
            }
        }
        eprintln!("{folder}: {worst:e}");
        assert!(worst < 1e-5, "{folder}: {worst}");
    }
}

#[test]
fn nearest_nodes_and_edges() {
    for folder in FOLDERS {
        let Some(path) = shared(&format!("{folder}/uw_grid.mat")) else { return };
        let interp = path.with_file_name("uw_interp.mat");
        let grid = grid(&path);
        let nearest = nearest_nodes(&grid.occupied, grid.rows, grid.columns);
        let from_one: Vec<i64> = nearest.iter().map(|&node| i64::from(node) + 1).collect();
        assert_eq!(from_one, whole(&interp, "Z"), "{folder}");
        let edges = node_edges(&nearest, grid.rows, grid.columns, true);
        let stored = whole(&interp, "edgs");
        let (lower, higher) = stored[edges.ends.len()..].split_at(edges.ends.len());
        let ends: Vec<[i64; 2]> = edges.ends.iter().map(|e| e.map(|n| i64::from(n) + 1)).collect();
        assert!(
            ends.iter().copied().eq(lower.iter().zip(higher).map(|(&a, &b)| [a, b])),
            "{folder}"
        );
        for (steps, variable) in [(&edges.down, "rowix"), (&edges.right, "colix")] {
            let stored = whole(&interp, variable);
            assert!(steps.iter().map(|&step| i64::from(step)).eq(stored), "{folder} {variable}");
        }
        let steps = edges.down.iter().chain(&edges.right).filter(|step| **step != 0).count();
        assert_eq!(edges.occurrences().iter().sum::<u32>() as usize, steps, "{folder}");
    }
}

#[test]
fn gradients_at_nodes() {
    let Some(path) = shared("T/variants/uw_3D_FULL_scfy_lay/uw_grid.mat") else { return };
    let grid = grid(&path);
    let places = real(&path, "ij");
    let nodes: Vec<[f64; 2]> = {
        let (row, column) = places.split_at(places.len() / 2);
        row.iter().zip(column).map(|(&row, &column)| [row, column]).collect()
    };
    let stored = path.with_file_name("uw_space_time.mat");
    let [down, across] = ["ifreq_ij", "jfreq_ij"].map(|name| real(&stored, name));
    let filter = GoldsteinFilter::new(grid.rows, grid.columns, 32, 0.8).unwrap();
    let mut scratch = filter.scratch();
    let mut known = 0;
    for (number, plane) in grid.planes.iter().enumerate() {
        let filtered = filter.filter(plane, &mut scratch);
        let got = node_gradients(&window_gradients(&filtered, grid.rows, grid.columns, 32), &nodes);
        let range = number * nodes.len()..(number + 1) * nodes.len();
        for (got, expected) in
            [(&got.row_rad, &down[range.clone()]), (&got.column_rad, &across[range.clone()])]
        {
            for (got, expected) in got.iter().map(|&x| f64::from(x)).zip(expected) {
                assert_eq!(got.is_nan(), expected.is_nan(), "{number}");
                // The diagonals of the lattice are cut either way.
                let off = (got - expected).abs();
                assert!(
                    off.is_nan() || off < std::f64::consts::TAU / 32.0 / 8.0 + 1e-6,
                    "{number} {off}"
                );
                known += usize::from(!off.is_nan());
            }
        }
    }
    assert!(known > 300, "{known}");
}
