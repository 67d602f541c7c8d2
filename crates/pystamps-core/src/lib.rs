//! A StaMPS processing folder on disk and the work done on it.

pub mod adopt;
mod all_stages;
mod baselines;
mod cell_grid;
pub mod cli;
mod columns;
pub mod dates;
pub mod error;
pub mod gamma_text;
mod image_network;
mod inverted_correction;
mod local_frame;
mod mat_output;
mod merged_scope;
pub mod native_stage1;
pub mod native_stage2;
pub mod native_stage3;
pub mod native_stage4;
pub mod native_stage5;
pub mod native_stage6;
pub mod native_stage7;
pub mod native_stage8;
mod parameter_checks;
#[doc(hidden)]
pub mod parsers;
mod patch_scope;
mod phase_series;
pub mod plan;
pub mod prep;
mod process_memory;
pub mod products;
pub mod progress;
pub mod project;
mod ramp_degree;
mod reference_area;
mod samples;
mod scratch;
mod series_covariance;
pub mod stage;
mod stage_definition;
pub mod standing;
pub mod status;
mod stored_array;
mod trial_wraps;
mod troposphere;

pub use error::{Diagnostic, Error, Result};
