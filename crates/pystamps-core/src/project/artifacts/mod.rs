//! Defines what every variable of a result file is: axes, class, unit, meaning; and loads, stores
//! and checks by that.
//!
//! A stage's table (`stage1`, …) is the only place where StaMPS's variable names and shapes are
//! spelled. [`load`] gives a variable only if its shape fits the project and its values fit the
//! unit, so that degrees never pass for radians nor one patch's rows for another's;
//! [`check_folder`] holds results to the same rules before they are published.

pub mod stage1;
pub mod stage4;
pub mod stage5;
pub mod stage6;
pub mod stage7;
pub mod stage8;
mod table;

use std::path::Path;

use pystamps_mat::{Class, Value, VariableInfo};

use crate::error::{Diagnostic, Error, Result};

/// What one dimension of a variable counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Candidates or persistent scatterers.
    Scatterer,
    /// Candidates before those without position or phase were left out.
    Candidate,
    /// Interferograms; a single-master stack counts the master's empty slot.
    Interferogram,
    /// Interferograms without that slot.
    MeasuredInterferogram,
    /// Images.
    Image,
    /// A fixed number.
    Fixed(usize),
}

/// What values mean, and which are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Counts, indices, flags, identifiers.
    None,
    /// Angle of view, rad.
    Radian,
    /// Longitude or latitude, deg.
    Degree,
    /// Length, m.
    Metre,
    /// Phase, rad.
    Phase,
    /// Phase for a metre of perpendicular baseline, rad/m.
    PhasePerMetre,
    /// Coherence over interferograms, 0 to 1 but for rounding.
    Coherence,
    /// MATLAB day number.
    Day,
    /// Complex sample of an interferogram, any amplitude.
    Phasor,
}

impl Unit {
    /// The unit's symbol; empty for plain numbers.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::None | Self::Coherence => "",
            Self::Radian | Self::Phase => "rad",
            Self::PhasePerMetre => "rad/m",
            Self::Degree => "deg",
            Self::Metre => "m",
            Self::Day => "day",
            Self::Phasor => "complex",
        }
    }

    /// Closed range outside which a value cannot have this unit.
    const fn range(self) -> Option<(f64, f64)> {
        match self {
            // No side-looking radar sees beyond the horizon.
            Self::Radian => Some((0.0, std::f64::consts::FRAC_PI_2)),
            Self::Degree => Some((-360.0, 360.0)),
            // Years 1000 to 9999.
            Self::Day => Some((365_244.0, 3_652_425.0)),
            Self::Coherence => Some((0.0, 1.001)),
            Self::None | Self::Phase | Self::PhasePerMetre | Self::Metre | Self::Phasor => None,
        }
    }
}

/// One variable of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// File that holds it.
    pub file: &'static str,
    /// StaMPS's name.
    pub name: &'static str,
    /// What rows and columns count.
    pub axes: [Axis; 2],
    /// Class that single-master projects store.
    pub class: Class,
    /// Class that small-baseline projects store.
    pub small_baseline_class: Class,
    /// Whether the values are complex.
    pub complex: bool,
    /// Unit of the values.
    pub unit: Unit,
    /// What it is.
    pub meaning: &'static str,
}

/// Lengths of the axes in one folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxisLengths {
    /// Rows.
    pub scatterers: usize,
    /// Rows before any were left out.
    pub candidates: usize,
    /// Interferograms with the master's slot.
    pub interferograms: usize,
    /// Interferograms without it.
    pub measured_interferograms: usize,
    /// Images.
    pub images: usize,
}

impl AxisLengths {
    pub(crate) fn of(&self, axis: Axis) -> usize {
        match axis {
            Axis::Scatterer => self.scatterers,
            Axis::Candidate => self.candidates,
            Axis::Interferogram => self.interferograms,
            Axis::MeasuredInterferogram => self.measured_interferograms,
            Axis::Image => self.images,
            Axis::Fixed(length) => length,
        }
    }
}

