//! Numerics without input or output.
