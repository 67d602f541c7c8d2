//! Splits the phase differences along the edges between grid nodes into signal and noise, by what
//! they do in time (stage 6).
//!
//! ```text
//! node phases --edge--> D = z(high) conj(z(low)), unit phasors        [edges, interferograms]
//!   look_angle   slope K of D on the baselines, found in a sub-series -> D turned back
//!   full / quick smooth part of what is left                          -> noise = D - smooth part
//!                too noisy: NaN                                        -> no statistics
//! dph_space_uw = smooth + noise + K bperp
//! ```
//!
//! # StaMPS compatibility
//! `uw_sb_unwrap_space_time`, stage6.md section 5. What the original keeps in single precision is
//! rounded to it here: phase differences, slopes, the smooth part and noise. Angles are computed in
//! double precision, and no phasor is turned where adding angles does the same. Against the
//! oracle's edges all values agree to 2e-6 rad, with the same rows NaN.
//!
//! Where the specification is silent:
//! * A slope needs baselines that differ. Where they do not (one interferogram, equal baselines), no
//!   slope is estimated and K is 0; the original divides by 0.
//! * `3D_FULL`, images in any order of interferograms: series are put back into the order of the
//!   interferograms, and the anchor is the first date after the master in the order of dates (the
//!   same for interferograms in the order of dates).
//! * `3D_FULL`, interferograms without an image that most others share: nothing is known of their
//!   smooth part, and so no edge has statistics.
//! * `3D_FULL`, an interferogram of several such images (three images or fewer): the deviations that
//!   decide between them leave out edges with NaN, and ties go to the earlier image.
//! * `3D` with several masters draws random numbers without a seed there; here they are seeded by
//!   the phases of the edge, so that neither tiles nor threads matter. Noise can agree in its
//!   statistics only. Steps that would leave the bounds of the model are not tried, and edges with
//!   NaN are left out of the covariance.
//! * Chains are counted whichever of the two neighbouring images comes first.
//!
//! # Layout
//! Tiles are column-major as in MATLAB: edge e of interferogram i is at `i * edges + e`. Every edge
//! is worked on by itself, so that tiles of any size give the same bits.

mod analysis;
mod annealing;
mod full;
mod gradients;
mod lanes;
mod look_angle;
mod network;
mod noise_covariance;
mod quick;
#[cfg(test)]
mod tests;

pub use analysis::{Scratch, Tile};
pub use full::Moments;
pub use gradients::{GradientTile, smooth_along_gradients};

use annealing::Annealing;
use full::Full;
use look_angle::LookAngle;
use network::Design;
use quick::Quick;

/// How the smooth part of an edge's series is found. StaMPS: `unwrap_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// No statistics from time. StaMPS: `2D`.
    Spatial2D,
    /// Nothing but the look-angle error is smooth. StaMPS: `3D_NO_DEF`.
    NoDeformation,
    /// Lines in Gaussian windows of the series of one master. StaMPS: `3D_FULL`.
    Full,
    /// Gaussian windows over the series of images. StaMPS: `3D_QUICK`.
    Quick,
    /// The same. StaMPS: `3D_SMALL_DEF`.
    SmallDeformation,
    /// The same, but noisy edges get a line and two waves in time instead of being given up: see
    /// [`EdgeSeries::weigh`]. StaMPS: `3D` with several masters.
    MultiMaster,
}

/// What the analysis may be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeSeriesOptions {
    /// How the smooth part is found.
    pub method: Method,
    /// Whether the look-angle error is estimated. StaMPS: `unwrap_la_error_flag`.
    pub look_angle_error: bool,
    /// Standard deviation of the Gaussian window in time, days. StaMPS: `unwrap_time_win`.
    pub time_window_days: f64,
    /// Cycles that the largest look-angle error makes over the range of all baselines, dropped
    /// interferograms and the master included. StaMPS: `n_trial_wraps`.
    pub trial_wraps: f64,
}

/// The processed interferograms.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// Days of all images, from that of the master.
    pub day: &'a [f64],
    /// Images of every interferogram, from 0: for a single master (master, image).
    pub pairs: &'a [[usize; 2]],
    /// Perpendicular baseline of every interferogram, m.
    pub bperp_m: &'a [f64],
}

