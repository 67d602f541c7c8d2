//! The mean incidence angle of the merged project (stage6.md 2, step 8).

use std::path::Path;

use crate::error::{Diagnostic, Result};
use crate::project::artifacts::stage4;
use crate::project::stack::Stack;
use crate::stored_array::column;

/// What the angle of view lacks of the incidence angle, rad.
const LOOK_TO_INCIDENCE_RAD: f64 = 0.052;
/// Incidence where nothing is known of it, deg.
const DEFAULT_INCIDENCE_DEG: f64 = 21.0;

/// `mean_incidence` of `ps2.mat`, or else what `la2.mat` says.
///
/// # Errors
/// `incidence-unknown` for an impossible angle; MATLAB file errors.
pub(super) fn mean_incidence_rad(folder: &Path, stack: &Stack) -> Result<f64> {
    let path = folder.join("ps2.mat");
    let listed = pystamps_mat::list(&path)?;
    let stored = if listed.iter().any(|info| info.name == "mean_incidence") {
        pystamps_mat::read_variable(&path, "mean_incidence")?.to_scalar()
    } else {
        None
    };
    let angle_rad = match stored {
        Some(angle_rad) => angle_rad,
        None if folder.join(stage4::LOOK_ANGLE.file).is_file() => {
            let angles = column(folder, &stage4::LOOK_ANGLE, &stack.axis_lengths())?;
            angles.iter().sum::<f64>() / angles.len() as f64 + LOOK_TO_INCIDENCE_RAD
        }
        None => DEFAULT_INCIDENCE_DEG.to_radians(),
    };
    if angle_rad > 0.0 && angle_rad < std::f64::consts::FRAC_PI_2 {
        return Ok(angle_rad);
    }
    Err(Diagnostic::new("incidence-unknown", "the mean incidence angle is impossible")
        .path(path)
        .variable("mean_incidence, or la of la2.mat")
        .expected("an angle between 0 and pi/2 rad")
        .found(angle_rad)
        .remedy("run stages 1 and 5 again, or check the geometry of the export")
        .data())
}
