//! A StaMPS processing folder on disk and the work done on it.

pub mod dates;
pub mod error;
pub mod gamma_text;
pub mod prep;
pub mod progress;
pub mod project;

pub use error::{Diagnostic, Error, Result};
