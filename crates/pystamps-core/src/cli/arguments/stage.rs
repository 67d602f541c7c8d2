//! The command line of `stage`, and what does not go together there.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Common, parse_assignment};
use crate::error::{Diagnostic, Result};
use crate::stage::{RandomEngine, UnwrappingSolver};

#[derive(Debug, Args)]
#[command(
    after_help = "1  load the candidates of a patch: dates, baselines, angles, coordinates, phase\n\
    2  estimate the phase stability (coherence) of every candidate\n\
    3  select the persistent scatterers (PS) among them\n\
    4  weed out PS that are noisy or next to a better one\n\
    5  correct the phase of every patch; with --dataset, merge the patches too\n\
    6  unwrap the phase of the merged project, every interferogram with a proof of optimality\n\
    7  estimate what the DEM error and the master's atmosphere have in the phase\n\
    8  filter the noise that neighbours share, fit the mean velocity\n\n\
    Stages 1 to 5 take --patch for one patch or --dataset for every patch in turn, stages 6 to 8\n\
    take --dataset. Stages 6 and 7 may be repeated: with --force, stage 6 then unwraps without\n\
    what stage 7 has found.\n\n\
    Examples:\n  pystamps-native stage 2 --patch project/PATCH_1\n  \
    pystamps-native stage 3 --dataset project --set density_rand=10\n  \
    pystamps-native stage 5 --dataset project\n  \
    pystamps-native stage 5 --dataset project --merge-only --allow-partial\n  \
    pystamps-native stage 3 --patch project/PATCH_1 --set density_rand=5 --invalidate\n  \
    pystamps-native stage 8 --dataset project --set scn_wavelength=200"
)]
#[expect(clippy::struct_excessive_bools, reason = "switches that do not depend on each other")]
pub(in crate::cli) struct StageArguments {
    /// Stage number, 1 to 8; `readiness` lists the native ones
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(in crate::cli) stage: u8,
    /// Patch folder (stages 1 to 5)
    #[arg(long, value_name = "DIR", conflicts_with = "dataset")]
    pub(in crate::cli) patch: Option<PathBuf>,
    /// Project folder: every patch in patch.list in turn (stages 1 to 5), or the merged project
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) dataset: Option<PathBuf>,
    /// Change a parameter for this run only; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_assignment)]
    pub(in crate::cli) set: Vec<(String, String)>,
    /// Remove later results that no longer fit, where the stage has to run: they go when the new ones are
    /// published, not before. A stage whose results are current is still skipped
    #[arg(long)]
    pub(in crate::cli) invalidate: bool,
    /// Whose random numbers to draw (stages 2, 3, 5): octave repeats what StaMPS did under Octave
    /// [default: matlab]
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(in crate::cli) random_engine: Option<RandomEngineArgument>,
    /// Stage 2: take the coherence of random phase from this file (`Nr` and `Nr_max_nz_ix`, for
    /// example an earlier pm1.mat, or `coh_rand`) instead of simulating it
    #[arg(long, value_name = "FILE.mat")]
    pub(in crate::cli) reference_histogram: Option<PathBuf>,
    /// Stage 3: apply the thresholds of the present parameters to the coherences in select1.mat,
    /// without estimating them again
    #[arg(long)]
    pub(in crate::cli) reuse_coherence: bool,
    /// Stage 4: edges between PS as Triangle writes them (psweed.2.edge), instead of triangulating
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) edges: Option<PathBuf>,
    /// Stage 5 with --dataset: merge the patches as they are, without running the stage on them
    #[arg(long)]
    pub(in crate::cli) merge_only: bool,
    /// Stage 5 with --dataset: leave patches out of the merge that have no results of stage 5, or whose
    /// stage has just failed, instead of giving up
    #[arg(long)]
    pub(in crate::cli) allow_partial: bool,
    /// With --allow-partial: leave this patch out whatever it holds, because its results are outdated;
    /// may be repeated
    #[arg(long, value_name = "PATCH", requires = "allow_partial")]
    pub(in crate::cli) without: Vec<String>,
    /// Stage 6: take the nearest node of every cell from `Z` of this file (`uw_interp.mat` of original
    /// StaMPS) instead of searching it: MATLAB and Octave choose differently among equally near nodes
    #[arg(long, value_name = "FILE.mat")]
    pub(in crate::cli) nearest_nodes: Option<PathBuf>,
    /// Stage 6: keep what SNAPHU would be handed, in the project's folder `pystamps_costs`
    #[arg(long)]
    pub(in crate::cli) keep_costs: bool,
    /// Stage 6: who unwraps the grid: our exact solver, or the snaphu in the search path, for
    /// comparison [default: native]
    #[arg(long, value_enum, value_name = "SOLVER")]
    pub(in crate::cli) solver: Option<SolverArgument>,
    /// Stage 8: take the weight of the master away where original StaMPS does, which is another date
    /// if an earlier one is dropped
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    #[command(flatten)]
    pub(in crate::cli) common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum RandomEngineArgument {
    /// MATLAB's generators, as StaMPS calls them
    Matlab,
    /// GNU Octave's
    Octave,
}

