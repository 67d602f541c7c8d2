//! The command line: [`run`] takes the arguments and returns the exit code.
//!
//! Exit codes: 0 done, 1 the data or the run failed, 2 wrong usage, 3 a verification found
//! differences. Standard output is data, standard error is for people.

mod arguments;
mod commands;
mod output;

use std::ffi::OsString;

use clap::Parser;

use crate::error::{Error, Result};
use arguments::{Arguments, Command};

/// Runs the program with `argv` (the program's name first) and returns its exit code.
pub fn run(argv: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let arguments = match Arguments::try_parse_from(argv) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers (exit 0), anything else is wrong usage (exit 2).
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let _ = error.print();
            return code;
        }
    };
    match dispatch(arguments.command) {
        Ok(()) => 0,
        Err(error) => {
            output::report_error(&error);
            error.exit_code()
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Prep(prep) => commands::prep::run(prep),
        Command::Stage(stage) => commands::stage::run(&stage),
        Command::Params(params) => commands::params::run(params),
        Command::Inspect(inspect) => commands::inspect::run(&inspect),
        Command::Plan(plan) => commands::plan::run(&plan),
        Command::VerifyUnwrap(verify) => commands::verify_unwrap::run(&verify),
        Command::Product(product) => commands::product::run(&product),
        Command::Readiness(readiness) => commands::readiness::run(&readiness),
    }
}

/// Number of threads when none is asked for.
fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs `work` on a pool of `threads` threads; all cores if not given.
///
/// # Errors
/// Those of `work`, and the system's refusal to start threads.
fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or_else(all_cores)).build();
    let pool = pool.map_err(|error| Error::Io {
        action: "start the worker threads".into(),
        source: std::io::Error::other(error),
    })?;
    pool.install(work)
}
