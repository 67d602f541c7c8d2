//! Says what goes into stage 6, and whether a project is unwrapped.

use std::collections::BTreeMap;
use std::path::Path;

use super::ALGORITHM_VERSION;
use super::rules::{ACTING_PARAMETERS, Rules};
use crate::error::Result;
use crate::patch_scope::{Input, optional, recipe, recorded_parameters, required};
use crate::progress::Progress;
use crate::project::artifacts::stage6::feedback;
use crate::project::checksums::Checksums;
use crate::project::ledger::{Ledger, Recipe};
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::reference_area::recorded_reference;
use crate::stage::StageOptions;

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

/// Whether another program, or we, have unwrapped the project `root`: the merge leaves a `phuw2.mat` of
/// zeros, without `msd`.
pub(crate) fn is_unwrapped(root: &Path, network: Network) -> bool {
    let listed = pystamps_mat::list(root.join(marker(network))).unwrap_or_default();
    listed.iter().any(|info| info.name == "msd")
}

/// Values of the parameters that decide about the series of the edges, as the ledger records them.
///
/// # Errors
/// As for `recorded_parameters`.
pub(crate) fn analysis_parameters(
    parameters: &Parameters,
) -> Result<BTreeMap<String, serde_json::Value>> {
    recorded_parameters(parameters, &ACTING_PARAMETERS)
}

/// What goes into the stage.
///
/// The result of an earlier pass of stage 7 is left out while unwrapping. Stage 7 writes it after
/// stage 6, and that alone does not make the unwrapping outdated: `--force` asks for the second pass.
pub(super) fn recipe_of(
    root: &Path,
    parameters: &Parameters,
    rules: &Rules,
    options: &StageOptions,
    progress: &Progress,
) -> Result<Recipe> {
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
    let first_pass = recipe(root, "6", ALGORITHM_VERSION, recorded, &inputs)?;
    let file = feedback(rules.network).slope.file;
    let mut checksums = Checksums::load(root);
    let path = root.join(file);
    let now = if path.is_file() { Some(checksums.record(root, &path)?) } else { None };
    if let Some(entry) = Ledger::load(root)?.stage("6")
        && !options.force
    {
        let then = entry.recipe.inputs.iter().find(|record| record.path == file).cloned();
        if then != now {
            let mut as_then = first_pass.clone();
            as_then.inputs.extend(then);
            if entry.staleness(&as_then, root, &mut checksums)?.is_none() {
                checksums.save();
                progress.note(&format!(
                    "{file} has changed since: --force unwraps again without what it holds now \
                     (a second pass)"
                ));
                return Ok(as_then);
            }
        }
    }
    checksums.save();
    let mut with_feedback = first_pass;
    with_feedback.inputs.extend(now);
    Ok(with_feedback)
}
