//! Lists the stages of both scopes, so that whoever looks at all of them asks each in the same way.

use std::path::Path;

use crate::error::Result;
use crate::patch_scope::acting_parameters;
use crate::project::checksums::Checksums;
use crate::project::ledger::Ledger;
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::stage::StageOptions;
use crate::stage_definition::{Demands, StageFiles};
use crate::standing::Standing;
use crate::{
    native_stage1, native_stage2, native_stage3, native_stage4, native_stage5, native_stage6,
    native_stage7, native_stage8,
};

/// A stage of one kind of scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageKind {
    /// Its number.
    pub(crate) number: u8,
    /// Its files.
    pub(crate) files: fn(Network) -> StageFiles,
    /// What it needs.
    pub(crate) demands: fn(&Path, &Parameters, &StageOptions) -> Result<Demands>,
}

/// The stages of a patch.
pub(crate) const PATCH_STAGES: [StageKind; 5] = [
    StageKind { number: 1, files: native_stage1::files, demands: native_stage1::demands },
    StageKind { number: 2, files: native_stage2::files, demands: native_stage2::demands },
    StageKind { number: 3, files: native_stage3::files, demands: native_stage3::demands },
    StageKind { number: 4, files: native_stage4::files, demands: native_stage4::demands },
    StageKind {
        number: 5,
        files: native_stage5::patch_files,
        demands: native_stage5::patch_demands,
    },
];

/// The stages of the merged project.
pub(crate) const MERGED_STAGES: [StageKind; 4] = [
    StageKind {
        number: 5,
        files: native_stage5::merge_files,
        demands: native_stage5::merge_demands,
    },
    StageKind { number: 6, files: native_stage6::files, demands: native_stage6::demands },
    StageKind { number: 7, files: native_stage7::files, demands: native_stage7::demands },
    StageKind { number: 8, files: native_stage8::files, demands: native_stage8::demands },
];

/// What is known of a scope before its stages are looked at.
pub(crate) struct Surroundings<'a> {
    /// Its folder, absolute.
    scope: &'a Path,
    /// Choices of a run.
    options: &'a StageOptions,
    /// Parameters that act there.
    parameters: Parameters,
    /// What the ledger says.
    ledger: Ledger,
}

impl<'a> Surroundings<'a> {
    /// Looks at the folder `scope`.
    ///
    /// # Errors
    /// Those of parameters and ledger.
    pub(crate) fn of(scope: &'a Path, options: &'a StageOptions) -> Result<Self> {
        let parameters = acting_parameters(scope, options)?;
        Ok(Self { scope, options, parameters, ledger: Ledger::load(scope)? })
    }
}

impl StageKind {
    /// How the results of the stage stand; what cannot be evaluated is damaged, and no error.
    pub(crate) fn standing(
        &self,
        surroundings: &Surroundings<'_>,
        network: Network,
        checksums: &mut Checksums,
    ) -> Standing {
        let Surroundings { scope, ledger, .. } = surroundings;
        let demands = || self.demanded(surroundings);
        Standing::of(scope, &(self.files)(network), &demands, ledger, checksums)
            .unwrap_or_else(|error| Standing::damaged(error.one_line()))
    }

    /// What the stage needs.
    ///
    /// # Errors
    /// Those of the stage.
    pub(crate) fn demanded(&self, surroundings: &Surroundings<'_>) -> Result<Demands> {
        (self.demands)(surroundings.scope, &surroundings.parameters, surroundings.options)
    }
}
