//! Writes level-5 files: little endian, numbers in the full width of their class.

use super::tags;
use crate::payload::Payload;
use crate::synced_file::SyncedFile;
use crate::value::count_elements;
use crate::write::check_field_names;
use crate::{
    CharArray, Class, Container, ElementSource, ElementType, Error, Result, Sparse, SparseData,
    StructArray, Value, WriteOptions,
};
use num_complex::Complex;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, IntoInnerError, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Readers look for the first words; the rest is free. No clock and no host: same data, same
/// bytes.
const HEADER_TEXT: &[u8] = b"MATLAB 5.0 MAT-file, written by pystamps";
/// Complex elements separated at a time, in bytes; source and result stay in the second-level
/// cache.
const BLOCK_BYTES: usize = 1 << 18;

/// Writes variables to a level-5 file one after the other.
pub(crate) struct Level5Writer {
    file: BufWriter<SyncedFile>,
    path: PathBuf,
    options: WriteOptions,
}

impl Level5Writer {
    pub(crate) fn create(file: File, path: &Path, options: WriteOptions) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, SyncedFile::new(file));
        let mut writer = Self { file, path: path.into(), options };
        let mut header = [b' '; tags::HEADER_BYTES];
        header[..HEADER_TEXT.len()].copy_from_slice(HEADER_TEXT);
        header[116..124].fill(0);
        header[124..].copy_from_slice(&[0, 1, b'I', b'M']);
        writer.file.write_all(&header).map_err(|source| writer.failed(source))?;
        Ok(writer)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), action: "write", source }
    }

    /// Writes one variable.
    pub(crate) fn write(&mut self, name: &str, value: &Value) -> Result<()> {
        self.check_size(name, value.payload_bytes())?;
        self.check_value(name, value)?;
        let body_bytes = matrix_bytes(name, value);
        self.element(name, body_bytes, |out| write_matrix(out, name, value))
    }

    /// Writes a numeric variable block by block.
    pub(crate) fn write_streamed(
        &mut self,
        name: &str,
        element: ElementType,
        dims: &[usize],
        source: &mut dyn ElementSource,
    ) -> Result<()> {
        let count = count_elements(dims).expect("invariant: checked by the caller");
        self.check_size(name, (count * element.bytes()) as u64)?;
        self.check_dims(name, dims)?;
        let flags = flags_of(element.class(), element.is_complex());
        let body_bytes =
            header_bytes(name, dims) + parts_bytes(count, element.class(), element.is_complex());
        let mut payload = Payload::of_source(element, source);
        if element.is_complex() && self.options.deflate_level.is_none() {
            return self.start_matrix(name, body_bytes).and_then(|()| {
                write_header(&mut self.file, flags, 0, dims, name)
                    .and_then(|()| write_side_by_side(&mut self.file, &mut payload, count))
                    .map_err(|source| self.failed(source))
            });
        }
        self.element(name, body_bytes, |out| {
            write_header(out, flags, 0, dims, name)?;
            write_parts(out, &mut payload, count)
        })
    }

    /// Writes everything out.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { file, path, .. } = self;
        let flushed = file.into_inner().map_err(IntoInnerError::into_error);
        flushed.and_then(SyncedFile::finish).map_err(|source| Error::Io {
            path,
            action: "write",
            source,
        })
    }

    /// Writes a top-level element whose matrix has `body_bytes`, compressed if so asked.
    fn element(
        &mut self,
        name: &str,
        body_bytes: u64,
        body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let Some(level) = self.options.deflate_level else {
            self.start_matrix(name, body_bytes)?;
            return body(&mut self.file).map_err(|source| self.failed(source));
        };
        let body_bytes = u32::try_from(body_bytes).map_err(|_| self.too_large(name, body_bytes))?;
        let compressed = compress(&mut self.file, level, |out| {
            write_tag(out, tags::MATRIX, body_bytes)?;
            body(out)
        });
        match compressed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(bytes)) => Err(self.too_large(name, bytes)),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Writes the tag of a top-level element that is not compressed.
    fn start_matrix(&mut self, name: &str, body_bytes: u64) -> Result<()> {
        let bytes = u32::try_from(body_bytes).map_err(|_| self.too_large(name, body_bytes))?;
        write_tag(&mut self.file, tags::MATRIX, bytes).map_err(|source| self.failed(source))
    }

    fn too_large(&self, name: &str, bytes: u64) -> Error {
        Error::TooLargeForLevel5 { path: self.path.clone(), variable: name.to_owned(), bytes }
    }

    fn check_size(&self, name: &str, bytes: u64) -> Result<()> {
        match Container::for_largest_variable(bytes) {
            Container::Level5 => Ok(()),
            Container::V73 => Err(Error::TooLargeForLevel5 {
                path: self.path.clone(),
                variable: name.to_owned(),
                bytes,
            }),
        }
    }

    fn check_dims(&self, name: &str, dims: &[usize]) -> Result<()> {
        if dims.iter().all(|&extent| i32::try_from(extent).is_ok()) {
            return Ok(());
        }
        Err(Error::Unsupported {
            path: self.path.clone(),
            variable: Some(name.to_owned()),
            what: format!("an array of dimensions {dims:?} in level 5"),
            remedy: "write it to a v7.3 file",
        })
    }

    /// Refuses what the format cannot hold before anything is written.
    fn check_value(&self, name: &str, value: &Value) -> Result<()> {
        self.check_dims(name, value.dims())?;
        match value {
            Value::Sparse(matrix) if !matches!(matrix.data(), SparseData::F64(_)) => {
                Err(Error::Unsupported {
                    path: self.path.clone(),
                    variable: Some(name.to_owned()),
                    what: "writing a sparse matrix of complex numbers or flags".to_owned(),
                    remedy: "convert it to a full matrix",
                })
            }
            Value::Cell(cells) => {
                cells.values().iter().try_for_each(|value| self.check_value(name, value))
            }
            Value::Struct(structs) => {
                check_field_names(&self.path, name, structs)?;
                structs.values().iter().try_for_each(|value| self.check_value(name, value))
            }
            Value::Numeric(_) | Value::Char(_) | Value::Logical(_) | Value::Sparse(_) => Ok(()),
        }
    }
}

