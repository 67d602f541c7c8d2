//! Parses one matrix element of a level-5 file: tags, header, and what belongs to each class.

use super::stream::ByteStream;
use super::tags;
use crate::value::count_elements;
use crate::{CellArray, Class, Error, Result, StructArray, Value};
use std::io;
use std::path::Path;

/// Most dimensions an array may have; MATLAB itself has no such limit, files do.
const MOST_DIMENSIONS: u64 = 64;
/// Longest field name with its end, of MATLAB and of any writer we know.
const LONGEST_FIELD_NAME: usize = 4096;
/// Memory that one nested value takes besides its elements, charged when inflating.
const VALUE_OVERHEAD_BYTES: u64 = 128;

/// What [`Parser`] must know besides the bytes.
pub(super) struct Context<'a> {
    /// File named in errors.
    pub(super) origin: &'a Path,
    /// Whether the file's byte order is not ours.
    pub(super) swap: bool,
    /// Memory that inflated data may still take, and the limit it started from.
    pub(super) budget_bytes: u64,
    pub(super) budget_limit: u64,
    /// How deep values may nest.
    pub(super) nesting: usize,
}

/// Announcement of one element: what follows and how long it is.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    pub(super) data_type: u32,
    pub(super) bytes: u64,
    /// Padding after the data.
    pub(super) padding: u64,
}

/// Everything about a matrix but its contents.
pub(super) struct Header {
    pub(super) class: Class,
    pub(super) complex: bool,
    pub(super) logical: bool,
    pub(super) dims: Vec<usize>,
    pub(super) name: String,
}

impl Header {
    /// Class as MATLAB shows it: a flagged `uint8` is logical.
    pub(super) fn visible_class(&self) -> Class {
        if self.logical && self.class.element_bytes() > 0 { Class::Logical } else { self.class }
    }
}

/// Parses matrices from a stream. Every read is checked against the end of the element it
/// belongs to, so that a lying size can neither allocate nor wander off.
pub(super) struct Parser<'c, 'p, S> {
    pub(super) stream: &'p mut S,
    pub(super) context: &'p mut Context<'c>,
    pub(super) variable: Option<String>,
}

