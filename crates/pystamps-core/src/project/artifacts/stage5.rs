//! The variables of stage 5 (matfiles.md).

use super::Axis::{Fixed, Interferogram, Scatterer};
use super::table::{complex, double, single};
use super::{Unit, Variable};

/// Corrected phase, see [`CORRECTED_PHASES`].
pub const CORRECTED_PHASE: Variable = complex(single(double(
    "rc2.mat",
    "ph_rc",
    [Scatterer, Interferogram],
    Unit::Phasor,
    "phase without look-angle error and master contribution",
)));

/// Phase of the surroundings, see [`CORRECTED_PHASES`].
pub const SURROUNDING_PHASE: Variable = complex(single(double(
    "rc2.mat",
    "ph_reref",
    [Scatterer, Interferogram],
    Unit::Phasor,
    "spatially correlated phase; 1 in the master's slot",
)));

/// The variables of `rc2.mat` of a single-master patch; small baselines have the first alone.
pub static CORRECTED_PHASES: [Variable; 2] = [CORRECTED_PHASE, SURROUNDING_PHASE];

/// The noise of every interferogram, in degrees.
pub const INTERFEROGRAM_NOISE: Variable = single(double(
    "ifgstd2.mat",
    "ifg_std",
    [Interferogram, Fixed(1)],
    Unit::Degree,
    "root mean square of the residual phase",
));
