//! Loads what every stage after the first must know of a patch or a merged project: `ps1.mat` or
//! `ps2.mat`.

use std::path::Path;

use pystamps_mat::{Class, Value, Variables};

use super::artifacts::AxisLengths;
use super::parameters::Parameters;
use crate::error::{Diagnostic, Result};

/// How interferograms share images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// All with one master, whose own slot among the interferograms is empty.
    SingleMaster,
    /// Any pairs of images.
    SmallBaselines,
}

impl Network {
    /// The network that `small_baseline_flag` names.
    ///
    /// # Errors
    /// As `Parameters::flag`.
    pub fn of(parameters: &Parameters) -> Result<Self> {
        let small = parameters.flag("small_baseline_flag")?;
        Ok(if small { Self::SmallBaselines } else { Self::SingleMaster })
    }
}

/// Interferograms and rows of a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// How interferograms share images.
    pub network: Network,
    /// Place of the master among the images, from 0.
    pub master: usize,
    /// Mean perpendicular baseline of every interferogram, m; 0 in the master's slot.
    pub bperp_m: Vec<f64>,
    /// Whether `bperp` is stored in single precision: what is computed from it then is, too.
    pub single_precision: bool,
    /// MATLAB day number of every image.
    pub day: Vec<f64>,
    /// The two images of every small-baseline interferogram, from 0; empty with a single master.
    pub pairs: Vec<[usize; 2]>,
    /// Local coordinates of every row, m.
    pub xy_m: Vec<[f32; 2]>,
}

impl Stack {
    /// Reads `ps<version>.mat` in `folder`.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` if its arrays disagree in length; `variable-range` for
    /// a master or a pair that does not exist.
    pub fn load(folder: &Path, version: u8, network: Network) -> Result<Self> {
        let path = folder.join(format!("ps{version}.mat"));
        let mut names = vec!["n_ps", "n_ifg", "n_image", "bperp", "day", "master_ix", "xy"];
        if network == Network::SmallBaselines {
            names.push("ifgday_ix");
        }
        let file = PsFile { path: &path, variables: pystamps_mat::read_variables(&path, &names)? };
        let (rows, interferograms) = (file.count("n_ps")?, file.count("n_ifg")?);
        let images = file.count("n_image")?;
        if network == Network::SingleMaster && images != interferograms {
            let expected = format!("{interferograms} images, one for every interferogram's slot");
            return Err(file.problem("variable-shape", "n_image", &expected, images.to_string()));
        }
        let bperp = file.matrix("bperp", interferograms, 1)?;
        let xy = file.matrix("xy", rows, 3)?;
        let day = file.matrix("day", images, 1)?;
        for (name, values) in [("bperp", &bperp), ("xy", &xy), ("day", &day)] {
            // A patch without rows has no mean baselines.
            file.finite(name, values, rows == 0)?;
        }
        let pairs = match network {
            Network::SingleMaster => Vec::new(),
            Network::SmallBaselines => {
                let flat = file.matrix("ifgday_ix", interferograms, 2)?;
                let index = |k: usize| file.index("ifgday_ix", flat[k], images);
                (0..interferograms)
                    .map(|k| Ok([index(k)?, index(k + interferograms)?]))
                    .collect::<Result<_>>()?
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "xy holds single-precision values")]
        let xy_m = (0..rows).map(|n| [xy[rows + n] as f32, xy[2 * rows + n] as f32]).collect();
        Ok(Self {
            network,
            master: file.index("master_ix", file.number("master_ix")?, images)?,
            single_precision: file.value("bperp")?.class() == Class::Single,
            bperp_m: bperp,
            day,
            pairs,
            xy_m,
        })
    }

    /// Rows: candidates or persistent scatterers.
    pub fn row_count(&self) -> usize {
        self.xy_m.len()
    }

    /// Interferograms, with the master's slot.
    pub fn interferogram_count(&self) -> usize {
        self.bperp_m.len()
    }

