//! How much the columns of a series are trusted: the covariance of their phase.

use std::path::Path;

use crate::error::{Diagnostic, Error, Result};
use crate::project::artifacts::{Variable, load, stage5, stage7};
use crate::project::stack::{Network, Stack};
use crate::stored_array::column;

/// Covariance of the columns of a series, rad^2.
pub(crate) struct Covariance {
    count: usize,
    /// Column by column.
    values: Vec<f64>,
    /// Where it comes from.
    file: &'static str,
    variable: &'static str,
}

impl Covariance {
    /// Covariance of small-baseline interferograms, where `of_pairs`, and otherwise of the series with
    /// one master.
    ///
    /// # StaMPS compatibility
    /// Stage7.md 4, step 10: with one master the noise of `ifgstd2.mat`, or the identity without it.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape`.
    pub(crate) fn load(root: &Path, stack: &Stack, of_pairs: bool) -> Result<Self> {
        let lengths = stack.axis_lengths();
        let full = |variable: &Variable, count: usize| {
            let values = load(root, variable, &lengths)?.to_f64_vec().unwrap_or_default();
            Ok(Self { count, values, file: variable.file, variable: variable.name })
        };
        match (stack.network, of_pairs) {
            (Network::SmallBaselines, true) => {
                full(&stage7::INTERFEROGRAM_COVARIANCE, stack.interferogram_count())
            }
            (Network::SmallBaselines, false) => full(&stage7::IMAGE_COVARIANCE, stack.day.len()),
            (Network::SingleMaster, _) => Self::of_noise(root, stack),
        }
    }

    fn of_noise(root: &Path, stack: &Stack) -> Result<Self> {
        let variable = stage5::INTERFEROGRAM_NOISE;
        let count = stack.interferogram_count();
        let variances: Vec<f64> = if root.join(variable.file).is_file() {
            let noise_deg = column(root, &variable, &stack.axis_lengths())?;
            noise_deg.into_iter().map(|degrees| degrees.to_radians().powi(2)).collect()
        } else {
            vec![1.0; count]
        };
        let mut values = vec![0.0; count * count];
        for (place, variance) in variances.into_iter().enumerate() {
            values[place * count + place] = variance;
        }
        Ok(Self { count, values, file: variable.file, variable: variable.name })
    }

    /// Columns.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// All values, column by column, rad^2.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// That of some columns alone, column by column, rad^2.
    pub(crate) fn of(&self, columns: &[usize]) -> Vec<f64> {
        let pairs = columns.iter().flat_map(|&b| columns.iter().map(move |&a| (a, b)));
        pairs.map(|(a, b)| self.values[b * self.count + a]).collect()
    }

    /// Says that no weights follow from it.
    pub(crate) fn impossible(&self) -> Error {
        let diagonal = (0..self.count).map(|k| self.values[k * self.count + k]);
        let wrong = diagonal.enumerate().find(|(_, value)| !(value.is_finite() && *value > 0.0));
        let found = wrong.map_or_else(
            || "a matrix that is not positive definite".to_owned(),
            |(place, value)| format!("variance {value} of column {}", place + 1),
        );
        Diagnostic::new("covariance-impossible", "the noise of the series gives no weights")
            .path(self.file)
            .variable(self.variable)
            .expected("noise above 0 in every column that is used")
            .found(found)
            .remedy("leave that interferogram out (drop_ifg_index), or run the stage that makes the file again")
            .data()
    }
}

/// Images that small baselines were inverted to, the master among them; none with a single master.
///
/// # Errors
/// MATLAB file errors; `variable-range`.
pub(crate) fn inverted_images(root: &Path, stack: &Stack) -> Result<Vec<usize>> {
    if stack.network == Network::SingleMaster {
        return Ok(Vec::new());
    }
    let path = root.join("phuw2.mat");
    let value = pystamps_mat::read_variable(&path, "unwrap_ifg_index_sm")?;
    let numbers = value.to_f64_vec().unwrap_or_default();
    let count = stack.day.len();
    let index = |&number: &f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in range"
        )]
        let place = (number >= 1.0 && number <= count as f64 && number.fract() == 0.0)
            .then(|| number as usize - 1);
        place.ok_or_else(|| {
            Diagnostic::new("variable-range", "an image does not exist")
                .path(&path)
                .variable("unwrap_ifg_index_sm")
                .expected(format!("images from 1 to {count}"))
                .found(number)
                .remedy("run stage 6 again")
                .data()
        })
    };
    let mut images: Vec<usize> = numbers.iter().map(index).collect::<Result<_>>()?;
    images.sort_unstable();
    images.dedup();
    Ok(images)
}