/// A network or options that cannot be worked with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EdgeSeriesError {
    /// There is no interferogram.
    NoInterferograms,
    /// Not one baseline for every interferogram.
    BaselineCount {
        /// Interferograms.
        expected: usize,
        /// Baselines.
        found: usize,
    },
    /// An interferogram of an image that is not there, or of an image with itself.
    InvalidPair {
        /// Its number, from 0.
        interferogram: usize,
    },
    /// The day of an image, or the baseline of an interferogram, is not a number.
    NotFinite {
        /// `day` or `bperp_m`.
        quantity: &'static str,
        /// Its number, from 0.
        index: usize,
    },
    /// The window in time is not above 0.
    InvalidTimeWindow {
        /// What was given, days.
        days: f64,
    },
    /// The slopes to try are not a number, or more than can be tried.
    InvalidTrials {
        /// Cycles over the range of baselines of the series the slope is searched in.
        wraps: f64,
    },
}

impl std::fmt::Display for EdgeSeriesError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoInterferograms => write!(formatter, "no interferogram to analyse"),
            Self::BaselineCount { expected, found } => {
                write!(formatter, "{found} baselines for {expected} interferograms")
            }
            Self::InvalidPair { interferogram } => {
                write!(formatter, "interferogram {} has no two images", interferogram + 1)
            }
            Self::NotFinite { quantity, index } => {
                write!(formatter, "{quantity} {} is not a number", index + 1)
            }
            Self::InvalidTimeWindow { days } => {
                write!(formatter, "a window of {days} days in time: it must be above 0")
            }
            Self::InvalidTrials { wraps } => {
                write!(formatter, "cannot try look-angle errors of up to {wraps} cycles")
            }
        }
    }
}

impl std::error::Error for EdgeSeriesError {}

/// How the noise is told from the signal, with all that is the same for every edge.
#[derive(Clone, Debug)]
enum Smoothing {
    Spatial,
    Nothing,
    Full(Full),
    Quick(Quick),
    MultiMaster(Quick, Annealing),
}

/// The analysis of one network, made once and shared by threads.
#[derive(Clone, Debug)]
pub struct EdgeSeries {
    design: Design,
    bperp_m: Vec<f64>,
    look_angle: Option<LookAngle>,
    smoothing: Smoothing,
}

impl EdgeSeries {
    /// Plans the analysis.
    ///
    /// # Errors
    /// [`EdgeSeriesError`] for a network or options that cannot be worked with.
    pub fn new(
        network: &Network<'_>,
        options: &EdgeSeriesOptions,
    ) -> Result<Self, EdgeSeriesError> {
        let design = Design::new(network)?;
        let window_days = options.time_window_days;
        if window_days.is_nan() || window_days <= 0.0 {
            return Err(EdgeSeriesError::InvalidTimeWindow { days: window_days });
        }
        let look_angle = if options.look_angle_error {
            LookAngle::new(&design, network.bperp_m, options.trial_wraps)?
        } else {
            None
        };
        let smoothing = match options.method {
            Method::Spatial2D => Smoothing::Spatial,
            Method::NoDeformation => Smoothing::Nothing,
            Method::Full => Smoothing::Full(Full::new(&design, window_days)),
            Method::Quick | Method::SmallDeformation => {
                Smoothing::Quick(Quick::new(&design, window_days))
            }
            Method::MultiMaster => {
                Smoothing::MultiMaster(Quick::new(&design, window_days), Annealing::new(&design))
            }
        };
        Ok(Self { design, bperp_m: network.bperp_m.to_vec(), look_angle, smoothing })
    }

    /// Number of interferograms.
    pub fn interferograms(&self) -> usize {
        self.bperp_m.len()
    }

    /// The design matrix, column-major `[interferograms, images]`: -1 for the first image of an
    /// interferogram and 1 for its second. Images without an interferogram are left out. StaMPS:
    /// `G`.
    pub fn design(&self) -> (&[f64], usize, usize) {
        let images = self.design.day.len();
        (&self.design.matrix, self.interferograms(), images)
    }

    /// Number of slopes that are tried for every edge; 0 where no slope is estimated.
    pub fn trials(&self) -> usize {
        self.look_angle.as_ref().map_or(0, LookAngle::trials)
    }

    /// Bytes of the plan, of one [`Scratch`] and of one [`Tile`] of `edges` edges together.
    pub fn memory_bytes(&self, edges: usize) -> u64 {
        let columns = self.interferograms() as u64;
        let plan = match &self.smoothing {
            Smoothing::Full(full) => full.memory_bytes(),
            Smoothing::Quick(_) => 8 * columns * columns,
            Smoothing::MultiMaster(..) => 2 * 8 * columns * columns,
            Smoothing::Spatial | Smoothing::Nothing => 0,
        };
        let look_angle = self.look_angle.as_ref().map_or(0, LookAngle::memory_bytes);
        let tile = edges as u64 * (8 * columns + 9);
        plan + look_angle + lanes::memory_bytes(columns) + tile
    }
}
