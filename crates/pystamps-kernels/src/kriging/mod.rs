//! The kriging variant of the filter of spatially correlated noise (stage 8).
//!
//! ```text
//! ph [n_ps, n] --edges--> d --deformation--> residuals
//!   temporal    variogram in time of every edge -> kriging over dates   -> lpt; hpt = d - lpt
//!   network     hpt of the edges -> high-passed phase of the PS
//!   spatial     trend and variogram of every image -> kriging over PS   -> noise of the images
//! ```
//!
//! # StaMPS compatibility
//! `ps_scn_filt_krig`, `ps_fit_vario` and `ps_kriging`, stage8.md section 3. Equal to the original:
//! the model of motion, bins and models of variograms, rules of what is plausible, the kriging
//! systems. Equal within the tolerance of a solver: fitted variograms, the integration over the
//! network. Statistically equivalent: everything that depends on the random subsets, which the
//! original draws without a seed and which are drawn here from the generator that is passed.
//!
//! Where the specification is silent:
//! * The nugget is left out of the covariances with a prediction in time, too: with it, predictions
//!   from all dates would return the data and leave no high-pass.
//! * A variogram without bins to fit is not plausible; in space its start is taken.
//! * The random subset of PS is drawn once and serves trends and variograms of all images, so that
//!   pairs of PS are found once.
//! * The nearest dates number at most `ceil(mean(yr) + 2 std(yr))` also in predictions that may use
//!   the date itself.
//! * Edges and PS with NaN have NaN for results.

mod deformation;
mod draws;
mod nearest;
mod network;
mod ordinary;
mod spatial;
mod temporal;
#[cfg(test)]
mod tests;
mod variogram;

pub use deformation::{DeformationModel, TERMS, years_since_2000};
pub use draws::random_subset;
pub use network::EdgeNetwork;
pub use ordinary::{CovarianceModel, Kriging, KrigingMethod, Structure, Weights};
pub use spatial::{SpatialNoise, krige_images};
pub use temporal::{EdgeInput, TemporalNoise, TemporalVariogram, high_pass_edges};
pub use variogram::{
    Bin, Variogram, VariogramModel, VariogramSettings, empirical_variogram, fit_variogram,
};
