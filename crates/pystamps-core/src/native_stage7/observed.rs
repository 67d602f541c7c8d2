//! The phase that the look-angle error is estimated from: unwrapped, without known terms and ramps,
//! referred to the reference area.

use std::path::Path;

use pystamps_kernels::ramp::RampDesign;

use super::rules::{Columns, Rules};
use crate::error::Result;
use crate::inverted_correction::inverted_correction;
use crate::phase_series::{PhaseSeries, Term};
use crate::project::artifacts::{Axis, stage6, stage7};
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::ramp_degree;
use crate::scratch::Room;
use crate::stored_array::StoredArray;

/// Opens the series `which` and takes out what is known; `kept` are the interferograms not dropped.
///
/// # StaMPS compatibility
/// `ps_calc_scla`, stage7.md 4, steps 3 to 7: the correction, then ramps, then the atmosphere that an
/// older program has estimated, then the mean of the reference area. Corrections of small baselines are
/// inverted to images without being written to `tca2.mat`.
///
/// # Errors
/// MATLAB file errors; `variable-shape`; `images-isolated`; I/O errors.
pub(super) fn observed(
    root: &Path,
    rules: &Rules,
    stack: &Stack,
    which: Columns,
    reference: &[usize],
    kept: &[usize],
    room: &Room<'_>,
) -> Result<PhaseSeries> {
    let lengths = stack.axis_lengths();
    let (variable, axis, legacy) = match which {
        Columns::Interferograms => (stage6::UNWRAPPED_PHASE, Axis::Interferogram, "aps2.mat"),
        Columns::SmallBaselines => {
            (stage6::UNWRAPPED_SMALL_BASELINES, Axis::Interferogram, "aps_sb2.mat")
        }
        Columns::Images => (stage6::INVERTED_PHASE, Axis::Image, "aps2.mat"),
    };
    let mut series = PhaseSeries::open(root, &variable, &lengths)?;
    if let Some(field) = rules.troposphere {
        let variable = stage6::tropospheric_phase(rules.network, field);
        let stored = StoredArray::open(root, &variable, &lengths)?;
        series.subtract(match (rules.network, which) {
            (Network::SmallBaselines, Columns::Images) => {
                Term::Made(inverted_correction(&stored, stack, kept, field, room)?)
            }
            _ => Term::Stored(stored),
        });
    }
    if rules.deramp {
        series.deramp(RampDesign::new(&stack.xy_m, ramp_degree(root)?))?;
    }
    if root.join(legacy).is_file() {
        let variable = stage7::legacy_atmosphere(legacy, axis);
        series.subtract(Term::Stored(StoredArray::open(root, &variable, &lengths)?));
    }
    series.refer(reference)?;
    Ok(series)
}
