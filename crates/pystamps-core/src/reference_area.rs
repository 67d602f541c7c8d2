//! The reference area: the PS whose mean displacement is taken as zero.

use std::collections::BTreeMap;
use std::path::Path;

use pystamps_kernels::local_coordinates::polyconic_km;

use crate::error::{Diagnostic, Result};
use crate::parameter_checks::out_of_range;
use crate::patch_scope::recorded_parameters;
use crate::project::artifacts::stage5;
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::stored_array::column;

/// Rows of the PS in the reference area that the parameters describe.
///
/// # StaMPS compatibility
/// `ps_setref`, stage7.md 2: longitude and latitude strictly inside `ref_lon` and `ref_lat`, and
/// at most `ref_radius` from `ref_centre_lonlat`; or, where parameters `ref_x` and `ref_y` exist,
/// local coordinates strictly inside these. An area without PS is refused, and so is a radius below 0
/// (-Inf means no reference to the original, whose consumers then fail); the original goes on with NaN.
///
/// # Errors
/// `reference-empty`; `parameter-range` for a limit that is no pair; MATLAB file errors.
pub(crate) fn reference_rows(
    folder: &Path,
    stack: &Stack,
    parameters: &Parameters,
) -> Result<Vec<usize>> {
    let area = Area::of(folder, stack, parameters)?;
    let rows: Vec<usize> = (0..stack.row_count()).filter(|&row| area.contains(row)).collect();
    if rows.is_empty() {
        return Err(Diagnostic::new("reference-empty", "there is no PS in the reference area")
            .path(folder)
            .variable(area.parameters())
            .expected("at least one PS inside")
            .found(area.nearest(stack.row_count()))
            .remedy(area.remedy())
            .usage());
    }
    Ok(rows)
}

/// The reference area and the places of the PS in its coordinates.
enum Area<'a> {
    /// Between limits of the local coordinates, m.
    Local { limits: [[f64; 2]; 2], xy_m: &'a [[f32; 2]] },
    /// Between limits of longitude and latitude, and perhaps within a circle.
    Geographic { limits: [[f64; 2]; 2], lonlat_deg: Vec<[f64; 2]>, circle: Option<Circle> },
}

/// Places within some distance of another.
struct Circle {
    centre_m: [f64; 2],
    radius_m: f64,
    /// Origin of the local coordinates in which distances are taken.
    origin_lonlat_deg: [f64; 2],
}

impl<'a> Area<'a> {
    fn of(folder: &Path, stack: &'a Stack, parameters: &Parameters) -> Result<Self> {
        if parameters.get("ref_x").is_ok() {
            let limits = [pair(parameters, "ref_x")?, pair(parameters, "ref_y")?];
            return Ok(Self::Local { limits, xy_m: &stack.xy_m });
        }
        let limits = [pair(parameters, "ref_lon")?, pair(parameters, "ref_lat")?];
        let positions = column(folder, &stage5::POSITIONS, &stack.axis_lengths())?;
        let (lon, lat) = positions.split_at(stack.row_count());
        let lonlat_deg = lon.iter().zip(lat).map(|(&lon, &lat)| [lon, lat]).collect();
        let radius_m = parameters.number("ref_radius")?;
        let circle = if radius_m == f64::INFINITY {
            None
        } else {
            let origin_lonlat_deg = local_origin(folder)?;
            let centre = pair(parameters, "ref_centre_lonlat")?;
            let centre_m = polyconic_km(centre, origin_lonlat_deg).map(|km| 1000.0 * km);
            Some(Circle { centre_m, radius_m, origin_lonlat_deg })
        };
        Ok(Self::Geographic { limits, lonlat_deg, circle })
    }

    fn contains(&self, row: usize) -> bool {
        match self {
            Self::Local { limits, xy_m } => inside(xy_m[row].map(f64::from), limits),
            Self::Geographic { limits, lonlat_deg, circle } => {
                let place = lonlat_deg[row];
                let in_circle = |circle: &Circle| {
                    let [dx, dy] = circle.offset_m(place);
                    circle.radius_m >= 0.0 && dx * dx + dy * dy <= circle.radius_m.powi(2)
                };
                inside(place, limits) && circle.as_ref().is_none_or(in_circle)
            }
        }
    }

