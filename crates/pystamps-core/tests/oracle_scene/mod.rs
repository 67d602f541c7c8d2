//! Scenes of the oracle as original StaMPS left them after a stage, copied into a temporary folder.

use std::path::{Path, PathBuf};

use pystamps_mat::{Complex, Value};

/// Where the oracle keeps the results of stages 1 to 5 of a scene.
pub(crate) struct Lineage {
    base: &'static str,
    stages: [&'static str; 5],
}

/// Scene T: two patches, 17 images.
pub(crate) const T: Lineage =
    Lineage { base: "T", stages: ["T/stage1", "T/stage2", "T/stage3", "T/stage4", "T/stage5"] };
/// Scene T with `density_rand = 1` and `weed_neighbours = y`.
pub(crate) const T_D1: Lineage = Lineage {
    base: "T",
    stages: [
        "T/stage1",
        "T/stage2",
        "T/variants/select_density_rand_1",
        "T_d1/stage4",
        "T_d1/stage5",
    ],
};
/// Scene L: two patches, 41 images.
pub(crate) const L: Lineage =
    Lineage { base: "L", stages: ["L/stage1", "L/stage2", "L/stage3", "L/stage4", "L/stage5"] };
/// Scene S: small baselines.
pub(crate) const S: Lineage =
    Lineage { base: "S", stages: ["S/stage1", "S/stage2", "S/stage3", "S/stage4", "S/stage5"] };

/// The oracle's folder, or `None` with a reason on standard error. CI must have it.
pub(crate) fn oracle() -> Option<PathBuf> {
    let shared = std::env::var_os("PYSTAMPS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let oracle = shared.join("oracle");
    if oracle.is_dir() {
        return Some(oracle);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no oracle at {}", oracle.display());
    #[expect(clippy::print_stderr, reason = "says why nothing is tested")]
    {
        eprintln!("skipped: no oracle at {} (set PYSTAMPS_SHARED)", oracle.display());
    }
    None
}

impl Lineage {
    /// The scene as a writable project after `stage`.
    pub(crate) fn after(&self, oracle: &Path, stage: usize) -> tempfile::TempDir {
        let project = tempfile::tempdir().unwrap();
        copy_tree(&oracle.join(self.base).join("stage0_prep"), project.path(), |name| {
            !name.starts_with("pscands")
        });
        for folder in &self.stages[..stage] {
            copy_tree(&oracle.join(folder), project.path(), |name| !name.starts_with("oracle_"));
        }
        project
    }

    /// A file that original StaMPS wrote in `stage`.
    pub(crate) fn reference(&self, oracle: &Path, stage: usize, file: &str) -> PathBuf {
        oracle.join(self.stages[stage - 1]).join(file)
    }
}

fn copy_tree(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool + Copy) {
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let target = to.join(&name);
        if entry.path().is_dir() {
            fs_err::create_dir_all(&target).unwrap();
            copy_tree(&entry.path(), &target, wanted);
        } else if wanted(&name) {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}

/// All variables of two files are the same but those `left_out`: names, classes, shapes, values.
pub(crate) fn assert_same_file(ours: &Path, theirs: &Path, left_out: &[&str]) {
    let (a, b) = (pystamps_mat::read(ours).unwrap(), pystamps_mat::read(theirs).unwrap());
    let sorted = |variables: &pystamps_mat::Variables| {
        let mut names: Vec<String> = variables.names().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(sorted(&a), sorted(&b), "{}", ours.display());
    for (name, value) in a.iter().filter(|(name, _)| !left_out.contains(name)) {
        let expected = b.get(name).unwrap();
        assert_eq!(value.dims(), expected.dims(), "{}: {name}", ours.display());
        let same = value == expected || (is_nan_alike(value, expected));
        assert!(same, "{}: {name} differs", ours.display());
    }
}

fn is_nan_alike(a: &Value, b: &Value) -> bool {
    a.class() == b.class()
        && a.to_f64_vec().zip(b.to_f64_vec()).is_some_and(|(a, b)| {
            a.len() == b.len()
                && a.iter().zip(&b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
        })
}

/// Real values of a variable.
pub(crate) fn reals(file: &Path, name: &str) -> Vec<f64> {
    pystamps_mat::read_variable(file, name).unwrap().to_f64_vec().unwrap()
}

/// Complex values of a variable, row by row.
pub(crate) fn phasors(file: &Path, name: &str) -> Vec<Complex<f64>> {
    let value = pystamps_mat::read_variable(file, name).unwrap();
    value.to_array2_c64().unwrap().iter().copied().collect()
}

/// Largest absolute difference; the lengths must agree.
pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Largest difference of the angles, rad, and of the moduli, relative.
pub(crate) fn phasor_difference(a: &[Complex<f64>], b: &[Complex<f64>]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold((0.0, 0.0), |(angle, modulus), (a, b)| {
        let relative = (a.norm() - b.norm()).abs() / b.norm().max(f64::MIN_POSITIVE);
        (angle.max((a * b.conj()).arg().abs()), modulus.max(relative))
    })
}
