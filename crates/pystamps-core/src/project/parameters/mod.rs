//! Project parameters with StaMPS's `getparm`/`setparm` semantics (parameters.md).
//!
//! - `defaults`: the table of parameters.
//! - `store`: `parms.mat` and `localparms.mat` on disk.
//! - `access`: names, abbreviations, reading and changing values.
//! - `parse`: values as people type and read them.

mod access;
pub mod defaults;
mod migrate;
mod parse;
mod store;

pub use access::Parameters;
pub use parse::{Typed, display_value, parse_value};

/// Parameters that stage 1 learns from the scene.
pub(crate) const SCENE_PARAMETERS: [&str; 3] = ["heading", "lambda", "platform"];
