//! Reads elements of one large array by position, so that it need not fit memory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use num_complex::Complex;

use crate::{Class, Container, Error, Numeric, NumericData, ReadLimits, Result, Value};
use crate::{level5, list, read_variable, sniff, v73};

/// Elements converted at a time.
const BLOCK_ELEMENTS: usize = 1 << 14;

/// Where a floating-point array lies in its file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlainArray {
    pub(crate) class: Class,
    pub(crate) dims: Vec<usize>,
    pub(crate) parts: PlainParts,
}

/// Byte positions of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainParts {
    /// Real numbers at a position.
    Real(u64),
    /// Real parts at one position, imaginary parts at another (level 5).
    Apart(u64, u64),
    /// Real and imaginary parts side by side (v7.3).
    Interleaved(u64),
}

/// A `double` or `single` array, real or complex, whose elements are read by position.
///
/// Arrays stored as they are (without compression, in the machine's byte order, in the width of
/// their class), as this crate writes them, are read from the file. Others are decoded whole when
/// opened; [`ArrayReader::resident_bytes`] says what that takes.
#[derive(Debug)]
pub struct ArrayReader {
    path: PathBuf,
    name: String,
    class: Class,
    dims: Vec<usize>,
    complex: bool,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    File(File, PlainParts),
    Memory(Numeric),
}

/// A number that [`ArrayReader`] gives: `f32` or `f64`.
pub trait Real: bytemuck::Pod {
    /// `value` in this precision.
    fn from_f32(value: f32) -> Self;
    /// `value` rounded to this precision.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn from_f32(value: f32) -> Self {
        value
    }
    #[expect(clippy::cast_possible_truncation, reason = "the caller asks for single precision")]
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    fn from_f32(value: f32) -> Self {
        value.into()
    }
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// Which half of complex numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Real,
    Imaginary,
}

impl ArrayReader {
    /// Opens the variable `name` of the file at `path`.
    ///
    /// # Errors
    /// As for [`read_variable`]; [`Error::Unsupported`] if it is not a `double` or `single` array.
    pub fn open(path: impl AsRef<Path>, name: &str) -> Result<Self> {
        let path = path.as_ref();
        let plain = locate(path, name)?;
        let (path, name) = (path.to_path_buf(), name.to_owned());
        if let Some(PlainArray { class, dims, parts }) = plain {
            let complex = !matches!(parts, PlainParts::Real(_));
            let storage = Storage::File(open_file(&path)?, parts);
            return Ok(Self { path, name, class, dims, complex, storage });
        }
        let value = read_variable(&path, &name)?;
        let (class, dims, complex) = (value.class(), value.dims().to_vec(), value.is_complex());
        match value {
            Value::Numeric(numeric) if matches!(class, Class::Double | Class::Single) => {
                Ok(Self { path, name, class, dims, complex, storage: Storage::Memory(numeric) })
            }
            _ => Err(Error::Unsupported {
                path,
                variable: Some(name),
                what: format!("an array of class {class} where real numbers are needed"),
                remedy: "save it as double or single",
            }),
        }
    }

    /// Memory that [`ArrayReader::open`] would take for the variable `name`: 0 if it can stay in
    /// its file.
    ///
    /// # Errors
    /// As for [`list`](crate::list()); a variable that is not there takes nothing.
    pub fn bytes_to_open(path: impl AsRef<Path>, name: &str) -> Result<u64> {
        let path = path.as_ref();
        if locate(path, name)?.is_some() {
            return Ok(0);
        }
        let variables = list(path)?;
        Ok(variables.iter().find(|info| info.name == name).map_or(0, |info| info.bytes))
    }

    /// Class of the array.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Dimensions of the array.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Whether the array has imaginary parts.
    pub const fn is_complex(&self) -> bool {
        self.complex
    }

    /// File the array is in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the variable.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Memory the array takes because it could not be left in the file.
    pub fn resident_bytes(&self) -> u64 {
        match &self.storage {
            Storage::File(..) => 0,
            Storage::Memory(numeric) => numeric.data().as_bytes().len() as u64,
        }
    }

    /// Reads real parts of the elements from column-major index `first` on.
    ///
    /// # Errors
    /// [`Error::Io`]; reading past the end.
    pub fn read_real<T: Real>(&self, first: u64, out: &mut [T]) -> Result<()> {
        self.read_part(Part::Real, first, out)
    }

    /// Reads imaginary parts of the elements from `first` on; zeros if the array is real.
    ///
    /// # Errors
    /// As for [`ArrayReader::read_real`].
    pub fn read_imaginary<T: Real>(&self, first: u64, out: &mut [T]) -> Result<()> {
        if !self.complex {
            self.check_range(first, out.len())?;
            out.fill(T::from_f32(0.0));
            return Ok(());
        }
        self.read_part(Part::Imaginary, first, out)
    }

