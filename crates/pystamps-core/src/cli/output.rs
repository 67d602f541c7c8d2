//! Writes to standard output and standard error; everything the program prints passes here, or
//! through [`crate::progress`].

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::error::{Diagnostic, Error, IoContext, Result};

/// Prints data. A reader that went away (`| head`) is no error.
///
/// # Errors
/// Any other failure to write.
pub(super) fn print_line(line: impl std::fmt::Display) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.while_doing("write to standard output"),
    }
}

/// Prints `value` as one line of JSON.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    print_line(serde_json::to_string(value).expect("invariant: results are plain data"))
}

/// Prints what a command has to tell at its end as one line of JSON, `"event"` first.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_event(event: &'static str, content: &impl serde::Serialize) -> Result<()> {
    print_json(&Event { event, content })
}

/// One line for programs.
#[derive(serde::Serialize)]
struct Event<'a, T: serde::Serialize> {
    event: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

/// What programs are told of an error.
#[derive(serde::Serialize)]
struct ErrorReport {
    name: &'static str,
    problem: String,
    path: Option<PathBuf>,
    variable: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    remedy: Option<String>,
    exit_code: u8,
}

/// Tells people why the command failed, and programs too if they asked for JSON.
pub(super) fn report_error(error: &Error, json: bool) {
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr().lock(), "error: {error}");
    // Differences have been told already: they are the answer.
    if json && !matches!(error, Error::Difference(_)) {
        report_diagnostic(error.diagnostic(), error.exit_code());
    }
}

/// Tells programs what is wrong.
pub(super) fn report_diagnostic(diagnostic: Diagnostic, exit_code: u8) {
    let Diagnostic { name, problem, path, variable, expected, found, remedy } = diagnostic;
    let report = ErrorReport { name, problem, path, variable, expected, found, remedy, exit_code };
    // Nor about a closed standard output.
    let _ = print_event("error", &report);
}
