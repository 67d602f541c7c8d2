//! The level-5 container (`save -v6` and `save -v7`).

mod elements;
mod parser;
mod read;
mod stream;
mod tags;
mod write;

pub(crate) use read::{list, locate, read};
pub(crate) use write::Level5Writer;
