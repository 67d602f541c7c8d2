//! Says of a product what it is: definition, unit, sign, reference, corrections.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::Bootstrap;
use super::definition::{Definition, Quantity, Series};
use super::project::Project;
use crate::dates::Date;
use crate::error::Result;
use crate::project::artifacts::stage5;
use crate::project::parameters::display_value;
use crate::stored_array::column;

/// What a user must know of a product.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Name of the product, as StaMPS spells it.
    pub value_type: String,
    /// What was computed, in words.
    pub definition: String,
    /// Unit of the values.
    pub unit: &'static str,
    /// What a positive value means.
    pub sign_convention: &'static str,
    /// Where the values are relative to.
    pub reference: Reference,
    /// What was taken out.
    pub corrections: Vec<&'static str>,
    /// PS.
    pub ps_count: usize,
    /// Radar wavelength, m.
    pub wavelength_m: f64,
    /// Date of the master, `YYYYMMDD`.
    pub master_date: String,
    /// Dates of the columns, pairs of dates for small-baseline interferograms; empty if there are none.
    pub columns: Vec<String>,
    /// Dates or pairs of dates that a velocity is fitted to.
    pub fitted_to: Vec<String>,
    /// How the standard deviation was drawn, if there is one.
    pub bootstrap: Option<Bootstrap>,
    /// Parameters it was made with, as `params list` shows them.
    pub parameters: BTreeMap<String, String>,
    /// Version of the program.
    pub program_version: &'static str,
}

/// The reference area.
#[derive(Clone, Debug, Serialize)]
pub struct Reference {
    /// In words, with the parameters.
    pub description: String,
    /// PS in it.
    pub ps_count: usize,
    /// Mean position of these, longitude and latitude.
    pub centre_lonlat_deg: [f64; 2],
}

impl Description {
    /// Describes the product `definition` with these columns.
    ///
    /// # Errors
    /// MATLAB file errors.
    pub(super) fn of(
        project: &Project,
        definition: &Definition,
        columns: &[usize],
        bootstrap: Option<Bootstrap>,
    ) -> Result<Self> {
        let quantity = definition.quantity;
        let corrections: Vec<&'static str> =
            definition.minus.iter().map(|term| term.name()).collect();
        let minus = [&[quantity.words()], corrections.as_slice()].concat().join(" - ");
        let referred =
            if quantity.is_referred() { ", less the mean of the reference area" } else { "" };
        let series = quantity.series();
        let dates = project.dates.words().map_or_else(String::new, |dates| format!(", {dates}"));
        let named = |columns: &[usize]| -> Vec<String> {
            columns.iter().map(|&column| project.column_name(series, column)).collect()
        };
        let fitted_to =
            if quantity.is_fitted() { named(&project.chosen_slaves(series)?) } else { Vec::new() };
        Ok(Self {
            value_type: definition.value_type.clone(),
            definition: format!("{minus}{referred}{dates}"),
            unit: quantity.unit(),
            sign_convention: quantity.sign(),
            reference: Reference::of(project, quantity.is_referred())?,
            corrections,
            ps_count: project.stack.row_count(),
            wavelength_m: project.wavelength_m,
            master_date: date_name(project.stack.day[project.stack.master]),
            columns: named(columns),
            fitted_to,
            bootstrap,
            parameters: parameters(project),
            program_version: env!("CARGO_PKG_VERSION"),
        })
    }
}

fn parameters(project: &Project) -> BTreeMap<String, String> {
    // The day of the preparation decides nothing.
    let all = project.parameters.list().into_iter().filter(|(name, ..)| *name != "Created");
    all.map(|(name, value, _)| (name.to_owned(), display_value(value))).collect()
}