impl<S: ByteStream> Parser<'_, '_, S> {
    #[expect(clippy::needless_pass_by_value, reason = "callers give numbers and new text alike")]
    pub(super) fn malformed(&self, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::Malformed {
            path: self.context.origin.to_path_buf(),
            variable: self.variable.clone(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    pub(super) fn unsupported(&self, what: String, remedy: &'static str) -> Error {
        let path = self.context.origin.to_path_buf();
        Error::Unsupported { path, variable: self.variable.clone(), what, remedy }
    }

    /// Names a failed read: an early end, damaged compression or the system's refusal.
    pub(super) fn failed_read(&self, source: io::Error) -> Error {
        let path = self.context.origin.to_path_buf();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::Truncated { path, variable: self.variable.clone(), expected: 1, found: 0 }
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                self.malformed("an intact zlib stream", source)
            }
            _ => Error::Io { path, action: "read", source },
        }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<()> {
        self.stream.read_exact(out).map_err(|source| self.failed_read(source))
    }

    pub(super) fn skip(&mut self, bytes: u64) -> Result<()> {
        self.stream.skip(bytes).map_err(|source| self.failed_read(source))
    }

    /// Takes `bytes` of memory from the budget unless the data lie in the file as they are.
    pub(super) fn charge(&mut self, bytes: u64) -> Result<()> {
        if self.stream.is_plain() {
            return Ok(());
        }
        match self.context.budget_bytes.checked_sub(bytes) {
            Some(left) => {
                self.context.budget_bytes = left;
                Ok(())
            }
            None => Err(Error::LimitExceeded {
                path: self.context.origin.to_path_buf(),
                variable: self.variable.clone(),
                unit: "bytes of expanded data",
                limit: self.context.budget_limit,
                found: (self.context.budget_limit - self.context.budget_bytes)
                    .saturating_add(bytes),
            }),
        }
    }

    pub(super) fn u32_from(&self, bytes: [u8; 4]) -> u32 {
        let value = u32::from_le_bytes(bytes);
        if self.context.swap { value.swap_bytes() } else { value }
    }

    /// Reads a tag whose element must lie before `end`.
    pub(super) fn tag(&mut self, end: u64) -> Result<Tag> {
        let room = end.saturating_sub(self.stream.position());
        if room < 8 {
            return Err(self.malformed("another element of at least 8 bytes", room));
        }
        let mut word = [0; 4];
        self.read(&mut word)?;
        let first = self.u32_from(word);
        let (small_bytes, small_type) = (first >> 16, first & 0xffff);
        if small_bytes > 0 {
            if small_bytes > 4 {
                return Err(self.malformed("a small element of at most 4 bytes", small_bytes));
            }
            let bytes = u64::from(small_bytes);
            return Ok(Tag { data_type: small_type, bytes, padding: 4 - bytes });
        }
        self.read(&mut word)?;
        let bytes = u64::from(self.u32_from(word));
        if bytes > room - 8 {
            let expected = format!("an element that fits the {} bytes left", room - 8);
            return Err(self.malformed(expected, format!("{bytes} bytes")));
        }
        // Some writers leave out the padding of the last element.
        let padding = tags::padding(bytes).min(room - 8 - bytes);
        Ok(Tag { data_type: first, bytes, padding })
    }

    /// Reads the contents of a small metadata element (flags, dimensions, names).
    fn contents(&mut self, tag: Tag, most: u64, what: &str) -> Result<Vec<u8>> {
        if tag.bytes > most {
            let expected = format!("{what} of at most {most} bytes");
            return Err(self.malformed(expected, tag.bytes));
        }
        let mut bytes = vec![0; usize::try_from(tag.bytes).unwrap_or(0)];
        self.read(&mut bytes)?;
        self.skip(tag.padding)?;
        Ok(bytes)
    }

    fn u32_contents(&mut self, tag: Tag, most: u64, what: &str) -> Result<Vec<u32>> {
        if !matches!(tag.data_type, tags::INT32 | tags::UINT32) || !tag.bytes.is_multiple_of(4) {
            let found = format!("{} bytes of data type {}", tag.bytes, tag.data_type);
            return Err(self.malformed(format!("{what} as 32-bit integers"), found));
        }
        let bytes = self.contents(tag, most, what)?;
        let (words, _) = bytes.as_chunks::<4>();
        Ok(words.iter().map(|&word| self.u32_from(word)).collect())
    }

    fn name_contents(&mut self, end: u64) -> Result<String> {
        let tag = self.tag(end)?;
        if !matches!(tag.data_type, tags::INT8 | tags::UINT8 | tags::UTF8) && tag.bytes > 0 {
            let found = format!("data type {}", tag.data_type);
            return Err(self.malformed("an array name as bytes", found));
        }
        let bytes = self.contents(tag, 4096, "an array name")?;
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        match str::from_utf8(text) {
            Ok(name) if name.is_ascii() => Ok(name.to_owned()),
            _ => Err(self.malformed("an array name in ASCII", text.escape_ascii())),
        }
    }

    /// Reads flags, dimensions and name of a matrix that ends at `end`.
    pub(super) fn header(&mut self, end: u64) -> Result<Header> {
        let tag = self.tag(end)?;
        let flags = self.u32_contents(tag, 8, "array flags")?;
        let &[flags, _] = flags.as_slice() else {
            return Err(self.malformed("8 bytes of array flags", 4 * flags.len()));
        };
        let code = flags & 0xff;
        let Some(class) = tags::class_of(code) else {
            return Err(self.malformed("an array class from 1 to 17", code));
        };
        let complex = flags & tags::FLAG_COMPLEX != 0;
        let logical = flags & tags::FLAG_LOGICAL != 0;
        if class == Class::Opaque {
            // These have a name but no dimensions of their own.
            let name = self.name_contents(end)?;
            return Ok(Header { class, complex, logical, dims: vec![1, 1], name });
        }
        let tag = self.tag(end)?;
        let extents = self.u32_contents(tag, 4 * MOST_DIMENSIONS, "dimensions")?;
        let dims: Option<Vec<usize>> = extents
            .iter()
            .map(|&extent| usize::try_from(i32::try_from(extent).ok()?).ok())
            .collect();
        let dims = dims.filter(|dims| dims.len() >= 2 && count_elements(dims).is_some());
        let Some(dims) = dims else {
            let expected = "two or more dimensions, none negative";
            return Err(self.malformed(expected, format!("{extents:?}")));
        };
        let name = self.name_contents(end)?;
        Ok(Header { class, complex, logical, dims, name })
    }

    /// Reads the contents that belong to `header`; `depth` counts the values around this one.
    pub(super) fn value(&mut self, header: Header, end: u64, depth: usize) -> Result<Value> {
        match header.class {
            Class::Cell => self.cell(header.dims, end, depth),
            Class::Struct => self.structure(header.dims, end, depth),
            Class::Sparse => self.sparse(&header, end),
            Class::Char => self.text(header.dims, end),
            Class::Object | Class::FunctionHandle | Class::Opaque => {
                let what = format!("a variable of class {}", header.class);
                Err(self.unsupported(what, "save its data as numbers, text, structs or cells"))
            }
            _ if header.logical => self.logical(header.dims, end),
            _ => self.numeric(header, end),
        }
    }

    /// Reads a nested matrix element, tag included.
    fn nested(&mut self, end: u64, depth: usize) -> Result<Value> {
        if depth > self.context.nesting {
            return Err(Error::LimitExceeded {
                path: self.context.origin.to_path_buf(),
                variable: self.variable.clone(),
                unit: "nested values",
                limit: self.context.nesting as u64,
                found: depth as u64,
            });
        }
        self.charge(VALUE_OVERHEAD_BYTES)?;
        let tag = self.tag(end)?;
        if tag.data_type != tags::MATRIX {
            let found = format!("data type {}", tag.data_type);
            return Err(self.malformed("a nested matrix (data type 14)", found));
        }
        if tag.bytes == 0 {
            return Ok(Value::empty());
        }
        let nested_end = self.stream.position() + tag.bytes;
        let header = self.header(nested_end)?;
        let value = self.value(header, nested_end, depth)?;
        let rest = nested_end.saturating_sub(self.stream.position());
        self.skip(rest + tag.padding)?;
        Ok(value)
    }

    /// Reads `count` nested values, each of which takes at least its tag.
    fn nested_values(
        &mut self,
        count: Option<usize>,
        end: u64,
        depth: usize,
    ) -> Result<Vec<Value>> {
        let room = end.saturating_sub(self.stream.position()) / 8;
        let Some(count) = count.filter(|&count| count as u64 <= room) else {
            let found = count.map_or_else(|| "more".to_owned(), |count| count.to_string());
            return Err(self.malformed(format!("at most {room} nested values"), found));
        };
        // Plain values take at least eight bytes each, so the file bounds their number.
        let mut values = Vec::with_capacity(if self.stream.is_plain() { count } else { 0 });
        for _ in 0..count {
            values.push(self.nested(end, depth + 1)?);
        }
        Ok(values)
    }

    fn cell(&mut self, dims: Vec<usize>, end: u64, depth: usize) -> Result<Value> {
        let values = self.nested_values(count_elements(&dims), end, depth)?;
        let array = CellArray::new(dims, values).expect("invariant: one value a cell was read");
        Ok(Value::Cell(array))
    }

    fn structure(&mut self, dims: Vec<usize>, end: u64, depth: usize) -> Result<Value> {
        let tag = self.tag(end)?;
        let lengths = self.u32_contents(tag, 4, "the length of field names")?;
        let width = lengths.first().map_or(0, |&length| length as usize);
        let tag = self.tag(end)?;
        if width == 0 && tag.bytes > 0 || width > LONGEST_FIELD_NAME {
            return Err(self.malformed("field names of 1 to 4096 bytes", width));
        }
        let most = end.saturating_sub(self.stream.position());
        self.charge(tag.bytes)?;
        let bytes = self.contents(tag, most, "field names")?;
        let fields: Vec<String> = bytes
            .chunks_exact(width.max(1))
            .map(|name| name.split(|&byte| byte == 0).next().unwrap_or_default())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let count = count_elements(&dims).and_then(|count| count.checked_mul(fields.len()));
        let values = self.nested_values(count, end, depth)?;
        StructArray::new(dims, fields, values)
            .map(Value::Struct)
            .ok_or_else(|| self.malformed("field names that differ", "the same name twice"))
    }
}