    fn check_range(&self, first: u64, count: usize) -> Result<()> {
        let length = self.dims.iter().product::<usize>() as u64;
        match first.checked_add(count as u64) {
            Some(end) if end <= length => Ok(()),
            _ => Err(self.failed(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.path.clone(), action: "read", source }
    }

    fn read_part<T: Real>(&self, part: Part, first: u64, out: &mut [T]) -> Result<()> {
        self.check_range(first, out.len())?;
        let (single, imaginary) = (self.class == Class::Single, part == Part::Imaginary);
        match &self.storage {
            Storage::Memory(numeric) => {
                let first = usize::try_from(first).expect("invariant: the range was checked");
                copy_part(numeric.data(), part, first, out);
                Ok(())
            }
            Storage::File(file, PlainParts::Interleaved(start)) if single => {
                read_converted(file, start + 8 * first, out, |c: Complex<f32>| {
                    T::from_f32(if imaginary { c.im } else { c.re })
                })
                .map_err(|source| self.failed(source))
            }
            Storage::File(file, PlainParts::Interleaved(start)) => {
                read_converted(file, start + 16 * first, out, |c: Complex<f64>| {
                    T::from_f64(if imaginary { c.im } else { c.re })
                })
                .map_err(|source| self.failed(source))
            }
            Storage::File(file, PlainParts::Real(real) | PlainParts::Apart(real, _))
                if part == Part::Real =>
            {
                self.read_plain(file, *real, single, first, out)
            }
            Storage::File(file, PlainParts::Apart(_, imaginary) | PlainParts::Real(imaginary)) => {
                self.read_plain(file, *imaginary, single, first, out)
            }
        }
    }

    fn read_plain<T: Real>(
        &self,
        file: &File,
        start: u64,
        single: bool,
        first: u64,
        out: &mut [T],
    ) -> Result<()> {
        let read = if single {
            read_converted(file, start + 4 * first, out, T::from_f32)
        } else {
            read_converted(file, start + 8 * first, out, T::from_f64)
        };
        read.map_err(|source| self.failed(source))
    }
}

/// Where the array called `name` lies, if it is stored as it is.
fn locate(path: &Path, name: &str) -> Result<Option<PlainArray>> {
    let mut file = open_file(path)?;
    let limits = ReadLimits::default();
    match sniff::sniff(&mut file, path)? {
        Container::Level5 => level5::locate(file, path, &limits, name),
        Container::V73 => v73::locate(file, path, &limits, name),
    }
}

fn open_file(path: &Path) -> Result<File> {
    let failed = |source| Error::Io { path: path.to_path_buf(), action: "open", source };
    // Not fs-err: the variant names the path itself.
    std::fs::OpenOptions::new().read(true).open(path).map_err(failed)
}

/// Reads numbers stored as `S` from byte `position` on.
fn read_converted<S: bytemuck::Pod, T: Real>(
    file: &File,
    position: u64,
    out: &mut [T],
    convert: impl Fn(S) -> T,
) -> std::io::Result<()> {
    if std::any::TypeId::of::<S>() == std::any::TypeId::of::<T>() {
        return file.read_exact_at(bytemuck::cast_slice_mut(out), position);
    }
    let mut block = vec![S::zeroed(); BLOCK_ELEMENTS.min(out.len())];
    let mut position = position;
    for out in out.chunks_mut(BLOCK_ELEMENTS) {
        let block = &mut block[..out.len()];
        file.read_exact_at(bytemuck::cast_slice_mut(block), position)?;
        position += size_of_val(block) as u64;
        for (out, &stored) in out.iter_mut().zip(&*block) {
            *out = convert(stored);
        }
    }
    Ok(())
}

fn copy_part<T: Real>(data: &NumericData, part: Part, first: usize, out: &mut [T]) {
    let range = first..first + out.len();
    let imaginary = part == Part::Imaginary;
    match data {
        NumericData::F32(values) => copy(&values[range], out, |&v| T::from_f32(v)),
        NumericData::F64(values) => copy(&values[range], out, |&v| T::from_f64(v)),
        NumericData::C32(values) => {
            copy(&values[range], out, |v| T::from_f32(if imaginary { v.im } else { v.re }));
        }
        NumericData::C64(values) => {
            copy(&values[range], out, |v| T::from_f64(if imaginary { v.im } else { v.re }));
        }
        _ => unreachable!("invariant: `open` refuses integers"),
    }
}

fn copy<S, T>(values: &[S], out: &mut [T], convert: impl Fn(&S) -> T) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = convert(value);
    }
}
