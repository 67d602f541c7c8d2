//! Solves small least-squares problems the way MATLAB does.

mod covariance;
mod polynomial;
mod qr;

pub use covariance::{NotPositiveDefinite, Weighting, fit_with_covariance};
pub(crate) use covariance::{cholesky, whiten, whiten_weights};
pub use polynomial::{Polynomial, fit_line, fit_polynomial};
pub use qr::{PivotedQr, Solution};
