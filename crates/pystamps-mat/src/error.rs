//! Defines the one error type of this crate.
//!
//! Every variant says which file and, where it is known, which variable it concerns, what was
//! expected and what was found; [`Error::hint`] says what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Anything that goes wrong with a MATLAB file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write the file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// File concerned.
        path: PathBuf,
        /// `open`, `read`, `write`, …
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The first bytes are those of no MATLAB file.
    #[error("{} is not a MATLAB file: expected a level-5 or v7.3 header, found {found}", path.display())]
    NotMatlab {
        /// File concerned.
        path: PathBuf,
        /// What the header looks like.
        found: String,
    },
    /// A version-4 file, which knows neither classes nor structures.
    #[error("{} is a version-4 MATLAB file: expected level 5 or v7.3", path.display())]
    Version4 {
        /// File concerned.
        path: PathBuf,
    },
    /// The file ends before what its headers announce.
    #[error("{}{} is truncated: expected {expected} more bytes, found {found}", path.display(), Of(variable))]
    Truncated {
        /// File concerned.
        path: PathBuf,
        /// Variable concerned.
        variable: Option<String>,
        /// Bytes announced.
        expected: u64,
        /// Bytes left.
        found: u64,
    },
    /// The file contradicts its own format.
    #[error("{}{} is damaged: expected {expected}, found {found}", path.display(), Of(variable))]
    Malformed {
        /// File concerned.
        path: PathBuf,
        /// Variable concerned.
        variable: Option<String>,
        /// What the format demands.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Valid MATLAB, but nothing this crate reads or writes.
    #[error("{}{}: {what} is not supported", path.display(), Of(variable))]
    Unsupported {
        /// File concerned.
        path: PathBuf,
        /// Variable concerned.
        variable: Option<String>,
        /// The unsupported thing.
        what: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// Reading would take more memory or nesting than [`ReadLimits`](crate::ReadLimits) allows.
    #[error("{}{} exceeds the limit of {limit} {unit}: found {found}", path.display(), Of(variable))]
    LimitExceeded {
        /// File concerned.
        path: PathBuf,
        /// Variable concerned.
        variable: Option<String>,
        /// What is limited.
        unit: &'static str,
        /// The limit.
        limit: u64,
        /// What the file asks for.
        found: u64,
    },
    /// The file has no variable of that name.
    #[error("{} has no variable {variable}: found {}", path.display(), Names(available))]
    MissingVariable {
        /// File concerned.
        path: PathBuf,
        /// The variable asked for.
        variable: String,
        /// What the file has.
        available: Vec<String>,
    },
    /// A variable of 2^31 bytes or more was to be written to a level-5 file.
    #[error("{} of variable {variable}: level 5 holds less than 2147483648 bytes a variable, found {bytes}", path.display())]
    TooLargeForLevel5 {
        /// File concerned.
        path: PathBuf,
        /// Variable concerned.
        variable: String,
        /// Its size.
        bytes: u64,
    },
    /// A variable or field name that MATLAB cannot load.
    #[error("{} of variable {variable:?}: expected a name of letters, digits and underscores that starts with a letter, at most 63 long", path.display())]
    InvalidName {
        /// File concerned.
        path: PathBuf,
        /// The name.
        variable: String,
    },
}

impl Error {
    /// Stable short name, lower case with hyphens.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Io { .. } => "mat-io",
            Self::NotMatlab { .. } => "mat-not-matlab",
            Self::Version4 { .. } => "mat-version-4",
            Self::Truncated { .. } => "mat-truncated",
            Self::Malformed { .. } => "mat-malformed",
            Self::Unsupported { .. } => "mat-unsupported",
            Self::LimitExceeded { .. } => "mat-limit",
            Self::MissingVariable { .. } => "mat-missing-variable",
            Self::TooLargeForLevel5 { .. } => "mat-too-large",
            Self::InvalidName { .. } => "mat-invalid-name",
        }
    }

    /// What to do next, in the imperative.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the path and its permissions; when writing, the free space",
            Self::NotMatlab { .. } => "save it with `save -v7` or `save -v7.3`",
            Self::Version4 { .. } => {
                "load it in MATLAB or Octave and save it again with `save -v7`"
            }
            Self::Truncated { .. } | Self::Malformed { .. } => "copy or create the file again",
            Self::Unsupported { remedy, .. } => remedy,
            Self::LimitExceeded { .. } => "read it with larger ReadLimits if you trust the file",
            Self::MissingVariable { .. } => "check the name or create the file again",
            Self::TooLargeForLevel5 { .. } => "write it to a v7.3 file",
            Self::InvalidName { .. } => "rename the variable",
        }
    }
}

/// Prints ` (variable x)` or nothing.
struct Of<'a>(&'a Option<String>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, " (variable {name})"))
    }
}

/// Prints a list of names, or that there are none.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no variables");
        }
        f.write_str(&self.0.join(", "))
    }
}
