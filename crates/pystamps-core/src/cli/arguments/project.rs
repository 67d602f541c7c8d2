//! The command lines of `status` and `adopt`: what is there, and what comes from elsewhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::stage::{RandomEngineArgument, SolverArgument};
use super::{ProgressArgument, parse_assignment};
use crate::project::ledger::Origin;
use crate::stage::{StageOptions, WeightlessDate};

#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is computed or locked: it may be asked while other processes work. Every stage is\n\
    judged on the files as they are now.\n\n\
    current   made from the present inputs and parameters, and unchanged since\n\
    foreign   made by another program: kept as it is\n\
    outdated  something has changed since\n\
    missing   not there\n\
    damaged   cannot be evaluated\n\n\
    Examples:\n  pystamps-native status --dataset project\n  \
    pystamps-native status --dataset project --set unwrap_grid_size=100 --json"
)]
pub(in crate::cli) struct StatusArguments {
    /// Project folder
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) dataset: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) choices: Choices,
    /// Print JSON: what every stage reads, writes, would remove and lacks, too
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Choices that decide whether results are those that a run would make.
#[derive(Debug, Args)]
pub(in crate::cli) struct Choices {
    /// A parameter that is changed for the run in question only; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_assignment)]
    set: Vec<(String, String)>,
    /// Whose random numbers the run in question draws [default: matlab]
    #[arg(long, value_enum, value_name = "ENGINE")]
    random_engine: Option<RandomEngineArgument>,
    /// Who unwraps in the run in question [default: native]
    #[arg(long, value_enum, value_name = "SOLVER")]
    solver: Option<SolverArgument>,
    /// Whether the run in question has --strict (stage 8)
    #[arg(long)]
    strict: bool,
}

impl Choices {
    /// The options of the run in question.
    pub(in crate::cli) fn options(&self) -> StageOptions {
        StageOptions {
            overrides: self.set.clone(),
            random_engine: self.random_engine.map(Into::into).unwrap_or_default(),
            solver: self.solver.map(Into::into).unwrap_or_default(),
            weightless: if self.strict { WeightlessDate::Original } else { WeightlessDate::Master },
            ..StageOptions::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "The files are copied, read back and published as a run would publish its own, with an\n\
    entry in the ledger that says where they are from; a later run finds them current. Later results\n\
    that no longer fit are removed. All files of the stage must be there:\n  \
    1  ps1 ph1 bp1 da1 hgt1 la1 psver (inc1)        5 --dataset  those of 5 and ifgstd2\n  \
    2  pm1                                          6  phuw2 uw_phaseuw uw_grid uw_interp uw_space_time\n  \
    3  select1                                         small baselines: phuw_sb2 phuw_sb_res2, too\n  \
    4  weed1 ps2 ph2 pm2 bp2 hgt2 la2 psver (inc2)  7  scla2 scla_smooth2, or scla_sb2 scla_smooth_sb2\n  \
    5  ps2 ph2 pm2 bp2 hgt2 la2 rc2 psver (inc2)    8  mean_v scn2 uw_space_time\n\n\
    Examples:\n  pystamps-native adopt 2 --patch project/PATCH_1 --from other/PATCH_1 --origin replayed\n  \
    pystamps-native adopt 6 --dataset project --from reference --origin reference --json"
)]
pub(in crate::cli) struct AdoptArguments {
    /// Stage number
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(in crate::cli) stage: u8,
    /// Patch that gets the results (stages 1 to 5)
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "dataset",
        required_unless_present = "dataset"
    )]
    pub(in crate::cli) patch: Option<PathBuf>,
    /// Project that gets them (5, the merge, to 8)
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) dataset: Option<PathBuf>,
    /// Folder that holds them
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) from: PathBuf,
    /// Who made them
    #[arg(long, value_enum, value_name = "ORIGIN")]
    pub(in crate::cli) origin: OriginArgument,
    #[command(flatten)]
    pub(in crate::cli) choices: Choices,
    /// Replace results that are current, or were made by another program
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// How to show progress
    #[arg(long, value_enum, value_name = "MODE", default_value = "auto")]
    pub(in crate::cli) progress: ProgressArgument,
    /// Print the outcome, or what went wrong, as one JSON object a line on standard output
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// End at once, with exit code 143, when standard input ends
    #[arg(long)]
    pub(in crate::cli) stop_with_stdin: bool,
}

impl AdoptArguments {
    /// Whether the outcome is to be JSON.
    pub(in crate::cli) fn prints_json(&self) -> bool {
        self.json || matches!(self.progress, ProgressArgument::Json)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum OriginArgument {
    /// Another project, whose results are taken as they are
    Replayed,
    /// The Python reference
    Reference,
}

impl From<OriginArgument> for Origin {
    fn from(argument: OriginArgument) -> Self {
        match argument {
            OriginArgument::Replayed => Self::Replayed,
            OriginArgument::Reference => Self::Reference,
        }
    }
}
