//! Kernels against numbers that original StaMPS computed for the same inputs.
//!
//! The small files lie in `parity/golden/kernels`; the others are read from the shared oracle, and
//! their tests end early where it is absent (they fail where `CI` is `true`).

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::print_stderr, reason = "says why a test ended early")]

use std::path::{Path, PathBuf};

use num_complex::{Complex, Complex32, Complex64};
use pystamps_kernels::clap::{
    ClapFilter, ClapPatchFilter, ClapPatchScratch, ClapScratch, LowPass, Plane,
};
use pystamps_kernels::gauss_window::gauss_window;
use pystamps_kernels::histogram::histogram;
use pystamps_kernels::interpolate::interpolate;
use pystamps_kernels::least_squares::{Weighting, fit_with_covariance};
use pystamps_kernels::local_coordinates::polyconic_km;
use pystamps_kernels::merge_max_coherence::OCTAVE_MERGE_MAX_COHERENCE;
use pystamps_kernels::random::{OctaveTwister, STAMPS_SEED, UniformGenerator};
use pystamps_kernels::random_coherence::{RandomNetwork, random_coherence};
use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit};
use pystamps_mat::{NumericData, Value, read_variable};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository's own golden data.
fn golden(name: &str) -> PathBuf {
    repository().join("parity/golden/kernels").join(name)
}

/// A file of the shared oracle, or `None` with a word about why.
fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PYSTAMPS_SHARED")
        .map_or_else(|| repository().join("../shared"), PathBuf::from);
    let path = root.join("oracle/kernels").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    eprintln!("skipped: {} is missing (PYSTAMPS_SHARED says where to look)", path.display());
    None
}

fn complex(path: &Path, variable: &str) -> Vec<Complex64> {
    let value = read_variable(path, variable).unwrap();
    let Value::Numeric(numeric) = &value else { panic!("{variable} holds numbers") };
    match numeric.data() {
        NumericData::C64(values) => values.clone(),
        NumericData::C32(values) => {
            values.iter().map(|z| Complex::new(z.re.into(), z.im.into())).collect()
        }
        data => data.to_f64_vec().unwrap().into_iter().map(Complex64::from).collect(),
    }
}

fn real(path: &Path, variable: &str) -> Vec<f64> {
    complex(path, variable).iter().map(|z| z.re).collect()
}

fn dims(path: &Path, variable: &str) -> Vec<usize> {
    read_variable(path, variable).unwrap().dims().to_vec()
}

/// Largest difference; both must have the same length and at least one number.
fn largest_difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    assert!(!got.is_empty());
    got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f64::max)
}

#[test]
fn gaussian_windows() {
    let path = golden("k_gausswin.mat");
    assert!(largest_difference(&gauss_window(7, 2.5), &real(&path, "gw7")) < 2e-16);
    assert!(largest_difference(&gauss_window(40, 16.0), &real(&path, "gw40_16")) < 2e-16);
}

#[test]
fn interpolation() {
    let path = golden("k_interp.mat");
    let values = interpolate(&real(&path, "xi"), 10);
    assert!(largest_difference(&values, &real(&path, "yi")) < 1e-13);
}

#[test]
fn weighted_least_squares() {
    let path = golden("k_lscov.mat");
    let [design, observations] = ["A", "B"].map(|name| real(&path, name));
    let [weights, covariance] = ["w", "C"].map(|name| real(&path, name));
    for (name, weighting) in [
        ("x_0", Weighting::Equal),
        ("x_w", Weighting::Weights(&weights)),
        ("x_c", Weighting::Covariance(&covariance)),
    ] {
        let fits = fit_with_covariance(&design, &observations, 17, weighting).unwrap();
        let coefficients: Vec<f64> = fits.into_iter().flat_map(|fit| fit.coefficients).collect();
        let difference = largest_difference(&coefficients, &real(&path, name));
        assert!(difference < 1e-13, "{name} {difference}");
    }
}

#[test]
fn coherence_cap_of_the_merge() {
    let stored = real(&golden("k_max_coh_merge.mat"), "max_coh")[0];
    assert_eq!(stored, OCTAVE_MERGE_MAX_COHERENCE);
}

#[test]
fn topographic_fits() {
    for (name, rounding, slope_limit, limit) in [
        ("k_topofit_double.mat", Rounding::Double, 1e-15, 1e-13),
        ("k_topofit_single.mat", Rounding::Single, 4e-9, 4e-7),
    ] {
        let path = golden(name);
        let phasors = complex(&path, "cpx_in");
        let re: Vec<f64> = phasors.iter().map(|z| z.re).collect();
        let im: Vec<f64> = phasors.iter().map(|z| z.im).collect();
        let size = dims(&path, "cpx_in");
        let block = Block { rows: size[0], columns: size[1], re: &re, im: &im };
        let trials = Trials::for_wraps(real(&path, "n_trial_wraps")[0]);
        let mut fits = Fits::default();
        topofit(&block, &real(&path, "bperp_in"), &trials, rounding, &mut fits);
        let difference = largest_difference(&fits.slope_rad_per_m, &real(&path, "K0"));
        assert!(difference < slope_limit, "{name}: slope {difference}");
        let difference = largest_difference(&fits.offset_rad, &real(&path, "C0"));
        assert!(difference < limit, "{name}: offset {difference}");
        let difference = largest_difference(&fits.coherence, &real(&path, "coh0"));
        assert!(difference < limit, "{name}: coherence {difference}");
        for (got, z) in fits.residual_rad.iter().zip(complex(&path, "phase_residual")) {
            let turn = (Complex64::cis((*got).into()) * z.conj()).arg();
            assert!(turn.abs() < 1e-6, "{name}: residual {got} {}", z.arg());
        }
    }
}