    /// Columns of `ph` that were measured: all but the master's slot.
    pub fn measured(&self) -> Vec<usize> {
        let master = (self.network == Network::SingleMaster).then_some(self.master);
        (0..self.interferogram_count()).filter(|&k| Some(k) != master).collect()
    }

    /// Place of the interferogram `column` among the measured ones; none for the master's slot.
    pub fn measured_column(&self, column: usize) -> Option<usize> {
        match self.network {
            Network::SingleMaster if column == self.master => None,
            Network::SingleMaster => Some(column - usize::from(column > self.master)),
            Network::SmallBaselines => Some(column),
        }
    }

    /// Mean baselines of the measured interferograms, m.
    pub fn measured_bperp_m(&self) -> Vec<f64> {
        self.measured().into_iter().map(|k| self.bperp_m[k]).collect()
    }

    /// Lengths of the axes of this scope's arrays.
    pub fn axis_lengths(&self) -> AxisLengths {
        AxisLengths {
            scatterers: self.row_count(),
            candidates: self.row_count(),
            interferograms: self.interferogram_count(),
            measured_interferograms: self.measured().len(),
            images: self.day.len(),
        }
    }
}

/// The variables read from a `ps` file.
struct PsFile<'a> {
    path: &'a Path,
    variables: Variables,
}

impl PsFile<'_> {
    fn value(&self, name: &str) -> Result<&Value> {
        let problem = || Diagnostic::new("variable-missing", "a file lacks a variable");
        self.variables.get(name).ok_or_else(|| problem().path(self.path).variable(name).data())
    }

    fn number(&self, name: &str) -> Result<f64> {
        let value = self.value(name)?;
        value.to_scalar().ok_or_else(|| {
            self.problem("variable-shape", name, "one number", format!("{:?}", value.dims()))
        })
    }

    fn count(&self, name: &str) -> Result<usize> {
        let number = self.number(name)?;
        if number >= 0.0 && number.fract() == 0.0 && number < 2_f64.powi(53) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number in range"
            )]
            return Ok(number as usize);
        }
        Err(self.problem("variable-range", name, "a count", number.to_string()))
    }

    /// An index counted from 1, as one from 0 below `length`.
    fn index(&self, name: &str, number: f64, length: usize) -> Result<usize> {
        if number >= 1.0 && number.fract() == 0.0 && number <= length as f64 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number in range"
            )]
            return Ok(number as usize - 1);
        }
        let expected = format!("an index from 1 to {length}");
        Err(self.problem("variable-range", name, &expected, number.to_string()))
    }

    /// Refuses values that are no finite numbers.
    fn finite(&self, name: &str, values: &[f64], exempt: bool) -> Result<()> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) if !exempt => {
                let found = format!("{} at element {}", values[place], place + 1);
                Err(self.problem("variable-range", name, "finite numbers", found))
            }
            _ => Ok(()),
        }
    }

    /// The elements of a matrix of this shape; a vector may lie either way.
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f64>> {
        let value = self.value(name)?;
        let fits = value.dims() == [rows, columns]
            || (columns == 1 && value.dims() == [1, rows])
            || (rows * columns == 0 && value.is_empty());
        match value.to_f64_vec() {
            Some(elements) if fits => Ok(elements),
            _ => {
                let expected = format!("{rows} x {columns} numbers");
                let found = format!("{:?} of class {}", value.dims(), value.class());
                Err(self.problem("variable-shape", name, &expected, found))
            }
        }
    }

    fn problem(
        &self,
        kind: &'static str,
        name: &str,
        expected: &str,
        found: String,
    ) -> crate::Error {
        Diagnostic::new(kind, "a variable does not fit the others of its file")
            .path(self.path)
            .variable(name)
            .expected(expected)
            .found(found)
            .remedy("run the stage that makes this file again")
            .data()
    }
}
