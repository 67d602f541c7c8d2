//! Defines every file and folder name of a processing folder, in one place.
//!
//! ```text
//! <root>/                     a StaMPS project
//!   parms.mat patch.list *.in calamp.out width.txt len.txt rsc.txt processor.txt
//!   PATCH_1/ …                one scope of stages 1 to 5
//!     patch.in patch_noover.in pscands.1.* mean_amp.flt ps1.mat …
//!     .pystamps/              ours alone: lock, ledger.json, staging/
//!   .pystamps/                the same for the root scope
//! ```

/// Our own folder inside every scope; original StaMPS never looks at it.
pub const CONTROL_FOLDER: &str = ".pystamps";

/// Project parameters (root).
pub const PARMS_MAT: &str = "parms.mat";
/// Parameter overrides of one folder.
pub const LOCALPARMS_MAT: &str = "localparms.mat";
/// Patch folder names, one a line (root).
pub const PATCH_LIST: &str = "patch.list";

/// Files that preparation writes in the root.
pub mod root {
    /// `snap`, `gamma` or `isce`.
    pub const PROCESSOR_TXT: &str = "processor.txt";
    /// Raster width in samples.
    pub const WIDTH_TXT: &str = "width.txt";
    /// Raster length in lines.
    pub const LEN_TXT: &str = "len.txt";
    /// Path of the master's parameter file.
    pub const RSC_TXT: &str = "rsc.txt";
    /// Paths of the single-look complex images.
    pub const CALAMP_IN: &str = "calamp.in";
    /// Paths and amplitude calibration constants.
    pub const CALAMP_OUT: &str = "calamp.out";
    /// Candidate selection, single master.
    pub const SELPSC_IN: &str = "selpsc.in";
    /// Candidate selection, small baselines.
    pub const SELSBC_IN: &str = "selsbc.in";
    /// Interferogram paths, in interferogram order.
    pub const PSCPHASE_IN: &str = "pscphase.in";
    /// Height raster.
    pub const PSCDEM_IN: &str = "pscdem.in";
    /// Longitude and latitude rasters.
    pub const PSCLONLAT_IN: &str = "psclonlat.in";
    /// Date pairs of a small-baseline project, written by stage 1.
    pub const SMALL_BASELINES_LIST: &str = "small_baselines.list";
}

/// Files that preparation writes in a patch folder.
pub mod patch {
    /// Patch window with overlap, 1-based inclusive.
    pub const PATCH_IN: &str = "patch.in";
    /// Patch window without overlap, 1-based inclusive.
    pub const PATCH_NOOVER_IN: &str = "patch_noover.in";
    /// Candidates as text: id, azimuth, range (0-based).
    pub const CANDIDATES_IJ: &str = "pscands.1.ij";
    /// Candidates as big-endian int32 pairs (range, azimuth).
    pub const CANDIDATES_IJ_INT: &str = "pscands.1.ij.int";
    /// Accepted pixels with a low amplitude, kept for inspection only.
    pub const CANDIDATES_IJ0: &str = "pscands.1.ij0";
    /// Amplitude dispersion as text.
    pub const CANDIDATES_DA: &str = "pscands.1.da";
    /// Longitude and latitude, big-endian float32 pairs.
    pub const CANDIDATES_LL: &str = "pscands.1.ll";
    /// Height, big-endian float32.
    pub const CANDIDATES_HGT: &str = "pscands.1.hgt";
    /// Interferometric phase, big-endian complex float32, interferogram by interferogram.
    pub const CANDIDATES_PH: &str = "pscands.1.ph";
    /// Summed calibrated amplitude of every pixel, little-endian float32.
    pub const MEAN_AMP_FLT: &str = "mean_amp.flt";
}

/// Name of patch folder `number` (counted from 1).
pub fn patch_folder(number: usize) -> String {
    format!("PATCH_{number}")
}

