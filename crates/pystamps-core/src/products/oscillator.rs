//! The drift of ENVISAT's oscillator, which looks like a velocity that grows with range.

use super::project::Project;
use crate::error::{IoContext, Result};
use crate::project::artifacts::stage5;

/// Range of a sample times the drift's rate: 7.8 m, 3.87e-7 a year, in mm/yr a sample.
const DRIFT_MM_PER_YEAR: f64 = 7.8 * 3.87e-7 * 1000.0;

/// Phase of the drift at every PS, rad a day; none for other satellites.
///
/// # StaMPS compatibility
/// Products.md 1: the parameter `platform` says ENVISAT, or DORIS's `master.res` says ASAR.
///
/// # Errors
/// MATLAB file errors; I/O errors.
pub(super) fn oscillator_drift(project: &Project) -> Result<Option<Vec<f64>>> {
    if !is_envisat(project)? {
        return Ok(None);
    }
    let pixels = project.column_table(&stage5::PIXELS)?;
    let rows = project.stack.row_count();
    let rad_per_mm = -4.0 * std::f64::consts::PI / project.wavelength_m / 1000.0;
    let range = &pixels[2 * rows..];
    Ok(Some(range.iter().map(|range| range * DRIFT_MM_PER_YEAR * rad_per_mm / 365.25).collect()))
}

fn is_envisat(project: &Project) -> Result<bool> {
    if let Ok(platform) = project.parameters.text("platform") {
        return Ok(platform.eq_ignore_ascii_case("ENVISAT"));
    }
    let path = project.root.join("master.res");
    if !path.is_file() {
        return Ok(false);
    }
    let text = fs_err::read(path).while_doing("look for the satellite's name")?;
    Ok(text.windows(4).any(|word| word == b"ASAR"))
}
