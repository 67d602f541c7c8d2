//! Reads files of the shared oracle.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::print_stderr, reason = "says why a test ended early")]

use std::path::{Path, PathBuf};

use pystamps_mat::{Value, read_variable};

/// A file of the shared oracle, or `None` with a word about why.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
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

/// The real numbers of a variable, column-major.
pub(crate) fn real(path: &Path, variable: &str) -> Vec<f64> {
    let value = read_variable(path, variable).unwrap();
    let Value::Numeric(numeric) = &value else { panic!("{variable} holds numbers") };
    numeric.data().to_f64_vec().unwrap()
}

/// The same in single precision.
#[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
pub(crate) fn single(path: &Path, variable: &str) -> Vec<f32> {
    real(path, variable).iter().map(|&value| value as f32).collect()
}

/// Places of the PS, m: the second and third column of `xy`.
pub(crate) fn places(path: &Path, variable: &str) -> Vec<[f32; 2]> {
    let xy = single(path, variable);
    let count = xy.len() / 3;
    (0..count).map(|row| [xy[count + row], xy[2 * count + row]]).collect()
}

/// Column, from 0, that a variable counts from 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
pub(crate) fn column(path: &Path, variable: &str) -> usize {
    real(path, variable)[0] as usize - 1
}

/// Largest difference, NaN where only one is NaN; both must have the same length and some number
/// that is not 0.
pub(crate) fn largest_difference(
    got: impl IntoIterator<Item = impl Into<f64>>,
    expected: impl IntoIterator<Item = impl Into<f64>>,
) -> f64 {
    let got: Vec<f64> = got.into_iter().map(Into::into).collect();
    let expected: Vec<f64> = expected.into_iter().map(Into::into).collect();
    assert_eq!(got.len(), expected.len());
    assert!(expected.iter().any(|&value| value != 0.0));
    let difference = |(got, expected): (&f64, &f64)| {
        if got.is_nan() && expected.is_nan() { 0.0 } else { (got - expected).abs() }
    };
    let differences = got.iter().zip(&expected).map(difference);
    differences
        .fold(0.0, |largest, value| if value > largest || value.is_nan() { value } else { largest })
}
