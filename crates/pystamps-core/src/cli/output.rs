//! Writes to standard output and standard error; everything the program prints passes here, or
//! through [`crate::progress`].

use std::io::{ErrorKind, Write};

use crate::error::{Error, IoContext, Result};

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

/// Tells people why the command failed.
pub(super) fn report_error(error: &Error) {
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr().lock(), "error: {error}");
}
