//! Stage 5, correction of the patches and their merge into one project.
//!
//! | scope | reads | writes |
//! |---|---|---|
//! | patch | `ps2 ph2 pm2 bp2` (or stages 1 to 4, where another program left `weed1` alone) | `rc2.mat`; `ps2 ph2 pm2 bp2 hgt2 la2` where they are missing |
//!
//! # StaMPS compatibility
//! `ps_correct_phase`, stage5.md section A. A patch without PS yields arrays of no rows and stays
//! marked in `no_ps_info.mat`.

mod correction;
mod patch;

pub use patch::{run_stage5_patch_native, stage5_patch_memory_bytes};
