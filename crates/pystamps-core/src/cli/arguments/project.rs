//! The command lines of `status`, which looks at a whole project.

use std::path::PathBuf;

use clap::Args;

use super::parse_assignment;
use super::stage::{RandomEngineArgument, SolverArgument};
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
