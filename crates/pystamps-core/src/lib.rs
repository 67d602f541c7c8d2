//! A StaMPS processing folder on disk and the work done on it.

pub mod cli;
pub mod dates;
pub mod error;
pub mod gamma_text;
pub mod native_stage1;
pub mod plan;
pub mod prep;
pub mod progress;
pub mod project;
pub mod stage;

pub use error::{Diagnostic, Error, Result};
