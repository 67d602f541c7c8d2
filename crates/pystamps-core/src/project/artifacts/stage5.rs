//! The variables of stage 5 (matfiles.md).

use super::Axis::{Fixed, Image, Interferogram, Scatterer};
use super::table::{column, complex, double, single, table};
use super::{Axis, Unit, Variable};

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

/// Pixels of the PS.
pub const PIXELS: Variable =
    table("ps2.mat", "ij", 3, Unit::None, "identifier, azimuth line, range sample (from 0)");

/// Positions of the PS.
pub const POSITIONS: Variable = table("ps2.mat", "lonlat", 2, Unit::Degree, "longitude, latitude");

/// Unwrapped phase of the merged project: zeros until stage 6, unless patches were unwrapped alone.
pub const UNWRAPPED_PHASE: Variable = single(double(
    "phuw2.mat",
    "ph_uw",
    [Scatterer, Interferogram],
    Unit::Phase,
    "unwrapped phase",
));

/// Results of later stages that a patch has only if these were run on it alone; the merge joins
/// them.
pub(crate) fn patchwise_results(small_baselines: bool) -> [Variable; 8] {
    let images = if small_baselines { Image } else { Interferogram };
    let phase = |file, name, columns: Axis, meaning| {
        single(double(file, name, [Scatterer, columns], Unit::Phase, meaning))
    };
    let slope = |file| column(file, "K_ps_uw", Scatterer, Unit::PhasePerMetre, "look-angle error");
    let offset = |file| single(column(file, "C_ps_uw", Scatterer, Unit::Phase, "master's phase"));
    [
        phase("phuw2.mat", "ph_uw", images, "unwrapped phase"),
        slope("scla2.mat"),
        offset("scla2.mat"),
        phase("scla2.mat", "ph_scla", images, "phase of the look-angle error"),
        slope("scla_sb2.mat"),
        offset("scla_sb2.mat"),
        phase("scla_sb2.mat", "ph_scla", Interferogram, "phase of the look-angle error"),
        phase("scn2.mat", "ph_scn_slave", images, "spatially correlated noise"),
    ]
}
