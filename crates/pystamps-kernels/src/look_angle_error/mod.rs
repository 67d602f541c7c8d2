//! Estimates the spatially correlated look-angle error and the atmosphere of the master (stage 7).
//!
//! Every PS has the same design, so that all estimates are weighted sums of its observations: the
//! weights are made once, and phase can be streamed interferogram by interferogram.
//!
//! ```text
//! slope_weights    [1, bperp, dt]  -> weights of the observations in K, rad/m
//! line_weights     [1, day]        -> weights of the phases in C (intercept, rad) and in velocity
//! slope_least_absolute             -> K of one PS again, with the least sum of absolute residuals
//! clamp_to_neighbours              -> K and C that stick out of their surroundings brought back
//! estimate                         -> all of it for phases held in memory
//! ```
//!
//! # StaMPS compatibility
//! `ps_calc_scla` and `ps_smooth_scla`, stage7.md sections 4 and 5. Fits follow `lscov`: a column
//! of the design whose diagonal element in the pivoted triangle is not above
//! `20 (rows + columns) eps` of the largest is dependent and gets the coefficient 0. A constant
//! repeat interval makes the column of ones and that of days dependent; the ones are dropped, being
//! the shorter, and K is the slope with an intercept all the same.
//!
//! Where the specification is silent:
//! * Fewer columns than two leave no observation, and K is 0; without a column besides the master,
//!   C is 0.
//! * A baseline, day or variance that is no number makes the weights NaN.

mod clamp;
mod estimate;
mod least_absolute;
mod weights;

pub use clamp::clamp_to_neighbours;
pub use estimate::{Estimate, Method, Network, Observations, Settings, estimate};
pub use least_absolute::slope_least_absolute;
pub use weights::{DesignColumn, SlopeWeights, line_weights, offset_weights, slope_weights};
