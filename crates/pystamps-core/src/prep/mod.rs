//! Prepares a raw export: calibrates amplitudes, selects candidates, extracts their values.
//!
//! | reads | writes |
//! |---|---|
//! | `*slc/*.*slc` or `SMALL_BASELINES/*/*.*slc`, twice | `calamp.in`, `calamp.out`, `selpsc.in` or `selsbc.in`; `PATCH_k/pscands.1.ij`, `.ij.int`, `.ij0`, `.da`, `mean_amp.flt` |
//! | every `*.diff`, once | `pscphase.in`; `PATCH_k/pscands.1.ph` |
//! | `geo/*.lon`, `*.lat`, `*dem.rdc`, once | `psclonlat.in`, `pscdem.in`; `PATCH_k/pscands.1.ll`, `.hgt` |
//! | the master's `.par`, every `.base` | `processor.txt`, `width.txt`, `len.txt`, `rsc.txt`; `PATCH_k/patch.in`, `patch_noover.in`, `patch.list` |
//!
//! Source: prep.md. [`plan()`] makes every check that needs no raster, [`run`] does the
//! work in an empty folder that the caller publishes. The caller also writes `parms.mat`.
//!
//! Memory: a few blocks of lines for each thread; it grows with neither images nor patches. The
//! bytes written are the same for any number of threads.

pub(crate) mod acquisitions;
mod amplitude;
mod calibrate;
mod candidates;
mod control_files;
mod export;
mod extract;
mod listing;
mod parameters;
mod patches;
mod plan;
mod publish;
mod raster;
mod request;
mod run;
mod scan;
mod select;
mod select_small_baselines;
mod summary;
mod text_format;

pub use export::Export;
pub use parameters::SamplePrecision;
pub use patches::{Patch, Window};
pub use plan::{PrepPlan, Tuning, plan};
pub use publish::{Existing, Prepared, prepare};
pub use request::{AmplitudeDispersion, InvalidAmplitudeDispersion, PrepRequest, Processor};
pub use run::run;
pub use summary::{ImageSummary, PatchSummary, PrepSummary};