/// Reads `variable` from `folder` and checks shape, complexity and unit. Either floating-point class
/// is accepted, because StaMPS's own class depends on the route a project took.
///
/// # Errors
/// `variable-shape`, `variable-class` or `variable-unit`; MATLAB file errors.
pub fn load(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Value> {
    let path = folder.join(variable.file);
    let value = pystamps_mat::read_variable(&path, variable.name)?;
    check_shape(&path, variable, value.dims(), lengths)?;
    let numbers = matches!(value.class(), Class::Double | Class::Single);
    if !numbers || (value.is_complex() && !variable.complex) {
        let kind = if value.is_complex() { "complex " } else { "" };
        let found = format!("{kind}{}", value.class());
        return Err(wrong_class(&path, variable, "real or complex floating point", found));
    }
    check_unit(&path, variable, &value)?;
    Ok(value)
}

/// Checks everything `variables` say about the files in `folder` without reading large data: shapes
/// and classes of all, values of those with a limited range. Files of `variables` that do not exist
/// are optional ones.
///
/// # Errors
/// As [`load`]; `variable-missing` if a file lacks a variable.
pub fn check_folder(
    folder: &Path,
    variables: &[Variable],
    lengths: &AxisLengths,
    small_baselines: bool,
) -> Result<()> {
    for group in variables.chunk_by(|a, b| a.file == b.file) {
        let path = folder.join(group[0].file);
        if !path.exists() {
            continue;
        }
        let listed = pystamps_mat::list(&path)?;
        for variable in group {
            let found = listed.iter().find(|info| info.name == variable.name);
            let info = found.ok_or_else(|| missing(&path, variable, &listed))?;
            check_shape(&path, variable, &info.dims, lengths)?;
            let class =
                if small_baselines { variable.small_baseline_class } else { variable.class };
            if (info.class, info.complex) != (class, variable.complex) {
                return Err(wrong_class(&path, variable, class, info.class));
            }
            if variable.unit.range().is_some() {
                check_unit(&path, variable, &pystamps_mat::read_variable(&path, variable.name)?)?;
            }
        }
    }
    Ok(())
}

/// Checks dimensions; an array without elements may have lost the other dimension.
pub(crate) fn check_shape(
    path: &Path,
    variable: &Variable,
    dims: &[usize],
    lengths: &AxisLengths,
) -> Result<()> {
    let expected = variable.axes.map(|axis| lengths.of(axis));
    if dims == expected || (expected.contains(&0) && dims.contains(&0)) {
        return Ok(());
    }
    let axes = variable.axes.map(|axis| format!("{axis:?}").to_lowercase());
    Err(problem("variable-shape", "a variable does not fit the project", path, variable)
        .expected(format!(
            "{} x {} ({}), as ps1.mat or ps2.mat says",
            expected[0],
            expected[1],
            axes.join(" x ")
        ))
        .found(format!("{dims:?}"))
        .remedy(maker(variable.file).map_or_else(
            || "run the stage that makes this file again".to_owned(),
            |stage| format!("run stage {stage} again: it makes {}", variable.file),
        ))
        .data())
}

/// The stage that makes a file.
fn maker(file: &str) -> Option<u8> {
    const MAKERS: [(&[&str], u8); 7] = [
        (&["pm1.mat"], 2),
        (&["select1.mat"], 3),
        (&["weed1.mat"], 4),
        (&["rc2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "la2.mat", "hgt2.mat", "ifgstd2.mat"], 5),
        (&["phuw2.mat", "phuw_sb2.mat", "phuw_sb_res2.mat"], 6),
        (&["scla2.mat", "scla_sb2.mat", "scla_smooth2.mat", "scla_smooth_sb2.mat"], 7),
        (&["scn2.mat", "mean_v.mat"], 8),
    ];
    MAKERS.iter().find(|(files, _)| files.contains(&file)).map(|&(_, stage)| stage)
}

fn check_unit(path: &Path, variable: &Variable, value: &Value) -> Result<()> {
    let Some((low, high)) = variable.unit.range() else { return Ok(()) };
    let values = value.to_f64_vec().unwrap_or_default();
    // NaN marks what is not known (an empty patch has no mean); it is no wrong unit.
    let Some(position) = values.iter().position(|&x| x < low || x > high) else { return Ok(()) };
    Err(problem("variable-unit", "a value is impossible in its unit", path, variable)
        .expected(format!("{low} to {high} {}", variable.unit.symbol()))
        .found(format!("{} at element {}", values[position], position + 1))
        .remedy("check the export's geometry (.par file, lon/lat rasters) and its units")
        .data())
}

fn wrong_class(
    path: &Path,
    variable: &Variable,
    expected: impl std::fmt::Display,
    found: impl std::fmt::Display,
) -> Error {
    problem("variable-class", "a variable has another class", path, variable)
        .expected(expected)
        .found(found)
        .remedy("run the stage that makes this file again")
        .data()
}

fn missing(path: &Path, variable: &Variable, listed: &[VariableInfo]) -> Error {
    let names: Vec<&str> = listed.iter().map(|info| info.name.as_str()).collect();
    problem("variable-missing", "a file lacks a variable", path, variable)
        .expected(variable.meaning)
        .found(names.join(", "))
        .remedy("run the stage that makes this file again")
        .data()
}

fn problem(name: &'static str, text: &str, path: &Path, variable: &Variable) -> Diagnostic {
    Diagnostic::new(name, text).path(path).variable(variable.name)
}
