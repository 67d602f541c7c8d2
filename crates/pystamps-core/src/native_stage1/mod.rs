//! Stage 1, initial load: the candidate files of a patch become MATLAB arrays.
//!
//! | reads | writes |
//! |---|---|
//! | `pscands.1.ij .ll .ph (.hgt .da)` | `ps1.mat`: pixels, positions, dates, baselines |
//! | `../rsc.txt` and the master's `.par` | `ph1.mat`: phase |
//! | `../pscphase.in` and the `.base` files | `bp1.mat`: perpendicular baselines |
//! | `../parms.mat` | `la1.mat (da1.mat hgt1.mat) psver.mat no_ps_info.mat` |
//! | | `../parms.mat`: `heading`, `lambda`, `platform` |
//!
//! The flow: `inputs` (with `acquisitions`, `candidates`) -> `geometry` -> `order` -> `outputs`.
//!
//! # StaMPS compatibility
//! `ps_load_initial_gamma` and `sb_load_initial_gamma`, stage1.md sections B, C, E and F. Deliberate
//! differences: a position of 0, 0 or off the globe is missing like NaN, and candidates without
//! position are left out of small-baseline projects too; the master may be later than every slave; a null master-master interferogram is left
//! out; small-baseline positions use the transposed coordinates; dates out of order and candidates
//! outside the raster are refused; a patch without candidates yields arrays of no rows and is marked
//! in `no_ps_info.mat`, so that StaMPS passes over it; older variables in existing files do not
//! survive. Data of DORIS, ISCE and GSAR are refused.

pub(crate) mod acquisitions;
pub(crate) mod candidates;
mod geometry;
mod inputs;
mod order;
mod outputs;

use std::collections::BTreeMap;
use std::path::Path;

use pystamps_mat::Value;

use crate::error::{Diagnostic, IoContext, Result};
use crate::local_frame::{LocalCoordinates, sort_by_position};
use crate::patch_scope::acting_parameters;
use crate::plan::{check_memory, stage1_memory_bytes};
use crate::progress::Progress;
use crate::project::dataset::candidate_count;
use crate::project::layout::bundles;
use crate::project::layout::patch_results::{AFTER_STAGE_1, STAGE_1};
use crate::project::lock::shared_lock;
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::stage::{Computed, ScopeStage, StageOptions, StageOutcome, open_scope, settle};
use crate::stage_definition::{Demands, REWRITTEN_FILES, StageFiles};

use geometry::Viewing;
use inputs::{Inputs, MasterGeometry};
use order::RowOrder;

/// Speed of light, m/s.
const LIGHT_SPEED_M_S: f64 = 299_792_458.0;

/// Raised whenever stage 1 may give other bytes.
const ALGORITHM_VERSION: u32 = 1;

/// Parameters that decide what stage 1 does.
const ACTING_PARAMETERS: [&str; 2] = ["small_baseline_flag", "insar_processor"];

/// Runs stage 1 on the patch `folder`.
///
/// # Errors
/// Diagnostics about the candidate files, the export's text files and the parameters; I/O errors.
/// The patch is then unchanged.
pub fn run_stage1_native(
    folder: &Path,
    options: &StageOptions,
    progress: &Progress,
) -> Result<StageOutcome> {
    let folder = &std::path::absolute(folder).while_doing("find the patch")?;
    let project = folder.parent().unwrap_or(folder);
    settle(project, progress)?;
    inputs::check_is_patch(folder)?;
    let _project_stays = shared_lock(project)?;
    let lock = open_scope(folder, "stage 1", progress)?;
    // Read under the lock: nobody prepares the project again meanwhile.
    let parameters = acting_parameters(folder, options)?;
    let demanded = || demands(folder, &parameters, options);
    let stage = ScopeStage { files: files(Network::of(&parameters)?), demands: &demanded };
    stage.run(&lock, options, progress, |staging| {
        let files = inputs::read_project_files(folder, &parameters)?;
        let threads = rayon::current_num_threads() as u64;
        let needed = stage1_memory_bytes(candidate_count(folder)?, threads);
        check_memory(options.memory_limit_bytes, needed, "stage 1")?;
        let inputs = files.load(folder)?;
        let computed = load(&inputs, staging, progress)?;
        add_scene_parameters(folder, &inputs.geometry)?;
        if inputs.network == Network::SmallBaselines {
            outputs::write_pair_list(&inputs, parameters.home())?;
        }
        Ok(computed)
    })
}

