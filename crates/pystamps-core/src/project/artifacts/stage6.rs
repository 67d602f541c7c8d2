//! The variables of stage 6 (matfiles.md) that are counted in PS and interferograms, and those that
//! it reads. Those of the grid are written where they are made, in `native_stage6`.

use super::Axis::{Fixed, Image, Interferogram, Scatterer};
use super::table::{column, double, single};
use super::{Axis, Unit, Variable};
use crate::project::stack::Network;

/// Unwrapped phase of the merged project with one master.
pub const UNWRAPPED_PHASE: Variable = unwrapped("phuw2.mat", Interferogram);
/// Unwrapped phase of small-baseline interferograms.
pub const UNWRAPPED_SMALL_BASELINES: Variable = unwrapped("phuw_sb2.mat", Interferogram);
/// Unwrapped phase of every image against the master, inverted from small baselines.
pub const INVERTED_PHASE: Variable = unwrapped("phuw2.mat", Image);
/// Phase of the small-baseline interferograms that the inverted images make.
pub const MODELLED_PHASE: Variable = single(double(
    "phuw_sb_res2.mat",
    "ph_res",
    [Scatterer, Interferogram],
    Unit::Phase,
    "phase of the interferograms that the inverted images make",
));

const fn unwrapped(file: &'static str, columns: Axis) -> Variable {
    single(double(file, "ph_uw", [Scatterer, columns], Unit::Phase, "unwrapped phase"))
}

/// Roughness of the unwrapped grid of every interferogram.
pub const fn roughness(network: Network) -> Variable {
    let file = match network {
        Network::SingleMaster => UNWRAPPED_PHASE.file,
        Network::SmallBaselines => UNWRAPPED_SMALL_BASELINES.file,
    };
    let meaning = "mean squared difference of neighbouring cells, rad^2";
    single(double(file, "msd", [Interferogram, Fixed(1)], Unit::None, meaning))
}

/// What an earlier pass of stage 7 estimated, to be left out while unwrapping.
#[derive(Clone, Copy, Debug)]
pub struct Feedback {
    /// Look-angle error.
    pub slope: Variable,
    /// Atmosphere and orbit of the master; not with small baselines.
    pub offset: Variable,
    /// Phase ramps.
    pub ramp: Variable,
}

/// Variables of `scla_smooth2.mat`, or of `scla_smooth_sb2.mat`.
pub const fn feedback(network: Network) -> Feedback {
    let file = match network {
        Network::SingleMaster => "scla_smooth2.mat",
        Network::SmallBaselines => "scla_smooth_sb2.mat",
    };
    let axes = [Scatterer, Interferogram];
    Feedback {
        slope: column(file, "K_ps_uw", Scatterer, Unit::PhasePerMetre, "look-angle error"),
        offset: column(file, "C_ps_uw", Scatterer, Unit::Phase, "master's phase"),
        ramp: double(file, "ph_ramp", axes, Unit::Phase, "phase ramps"),
    }
}

/// A tropospheric correction `field`.
pub const fn tropospheric_phase(network: Network, field: &'static str) -> Variable {
    let file = match network {
        Network::SingleMaster => "tca2.mat",
        Network::SmallBaselines => "tca_sb2.mat",
    };
    double(file, field, [Scatterer, Interferogram], Unit::Phase, "tropospheric phase")
}
