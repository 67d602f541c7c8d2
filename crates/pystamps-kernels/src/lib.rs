//! Numerics of the StaMPS stages, without input or output: functions take numbers and return numbers.

pub mod clap;
pub mod edge_noise;
pub mod elementary;
pub mod gauss_window;
pub mod imaging_geometry;
pub mod local_coordinates;
pub mod rounding;
pub mod simd;
pub mod summation;
pub mod topofit;
pub mod triangulation;
