//! The variables of stage 7 (matfiles.md).

use super::Axis::{Image, Interferogram, Scatterer};
use super::table::{column, double, single};
use super::{Axis, Unit, Variable};

/// What one estimate of the look-angle error consists of.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Look-angle error.
    pub slope: Variable,
    /// Atmosphere and orbit of the master; 0 for small-baseline interferograms.
    pub offset: Variable,
    /// Phase of the look-angle error.
    pub phase: Variable,
    /// Phase ramps; empty where none were estimated.
    pub ramp: Variable,
    /// Covariance of the phase.
    pub covariance: Variable,
}

/// Of the interferograms with one master.
pub const SINGLE_MASTER: Estimate = estimate("scla2.mat", Interferogram);
/// Of the images that small baselines were inverted to.
pub const INVERTED: Estimate = estimate("scla2.mat", Image);
/// Of small-baseline interferograms.
pub const SMALL_BASELINES: Estimate = {
    let mut estimate = estimate("scla_sb2.mat", Interferogram);
    estimate.offset = column("scla_sb2.mat", "C_ps_uw", Scatterer, Unit::Phase, "always 0");
    estimate
};

const fn estimate(file: &'static str, columns: Axis) -> Estimate {
    let axes = [Scatterer, columns];
    Estimate {
        slope: column(file, "K_ps_uw", Scatterer, Unit::PhasePerMetre, "look-angle error"),
        offset: single(column(file, "C_ps_uw", Scatterer, Unit::Phase, "master's phase")),
        phase: single(double(file, "ph_scla", axes, Unit::Phase, "phase of the look-angle error")),
        ramp: double(file, "ph_ramp", axes, Unit::Phase, "phase ramps"),
        covariance: double(
            file,
            "ifg_vcm",
            [columns, columns],
            Unit::None,
            "covariance of the phase, rad^2",
        ),
    }
}

impl Estimate {
    /// The same in the file of estimates that are held within those of their neighbours.
    #[must_use]
    pub const fn smoothed(mut self, file: &'static str) -> Self {
        self.slope.file = file;
        self.offset.file = file;
        self.phase.file = file;
        self.ramp.file = file;
        self
    }
}

/// Phase of slave images that an older program estimated and stage 7 subtracts (`aps2.mat`).
pub const fn legacy_atmosphere(file: &'static str, columns: Axis) -> Variable {
    double(
        file,
        "ph_aps_slave",
        [Scatterer, columns],
        Unit::Phase,
        "atmosphere of an older program",
    )
}

/// Covariance of small-baseline interferograms and of the images they are inverted to (stage 6).
pub const INTERFEROGRAM_COVARIANCE: Variable = double(
    "phuw_sb_res2.mat",
    "sb_cov",
    [Interferogram, Interferogram],
    Unit::None,
    "covariance of the interferograms, rad^2",
);

/// See [`INTERFEROGRAM_COVARIANCE`].
pub const IMAGE_COVARIANCE: Variable = double(
    "phuw_sb_res2.mat",
    "sm_cov",
    [Image, Image],
    Unit::None,
    "covariance of the inverted images, rad^2",
);
