//! Defines the highest coherence that resampling gives a scatterer when patches are merged:
//! `|sum exp(j s r)| / 1000` of phase noise of s = 10 degrees drawn as r, 1,000 normally distributed
//! numbers after `randn('state', 1001)` (stage5.md B). It acts only where merging resamples to a grid.

/// Of MATLAB's numbers, taken over from the specification.
pub const MATLAB_MERGE_MAX_COHERENCE: f64 = 0.985_723_131_556_56;

/// Of Octave's numbers, as the oracle holds it.
pub const OCTAVE_MERGE_MAX_COHERENCE: f64 = 0.983_993_623_311_826_5;
