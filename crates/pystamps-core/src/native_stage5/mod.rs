//! Stage 5, correction of the patches and their merge into one project.
//!
//! | scope | reads | writes |
//! |---|---|---|
//! | patch | `ps2 ph2 pm2 bp2` (or stages 1 to 4, where another program left `weed1` alone) | `rc2.mat`; `ps2 ph2 pm2 bp2 hgt2 la2` where they are missing |
//! | project | `ps2 ph2 rc2 pm2 bp2 (la2 inc2 hgt2 phuw2 scla2 scla_sb2 scn2)` and `patch_noover.in` of every patch | the same for all, `ifgstd2.mat` |
//!
//! ```text
//! patch:    promotion (if due) -> correction
//! project:  merge_inputs -> ownership | resampling -> merged_order  (together `joined`)
//!                        -> merge_outputs, patchwise -> interferogram_noise
//! ```
//! Large arrays are read and written one column at a time.
//!
//! # StaMPS compatibility
//! `ps_correct_phase`, `ps_merge_patches`, `ps_calc_ifg_std`: stage5.md sections A to C. A patch
//! without PS yields arrays of no rows, stays marked in `no_ps_info.mat` and is left out of the merge.

mod contribution;
mod correction;
mod interferogram_noise;
mod joined;
mod merge;
pub(crate) mod merge_inputs;
mod merge_outputs;
mod merged_order;
mod ownership;
mod patch;
mod patchwise;
mod resampling;

pub(crate) use merge::{merge_demands, merge_files, resampling_bytes};
pub use merge::{merge_memory_bytes, run_stage5_merge_native};
pub(crate) use patch::{correction_demands, patch_demands, patch_files};
pub use patch::{run_stage5_patch_native, stage5_patch_memory_bytes};
