//! Kernels of stage 6 against what original StaMPS computed for the same inputs.
//!
//! Files are read from the shared oracle; tests end early where it is absent (they fail where `CI` is
//! `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::print_stderr, reason = "says why a test ended early")]

use std::path::{Path, PathBuf};

use std::f64::consts::{PI, TAU};

use num_complex::{Complex, Complex32, Complex64};
use pystamps_kernels::edge_series::{
    EdgeSeries, EdgeSeriesOptions, Method, Network, Tile, smooth_along_gradients,
};
use pystamps_kernels::goldstein::{GoldsteinFilter, node_gradients, window_gradients};
use pystamps_kernels::nearest_node::nearest_nodes;
use pystamps_kernels::node_edges::node_edges;
use pystamps_mat::{NumericData, Value, read_variable};

/// A file of the shared oracle, or `None` with a word about why.
fn shared(name: &str) -> Option<PathBuf> {
    shared_data(&format!("oracle/{name}"))
}

/// A file that MATLAB wrote for a real scene, or `None`.
fn matlab(name: &str) -> Option<PathBuf> {
    shared_data(&format!("real/s1b_siberia_112k/{name}.mat"))
}

fn shared_data(name: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("PYSTAMPS_SHARED")
        .map_or_else(|| repository.join("../shared"), PathBuf::from);
    let path = root.join(name);
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
        let edges = node_edges(&nearest, grid.rows, grid.columns);
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
                assert!(
                    got.is_nan() || (got - expected).abs() < 1e-7,
                    "{number}: {got} {expected}"
                );
                known += usize::from(!got.is_nan());
            }
        }
    }
    assert_eq!(known, 704);
}

/// What the stored analysis of edges was made with.
struct Scene {
    folder: &'static str,
    /// Where the scene's `ps2.mat` lies.
    network: &'static str,
    method: Method,
    look_angle_error: bool,
    /// Interferogram left out, from 0.
    dropped: Option<usize>,
}

const fn scene(folder: &'static str, network: &'static str, method: Method) -> Scene {
    Scene { folder, network, method, look_angle_error: true, dropped: None }
}

const SCENES: [Scene; 12] = [
    scene("T/stage6", "T/stage5", Method::Full),
    scene("T_it2/stage6", "T/stage5", Method::Full),
    Scene { dropped: Some(2), ..scene("T_opt/stage6_iter1", "T/stage5", Method::Full) },
    Scene { dropped: Some(2), ..scene("T_opt/stage6", "T/stage5", Method::Full) },
    scene("T_d1/stage6", "T_d1/stage5", Method::Full),
    scene("L/stage6", "L/stage5", Method::Full),
    scene("S/stage6", "S/stage5", Method::Quick),
    scene("T/variants/uw_2D_scfn_lay", "T/stage5", Method::Spatial2D),
    scene("T/variants/uw_3D_NO_DEF_scfn_lay", "T/stage5", Method::NoDeformation),
    scene("T/variants/uw_3D_QUICK_scfn_lay", "T/stage5", Method::Quick),
    Scene {
        look_angle_error: false,
        ..scene("T/variants/uw_3D_SMALL_DEF_scfn_lan", "T/stage5", Method::SmallDeformation)
    },
    Scene {
        look_angle_error: false,
        ..scene("T/variants/uw_3D_FULL_scfn_lan", "T/stage5", Method::Full)
    },
];

impl Scene {
    /// The analysis and its stored design matrix, if there is one.
    fn series(&self) -> Option<EdgeSeries> {
        let path = shared(&format!("{}/ps2.mat", self.network))?;
        let master_day = real(&path, "master_day")[0];
        let day: Vec<f64> = real(&path, "day").iter().map(|day| day - master_day).collect();
        let bperp_m = real(&path, "bperp");
        let (mut pairs, mut numbers) = (Vec::new(), Vec::new());
        if self.network.starts_with('S') {
            let images = whole(&path, "ifgday_ix");
            let (first, second) = images.split_at(images.len() / 2);
            let image = |x: i64| usize::try_from(x).unwrap() - 1;
            pairs.extend(first.iter().zip(second).map(|(&a, &b)| [image(a), image(b)]));
            numbers.extend(0..pairs.len());
        } else {
            let master = day.iter().filter(|day| **day < 0.0).count();
            numbers.extend((0..day.len()).filter(|&i| i != master && self.dropped != Some(i)));
            pairs.extend(numbers.iter().map(|&i| [master, i]));
        }
        let range = bperp_m.iter().copied().fold(f64::MIN, f64::max)
            - bperp_m.iter().copied().fold(f64::MAX, f64::min);
        let incidence_rad = real(&path, "mean_incidence")[0];
        let metres = 0.055_465_76 * 830_000.0 * incidence_rad.sin() / (4.0 * PI);
        let bperp_m: Vec<f64> = numbers.iter().map(|&k| bperp_m[k]).collect();
        let options = EdgeSeriesOptions {
            method: self.method,
            look_angle_error: self.look_angle_error,
            time_window_days: 730.0,
            trial_wraps: range * 20.0 / metres / TAU,
        };
        let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
        Some(EdgeSeries::new(&network, &options).unwrap())
    }
}

