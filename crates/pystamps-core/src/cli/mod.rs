//! The command line: [`run`] takes the arguments and returns the exit code.
//!
//! Exit codes: 0 done, 1 the data or the run failed, 2 wrong usage, 3 a verification found
//! differences; 143 it was told to stop. Standard output is data, standard error is for people; a
//! failure is told on both where JSON was asked for.

pub(crate) mod arguments;
mod commands;
mod output;
mod stop;

use std::ffi::OsString;

use clap::Parser;

use crate::error::{Diagnostic, Error, Result};
use arguments::{Arguments, Command};

/// Runs the program with `argv` (the program's name first) and returns its exit code.
pub fn run(argv: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let argv: Vec<OsString> = argv.into_iter().map(Into::into).collect();
    let json = asks_for_json(&argv);
    let arguments = match Arguments::try_parse_from(argv) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers (exit 0), anything else is wrong usage (exit 2).
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let _ = error.print();
            if json && code != 0 {
                output::report_diagnostic(misspelt(&error.to_string()), code);
            }
            return code;
        }
    };
    if arguments.command.stops_with_stdin() {
        stop::stop_with_stdin();
    }
    match dispatch(arguments.command) {
        Ok(()) => 0,
        Err(error) => {
            output::report_error(&error, json);
            error.exit_code()
        }
    }
}

/// Whether the answer is to be JSON, even of a command line that cannot be understood.
fn asks_for_json(argv: &[OsString]) -> bool {
    let follows = |pair: &[OsString]| pair[0] == "--progress" && pair[1] == "json";
    argv.iter().any(|word| word == "--json" || word == "--progress=json")
        || argv.windows(2).any(follows)
}

/// What programs are told of a command line that cannot be understood.
fn misspelt(text: &str) -> Diagnostic {
    let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    Diagnostic::new("usage", problem).remedy("see --help")
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Prep(prep) => commands::prep::run(prep),
        Command::Stage(stage) => commands::stage::run(&stage),
        Command::Params(params) => commands::params::run(params),
        Command::Inspect(inspect) => commands::inspect::run(&inspect),
        Command::Adopt(adopt) => commands::adopt::run(&adopt),
        Command::Status(status) => commands::status::run(&status),
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
