//! Numerics of the StaMPS stages, without input or output: functions take numbers and return numbers.

pub mod clap;
pub mod edge_noise;
pub mod edge_series;
pub mod elementary;
pub mod gauss_window;
pub mod goldstein;
pub mod grid_accumulate;
pub mod histogram;
pub mod imaging_geometry;
pub mod interpolate;
pub mod least_squares;
pub mod local_coordinates;
pub mod look_angle_error;
pub mod merge_max_coherence;
pub mod nearest_node;
pub mod node_edges;
pub mod ramp;
pub mod random;
pub mod random_coherence;
pub mod rounding;
pub mod simd;
pub mod spatial_noise;
pub mod summation;
pub mod topofit;
pub mod topographic_phase;
pub mod triangulation;