    /// How far a PS is from the area, m.
    fn distance_m(&self, row: usize) -> f64 {
        match self {
            Self::Local { limits, xy_m } => {
                let place = xy_m[row].map(f64::from);
                let [x, y] = clamped(place, limits);
                (place[0] - x).hypot(place[1] - y)
            }
            Self::Geographic { limits, lonlat_deg, circle } => {
                let place = lonlat_deg[row];
                let [x, y] = polyconic_km(clamped(place, limits), place).map(|km| 1000.0 * km);
                let beyond = circle.as_ref().map_or(0.0, |circle| {
                    let [dx, dy] = circle.offset_m(place);
                    dx.hypot(dy) - circle.radius_m.max(0.0)
                });
                x.hypot(y).max(beyond)
            }
        }
    }

    /// Says how far the nearest PS is.
    fn nearest(&self, count: usize) -> String {
        let distances = (0..count).map(|row| (self.distance_m(row), row));
        let nearest = distances
            .filter(|(distance, _)| distance.is_finite())
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((metres, row)) => {
                format!("none; the nearest is PS {}, {metres:.0} m away", row + 1)
            }
            None => "none".to_owned(),
        }
    }

    const fn parameters(&self) -> &'static str {
        match self {
            Self::Local { .. } => "ref_x, ref_y",
            Self::Geographic { .. } => "ref_lon, ref_lat, ref_centre_lonlat, ref_radius",
        }
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::Local { .. } => "pystamps-native params set --dataset … ref_x '[-Inf Inf]'",
            Self::Geographic { .. } => {
                "pystamps-native params set --dataset … ref_radius Inf, or move the area"
            }
        }
    }
}

impl Circle {
    /// Metres from the centre to `lonlat_deg`.
    fn offset_m(&self, lonlat_deg: [f64; 2]) -> [f64; 2] {
        let [x, y] = polyconic_km(lonlat_deg, self.origin_lonlat_deg).map(|km| 1000.0 * km);
        [x - self.centre_m[0], y - self.centre_m[1]]
    }
}

/// Longitude and latitude of the origin of local coordinates.
fn local_origin(folder: &Path) -> Result<[f64; 2]> {
    let path = folder.join("ps2.mat");
    let origin = pystamps_mat::read_variable(&path, "ll0")?.to_f64_vec();
    origin.and_then(|origin| <[f64; 2]>::try_from(origin).ok()).ok_or_else(|| {
        Diagnostic::new("variable-shape", "the origin of local coordinates is unknown")
            .path(path)
            .variable("ll0")
            .expected("longitude and latitude")
            .found("something else")
            .remedy("run stage 5 again")
            .data()
    })
}

/// Values of the parameters that describe the reference area, as the ledger records them; `ref_x` and
/// `ref_y` act where they exist, and exist only where somebody has put them.
///
/// # Errors
/// As for `recorded_parameters`.
pub(crate) fn recorded_reference(
    parameters: &Parameters,
) -> Result<BTreeMap<String, serde_json::Value>> {
    let mut names = vec!["ref_lon", "ref_lat", "ref_centre_lonlat", "ref_radius"];
    names.extend(["ref_x", "ref_y"].into_iter().filter(|name| parameters.get(name).is_ok()));
    recorded_parameters(parameters, &names)
}

/// Strictly between the limits of both coordinates.
fn inside(place: [f64; 2], limits: &[[f64; 2]; 2]) -> bool {
    place.iter().zip(limits).all(|(&value, &[low, high])| value > low && value < high)
}

/// The place between the limits that is nearest.
fn clamped(place: [f64; 2], limits: &[[f64; 2]; 2]) -> [f64; 2] {
    // Limits in the wrong order have nothing between them; the distance to one is as good as to
    // the other.
    [0, 1].map(|axis| place[axis].max(limits[axis][0]).min(limits[axis][1]))
}

fn pair(parameters: &Parameters, name: &str) -> Result<[f64; 2]> {
    let (name, value) = parameters.get(name)?;
    let numbers = value.to_f64_vec();
    numbers.and_then(|numbers| <[f64; 2]>::try_from(numbers).ok()).ok_or_else(|| {
        let found = crate::project::parameters::display_value(value);
        out_of_range(&name, "two numbers", found)
    })
}
