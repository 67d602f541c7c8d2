//! Reproduces the random numbers behind StaMPS's reference histogram.
//!
//! StaMPS asks for `rand('state', 2005)`, which selects one generator in MATLAB and another in
//! Octave (stage2.md, section 3). Both are here, draw for draw.

mod matlab_v5;
mod octave_twister;

pub use matlab_v5::MatlabV5Uniform;
pub use octave_twister::OctaveTwister;

/// The seed of StaMPS's random phases.
pub const STAMPS_SEED: u32 = 2005;

/// A generator of numbers evenly spread over [0, 1). A clone goes on from the same point.
pub trait UniformGenerator: Clone + Send + Sync {
    /// The next number.
    fn next_uniform(&mut self) -> f64;
}