#[test]
fn random_phases() {
    let Some(path) = shared("k_random_loop_T_PATCH_1.mat") else { return };
    let head = real(&path, "rand_ifg_head");
    let mut generator = OctaveTwister::new(STAMPS_SEED);
    for phase_rad in &head[..5000] {
        assert_eq!(std::f64::consts::TAU * generator.next_uniform(), *phase_rad);
    }
    let bperp_m = real(&path, "bperp");
    let trials = Trials::for_wraps(real(&path, "n_trial_wraps")[0]);
    let generator = OctaveTwister::new(STAMPS_SEED);
    let network = RandomNetwork::SingleMaster;
    let coherence = random_coherence(generator, 300_000, network, &bperp_m, &trials, |_| ());
    let mut differences: Vec<f64> =
        coherence.iter().zip(real(&path, "coh_rand")).map(|(a, b)| (a - b).abs()).collect();
    differences.sort_by(f64::total_cmp);
    assert!(differences[299_700] < 1e-6 && differences[299_999] < 1e-4);
    let centres: Vec<f64> = (0..100).map(|k| 0.005 + 0.01 * f64::from(k)).collect();
    let counts = histogram(&coherence, &centres);
    let off: f64 = counts.iter().zip(real(&path, "Nr")).map(|(a, b)| (a - b).abs()).sum();
    assert!(off <= 10.0, "{off} counts differ");
}

#[test]
fn filters_of_grids() {
    for size in ["24x40", "61x75", "64x64", "97x50"] {
        for class in ["double", "single"] {
            let name = format!("k_clap_filt_{size}_{class}.mat");
            let Some(path) = shared(&name) else { return };
            let low_pass = LowPass::new(32, 50.0, 800.0);
            let given = real(&path, "low_pass");
            assert!(largest_difference(low_pass.values(), &given) < 1e-15, "{name}");
            let cells = complex(&path, "ph_in");
            let filter = ClapFilter::new(1.0, 0.3, &low_pass);
            let mut filtered = vec![Complex64::ZERO; cells.len()];
            let rows = dims(&path, "ph_in")[0];
            filter.filter_double(rows, &cells, &mut ClapScratch::default(), &mut filtered);
            let expected = complex(&path, "clap_out");
            assert!(expected.iter().any(|z| z.norm() > 10.0));
            for (got, expected) in filtered.iter().zip(&expected) {
                assert!((got - expected).norm() < 2e-12, "{name}: {got} {expected}");
            }
        }
    }
}

#[test]
fn filters_of_single_cells() {
    for number in 1..=6 {
        let Some(path) = shared(&format!("k_clap_filt_patch_{number}.mat")) else { return };
        let cells = complex(&path, "ph_in");
        let expected = complex(&path, "ph_out");
        let low_pass = LowPass::from_values(32, real(&path, "low_pass"));
        let filter = ClapPatchFilter::new(1.0, 0.3, &low_pass);
        #[expect(clippy::cast_possible_truncation, reason = "the filter works in single precision")]
        let values: Vec<Complex32> =
            cells.iter().map(|z| Complex::new(z.re as f32, z.im as f32)).collect();
        let plane = Plane { rows: 32, columns: 32, values: &values };
        let mut scratch = ClapPatchScratch::default();
        let mut tried = 0;
        // The stored files keep the cell: only where it is empty does leaving it out change nothing.
        for at in (0..1024).filter(|&k| values[k] == Complex32::ZERO) {
            let cell = [at % 32, at / 32];
            let got = filter.values_without_cells(&plane, [cell], 0, &mut scratch).unwrap()[0];
            let got = Complex64::new(got.re.into(), got.im.into());
            assert!((got - expected[at]).norm() < 1e-6, "{number}: {got} {}", expected[at]);
            tried += 1;
        }
        assert!(tried > 0, "{number}: no empty cell");
    }
}

#[test]
fn local_coordinates() {
    let Some(path) = shared("k_llh2local.mat") else { return };
    for (points, origin, expected, height) in
        [("llh", "origin", "xy", 3), ("llh2", "origin2", "xy2", 2)]
    {
        let origin = real(&path, origin);
        let points = real(&path, points);
        let got: Vec<f64> = points
            .chunks_exact(height)
            .flat_map(|point| polyconic_km([point[0], point[1]], [origin[0], origin[1]]))
            .collect();
        assert!(largest_difference(&got, &real(&path, expected)) < 1e-12);
    }
}