/// Node phases and edges of a folder.
fn node_phases(folder: &str) -> Option<(Vec<Complex32>, Vec<[u32; 2]>)> {
    let path = shared(&format!("{folder}/uw_grid.mat"))?;
    let stored = whole(&path.with_file_name("uw_interp.mat"), "edgs");
    let (lower, higher) = stored[stored.len() / 3..].split_at(stored.len() / 3);
    let node = |x: i64| u32::try_from(x - 1).unwrap();
    let edges = lower.iter().zip(higher).map(|(&a, &b)| [node(a), node(b)]).collect();
    Some((single(&path, "ph"), edges))
}

/// Largest difference; NaN must stand in the same places.
fn largest(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).fold(0.0, |largest: f64, (&got, expected)| {
        assert_eq!(got.is_nan(), expected.is_nan(), "NaN");
        largest.max((f64::from(got) - expected).abs())
    })
}

#[test]
fn edges_in_time() {
    for scene in &SCENES {
        let Some(series) = scene.series() else { return };
        let Some((phases, edges)) = node_phases(scene.folder) else { return };
        let stored = shared(&format!("{}/uw_space_time.mat", scene.folder)).unwrap();
        let tile = series.analyse_edges(&phases, &edges, &mut series.scratch());
        let off = [
            largest(&tile.dph_space_uw_rad, &real(&stored, "dph_space_uw")),
            largest(&tile.dph_noise_rad, &real(&stored, "dph_noise")),
        ];
        let unknown = tile.with_statistics.iter().filter(|known| !**known).count();
        let slopes = tile.slope_rad_per_m.iter().filter(|slope| **slope != 0.0).count();
        eprintln!(
            "{} {} trials: off {off:?}, {unknown} without statistics, {slopes} slopes",
            scene.folder,
            series.trials()
        );
        assert!(off[0] < 5e-6 && off[1] < 5e-6, "{}: {off:?}", scene.folder);
        if !matches!(scene.method, Method::Spatial2D | Method::NoDeformation) {
            assert!(unknown > 0);
            let (design, rows, columns) = series.design();
            assert_eq!(design, real(&stored, "G"), "{} {rows} {columns}", scene.folder);
        }
    }
}

#[test]
fn edges_along_gradients() {
    let folder = "T/variants/uw_3D_FULL_scfy_lay";
    let Some(series) = scene(folder, "T/stage5", Method::Full).series() else { return };
    let Some((phases, edges)) = node_phases(folder) else { return };
    let stored = shared(&format!("{folder}/uw_space_time.mat")).unwrap();
    let places = whole(&stored.with_file_name("uw_grid.mat"), "ij");
    let (row, column) = places.split_at(places.len() / 2);
    let cell = |x: i64| i32::try_from(x).unwrap();
    let nodes: Vec<[i32; 2]> = row.iter().zip(column).map(|(&i, &j)| [cell(i), cell(j)]).collect();
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    let gradients = ["ifreq_ij", "jfreq_ij"]
        .map(|name| real(&stored, name).iter().map(|&x| x as f32).collect::<Vec<f32>>());
    let mut tile: Tile = series.analyse_edges(&phases, &edges, &mut series.scratch());
    let result = smooth_along_gradients(&mut tile, &edges, &nodes, [&gradients[0], &gradients[1]]);
    assert!(largest(&tile.dph_space_uw_rad, &real(&stored, "dph_space_uw")) < 5e-6);
    assert!(largest(&tile.dph_noise_rad, &real(&stored, "dph_noise")) < 5e-6);
    let shaky: Vec<bool> = real(&stored, "shaky_ix").iter().map(|x| *x != 0.0).collect();
    assert_eq!(result.shaky, shaky);
    assert!(shaky.iter().filter(|shaky| **shaky).count() == 71);
    assert!(result.spread.iter().any(|x| *x != 0.0 && !x.is_nan()));
}

/// Cells with PS of the real scene, column-major.
#[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
#[expect(clippy::cast_sign_loss, reason = "counted from 1")]
fn real_cells(path: &Path) -> (Vec<bool>, usize, usize) {
    let xy = real(path, "xy");
    let scatterers = xy.len() / 3;
    let cells = |axis: usize| -> Vec<usize> {
        let metres: Vec<f32> =
            xy[axis * scatterers..][..scatterers].iter().map(|x| *x as f32).collect();
        let least = metres.iter().copied().fold(f32::INFINITY, f32::min);
        let cell = |x: &f32| ((x - least + 0.001) / 200.0).ceil() as usize;
        let last = metres.iter().map(cell).max().unwrap();
        metres.iter().map(cell).map(|number| number.min(last - 1)).collect()
    };
    let (row, column) = (cells(2), cells(1));
    let [rows, columns] = [&row, &column].map(|cells| *cells.iter().max().unwrap());
    let mut occupied = vec![false; rows * columns];
    row.iter().zip(&column).for_each(|(i, j)| occupied[(j - 1) * rows + i - 1] = true);
    (occupied, rows, columns)
}