impl From<RandomEngineArgument> for RandomEngine {
    fn from(argument: RandomEngineArgument) -> Self {
        match argument {
            RandomEngineArgument::Matlab => Self::Matlab,
            RandomEngineArgument::Octave => Self::Octave,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SolverArgument {
    /// Our own, exact, with a proof
    Native,
    /// The user's SNAPHU
    Snaphu,
}

impl From<SolverArgument> for UnwrappingSolver {
    fn from(argument: SolverArgument) -> Self {
        match argument {
            SolverArgument::Native => Self::Native,
            SolverArgument::Snaphu => Self::Snaphu,
        }
    }
}

/// Refuses options that the stage does not have: an option that is accepted acts.
///
/// # Errors
/// `option-unused` with the stages that have it.
pub(in crate::cli) fn refuse_unused(stage: &StageArguments) -> Result<()> {
    let options: [(&str, bool, &[u8]); 10] = [
        ("--random-engine", stage.random_engine.is_some(), &[2, 3, 5]),
        ("--reference-histogram", stage.reference_histogram.is_some(), &[2]),
        ("--reuse-coherence", stage.reuse_coherence, &[3]),
        ("--edges", stage.edges.is_some(), &[4]),
        ("--merge-only", stage.merge_only, &[5]),
        ("--allow-partial", stage.allow_partial, &[5]),
        ("--nearest-nodes", stage.nearest_nodes.is_some(), &[6]),
        ("--keep-costs", stage.keep_costs, &[6]),
        ("--solver", stage.solver.is_some(), &[6]),
        ("--strict", stage.strict, &[8]),
    ];
    if stage.edges.is_some() && stage.stage == 4 && stage.patch.is_none() {
        return Err(Diagnostic::new("edges-of-one-patch", "a file of edges belongs to one patch")
            .variable("--edges")
            .expected("--patch DIR with it")
            .found("--dataset")
            .remedy("run stage 4 on one patch after another")
            .usage());
    }
    if stage.stage == 5 && stage.dataset.is_none() && (stage.merge_only || stage.allow_partial) {
        let name = if stage.merge_only { "--merge-only" } else { "--allow-partial" };
        return Err(Diagnostic::new("option-unused", format!("{name} is about the merge"))
            .variable(name)
            .expected("--dataset DIR with it")
            .found("--patch")
            .remedy("name the project with --dataset, or leave the option out")
            .usage());
    }
    let unused = options.iter().find(|(_, given, of)| *given && !of.contains(&stage.stage));
    let Some((name, _, of)) = unused else { return Ok(()) };
    let stages: Vec<String> = of.iter().map(u8::to_string).collect();
    Err(Diagnostic::new("option-unused", format!("stage {} does not use {name}", stage.stage))
        .variable(*name)
        .expected(format!("stage {}", stages.join(", ")))
        .found(format!("stage {}", stage.stage))
        .remedy("leave the option out")
        .usage())
}

/// The folder of a stage's scope.
///
/// # Errors
/// `scope-missing` if neither a patch nor a dataset was named, or a patch for a merged stage.
pub(in crate::cli) fn required_scope(stage: &StageArguments) -> Result<()> {
    let merged = stage.stage > 5;
    if merged && stage.dataset.is_none() {
        return Err(Diagnostic::new(
            "scope-missing",
            format!("stage {} works on the merged project", stage.stage),
        )
        .expected("--dataset DIR")
        .found(if stage.patch.is_some() { "--patch" } else { "nothing" })
        .remedy(format!("pystamps-native stage {} --dataset project", stage.stage))
        .usage());
    }
    if stage.patch.is_some() || stage.dataset.is_some() {
        return Ok(());
    }
    Err(Diagnostic::new("scope-missing", format!("stage {} of what?", stage.stage))
        .expected("--patch DIR or --dataset DIR")
        .found("neither")
        .remedy(format!("pystamps-native stage {} --patch project/PATCH_1", stage.stage))
        .usage())
}
