//! Says which files stage 6 has, what it needs, and whether a project is unwrapped.

use std::collections::BTreeMap;
use std::path::Path;

use super::ALGORITHM_VERSION;
use super::nearest::GIVEN_NODES;
use super::rules::{ACTING_PARAMETERS, Rules};
use crate::error::{IoContext, Result};
use crate::patch_scope::{Input, optional, recorded_parameters, required};
use crate::project::artifacts::stage6::feedback;
use crate::project::layout::{AFTER_MERGED_STAGE_6, MERGED_STAGE_6, bundles};
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::reference_area::recorded_reference;
use crate::stage::StageOptions;
use crate::stage_definition::{Demands, InputFile, Need, Recorded, StageFiles, has_variable};

/// Files that stage 6 reads in any project.
const INPUTS: [Input; 5] = [
    required("rc2.mat", 5),
    required("ps2.mat", 5),
    optional("pm2.mat"),
    optional("bp2.mat"),
    optional("la2.mat"),
];

/// The file that tells that a project is unwrapped.
pub(crate) const fn marker(network: Network) -> &'static str {
    match network {
        Network::SingleMaster => "phuw2.mat",
        Network::SmallBaselines => "phuw_sb2.mat",
    }
}

/// The variable that tells unwrapped phase from the zeros that the merge leaves.
const TELLING_VARIABLE: &str = "msd";

/// Whether another program, or we, have unwrapped the project `root`.
pub(crate) fn is_unwrapped(root: &Path, network: Network) -> bool {
    has_variable(&root.join(marker(network)), TELLING_VARIABLE)
}

/// The files of stage 6.
pub(crate) fn files(network: Network) -> StageFiles {
    StageFiles {
        stage: "6",
        marker: marker(network),
        telling_variable: Some(TELLING_VARIABLE),
        bundle: match network {
            Network::SingleMaster => bundles::STAGE_6,
            Network::SmallBaselines => bundles::STAGE_6_SMALL_BASELINES,
        },
        extra: bundles::STAGE_6_EXTRA,
        needs_bundle: true,
        writes: match network {
            Network::SingleMaster => WRITES.split_at(2).1,
            Network::SmallBaselines => &WRITES,
        },
        invalidated_stages: &["7", "8"],
        own_files: MERGED_STAGE_6,
        invalidated_files: AFTER_MERGED_STAGE_6,
        // Stage 8 puts its own analysis of the edges in the place of ours.
        shared_files: &["uw_space_time.mat"],
    }
}

/// What stage 6 writes; the first two with small baselines alone.
const WRITES: [&str; 9] = [
    "phuw_sb2.mat",
    "phuw_sb_res2.mat",
    "phuw2.mat",
    "uw_phaseuw.mat",
    "uw_grid.mat",
    "uw_interp.mat",
    "uw_space_time.mat",
    "uw_solver.json",
    "uw_certificate.mat",
];

/// Values of the parameters that decide about the series of the edges, as the ledger records them.
///
/// # Errors
/// As for `recorded_parameters`.
pub(crate) fn analysis_parameters(
    parameters: &Parameters,
) -> Result<BTreeMap<String, serde_json::Value>> {
    recorded_parameters(parameters, &ACTING_PARAMETERS)
}

/// What stage 6 needs in the project `root`.
///
/// The result of an earlier pass of stage 7 is left out while unwrapping. Stage 7 writes it after
/// stage 6, and that alone does not make the unwrapping outdated: `--force` asks for the second pass.
///
/// # Errors
/// Diagnostics about parameters; I/O errors for a file of nearest nodes that is not there.
pub(crate) fn demands(
    root: &Path,
    parameters: &Parameters,
    options: &StageOptions,
) -> Result<Demands> {
    let rules = Rules::of(parameters)?;
    let mut recorded = analysis_parameters(parameters)?;
    if rules.network == Network::SmallBaselines {
        recorded.extend(recorded_reference(parameters)?);
    }
    recorded.insert("solver".to_owned(), options.solver.to_string().into());
    let mut inputs = INPUTS.to_vec();
    if rules.troposphere.is_some() {
        inputs.push(optional(match rules.network {
            Network::SingleMaster => "tca2.mat",
            Network::SmallBaselines => "tca_sb2.mat",
        }));
    }
    let mut demands = Demands::new(root, ALGORITHM_VERSION, recorded, &inputs);
    if let Some(nodes) = &options.nearest_nodes {
        fs_err::metadata(nodes).while_doing("examine the file of nearest nodes")?;
        let nodes = InputFile::new(nodes.clone(), Need::Optional);
        demands.inputs.push(InputFile { recorded: Recorded::As(GIVEN_NODES), ..nodes });
    }
    Ok(Demands { feedback: Some(feedback(rules.network).slope.file), ..demands })
}