/// Result files of the stages in a patch folder, markers first (orchestration.md).
pub mod patch_results {
    /// Stage 1.
    pub const STAGE_1: &[&str] = &[
        "ps1.mat",
        "ph1.mat",
        "bp1.mat",
        "da1.mat",
        "hgt1.mat",
        "la1.mat",
        "inc1.mat",
        "psver.mat",
        "no_ps_info.mat",
    ];
    /// Stage 2.
    pub const STAGE_2: &[&str] = &["pm1.mat", "psver.mat", "no_ps_info.mat"];
    /// Stages 3 to 5: what becomes stale when stage 2 runs again.
    pub const AFTER_STAGE_2: &[&str] = AFTER_STAGE_1.split_at(1).1;
    /// Stage 3.
    pub const STAGE_3: &[&str] = &["select1.mat", "psver.mat", "no_ps_info.mat"];
    /// Stages 4 and 5: what becomes stale when stage 3 runs again.
    pub const AFTER_STAGE_3: &[&str] = AFTER_STAGE_1.split_at(2).1;
    /// Stages 2 to 5, in the order of the stages: what becomes stale when stage 1 runs again.
    pub const AFTER_STAGE_1: &[&str] = &[
        "pm1.mat",
        "select1.mat",
        "weed1.mat",
        "rc2.mat",
        "ps2.mat",
        "ph2.mat",
        "pm2.mat",
        "bp2.mat",
        "hgt2.mat",
        "la2.mat",
        "inc2.mat",
        "da2.mat",
    ];
    /// Stage 4; files of later steps that it takes away come last.
    pub const STAGE_4: &[&str] = &[
        "weed1.mat",
        "ps2.mat",
        "ph2.mat",
        "pm2.mat",
        "bp2.mat",
        "hgt2.mat",
        "la2.mat",
        "inc2.mat",
        "psver.mat",
        "no_ps_info.mat",
        "scla_smooth2.mat",
        "scla2.mat",
        "scla_smooth_sb2.mat",
        "scla_sb2.mat",
        "aps2.mat",
        "scn2.mat",
    ];
    /// Stage 5: what becomes stale when stage 4 runs again.
    pub const AFTER_STAGE_4: &[&str] = &["rc2.mat"];
}

/// Files of the merged stages in the root: what the merge takes away of the preparation, what it
/// writes, and the results of stages 6 to 8.
const MERGED_FILES: &[&str] = &[
    "mean_amp.flt",
    "amp_mean.mat",
    "ifgstd2.mat",
    "ps2.mat",
    "ph2.mat",
    "pm2.mat",
    "bp2.mat",
    "hgt2.mat",
    "la2.mat",
    "inc2.mat",
    "da2.mat",
    "rc2.mat",
    "psver.mat",
    "phuw2.mat",
    "uw_phaseuw.mat",
    "uw_grid.mat",
    "uw_interp.mat",
    "uw_space_time.mat",
    "phuw_sb2.mat",
    "phuw_sb_res2.mat",
    "uw_solver.json",
    "uw_certificate.mat",
    "pystamps_costs",
    "scla2.mat",
    "scla_sb2.mat",
    "scn2.mat",
    "mean_v.mat",
    "modeled_defo_edges.mat",
    "temp_vario.mat",
    "unwrapping_errors_edges.mat",
    "mv2.mat",
    "scla_smooth2.mat",
    "scla_smooth_sb2.mat",
];

/// Result files of the merged stages: what becomes stale when the project is prepared again.
pub const MERGED_RESULTS: &[&str] = MERGED_FILES.split_at(2).1;

/// Result files of the merge (stage 5 of the root), and the files of preparation that it takes away.
pub const MERGED_STAGE_5: &[&str] = MERGED_FILES.split_at(14).0;

/// Result files of stages 6 to 8: what becomes stale when patches are merged again.
pub const AFTER_MERGED_STAGE_5: &[&str] = MERGED_FILES.split_at(14).1;

/// Result files of stage 6.
pub const MERGED_STAGE_6: &[&str] = MERGED_FILES.split_at(13).1.split_at(10).0;

/// Results of stages 7 and 8 that become stale when the project is unwrapped again; the smoothed ones
/// of stage 7 are what a second pass leaves out.
pub const AFTER_MERGED_STAGE_6: &[&str] = MERGED_FILES.split_at(23).1.split_at(8).0;

/// Result files of stage 7.
pub const MERGED_STAGE_7: &[&str] =
    &["scla2.mat", "scla_sb2.mat", "scla_smooth2.mat", "scla_smooth_sb2.mat"];

/// What becomes stale when stage 7 runs again: results of stage 8, and the velocities of the original.
/// `uw_space_time.mat`, which stage 8 replaces, stays: it is also stage 6's.
pub const AFTER_MERGED_STAGE_7: &[&str] = AFTER_MERGED_STAGE_6.split_at(2).1;