impl Reference {
    fn of(project: &Project, used: bool) -> Result<Self> {
        let rows = project.stack.row_count();
        let lonlat = column(&project.root, &stage5::POSITIONS, &project.stack.axis_lengths())?;
        let chosen = &project.reference;
        let mean = |axis: usize| {
            chosen.iter().map(|&row| lonlat[axis * rows + row]).sum::<f64>() / chosen.len() as f64
        };
        let description = if !used {
            "none: absolute values".to_owned()
        } else if chosen.len() == rows {
            "mean of all PS".to_owned()
        } else {
            format!("mean of the PS within {}", limits(project)?)
        };
        Ok(Self { description, ps_count: chosen.len(), centre_lonlat_deg: [mean(0), mean(1)] })
    }
}

/// The parameters of the reference area, as typed.
fn limits(project: &Project) -> Result<String> {
    let names: &[&str] = if project.parameters.get("ref_x").is_ok() {
        &["ref_x", "ref_y"]
    } else {
        &["ref_lon", "ref_lat", "ref_centre_lonlat", "ref_radius"]
    };
    let named = names.iter().map(|name| {
        let (name, value) = project.parameters.get(name)?;
        Ok(format!("{name} = {}", display_value(value)))
    });
    Ok(named.collect::<Result<Vec<_>>>()?.join(", "))
}

/// A day as `YYYYMMDD`, or its number where it is none.
pub(super) fn date_name(day: f64) -> String {
    Date::from_datenum(day).map_or_else(|| format!("day {day}"), |date| date.to_string())
}

impl Project {
    /// The dates of a column of `series`.
    pub(super) fn column_name(&self, series: Series, column: usize) -> String {
        let day = &self.stack.day;
        if series.is_pairs() {
            return self.stack.pairs[column].map(|image| date_name(day[image])).join("_");
        }
        date_name(day[column])
    }
}

impl Quantity {
    /// Whether the mean of the reference area is taken out.
    const fn is_referred(self) -> bool {
        !matches!(self, Self::Height | Self::Wrapped(_) | Self::Surroundings(_))
    }

    /// Whether the values are slopes in time.
    const fn is_fitted(self) -> bool {
        matches!(
            self,
            Self::Velocity(_) | Self::VelocityDeviation(_) | Self::VelocityWithoutEach(_)
        )
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Height => "height of the DEM",
            Self::Wrapped(_) => "wrapped phase after stage 5",
            Self::Surroundings(_) => "wrapped phase of the surroundings of the PS",
            Self::Phase(Series::OneMaster) => "unwrapped phase against the master",
            Self::Phase(Series::Pairs) => "unwrapped phase of the small-baseline interferograms",
            Self::Residual => {
                "unwrapped phase of the interferograms less that of the inverted images"
            }
            Self::Slope(_) => "phase of the look-angle (DEM) error for a metre of baseline",
            Self::Master => "atmosphere and orbit of the master",
            Self::Ramps => "phase ramps that stage 7 has estimated",
            Self::Correction(_) => "tropospheric correction",
            Self::SlaveNoise => "spatially correlated noise of the slaves",
            Self::Velocity(_) => "slope in time of: unwrapped phase",
            Self::VelocityDeviation(_) => {
                "standard deviation of the slope in time of: unwrapped phase"
            }
            Self::VelocityWithoutEach(_) => {
                "slope in time, without the interferogram of the column, of: unwrapped phase"
            }
            Self::Displacement => "displacement since the master from: unwrapped phase",
        }
    }

    /// Unit of the values.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Height => "m",
            Self::Wrapped(_) | Self::Surroundings(_) => "1",
            Self::Slope(_) => "rad/m",
            Self::Velocity(_) | Self::VelocityDeviation(_) | Self::VelocityWithoutEach(_) => {
                "mm/yr"
            }
            Self::Displacement => "mm",
            _ => "rad",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Height => "positive: up",
            Self::VelocityDeviation(_) => "never negative",
            Self::Velocity(_) | Self::VelocityWithoutEach(_) | Self::Displacement => {
                "positive: towards the satellite, along the line of sight"
            }
            Self::Slope(_) => "positive: phase grows with the perpendicular baseline",
            _ => "positive: away from the satellite where the master is the earlier image",
        }
    }
}
