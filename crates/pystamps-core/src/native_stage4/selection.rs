//! Reads which candidates stage 3 selected.

use std::path::Path;

use pystamps_mat::read_variable;

use crate::error::{Diagnostic, Error, Result};

/// The selected candidates that stage 3 kept after its second estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Row of each among the candidates.
    pub(crate) candidates: Vec<u32>,
    /// Row of each in the arrays of `select1.mat`.
    pub(crate) selected: Vec<u32>,
    /// Rows of the arrays of `select1.mat`.
    pub(crate) selected_count: usize,
}

impl Selection {
    /// Reads `select1.mat` of the patch `folder`, which has `candidates` candidates.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-range` for a candidate that does not exist; `variable-shape`
    /// if `ix` and `keep_ix` differ in length.
    pub(crate) fn read(folder: &Path, candidates: usize) -> Result<Self> {
        let path = folder.join("select1.mat");
        let numbers = read_variable(&path, "ix")?.to_f64_vec().unwrap_or_default();
        let keep = read_variable(&path, "keep_ix")?.to_f64_vec().unwrap_or_default();
        if keep.len() != numbers.len() {
            let expected = format!("{} flags, as many as ix has rows", numbers.len());
            return Err(misfit("variable-shape", &path, "keep_ix", expected, keep.len()));
        }
        let possible = |number: f64| number >= 1.0 && number <= candidates as f64;
        if let Some(&number) = numbers.iter().find(|&&n| !possible(n) || n.fract() != 0.0) {
            let expected = format!("rows from 1 to {candidates}");
            return Err(misfit("variable-range", &path, "ix", expected, number));
        }
        let mut pairs = numbers.iter().zip(numbers.iter().skip(1));
        if let Some((before, after)) = pairs.find(|(before, after)| after <= before) {
            let expected = "every row once, in ascending order".to_owned();
            let found = format!("{after} after {before}");
            return Err(misfit("variable-range", &path, "ix", expected, found));
        }
        let kept = (0..numbers.len()).filter(|&row| keep[row] != 0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rows below the number of candidates, which fits 32 bits"
        )]
        let (candidates, selected) = kept.map(|row| (numbers[row] as u32 - 1, row as u32)).unzip();
        Ok(Self { candidates, selected, selected_count: numbers.len() })
    }

    /// Rows.
    pub(crate) fn len(&self) -> usize {
        self.candidates.len()
    }

    /// The rows whose flag in `keep` is set.
    pub(crate) fn filtered(&self, keep: &[bool]) -> Self {
        let filter = |rows: &[u32]| {
            rows.iter().zip(keep).filter(|&(_, &keep)| keep).map(|(&row, _)| row).collect()
        };
        Self {
            candidates: filter(&self.candidates),
            selected: filter(&self.selected),
            selected_count: self.selected_count,
        }
    }
}

fn misfit(
    name: &'static str,
    path: &Path,
    variable: &str,
    expected: String,
    found: impl std::fmt::Display,
) -> Error {
    Diagnostic::new(name, "the selection does not fit the candidates")
        .path(path)
        .variable(variable)
        .expected(expected)
        .found(found)
        .remedy("run stage 3 again")
        .data()
}
