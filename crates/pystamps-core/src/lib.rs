//! A StaMPS processing folder on disk and the work done on it.

mod cell_grid;
pub mod cli;
mod columns;
pub mod dates;
pub mod error;
pub mod gamma_text;
mod local_frame;
mod mat_output;
pub mod native_stage1;
pub mod native_stage2;
pub mod native_stage3;
pub mod native_stage4;
pub mod native_stage5;
pub mod native_stage6;
mod parameter_checks;
mod patch_scope;
pub mod plan;
pub mod prep;
pub mod progress;
pub mod project;
mod reference_area;
mod samples;
mod scratch;
pub mod stage;
mod stored_array;
mod trial_wraps;

pub use error::{Diagnostic, Error, Result};