/// Result files of stage 8.
pub const MERGED_STAGE_8: &[&str] = &[
    "mean_v.mat",
    "scn2.mat",
    "uw_space_time.mat",
    "modeled_defo_edges.mat",
    "temp_vario.mat",
    "unwrapping_errors_edges.mat",
];

/// Files that belong together in the results of a stage (orchestration.md), and those that may.
pub mod bundles {
    /// Stage 1.
    pub const STAGE_1: &[&str] =
        &["ps1.mat", "ph1.mat", "bp1.mat", "da1.mat", "hgt1.mat", "la1.mat", "psver.mat"];
    /// May belong to stage 1.
    pub const STAGE_1_EXTRA: &[&str] = &["inc1.mat", "no_ps_info.mat"];
    /// Stage 2.
    pub const STAGE_2: &[&str] = &["pm1.mat"];
    /// Stage 3.
    pub const STAGE_3: &[&str] = &["select1.mat"];
    /// May belong to stages 2 and 3.
    pub const MARKS: &[&str] = &["psver.mat", "no_ps_info.mat"];
    /// Stage 4.
    pub const STAGE_4: &[&str] = &[
        "weed1.mat",
        "ps2.mat",
        "ph2.mat",
        "pm2.mat",
        "bp2.mat",
        "hgt2.mat",
        "la2.mat",
        "psver.mat",
    ];
    /// May belong to stage 4.
    pub const STAGE_4_EXTRA: &[&str] = &["inc2.mat", "no_ps_info.mat"];
    /// Stage 5 of a patch.
    pub const STAGE_5: &[&str] = &[
        "ps2.mat",
        "ph2.mat",
        "pm2.mat",
        "bp2.mat",
        "hgt2.mat",
        "la2.mat",
        "rc2.mat",
        "psver.mat",
    ];
    /// May belong to stage 5 of a patch.
    pub const STAGE_5_EXTRA: &[&str] = &["inc2.mat", "da2.mat", "no_ps_info.mat"];
    /// What stage 5 of a patch writes in any case.
    pub const CORRECTED: &[&str] = &["rc2.mat", "psver.mat", "no_ps_info.mat"];
    /// What stage 5 of a patch writes besides where stage 4 has not.
    pub const PROMOTED: &[&str] =
        &["ps2.mat", "ph2.mat", "pm2.mat", "bp2.mat", "hgt2.mat", "la2.mat", "inc2.mat"];
    /// The merge.
    pub const MERGE: &[&str] = &[
        "ifgstd2.mat",
        "ps2.mat",
        "ph2.mat",
        "pm2.mat",
        "bp2.mat",
        "hgt2.mat",
        "la2.mat",
        "rc2.mat",
        "psver.mat",
    ];
    /// May belong to the merge.
    pub const MERGE_EXTRA: &[&str] = &["inc2.mat", "da2.mat", "phuw2.mat"];
    /// Stage 6, single master.
    pub const STAGE_6: &[&str] =
        &["phuw2.mat", "uw_phaseuw.mat", "uw_grid.mat", "uw_interp.mat", "uw_space_time.mat"];
    /// Stage 6, small baselines.
    pub const STAGE_6_SMALL_BASELINES: &[&str] = &[
        "phuw_sb2.mat",
        "phuw2.mat",
        "phuw_sb_res2.mat",
        "uw_phaseuw.mat",
        "uw_grid.mat",
        "uw_interp.mat",
        "uw_space_time.mat",
    ];
    /// May belong to stage 6.
    pub const STAGE_6_EXTRA: &[&str] = &["uw_solver.json", "uw_certificate.mat"];
    /// Stage 7, single master.
    pub const STAGE_7: &[&str] = &["scla2.mat", "scla_smooth2.mat"];
    /// Stage 7, small baselines.
    pub const STAGE_7_SMALL_BASELINES: &[&str] =
        &["scla2.mat", "scla_sb2.mat", "scla_smooth_sb2.mat"];
    /// Stage 8.
    pub const STAGE_8: &[&str] = &["mean_v.mat", "scn2.mat", "uw_space_time.mat"];
    /// May belong to stage 8.
    pub const STAGE_8_EXTRA: &[&str] =
        &["modeled_defo_edges.mat", "temp_vario.mat", "unwrapping_errors_edges.mat"];
}
