//! Stage 4, weeding.

pub(crate) mod promotion;
pub(crate) mod selection;
