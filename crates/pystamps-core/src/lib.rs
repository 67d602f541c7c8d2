//! A StaMPS processing folder on disk and the work done on it.

pub mod error;
pub mod progress;
pub mod project;

pub use error::{Diagnostic, Error, Result};
