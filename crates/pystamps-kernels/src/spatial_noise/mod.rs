//! Splits the spatially correlated noise of the images off unwrapped phase (stage 8).
//!
//! ```text
//! ph [n_ps, n]  --TemporalHighPass-->  ph less its Gaussian mean in time   (hp)
//! hp            --SpatialLowPass-->    Gaussian mean of the surroundings   (noise of the images)
//! ```
//!
//! # StaMPS compatibility
//! `ps_scn_filt`, stage8.md section 2 steps 6 to 9. The original filters the differences along the
//! edges of a triangulation and adds them up again over the network. Filtering in time and taking
//! differences commute, so that the same comes out when the phase of every PS is filtered by itself
//! and that of the first PS is taken off, without a network (within single rounding).

mod cells;
mod high_pass;
mod low_pass;
#[cfg(test)]
mod tests;
mod weighted_sums;

pub use high_pass::TemporalHighPass;
pub use low_pass::SpatialLowPass;
