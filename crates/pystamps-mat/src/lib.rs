//! MATLAB files.

/// Anything that goes wrong with a MATLAB file.
#[derive(Debug, thiserror::Error)]
#[error("placeholder")]
pub struct Error;