/// Writes a compressed element around what `body` writes; `Ok(Err(bytes))` if it grew too large.
fn compress(
    file: &mut BufWriter<SyncedFile>,
    level: u32,
    body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<std::result::Result<(), u64>> {
    let start = file.stream_position()?;
    write_tag(file, tags::COMPRESSED, 0)?;
    let compression = flate2::Compression::new(level.clamp(1, 9));
    let mut encoder = flate2::write::ZlibEncoder::new(&mut *file, compression);
    body(&mut encoder)?;
    encoder.finish()?;
    let end = file.stream_position()?;
    let Ok(compressed_bytes) = u32::try_from(end - start - 8) else {
        return Ok(Err(end - start - 8));
    };
    file.seek(SeekFrom::Start(start))?;
    write_tag(file, tags::COMPRESSED, compressed_bytes)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(Ok(()))
}

/// Bytes of an element with tag and padding; up to four bytes share the tag's eight.
const fn element_bytes(data_bytes: u64) -> u64 {
    match data_bytes {
        1..=4 => 8,
        _ => 8 + data_bytes + tags::padding(data_bytes),
    }
}

const fn header_bytes(name: &str, dims: &[usize]) -> u64 {
    16 + element_bytes(4 * dims.len() as u64) + element_bytes(name.len() as u64)
}

const fn parts_bytes(count: usize, class: Class, complex: bool) -> u64 {
    let part = element_bytes((count * class.element_bytes()) as u64);
    if complex { 2 * part } else { part }
}

/// Bytes of a matrix element without its tag.
fn matrix_bytes(name: &str, value: &Value) -> u64 {
    let nested = |values: &[Value]| values.iter().map(|value| 8 + matrix_bytes("", value)).sum();
    let contents: u64 = match value {
        Value::Struct(structs) => {
            let names = structs.fields().len() * field_width(structs);
            8 + element_bytes(names as u64) + nested(structs.values())
        }
        Value::Cell(cells) => nested(cells.values()),
        Value::Char(array) => element_bytes(stored_text(array).1.len() as u64),
        Value::Sparse(matrix) => {
            let entries = matrix.data().len() as u64;
            let indices = element_bytes(4 * entries);
            let starts = element_bytes(4 * matrix.column_starts().len() as u64);
            indices + starts + element_bytes(8 * entries)
        }
        _ => parts_bytes(value.element_count(), value.class(), value.is_complex()),
    };
    header_bytes(name, value.dims()) + contents
}

/// Bytes a field name takes: the longest with its end, never fewer than MATLAB's own 32.
fn field_width(structs: &StructArray) -> usize {
    structs.fields().iter().map(|field| field.len() + 1).max().unwrap_or(0).max(32)
}

/// Text as it is stored: a byte a character if it is ASCII, else UTF-16 code units. Octave does
/// the same; SciPy misreads other text in plain 16-bit numbers, Octave other text in UTF-8.
fn stored_text(array: &CharArray) -> (u32, Cow<'_, [u8]>) {
    let ascii: Option<Vec<u8>> =
        array.units().iter().map(|&unit| u8::try_from(unit).ok().filter(u8::is_ascii)).collect();
    match ascii {
        Some(bytes) => (tags::UTF8, Cow::Owned(bytes)),
        None => (tags::UTF16, Cow::Borrowed(bytemuck::cast_slice(array.units()))),
    }
}

fn flags_of(class: Class, complex: bool) -> u32 {
    let complex = if complex { tags::FLAG_COMPLEX } else { 0 };
    let logical = if class == Class::Logical { tags::FLAG_LOGICAL } else { 0 };
    tags::code_of(class) | complex | logical
}

fn write_tag(out: &mut (impl Write + ?Sized), data_type: u32, bytes: u32) -> io::Result<()> {
    out.write_all(bytemuck::cast_slice(&[data_type, bytes]))
}

/// Starts an element: the tag, short if the data fit beside it.
fn start_element(out: &mut dyn Write, data_type: u32, bytes: usize) -> io::Result<()> {
    let bytes = u32::try_from(bytes).map_err(io::Error::other)?;
    match bytes {
        1..=4 => out.write_all(&(data_type | bytes << 16).to_le_bytes()),
        _ => write_tag(out, data_type, bytes),
    }
}

/// Pads the data of an element to where the next one starts.
fn end_element(out: &mut dyn Write, bytes: usize) -> io::Result<()> {
    let padding = match bytes {
        1..=4 => 4 - bytes,
        _ => bytes.wrapping_neg() % 8,
    };
    out.write_all(&[0; 8][..padding])
}

fn write_element(out: &mut dyn Write, data_type: u32, data: &[u8]) -> io::Result<()> {
    start_element(out, data_type, data.len())?;
    out.write_all(data)?;
    end_element(out, data.len())
}

/// Writes what comes before the contents; `entries` is 0 for all but sparse matrices.
fn write_header(
    out: &mut dyn Write,
    flags: u32,
    entries: u32,
    dims: &[usize],
    name: &str,
) -> io::Result<()> {
    write_element(out, tags::UINT32, bytemuck::cast_slice(&[flags, entries]))?;
    write_indices(out, dims)?;
    write_element(out, tags::INT8, name.as_bytes())
}

fn write_indices(out: &mut dyn Write, indices: &[usize]) -> io::Result<()> {
    let indices: Vec<i32> = indices
        .iter()
        .map(|&index| i32::try_from(index).map_err(io::Error::other))
        .collect::<io::Result<_>>()?;
    write_element(out, tags::INT32, bytemuck::cast_slice(&indices))
}

/// Writes the entries of a sparse matrix of doubles column by column.
fn write_entries(out: &mut dyn Write, matrix: &Sparse) -> io::Result<()> {
    let SparseData::F64(values) = matrix.data() else {
        return Err(io::Error::other("invariant: other sparse matrices were refused"));
    };
    write_indices(out, matrix.row_indices())?;
    write_indices(out, matrix.column_starts())?;
    write_element(out, tags::DOUBLE, bytemuck::cast_slice(values))
}

/// Room for entries that a value's header promises; MATLAB wants at least one.
fn entry_room(value: &Value) -> io::Result<u32> {
    match value {
        Value::Sparse(matrix) => {
            u32::try_from(matrix.data().len().max(1)).map_err(io::Error::other)
        }
        _ => Ok(0),
    }
}

fn write_matrix(out: &mut dyn Write, name: &str, value: &Value) -> io::Result<()> {
    let flags = flags_of(value.class(), value.is_complex());
    write_header(out, flags, entry_room(value)?, value.dims(), name)?;
    match value {
        Value::Numeric(array) => {
            write_parts(out, &mut Payload::of_data(array.data()), array.data().len())
        }
        Value::Char(array) => {
            let (data_type, bytes) = stored_text(array);
            write_element(out, data_type, &bytes)
        }
        Value::Logical(array) => {
            write_element(out, tags::UINT8, bytemuck::cast_slice(array.data()))
        }
        Value::Cell(cells) => write_nested(out, cells.values()),
        Value::Struct(structs) => {
            let width = field_width(structs);
            write_element(
                out,
                tags::INT32,
                &u32::try_from(width).map_err(io::Error::other)?.to_le_bytes(),
            )?;
            let mut names = vec![0; width * structs.fields().len()];
            for (place, field) in names.chunks_exact_mut(width).zip(structs.fields()) {
                place[..field.len()].copy_from_slice(field.as_bytes());
            }
            write_element(out, tags::INT8, &names)?;
            write_nested(out, structs.values())
        }
        Value::Sparse(matrix) => write_entries(out, matrix),
    }
}

fn write_nested(out: &mut dyn Write, values: &[Value]) -> io::Result<()> {
    for value in values {
        let bytes = u32::try_from(matrix_bytes("", value)).map_err(io::Error::other)?;
        write_tag(out, tags::MATRIX, bytes)?;
        write_matrix(out, "", value)?;
    }
    Ok(())
}

/// Writes numbers: one part if real; all real parts, then all imaginary parts if complex.
fn write_parts(out: &mut dyn Write, payload: &mut Payload<'_>, count: usize) -> io::Result<()> {
    let element = payload.element();
    let part_bytes = count * element.class().element_bytes();
    let block = BLOCK_BYTES / element.bytes();
    let mut separated = Vec::new();
    let parts: &[Part] =
        if element.is_complex() { &[Part::Real, Part::Imaginary] } else { &[Part::Whole] };
    for part in parts {
        start_element(out, tags::storage_of(element.class()), part_bytes)?;
        for first in (0..count).step_by(block) {
            let bytes = payload.range(first, block.min(count - first))?;
            out.write_all(part.take(element, bytes, &mut separated))?;
        }
        end_element(out, part_bytes)?;
    }
    Ok(())
}

/// Writes complex numbers as [`write_parts`] does, but every element is asked for once: a block's real
/// parts go to their place and its imaginary parts to theirs.
fn write_side_by_side(
    file: &mut (impl Write + Seek),
    payload: &mut Payload<'_>,
    count: usize,
) -> io::Result<()> {
    let element = payload.element();
    let part_bytes = count * element.class().element_bytes();
    let mut separated = Vec::new();
    let start = file.stream_position()?;
    let mut places = [start, start + element_bytes(part_bytes as u64)];
    for place in &mut places {
        file.seek(SeekFrom::Start(*place))?;
        start_element(file, tags::storage_of(element.class()), part_bytes)?;
        *place = file.stream_position()?;
    }
    let block = BLOCK_BYTES / element.bytes();
    for first in (0..count).step_by(block) {
        let bytes = payload.range(first, block.min(count - first))?;
        for (place, part) in places.iter_mut().zip([Part::Real, Part::Imaginary]) {
            let part = part.take(element, bytes, &mut separated);
            file.seek(SeekFrom::Start(*place))?;
            file.write_all(part)?;
            *place += part.len() as u64;
        }
    }
    for place in places {
        file.seek(SeekFrom::Start(place))?;
        end_element(file, part_bytes)?;
    }
    Ok(())
}

/// Which part of a number is written.
enum Part {
    Whole,
    Real,
    Imaginary,
}

impl Part {
    /// This part of elements of a type; `separated` is where it is put if it is not the whole.
    fn take<'b>(
        &self,
        element: ElementType,
        bytes: &'b [u8],
        separated: &'b mut Vec<u64>,
    ) -> &'b [u8] {
        match (self, element) {
            (Self::Whole, _) => bytes,
            (_, ElementType::C64) => self.of::<f64>(bytes, separated),
            _ => self.of::<f32>(bytes, separated),
        }
    }

    /// This part of complex elements, as bytes in `separated`.
    fn of<'b, T: bytemuck::Pod>(&self, bytes: &[u8], separated: &'b mut Vec<u64>) -> &'b [u8]
    where
        Complex<T>: bytemuck::Pod,
    {
        let values: &[Complex<T>] = bytemuck::cast_slice(bytes);
        separated.resize((bytes.len() / 2).div_ceil(8), 0);
        let place: &mut [T] = &mut bytemuck::cast_slice_mut(separated)[..values.len()];
        match self {
            Self::Imaginary => {
                place.iter_mut().zip(values).for_each(|(place, value)| *place = value.im);
            }
            _ => place.iter_mut().zip(values).for_each(|(place, value)| *place = value.re),
        }
        bytemuck::cast_slice(place)
    }
}
