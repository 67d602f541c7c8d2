//! The v7.3 container: HDF5 behind a 512-byte MATLAB header.
//!
//! The HDF5 library is named in this folder only.

mod datatype;
mod empty;
mod nested;
mod notes;
mod read;
mod source;
mod write;

pub(crate) use read::{list, locate, read};
pub(crate) use write::V73Writer;
