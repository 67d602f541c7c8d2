//! Writes MATLAB files of either container.

use crate::level5::Level5Writer;
use crate::v73::V73Writer;
use crate::value::count_elements;
use crate::{ElementSource, ElementType, Error, Result, StructArray, Value, Variables};
use std::borrow::Cow;
use std::path::Path;

/// Bytes of one variable that level 5 cannot hold, and MATLAB writes to v7.3.
const LEVEL5_LIMIT_BYTES: u64 = 1 << 31;

/// File format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// MATLAB 5 to 7 (`save -v6`, `save -v7`).
    Level5,
    /// HDF5 as MATLAB writes it (`save -v7.3`).
    V73,
}

impl Container {
    /// The container for a file whose largest variable has this many bytes.
    ///
    /// # StaMPS compatibility
    /// `stamps_save` has the same rule: 2^31 bytes or more go to v7.3.
    pub const fn for_largest_variable(bytes: u64) -> Self {
        if bytes < LEVEL5_LIMIT_BYTES { Self::Level5 } else { Self::V73 }
    }
}

/// How files are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Deflate level from 1 to 9 of level-5 variables, or none (the default).
    ///
    /// Phases and their noise hardly shrink: `docs/matfiles.md` has the measurement.
    pub deflate_level: Option<u32>,
}

/// Writes all variables to `path`, in the container that their sizes ask for.
///
/// The file is created or truncated. It is neither published atomically nor synchronised with the
/// disk: write to a staging path, call `sync_all`, and rename.
///
/// # Errors
/// [`Error::InvalidName`], [`Error::Unsupported`] (sparse matrices; what v7.3 cannot take),
/// [`Error::Io`].
pub fn write(path: impl AsRef<Path>, variables: &Variables, options: &WriteOptions) -> Result<()> {
    let largest = variables.iter().map(|(_, value)| value.payload_bytes()).max().unwrap_or(0);
    let mut writer = Writer::create(path, Container::for_largest_variable(largest), *options)?;
    for (name, value) in variables.iter() {
        writer.write(name, value)?;
    }
    writer.finish()
}

/// Writes a file variable by variable.
///
/// Values and sources are borrowed until [`Writer::finish`]: v7.3 needs to know every variable
/// before it can place the first. A value may also be given away, so that temporaries work.
///
/// ```no_run
/// use pystamps_mat::{Container, Value, WriteOptions, Writer};
///
/// let phases = Value::column_f64(&[0.1, 0.2]);
/// let mut writer = Writer::create("ph1.mat", Container::Level5, WriteOptions::default())?;
/// writer.write("ph", &phases)?;
/// writer.write("n_ps", Value::scalar(2.0))?;
/// writer.finish()?;
/// # Ok::<(), pystamps_mat::Error>(())
/// ```
pub struct Writer<'a> {
    inner: Inner<'a>,
    names: std::collections::BTreeSet<String>,
}

enum Inner<'a> {
    Level5(Box<Level5Writer>),
    V73(V73Writer<'a>),
}

impl<'a> Writer<'a> {
    /// Creates or truncates `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Unsupported`] for v7.3 with deflate, which the library can write
    /// only in a form that MATLAB's `load` refuses.
    pub fn create(
        path: impl AsRef<Path>,
        container: Container,
        options: WriteOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        if container == Container::V73 && options.deflate_level.is_some() {
            return Err(Error::Unsupported {
                path: path.to_path_buf(),
                variable: None,
                what: "deflate in a v7.3 file".to_owned(),
                remedy: "write it without deflate",
            });
        }
        // Not fs-err: the variant names the path itself.
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map_err(|source| Error::Io {
            path: path.to_path_buf(),
            action: "create",
            source,
        })?;
        let inner = match container {
            Container::Level5 => {
                Inner::Level5(Box::new(Level5Writer::create(file, path, options)?))
            }
            Container::V73 => Inner::V73(V73Writer::new(file, path)),
        };
        Ok(Self { inner, names: std::collections::BTreeSet::new() })
    }

    /// Writes one variable.
    ///
    /// # Errors
    /// [`Error::InvalidName`] (also for a name already written), [`Error::Unsupported`],
    /// [`Error::TooLargeForLevel5`], [`Error::Io`].
    pub fn write(&mut self, name: &str, value: impl Into<Cow<'a, Value>>) -> Result<()> {
        self.claim(name)?;
        let value = value.into();
        match &mut self.inner {
            Inner::Level5(writer) => writer.write(name, &value),
            Inner::V73(writer) => writer.stage_value(name, value),
        }
    }

    /// Writes a numeric array of `dims` (two or more) whose elements `source` provides in blocks
    /// of about a megabyte, so that it need not fit memory.
    ///
    /// # Errors
    /// As for [`Writer::write`], and what the source reports as [`Error::Io`].
    pub fn write_streamed(
        &mut self,
        name: &str,
        element: ElementType,
        dims: &[usize],
        source: &'a mut dyn ElementSource,
    ) -> Result<()> {
        self.claim(name)?;
        let valid = dims.len() >= 2 && dims.len() <= 32;
        if !valid || count_elements(dims).is_none_or(|n| n.checked_mul(16).is_none()) {
            return Err(Error::Unsupported {
                path: self.path().to_path_buf(),
                variable: Some(name.to_owned()),
                what: format!("an array of dimensions {dims:?}"),
                remedy: "give 2 to 32 dimensions whose product is in range",
            });
        }
        match &mut self.inner {
            Inner::Level5(writer) => writer.write_streamed(name, element, dims, source),
            Inner::V73(writer) => {
                writer.stage_source(name, element, dims, source);
                Ok(())
            }
        }
    }

    /// Writes what is left. Who publishes the file synchronises it with the disk.
    ///
    /// # Errors
    /// As for [`Writer::write`].
    pub fn finish(self) -> Result<()> {
        match self.inner {
            Inner::Level5(writer) => writer.finish(),
            Inner::V73(writer) => writer.finish(),
        }
    }

    fn path(&self) -> &Path {
        match &self.inner {
            Inner::Level5(writer) => writer.path(),
            Inner::V73(writer) => writer.path(),
        }
    }

    /// Checks a name and that it is new.
    fn claim(&mut self, name: &str) -> Result<()> {
        if is_valid_name(name) && self.names.insert(name.to_owned()) {
            return Ok(());
        }
        Err(Error::InvalidName { path: self.path().to_path_buf(), variable: name.to_owned() })
    }
}

impl From<Value> for Cow<'_, Value> {
    fn from(value: Value) -> Self {
        Cow::Owned(value)
    }
}

impl<'a> From<&'a Value> for Cow<'a, Value> {
    fn from(value: &'a Value) -> Self {
        Cow::Borrowed(value)
    }
}

/// Refuses a structure with a field that MATLAB cannot load.
pub(crate) fn check_field_names(path: &Path, name: &str, structs: &StructArray) -> Result<()> {
    match structs.fields().iter().find(|field| !is_valid_name(field)) {
        None => Ok(()),
        Some(field) => Err(Error::InvalidName {
            path: path.to_path_buf(),
            variable: format!("{name}.{field}"),
        }),
    }
}

/// Whether MATLAB can load a variable or field of this name.
pub(crate) fn is_valid_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
