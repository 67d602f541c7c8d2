//! Reads what the parameters ask of stage 8, and what goes into it.

use std::path::Path;

use super::ALGORITHM_VERSION;
use crate::error::Result;
use crate::native_stage6::analysis_parameters;
use crate::parameter_checks::{indices, kept_interferograms, positive};
use crate::patch_scope::{Input, optional, recorded_parameters, required};
use crate::plan::check_memory;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::RAMP_DEGREE_FILE;
use crate::reference_area::recorded_reference;
use crate::samples::Residence;
use crate::stage::{StageOptions, WeightlessDate};
use crate::stage_definition::Demands;

/// Parameters that decide what stage 8 does, besides those of the reference area and of the edges.
const ACTING_PARAMETERS: [&str; 5] =
    ["scn_wavelength", "scn_time_win", "scn_deramp_ifg", "scn_kriging_flag", "lambda"];

/// What the parameters ask for.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) network: Network,
    /// Standard deviation of the window in space, m.
    pub(super) space_m: f64,
    /// Standard deviation of the window in time, days; chosen from the variograms if not given.
    pub(super) window_days: Option<f64>,
    pub(super) kriging: bool,
    /// Which date has no weight.
    pub(super) weightless: WeightlessDate,
}

impl Rules {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `parameter-range`, `parameter-type`.
    pub(super) fn of(parameters: &Parameters, options: &StageOptions) -> Result<Self> {
        let kriging = parameters.flag("scn_kriging_flag")?;
        let unset = parameters.get("scn_time_win")?.1.is_empty();
        let window_days =
            if kriging && unset { None } else { Some(positive(parameters, "scn_time_win")?) };
        Ok(Self {
            network: Network::of(parameters)?,
            space_m: positive(parameters, "scn_wavelength")?,
            window_days,
            kriging,
            weightless: options.weightless,
        })
    }
}

/// Columns that are filtered, ascending: all images of small baselines, otherwise the interferograms
/// in use, the master's slot among them.
///
/// # Errors
/// `parameter-range`.
pub(super) fn used_columns(parameters: &Parameters, stack: &Stack) -> Result<Vec<usize>> {
    if stack.network == Network::SmallBaselines {
        return Ok((0..stack.day.len()).collect());
    }
    kept_interferograms(parameters, stack)
}

/// Columns among `used` whose plane counts as noise, in the order in which they are listed.
///
/// # Errors
/// `parameter-range`.
pub(super) fn deramped_columns(
    parameters: &Parameters,
    stack: &Stack,
    used: &[usize],
    kriging: bool,
) -> Result<Vec<usize>> {
    let value = parameters.get("scn_deramp_ifg")?.1;
    let all = value.to_text().is_some_and(|text| text.eq_ignore_ascii_case("all"));
    if all || kriging {
        return Ok(used.to_vec());
    }
    let count = stack.interferogram_count().max(stack.day.len());
    let mut listed = indices(parameters, "scn_deramp_ifg", count, "interferograms, or 'all'")?;
    // As MATLAB's intersect: ascending, each once.
    listed.sort_unstable();
    listed.dedup();
    listed.retain(|column| used.contains(column));
    Ok(listed)
}

/// What stage 8 needs in the project `root`.
///
/// # Errors
/// Diagnostics about parameters.
pub(crate) fn demands(
    root: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let rules = Rules::of(parameters, options)?;
    let mut recorded = analysis_parameters(parameters)?;
    recorded.extend(recorded_parameters(parameters, &ACTING_PARAMETERS)?);
    recorded.extend(recorded_reference(parameters)?);
    if parameters.get("platform").is_ok() {
        recorded.extend(recorded_parameters(parameters, &["platform"])?);
    }
    recorded.insert("weightless".to_owned(), rules.weightless.to_string().into());
    let mut inputs: Vec<Input> = vec![
        required("phuw2.mat", 6),
        required("scla2.mat", 7),
        required("rc2.mat", 5),
        required("ps2.mat", 5),
    ];
    inputs.extend(match rules.network {
        Network::SingleMaster => {
            vec![required("scla_smooth2.mat", 7), optional("ifgstd2.mat"), optional("tca2.mat")]
        }
        Network::SmallBaselines => vec![
            required("phuw_sb2.mat", 6),
            required("phuw_sb_res2.mat", 6),
            required("scla_sb2.mat", 7),
            required("scla_smooth_sb2.mat", 7),
            optional("tca_sb2.mat"),
        ],
    });
    let others = ["pm2.mat", "bp2.mat", "la2.mat", "master.res", RAMP_DEGREE_FILE];
    inputs.extend(others.map(optional));
    Ok(Demands::new(root, ALGORITHM_VERSION, recorded, &inputs))
}

/// Memory of the process itself.
const BASE_BYTES: u64 = 10 << 20;
/// What one PS takes: coordinates, sums, cells, reference.
const PS_BYTES: u64 = 150;
/// What one PS takes in a thread that makes a column.
const THREAD_PS_BYTES: u64 = 24;
/// What one sample takes while it is filtered in space: the row and its result in both orders, and what
/// the system keeps of memory that was given back.
const FILTERED_SAMPLE_BYTES: u64 = 14;
/// What one edge between PS takes where kriging works on edges: ends, centre, fits.
const KRIGED_EDGE_BYTES: u64 = 150;
/// What one sample takes where kriging holds everything: phase, filtered phase in double and single
/// precision, noise and residual of the columns and of the files.
const KRIGED_SAMPLE_BYTES: u64 = 60;

/// Columns that are filtered in space at a time where memory is short.
pub(super) const FEW_COLUMNS: usize = 8;

/// Sizes that decide about the memory of stage 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// PS.
    pub(crate) rows: u64,
    /// Columns that are filtered.
    pub(crate) columns: u64,
    /// Worker threads.
    pub(crate) threads: u64,
    /// Whether edges are kriged.
    pub(crate) kriging: bool,
    /// Arrays that cannot be left in their files, bytes.
    pub(crate) resident_bytes: u64,
}

impl Need {
    /// Peak memory of the filters, bytes.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        let Self { rows, columns, threads, .. } = *self;
        let (kept, at_once) = match residence {
            Residence::Memory => (4 * rows * columns, columns),
            Residence::File => (0, columns.min(FEW_COLUMNS as u64)),
        };
        let kriged = if self.kriging {
            rows * (3 * KRIGED_EDGE_BYTES + (KRIGED_SAMPLE_BYTES + 3) * columns)
        } else {
            0
        };
        BASE_BYTES
            + self.resident_bytes
            + kept
            + kriged
            + rows * (PS_BYTES + threads * THREAD_PS_BYTES + at_once * FILTERED_SAMPLE_BYTES)
    }

    /// Where intermediate series are kept within the limit.
    ///
    /// # Errors
    /// `memory-limit`.
    pub(crate) fn residence(&self, limit_bytes: Option<u64>) -> Result<Residence> {
        if limit_bytes.is_none_or(|limit| limit >= self.bytes(Residence::Memory)) {
            return Ok(Residence::Memory);
        }
        check_memory(limit_bytes, self.bytes(Residence::File), "stage 8")?;
        Ok(Residence::File)
    }
}
