//! Reads what the parameters ask of stage 7, and what goes into it.

use std::path::Path;

use super::ALGORITHM_VERSION;
use crate::error::Result;
use crate::parameter_checks::{indices, out_of_range};
use crate::patch_scope::{Input, optional, recorded_parameters, required};
use crate::plan::check_memory;
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::RAMP_DEGREE_FILE;
use crate::reference_area::recorded_reference;
use crate::samples::Residence;
use crate::stage::StageOptions;
use crate::stage_definition::{self, Demands, InputFile};
use crate::troposphere::subtracted_field;

/// Parameters that decide what stage 7 does, besides those of the reference area.
const ACTING_PARAMETERS: [&str; 7] = [
    "small_baseline_flag",
    "scla_method",
    "scla_deramp",
    "drop_ifg_index",
    "scla_drop_index",
    "subtr_tropo",
    "tropo_method",
];

/// Which series is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// Interferograms with one master, the master's slot among them.
    Interferograms,
    /// Small-baseline interferograms.
    SmallBaselines,
    /// Images that small baselines were inverted to.
    Images,
}

/// How the slope is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Norm {
    /// Least squares.
    Squares,
    /// Least absolute deviations, PS by PS.
    Absolute,
}

/// What the parameters ask for.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) network: Network,
    pub(super) norm: Norm,
    pub(super) deramp: bool,
    /// Tropospheric correction to subtract, if any.
    pub(super) troposphere: Option<&'static str>,
}

impl Rules {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `parameter-range`, `parameter-type`.
    pub(super) fn of(parameters: &Parameters) -> Result<Self> {
        let method = parameters.text("scla_method")?;
        let norm = match method.as_str() {
            "L2" => Norm::Squares,
            "L1" => Norm::Absolute,
            _ => return Err(out_of_range("scla_method", "L2 or L1", method)),
        };
        Ok(Self {
            network: Network::of(parameters)?,
            norm,
            deramp: parameters.flag("scla_deramp")?,
            troposphere: subtracted_field(parameters)?,
        })
    }

    /// Series of single-precision numbers that are kept while the stage works: observations for the
    /// simplex, baselines and corrections of images.
    pub(super) fn kept_series(&self, stack: &Stack) -> u64 {
        let columns = stack.interferogram_count().max(stack.day.len()) as u64;
        let observations = if self.norm == Norm::Absolute { columns } else { 0 };
        let of_images = if self.network == Network::SmallBaselines { columns } else { 0 };
        let corrections = if self.troposphere.is_some() { of_images } else { 0 };
        observations + of_images + corrections
    }
}

/// Columns of `which` series whose phase is looked at, ascending; the master's slot among them.
pub(super) fn used_columns(
    parameters: &Parameters,
    stack: &Stack,
    which: Columns,
    inverted: &[usize],
) -> Result<Vec<usize>> {
    let interferograms = stack.interferogram_count();
    let dropped = crate::parameter_checks::dropped_interferograms(parameters, interferograms)?;
    let (all, left_out): (Vec<usize>, Vec<usize>) = match which {
        Columns::Interferograms => {
            let ignored = indices(parameters, "scla_drop_index", interferograms, "interferograms")?;
            ((0..interferograms).collect(), [dropped, ignored].concat())
        }
        Columns::SmallBaselines => {
            let ignored =
                indices(parameters, "sb_scla_drop_index", interferograms, "interferograms")?;
            ((0..interferograms).collect(), [dropped, ignored].concat())
        }
        Columns::Images => {
            let ignored = indices(parameters, "scla_drop_index", stack.day.len(), "images")?;
            (inverted.to_vec(), [ignored, vec![stack.master]].concat())
        }
    };
    Ok(all.into_iter().filter(|column| !left_out.contains(column)).collect())
}

/// What stage 7 needs in the project `root`.
///
/// # Errors
/// Diagnostics about parameters.
pub(crate) fn demands(
    root: &Path,
    parameters: &Parameters,
    _options: &StageOptions,
) -> Result<Demands> {
    let rules = Rules::of(parameters)?;
    let mut recorded = recorded_parameters(parameters, &ACTING_PARAMETERS)?;
    recorded.extend(recorded_reference(parameters)?);
    let mut inputs: Vec<Input> = vec![required("phuw2.mat", 6), required("ps2.mat", 5)];
    let corrections = match rules.network {
        Network::SingleMaster => {
            inputs.extend([optional("ifgstd2.mat"), optional("aps2.mat")]);
            "tca2.mat"
        }
        Network::SmallBaselines => {
            recorded.extend(recorded_parameters(parameters, &["sb_scla_drop_index"])?);
            inputs.extend([required("phuw_sb2.mat", 6), required("phuw_sb_res2.mat", 6)]);
            inputs.extend([optional("aps2.mat"), optional("aps_sb2.mat")]);
            "tca_sb2.mat"
        }
    };
    let mut demands = Demands::new(root, ALGORITHM_VERSION, recorded, &inputs);
    if rules.troposphere.is_some() {
        demands.inputs.push(InputFile::new(root.join(corrections), stage_definition::Need::OfUser));
    }
    let mut add = |file| demands.inputs.push(InputFile::in_scope(root, optional(file)));
    add("bp2.mat");
    if rules.deramp {
        add(RAMP_DEGREE_FILE);
    }
    Ok(demands)
}

/// Memory of the process itself.
const BASE_BYTES: u64 = 10 << 20;
/// What one PS takes: coordinates, slopes, offsets, sums, edges of the triangulation and neighbours.
const PS_BYTES: u64 = 370;
/// What one PS takes in a thread that makes a column.
const THREAD_PS_BYTES: u64 = 24;

/// Sizes that decide about the memory of stage 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// PS.
    pub(crate) rows: u64,
    /// Columns that are kept besides, in memory or in files.
    pub(crate) series: u64,
    /// Worker threads.
    pub(crate) threads: u64,
    /// Arrays that cannot be left in their files, bytes.
    pub(crate) resident_bytes: u64,
}

impl Need {
    /// Peak memory, bytes.
    pub(crate) fn bytes(&self, residence: Residence) -> u64 {
        let kept = if residence == Residence::Memory { 4 * self.series * self.rows } else { 0 };
        BASE_BYTES
            + self.resident_bytes
            + kept
            + self.rows * (PS_BYTES + self.threads * THREAD_PS_BYTES)
    }

    /// Where intermediate series are kept within the limit.
    ///
    /// # Errors
    /// `memory-limit`.
    pub(crate) fn residence(&self, limit_bytes: Option<u64>, work: &str) -> Result<Residence> {
        if limit_bytes.is_none_or(|limit| limit >= self.bytes(Residence::Memory)) {
            return Ok(Residence::Memory);
        }
        check_memory(limit_bytes, self.bytes(Residence::File), work)?;
        Ok(Residence::File)
    }
}
