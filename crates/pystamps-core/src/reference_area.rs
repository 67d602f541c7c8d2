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
    let rows: Vec<usize> = if parameters.get("ref_x").is_ok() {
        let (x, y) = (pair(parameters, "ref_x")?, pair(parameters, "ref_y")?);
        let inside = |[px, py]: [f32; 2]| within(px.into(), x) && within(py.into(), y);
        (0..stack.row_count()).filter(|&row| inside(stack.xy_m[row])).collect()
    } else {
        let radius_m = parameters.number("ref_radius")?;
        inside_lonlat(folder, stack, parameters, radius_m)?
    };
    if rows.is_empty() {
        return Err(Diagnostic::new("reference-empty", "there is no PS in the reference area")
            .path(folder)
            .variable("ref_lon, ref_lat, ref_centre_lonlat, ref_radius")
            .expected("at least one PS inside")
            .found("none")
            .remedy("pystamps-native params set --dataset … ref_radius Inf, or move the area")
            .usage());
    }
    Ok(rows)
}

fn inside_lonlat(
    folder: &Path,
    stack: &Stack,
    parameters: &Parameters,
    radius_m: f64,
) -> Result<Vec<usize>> {
    let (lon, lat) = (pair(parameters, "ref_lon")?, pair(parameters, "ref_lat")?);
    let positions = column(folder, &stage5::POSITIONS, &stack.axis_lengths())?;
    let count = stack.row_count();
    let position = |row: usize| [positions[row], positions[count + row]];
    let in_box = |row: &usize| {
        let [x, y] = position(*row);
        within(x, lon) && within(y, lat)
    };
    let boxed = (0..count).filter(in_box);
    if radius_m == f64::INFINITY {
        return Ok(boxed.collect());
    }
    let centre = pair(parameters, "ref_centre_lonlat")?;
    let origin = pystamps_mat::read_variable(folder.join("ps2.mat"), "ll0")?.to_f64_vec();
    let Some(&[lon0, lat0]) = origin.as_deref() else {
        return Err(Diagnostic::new(
            "variable-shape",
            "the origin of local coordinates is unknown",
        )
        .path(folder.join("ps2.mat"))
        .variable("ll0")
        .expected("longitude and latitude")
        .found("something else")
        .remedy("run stage 5 again")
        .data());
    };
    let metres = |point: [f64; 2]| polyconic_km(point, [lon0, lat0]).map(|km| 1000.0 * km);
    let [x0, y0] = metres(centre);
    Ok(boxed
        .filter(|&row| {
            let [x, y] = metres(position(row));
            radius_m >= 0.0 && (x - x0).powi(2) + (y - y0).powi(2) <= radius_m * radius_m
        })
        .collect())
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

fn within(value: f64, [low, high]: [f64; 2]) -> bool {
    value > low && value < high
}

fn pair(parameters: &Parameters, name: &str) -> Result<[f64; 2]> {
    let (name, value) = parameters.get(name)?;
    let numbers = value.to_f64_vec();
    numbers.and_then(|numbers| <[f64; 2]>::try_from(numbers).ok()).ok_or_else(|| {
        let found = crate::project::parameters::display_value(value);
        out_of_range(&name, "two numbers", found)
    })
}
