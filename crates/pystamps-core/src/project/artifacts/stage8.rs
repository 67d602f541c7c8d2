//! The variables of stage 8 (matfiles.md).

use super::Axis::{Fixed, Image, Interferogram, Scatterer};
use super::table::double;
use super::{Axis, Unit, Variable};
use crate::project::stack::Network;

/// Atmosphere and orbit of every slave image, to be subtracted.
pub const fn slave_noise(network: Network) -> Variable {
    let columns = match network {
        Network::SingleMaster => Interferogram,
        Network::SmallBaselines => Image,
    };
    let meaning = "spatially correlated noise of the slave images";
    double("scn2.mat", "ph_scn_slave", [Scatterer, columns], Unit::Phase, meaning)
}

/// Coefficients of the mean velocity: offset in rad, rate in rad a day.
pub const MEAN_VELOCITY: Variable =
    double("mean_v.mat", "m", [Fixed(2), Axis::Scatterer], Unit::None, "offset and rate of phase");