/// The files of stage 1.
pub(crate) fn files(_network: Network) -> StageFiles {
    StageFiles {
        stage: "1",
        marker: "ps1.mat",
        telling_variable: None,
        bundle: bundles::STAGE_1,
        extra: bundles::STAGE_1_EXTRA,
        needs_bundle: false,
        writes: STAGE_1,
        invalidated_stages: &["2", "3", "4", "5"],
        invalidated_files: AFTER_STAGE_1,
        own_files: STAGE_1,
        shared_files: REWRITTEN_FILES,
    }
}

/// What stage 1 needs in the patch `folder`.
///
/// # Errors
/// Diagnostics about the project's lists and the parameters.
pub(crate) fn demands(
    folder: &Path,
    parameters: &Parameters,
    _options: &StageOptions,
) -> Result<Demands> {
    let files = inputs::read_project_files(folder, parameters)?;
    let mut acting = BTreeMap::new();
    for name in ACTING_PARAMETERS {
        acting.insert(name.to_owned(), parameters.text(name)?.into());
    }
    acting.insert("acquisitions".to_owned(), files.acquisitions.to_string().into());
    let demands = Demands::new(folder, ALGORITHM_VERSION, acting, &[]);
    Ok(Demands { inputs: files.inputs(folder), ..demands })
}

/// Computes all arrays of the patch and writes them to `staging`.
fn load(inputs: &Inputs, staging: &Path, progress: &Progress) -> Result<Computed> {
    let candidates = &inputs.candidates;
    let viewing = Viewing::of(&candidates.pixels, &inputs.geometry);
    if let Some(pixel) = viewing.impossible_pixel(&candidates.pixels) {
        return Err(impossible_geometry(inputs, pixel).data());
    }
    let local = LocalCoordinates::of(&candidates.lonlat_deg, inputs.geometry.heading_deg);
    let order = row_order(inputs, &local, progress)?;
    outputs::write(inputs, &viewing, &local, &order, staging, progress)?;
    let removed = order.sorted.len() - order.rows.len();
    let details = format!(
        "{} candidates, {} interferograms{}",
        order.rows.len(),
        inputs.acquisitions.interferograms.len(),
        if removed > 0 {
            format!("; {removed} without position or phase left out")
        } else {
            String::new()
        }
    );
    Ok((order.rows.len() as u64, details))
}

fn impossible_geometry(inputs: &Inputs, [_, range]: [u32; 2]) -> Diagnostic {
    let geometry = &inputs.geometry;
    let (satellite, earth) = (geometry.sphere.satellite_radius_m, geometry.sphere.earth_radius_m);
    Diagnostic::new("imaging-geometry", "the ranges of the master do not reach the Earth")
        .path(&geometry.path)
        .variable(
            "near_range_slc, range_pixel_spacing, sar_to_earth_center, earth_radius_below_sensor",
        )
        .expected(format!(
            "slant ranges from {:.0} m (the satellite's height) to the horizon",
            satellite - earth
        ))
        .found(format!("{:.1} m at range sample {range}", geometry.slant_range_m(range)))
        .remedy("correct the .par file, or export the scene again")
}

/// Sorted candidates, without those that have no position or (with a single master, stage1.md C)
/// no phase in some interferogram.
fn row_order(inputs: &Inputs, local: &LocalCoordinates, progress: &Progress) -> Result<RowOrder> {
    let candidates = &inputs.candidates;
    let sorted = sort_by_position(&local.xy_m);
    let columns: Vec<usize> = match inputs.network {
        Network::SingleMaster => {
            inputs.acquisitions.interferograms.iter().map(|i| i.column).collect()
        }
        Network::SmallBaselines => Vec::new(),
    };
    let phase = progress.phase("looking for missing phase", columns.len() as u64, "interferograms");
    let nan = order::nan_phase(&candidates.phase, &columns, candidates.pixels.len(), &phase)?;
    let is_row = |&candidate: &u32| {
        let candidate = candidate as usize;
        !nan[candidate] && !candidates.lonlat_deg[candidate][0].is_nan()
    };
    let rows = sorted.iter().copied().filter(is_row).collect();
    Ok(RowOrder { sorted, rows })
}

/// Adds what stage 1 learns about the scene to `parms.mat` (stage1.md B.3).
fn add_scene_parameters(folder: &Path, geometry: &MasterGeometry) -> Result<()> {
    Parameters::update(folder, |parameters| {
        let wavelength_m = LIGHT_SPEED_M_S / geometry.radar_frequency_hz;
        let changed = [
            parameters.add("heading", Value::scalar(geometry.heading_deg)),
            parameters.add("lambda", Value::scalar(wavelength_m)),
            parameters.add("platform", Value::text(&geometry.sensor)),
        ];
        Ok(((), changed.contains(&true)))
    })
}
