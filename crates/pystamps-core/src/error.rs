//! Defines the one error type of this crate and the diagnostics it carries.
//!
//! Every problem a user can cause has a name (`raster-size`, `master-ambiguous`, …) and says which
//! file and variable it concerns, what was expected, what was found and what to do next.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Anything that stops a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line or a parameter asks for something that does not exist or cannot work
    /// (exit code 2).
    #[error("{0}")]
    Usage(Box<Diagnostic>),
    /// An input file, or what is in it, cannot be processed (exit code 1).
    #[error("{0}")]
    Data(Box<Diagnostic>),
    /// A verification found differences (exit code 3).
    #[error("{0}")]
    Difference(Box<Diagnostic>),
    /// The operating system refused a file operation (exit code 1). `source` names the path.
    #[error("[io] cannot {action}\n  reason:   {source}\n  to do:    {}", advice(source.kind()))]
    Io {
        /// What was being done, for example `publish PATCH_1`.
        action: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A MATLAB file could not be read or written (exit code 1).
    #[error("[{}] {_0}\n  to do:    {}", _0.name(), _0.hint())]
    Mat(#[from] pystamps_mat::Error),
}

/// A named problem with everything a person needs to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable short name, lower case with hyphens.
    pub name: &'static str,
    /// One sentence without a full stop: what is wrong.
    pub problem: String,
    /// File or folder concerned.
    pub path: Option<PathBuf>,
    /// Variable, key or parameter inside the file.
    pub variable: Option<String>,
    /// What would have been right.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What to do next, in the imperative.
    pub remedy: Option<String>,
}

impl Diagnostic {
    /// Starts a diagnostic called `name` that states `problem`.
    pub fn new(name: &'static str, problem: impl Into<String>) -> Self {
        Self { name, problem: problem.into(), ..Self::default() }
    }

    /// Names the file or folder concerned.
    #[must_use]
    pub fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// Names the variable, key or parameter concerned.
    #[must_use]
    pub fn variable(mut self, variable: impl Into<String>) -> Self {
        self.variable = Some(variable.into());
        self
    }

    /// Says what would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// Says what was found instead.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Turns this into an [`Error::Data`].
    pub fn data(self) -> Error {
        Error::Data(Box::new(self))
    }

    /// Turns this into an [`Error::Difference`].
    pub fn difference(self) -> Error {
        Error::Difference(Box::new(self))
    }

    /// Turns this into an [`Error::Usage`].
    pub fn usage(self) -> Error {
        Error::Usage(Box::new(self))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}] {}", self.name, self.problem)?;
        if let Some(path) = &self.path {
            write!(out, "\n  file:     {}", path.display())?;
        }
        let rows = [
            ("variable:", &self.variable),
            ("expected:", &self.expected),
            ("found:", &self.found),
            ("to do:", &self.remedy),
        ];
        for (label, text) in rows {
            if let Some(text) = text {
                write!(out, "\n  {label:<9} {text}")?;
            }
        }
        Ok(())
    }
}

impl Error {
    /// The process exit code this error asks for: 2 for wrong usage, 3 for differences that a
    /// verification found, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Difference(_) => 3,
            Self::Data(_) | Self::Io { .. } | Self::Mat(_) => 1,
        }
    }

    /// Names the file concerned, where this is a diagnostic that names none.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        if let Some(diagnostic) = self.stated() {
            diagnostic.path.get_or_insert_with(|| path.to_path_buf());
        }
        self
    }

    /// Says which `list` holds what was found, where that is another file than the one concerned.
    #[must_use]
    pub fn found_in(mut self, list: &Path) -> Self {
        if let Some(found) = self.stated().and_then(|diagnostic| diagnostic.found.as_mut()) {
            *found = format!("{found}, in {}", list.display());
        }
        self
    }

    fn stated(&mut self) -> Option<&mut Diagnostic> {
        match self {
            Self::Usage(diagnostic) | Self::Data(diagnostic) | Self::Difference(diagnostic) => {
                Some(diagnostic)
            }
            Self::Io { .. } | Self::Mat(_) => None,
        }
    }

    /// The variable, key or parameter concerned, if the error is about one.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Usage(diagnostic) | Self::Data(diagnostic) | Self::Difference(diagnostic) => {
                diagnostic.variable.as_deref()
            }
            Self::Io { .. } | Self::Mat(_) => None,
        }
    }

    /// The diagnostic's name; `io` for a refusal of the operating system.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Usage(diagnostic) | Self::Data(diagnostic) | Self::Difference(diagnostic) => {
                diagnostic.name
            }
            Self::Io { .. } => "io",
            Self::Mat(error) => error.name(),
        }
    }

    /// The error in the parts of a diagnostic, whatever it is. A refusal of the operating system or a
    /// MATLAB file that cannot be used states everything in its problem, and has a remedy.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Usage(diagnostic) | Self::Data(diagnostic) | Self::Difference(diagnostic) => {
                (**diagnostic).clone()
            }
            Self::Io { action, source } => {
                Diagnostic::new("io", format!("cannot {action}: {source}"))
                    .remedy(advice(source.kind()))
            }
            Self::Mat(error) => {
                Diagnostic::new(error.name(), error.to_string()).remedy(error.hint())
            }
        }
    }

    /// The error in one line, for tables and reasons.
    pub fn one_line(&self) -> String {
        let Diagnostic { name, problem, path, variable, found, .. } = self.diagnostic();
        let parts = [
            Some(format!("[{name}] {problem}")),
            path.map(|path| format!(": {}", path.display())),
            variable.map(|variable| format!(" ({variable})")),
            found.map(|found| format!(", found {found}")),
        ];
        let line: String = parts.into_iter().flatten().collect();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What to do about a refusal of the operating system.
fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "check the path; an earlier step may not have been run",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "check the permissions of the path, or choose another"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space and run the same command again: nothing was overwritten"
        }
        ErrorKind::UnexpectedEof => "the file became shorter while it was read: make it again",
        _ => "mend the cause and run the same command again: nothing was overwritten",
    }
}

/// Adds what was being done to an I/O error; `fs_err` has already added the path.
pub trait IoContext<T> {
    /// Wraps the error as [`Error::Io`] with `action`.
    ///
    /// # Errors
    /// The wrapped error.
    fn while_doing(self, action: impl Into<String>) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn while_doing(self, action: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Io { action: action.into(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_problem_and_a_remedy_in_parts() {
        let io = Error::Io { action: "read it".into(), source: ErrorKind::PermissionDenied.into() };
        let diagnostic = io.diagnostic();
        assert_eq!((diagnostic.name, diagnostic.path), ("io", None));
        assert!(diagnostic.problem.starts_with("cannot read it: "), "{}", diagnostic.problem);
        assert!(diagnostic.remedy.is_some_and(|remedy| remedy.contains("permissions")));
        let mat = Error::Mat(pystamps_mat::Error::Version4 { path: "a.mat".into() });
        assert_eq!(mat.diagnostic().name, "mat-version-4");
        assert!(mat.diagnostic().problem.contains("a.mat") && mat.diagnostic().remedy.is_some());
    }

    #[test]
    fn one_line_has_no_line_breaks_and_what_matters() {
        let error = Diagnostic::new("no-ps", "nothing\nleft").path("a").variable("b").found("c");
        assert_eq!(error.data().one_line(), "[no-ps] nothing left: a (b), found c");
    }
}