#[test]
fn nearest_nodes_of_matlab() {
    let Some(stored) = matlab("uw_interp") else { return };
    let (occupied, height, width) = real_cells(&matlab("ps2").unwrap());
    assert_eq!((height, width), (82, 77));
    let nearest = nearest_nodes(&occupied, height, width);
    let expected = whole(&stored, "Z");
    let differ: Vec<usize> =
        (0..nearest.len()).filter(|&k| i64::from(nearest[k]) + 1 != expected[k]).collect();
    eprintln!("{} of {} cells differ", differ.len(), nearest.len());
    // MATLAB's search leaves ties to chance.
    let nodes: Vec<usize> = (0..occupied.len()).filter(|&k| occupied[k]).collect();
    let squared = |a: usize, b: usize| {
        (a % height).abs_diff(b % height).pow(2) + (a / height).abs_diff(b / height).pow(2)
    };
    for &cell in &differ {
        let theirs = usize::try_from(expected[cell]).unwrap() - 1;
        assert!(theirs > nearest[cell] as usize);
        assert_eq!(squared(cell, nodes[theirs]), squared(cell, nodes[nearest[cell] as usize]));
    }
    // From the same nearest nodes come the same edges.
    let stored_nodes: Vec<u32> = expected.iter().map(|&z| u32::try_from(z - 1).unwrap()).collect();
    let edges = node_edges(&stored_nodes, height, width);
    let ends: Vec<i64> = whole(&stored, "edgs")[edges.ends.len()..].to_vec();
    let got = (0..2).flat_map(|end| edges.ends.iter().map(move |ends| i64::from(ends[end]) + 1));
    assert!(got.eq(ends));
    for (steps, variable) in [(&edges.down, "rowix"), (&edges.right, "colix")] {
        assert!(
            steps.iter().map(|&step| i64::from(step)).eq(whole(&stored, variable)),
            "{variable}"
        );
    }
}

/// The wrapped differences are what MATLAB unwrapped, so the analysis can be done again from there.
#[test]
fn edges_in_time_of_matlab() {
    let Some(path) = matlab("ps2") else { return };
    let (stored, parameters) = (matlab("uw_space_time").unwrap(), matlab("parms").unwrap());
    let master_day = real(&path, "master_day")[0];
    let day: Vec<f64> = real(&path, "day").iter().map(|day| day - master_day).collect();
    let bperp_m = real(&path, "bperp");
    let master = day.iter().filter(|day| **day < 0.0).count();
    let others: Vec<usize> = (0..day.len()).filter(|&i| i != master).collect();
    let pairs: Vec<[usize; 2]> = others.iter().map(|&i| [master, i]).collect();
    let range = bperp_m.iter().copied().fold(f64::MIN, f64::max)
        - bperp_m.iter().copied().fold(f64::MAX, f64::min);
    let metres =
        real(&parameters, "lambda")[0] * 830_000.0 * real(&path, "mean_incidence")[0].sin()
            / (4.0 * PI);
    let bperp_m: Vec<f64> = others.iter().map(|&i| bperp_m[i]).collect();
    let options = EdgeSeriesOptions {
        method: Method::Full,
        look_angle_error: true,
        time_window_days: real(&parameters, "unwrap_time_win")[0],
        trial_wraps: range * real(&parameters, "max_topo_err")[0] / metres / TAU,
    };
    let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
    let series = EdgeSeries::new(&network, &options).unwrap();
    let (unwrapped, noise) = (real(&stored, "dph_space_uw"), real(&stored, "dph_noise"));
    #[expect(clippy::cast_possible_truncation, reason = "phases are single")]
    let high: Vec<Complex32> =
        unwrapped.iter().map(|x| Complex::new(x.cos() as f32, x.sin() as f32)).collect();
    let low = vec![Complex32::ONE; high.len()];
    let tile = series.analyse(&low, &high, &mut series.scratch());
    let edges = tile.with_statistics.len();
    let off = [largest(&tile.dph_space_uw_rad, &unwrapped), largest(&tile.dph_noise_rad, &noise)];
    let unknown = tile.with_statistics.iter().filter(|known| !**known).count();
    eprintln!(
        "{edges} edges, {unknown} without statistics, {} trials: off {off:?}",
        series.trials()
    );
    assert!(off[0] < 2e-5 && off[1] < 2e-5, "{off:?}");
}
