//! The degree of the ramps that are taken out of interferograms.

use std::path::Path;

use pystamps_kernels::ramp::{RampDegree, RampDesign};

use crate::error::{Diagnostic, Result};

/// File in the project that says another degree than 1.
pub(crate) const RAMP_DEGREE_FILE: &str = "deramp_degree.mat";

/// The degree that the project asks for: a plane, unless its `deramp_degree.mat` holds another.
///
/// # Errors
/// `ramp-degree` for one that does not exist; MATLAB file errors.
pub(crate) fn ramp_degree(root: &Path) -> Result<RampDegree> {
    let path = root.join(RAMP_DEGREE_FILE);
    if !path.is_file() {
        return Ok(RampDegree::Plane);
    }
    let value = pystamps_mat::read_variable(&path, "degree")?;
    let degree = value.to_scalar();
    degree.and_then(RampDegree::of).ok_or_else(|| {
        let found =
            degree.map_or_else(|| format!("{:?}", value.dims()), |degree| degree.to_string());
        Diagnostic::new("ramp-degree", "there are no ramps of this degree")
            .path(path)
            .variable("degree")
            .expected("1 (plane), 1.5 (with a product term), 2 or 3")
            .found(found)
            .remedy("mend or remove the file; without it ramps are planes")
            .data()
    })
}

/// What fitting ramps takes for so many PS, whatever their degree, bytes.
pub(crate) fn ramp_bytes(scatterers: u64) -> u64 {
    usize::try_from(scatterers)
        .map_or(u64::MAX, |count| RampDesign::memory_bytes(count, RampDegree::Cubic))
}
