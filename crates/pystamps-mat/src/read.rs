//! Reads MATLAB files of either container.

use crate::{Class, Container, Error, ReadLimits, Result, Value, Variables, level5, sniff, v73};
use std::io::{Read, Seek};
use std::path::Path;

/// What a file says of a variable without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableInfo {
    /// Name.
    pub name: String,
    /// Class; logical arrays are [`Class::Logical`], sparse ones [`Class::Sparse`].
    pub class: Class,
    /// Dimensions.
    pub dims: Vec<usize>,
    /// Whether the elements have imaginary parts.
    pub complex: bool,
    /// Whether the logical flag is set (also on sparse matrices).
    pub logical: bool,
    /// Bytes of the elements in memory; for structs, cells, sparse matrices and objects the bytes
    /// that the file spends on them (0 where v7.3 cannot tell).
    pub bytes: u64,
}

/// Describes the variables of a file, in file order, without reading their data.
///
/// # Errors
/// [`Error`] as for [`read()`], but unsupported classes are listed, not refused.
pub fn list(path: impl AsRef<Path>) -> Result<Vec<VariableInfo>> {
    let path = path.as_ref();
    list_from(open(path)?, path, &ReadLimits::default())
}

/// Reads every variable of a file.
///
/// # Errors
/// The file cannot be opened or read, is no level-5 or v7.3 file, is truncated or damaged, holds
/// a class that is not supported, or exceeds the default [`ReadLimits`].
pub fn read(path: impl AsRef<Path>) -> Result<Variables> {
    read_with_limits(path, None, &ReadLimits::default())
}

/// Reads one variable; the others cost nothing but their headers.
///
/// # Errors
/// As for [`read()`], and [`Error::MissingVariable`].
pub fn read_variable(path: impl AsRef<Path>, name: &str) -> Result<Value> {
    let path = path.as_ref();
    read_variables(path, &[name])?.remove(name).ok_or_else(|| Error::MissingVariable {
        path: path.to_path_buf(),
        variable: name.to_owned(),
        available: Vec::new(),
    })
}

/// Reads the variables called `names`.
///
/// # Errors
/// As for [`read()`], and [`Error::MissingVariable`] for the first name that is not there.
pub fn read_variables(path: impl AsRef<Path>, names: &[&str]) -> Result<Variables> {
    read_with_limits(path, Some(names), &ReadLimits::default())
}

/// Reads the variables called `names`, or all of them, under other than the default limits.
///
/// # Errors
/// As for [`read_variables`].
pub fn read_with_limits(
    path: impl AsRef<Path>,
    names: Option<&[&str]>,
    limits: &ReadLimits,
) -> Result<Variables> {
    let path = path.as_ref();
    read_from(open(path)?, path, names, limits)
}

/// Describes the variables behind any reader; `origin` names it in errors.
///
/// # Errors
/// As for [`list`].
pub fn list_from<R: Read + Seek + Send + 'static>(
    mut reader: R,
    origin: &Path,
    limits: &ReadLimits,
) -> Result<Vec<VariableInfo>> {
    match sniff::sniff(&mut reader, origin)? {
        Container::Level5 => level5::list(reader, origin, limits),
        Container::V73 => v73::list(reader, origin, limits),
    }
}

/// Reads the variables called `names`, or all of them, from any reader; `origin` names it in
/// errors.
///
/// # Errors
/// As for [`read_variables`].
pub fn read_from<R: Read + Seek + Send + 'static>(
    mut reader: R,
    origin: &Path,
    names: Option<&[&str]>,
    limits: &ReadLimits,
) -> Result<Variables> {
    let mut available = Vec::new();
    let mut wanted = |name: &str| {
        available.push(name.to_owned());
        names.is_none_or(|names| names.contains(&name))
    };
    let variables = match sniff::sniff(&mut reader, origin)? {
        Container::Level5 => level5::read(reader, origin, limits, &mut wanted)?,
        Container::V73 => v73::read(reader, origin, limits, &mut wanted)?,
    };
    match names.unwrap_or_default().iter().find(|name| !variables.contains(name)) {
        None => Ok(variables),
        Some(missing) => Err(Error::MissingVariable {
            path: origin.to_path_buf(),
            variable: (*missing).to_owned(),
            available,
        }),
    }
}

fn open(path: &Path) -> Result<std::fs::File> {
    // Not fs-err: the variant names the path itself.
    std::fs::OpenOptions::new().read(true).open(path).map_err(|source| Error::Io {
        path: path.to_path_buf(),
        action: "open",
        source,
    })
}
