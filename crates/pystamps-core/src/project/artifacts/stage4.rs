//! The variables of stage 4 (matfiles.md), and those of stages 2 and 3 that it reads.

use pystamps_mat::Class;

use super::Axis::{Candidate, Fixed, Interferogram, MeasuredInterferogram, Scatterer};
use super::table::{column, complex, double, flags, single};
use super::{Unit, Variable, stage1};

/// What stage 4 reads of stage 2: the smoothed phase around every candidate.
pub const CANDIDATE_PATCH_PHASE: Variable = in_file("pm1.mat", PATCH_PHASE);

/// What stage 4 reads of stage 3, one row a selected candidate: residual phase.
pub const SELECTED_RESIDUAL: Variable = named("select1.mat", "ph_res2", RESIDUAL);
/// Look-angle error of a selected candidate.
pub const SELECTED_SLOPE: Variable = named("select1.mat", "K_ps2", SLOPE);
/// Phase of a selected candidate in the master.
pub const SELECTED_OFFSET: Variable = named("select1.mat", "C_ps2", OFFSET);
/// Coherence of a selected candidate.
pub const SELECTED_COHERENCE: Variable = named("select1.mat", "coh_ps2", COHERENCE);

/// Raw phase of every PS.
pub const PHASE: Variable = in_file("ph2.mat", stage1::PHASE);
/// Perpendicular baselines of every PS.
pub const BASELINES: Variable = in_file("bp2.mat", stage1::BASELINES);
/// Angle of view of every PS.
pub const LOOK_ANGLE: Variable = in_file("la2.mat", stage1::LOOK_ANGLE);
/// Incidence angle of every candidate, where preparation knows it apart from the angle of view.
pub const CANDIDATE_INCIDENCE: Variable =
    column("inc1.mat", "inc", Scatterer, Unit::None, "incidence angle; 0 where unknown");
/// Incidence angle of every PS.
pub const INCIDENCE: Variable = in_file("inc2.mat", CANDIDATE_INCIDENCE);
/// Height of every candidate.
pub const CANDIDATE_HEIGHT: Variable = column("hgt1.mat", "hgt", Scatterer, Unit::Metre, "height");
/// Height of every PS.
pub const HEIGHT: Variable = in_file("hgt2.mat", CANDIDATE_HEIGHT);

/// Smoothed phase around every PS.
pub const PATCH_PHASE: Variable = complex(single(double(
    "pm2.mat",
    "ph_patch",
    [Scatterer, MeasuredInterferogram],
    Unit::Phasor,
    "spatially correlated phase around the PS: modulus 1, or 0 where unknown",
)));
/// Residual phase of every PS.
pub const RESIDUAL: Variable = single(double(
    "pm2.mat",
    "ph_res",
    [Scatterer, MeasuredInterferogram],
    Unit::Phase,
    "phase left when everything modelled is removed",
));
/// Coherence of every PS.
pub const COHERENCE: Variable =
    column("pm2.mat", "coh_ps", Scatterer, Unit::Coherence, "temporal coherence");
/// Look-angle error of every PS.
pub const SLOPE: Variable =
    column("pm2.mat", "K_ps", Scatterer, Unit::PhasePerMetre, "look-angle error");
/// Phase of every PS in the master.
pub const OFFSET: Variable =
    column("pm2.mat", "C_ps", Scatterer, Unit::Phase, "phase contribution of the master");

/// The arrays of every PS that stages 4 and 5 write; all have one row a PS.
pub static PROMOTED: [Variable; 10] = [
    PHASE,
    BASELINES,
    LOOK_ANGLE,
    INCIDENCE,
    HEIGHT,
    PATCH_PHASE,
    RESIDUAL,
    COHERENCE,
    SLOPE,
    OFFSET,
];

/// The variables of `weed1.mat`: candidates count the selected rows, scatterers those left when
/// neighbours, sea and duplicates are gone, interferograms those that were used. Where no noise
/// was estimated, its zeros are double.
pub fn weed_variables(noise_estimated: bool) -> [Variable; 5] {
    let of_noise = |variable| if noise_estimated { variable } else { in_double(variable) };
    [
        flags("weed1.mat", "ix_weed", Candidate, "which selected rows stay"),
        flags("weed1.mat", "ix_weed2", Scatterer, "which rows pass the noise test"),
        of_noise(NOISE_DEVIATION),
        of_noise(NOISE_MAXIMUM),
        double(
            "weed1.mat",
            "ifg_index",
            [Fixed(1), Interferogram],
            Unit::None,
            "interferograms used, from 1, the master's slot counted",
        ),
    ]
}

/// Standard deviation of the noise of a row, see [`weed_variables`].
pub const NOISE_DEVIATION: Variable = single(column(
    "weed1.mat",
    "ps_std",
    Scatterer,
    Unit::Phase,
    "smallest standard deviation of the noise on any edge",
));
/// Largest noise of a row, see [`weed_variables`].
pub const NOISE_MAXIMUM: Variable = single(column(
    "weed1.mat",
    "ps_max",
    Scatterer,
    Unit::Phase,
    "smallest largest noise on any edge",
));

/// The same variable in double precision.
fn in_double(mut variable: Variable) -> Variable {
    variable.class = Class::Double;
    variable.small_baseline_class = Class::Double;
    variable
}

/// The same variable in another file.
const fn in_file(file: &'static str, mut variable: Variable) -> Variable {
    variable.file = file;
    variable
}

/// The same variable in another file under another name.
const fn named(file: &'static str, name: &'static str, mut variable: Variable) -> Variable {
    variable.file = file;
    variable.name = name;
    variable
}
