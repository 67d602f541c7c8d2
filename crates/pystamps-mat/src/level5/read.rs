//! Walks the top level of a level-5 file: lists variables, reads the wanted ones.

use super::parser::{Context, Header, Parser};
use super::stream::{ByteStream, PlainStream};
use super::tags;
use crate::array_reader::PlainArray;
use crate::value::count_elements;
use crate::{Class, Error, ReadLimits, Result, Value, VariableInfo, Variables};
use std::io::{Read, Seek};
use std::path::Path;

/// Deflate cannot shrink data further than this.
const MOST_EXPANSION: u64 = 1032;

/// Describes the variables of a level-5 file without reading their data.
pub(crate) fn list<R: Read + Seek>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
) -> Result<Vec<VariableInfo>> {
    let mut file = TopLevel::open(reader, origin, limits)?;
    let mut found: Vec<VariableInfo> = Vec::new();
    while let Some(element) = file.next_element()? {
        if let Some(info) = file.describe(&element)? {
            found.push(info);
        }
    }
    Ok(found)
}

/// Reads the variables of a level-5 file that `wanted` accepts.
pub(crate) fn read<R: Read + Seek>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
    wanted: &mut dyn FnMut(&str) -> bool,
) -> Result<Variables> {
    let mut file = TopLevel::open(reader, origin, limits)?;
    let mut variables = Variables::new();
    while let Some(element) = file.next_element()? {
        if let Some((name, value)) = file.read(&element, wanted)? {
            variables.insert(name, value);
        }
    }
    Ok(variables)
}

/// Finds the floating-point array called `name` if it lies in the file as it is.
pub(crate) fn locate<R: Read + Seek>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
    name: &str,
) -> Result<Option<PlainArray>> {
    let mut file = TopLevel::open(reader, origin, limits)?;
    while let Some(element) = file.next_element()? {
        if element.compressed || file.context.swap {
            continue;
        }
        let end = element.start + element.bytes;
        let mut parser = file.parser();
        let header = parser.header(end)?;
        if header.name == name {
            return parser.plain_array(&header, end);
        }
    }
    Ok(None)
}

/// One element of the top level.
struct Element {
    compressed: bool,
    start: u64,
    bytes: u64,
}

struct TopLevel<'a, R> {
    stream: PlainStream<R>,
    length: u64,
    next: u64,
    context: Context<'a>,
}

impl<'a, R: Read + Seek> TopLevel<'a, R> {
    fn open(reader: R, origin: &'a Path, limits: &ReadLimits) -> Result<Self> {
        let failed = |source| Error::Io { path: origin.to_path_buf(), action: "read", source };
        let (mut stream, length) = PlainStream::new(reader).map_err(failed)?;
        let budget_limit = limits.expanded_bytes_of(length);
        let mut context = Context {
            origin,
            swap: false,
            budget_bytes: budget_limit,
            budget_limit,
            nesting: limits.nesting,
        };
        let mut parser = Parser { stream: &mut stream, context: &mut context, variable: None };
        let mut header = [0; tags::HEADER_BYTES];
        parser.read(&mut header)?;
        context.swap = header[126..128] == *b"MI";
        Ok(Self { stream, length, next: tags::HEADER_BYTES as u64, context })
    }

    /// A parser of the file's own bytes.
    fn parser(&mut self) -> Parser<'a, '_, PlainStream<R>> {
        Parser { stream: &mut self.stream, context: &mut self.context, variable: None }
    }

    /// The next element, or `None` at the end of the file.
    fn next_element(&mut self) -> Result<Option<Element>> {
        if self.next >= self.length {
            return Ok(None);
        }
        let (start, left) = (self.next, self.length - self.next);
        let truncated = |origin: &Path, expected, found| Error::Truncated {
            path: origin.to_path_buf(),
            variable: None,
            expected,
            found,
        };
        if left < 8 {
            return Err(truncated(self.context.origin, 8, left));
        }
        let mut parser = self.parser();
        parser.stream.resume_at(start).map_err(|source| parser.failed_read(source))?;
        let mut words = [[0; 4]; 2];
        parser.read(words.as_flattened_mut())?;
        let (data_type, bytes) = (parser.u32_from(words[0]), parser.u32_from(words[1]));
        if !matches!(data_type, tags::MATRIX | tags::COMPRESSED) {
            let expected = "a variable (data type 14 or 15)";
            return Err(parser.malformed(expected, format!("data type {data_type}")));
        }
        let bytes = u64::from(bytes);
        if bytes > left - 8 {
            return Err(truncated(self.context.origin, bytes, left - 8));
        }
        self.next = start + 8 + bytes;
        Ok(Some(Element { compressed: data_type == tags::COMPRESSED, start: start + 8, bytes }))
    }

    /// What `list` says of an element; `None` for MATLAB's own unnamed ones.
    fn describe(&mut self, element: &Element) -> Result<Option<VariableInfo>> {
        let header = if element.compressed {
            let mut inflated = self.stream.inflate(element.bytes);
            let mut parser =
                Parser { stream: &mut inflated, context: &mut self.context, variable: None };
            let end = parser.inflated_end(element.bytes)?;
            parser.header(end)?
        } else {
            let mut parser = self.parser();
            parser.header(element.start + element.bytes)?
        };
        Ok((!header.name.is_empty()).then(|| describe(header, element.bytes)))
    }

    /// Reads an element if it is wanted.
    fn read(
        &mut self,
        element: &Element,
        wanted: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<(String, Value)>> {
        if !element.compressed {
            let end = element.start + element.bytes;
            return self.parser().variable(end, wanted);
        }
        let mut inflated = self.stream.inflate(element.bytes);
        let mut parser =
            Parser { stream: &mut inflated, context: &mut self.context, variable: None };
        let end = parser.inflated_end(element.bytes)?;
        let Some((name, value)) = parser.variable(end, wanted)? else {
            return Ok(None);
        };
        let rest = end.saturating_sub(parser.stream.position());
        parser.skip(rest)?;
        match parser.stream.finish() {
            Ok(true) => Ok(Some((name, value))),
            Ok(false) => Err(parser.malformed("the end of the zlib stream", "more data")),
            Err(source) => Err(parser.failed_read(source)),
        }
    }
}

impl<S: ByteStream> Parser<'_, '_, S> {
    /// Reads the tag at the start of an inflated stream: where the matrix in it ends.
    fn inflated_end(&mut self, compressed_bytes: u64) -> Result<u64> {
        let tag = self.tag(u64::MAX)?;
        if tag.data_type != tags::MATRIX {
            let found = format!("data type {}", tag.data_type);
            return Err(self.malformed("a compressed matrix (data type 14)", found));
        }
        let most = compressed_bytes.saturating_mul(MOST_EXPANSION);
        if tag.bytes > most {
            let expected = format!("at most {most} bytes from {compressed_bytes} compressed ones");
            return Err(self.malformed(expected, tag.bytes));
        }
        Ok(self.stream.position() + tag.bytes)
    }

    /// Reads a named variable that ends at `end` if it is wanted.
    fn variable(
        &mut self,
        end: u64,
        wanted: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Option<(String, Value)>> {
        let header = self.header(end)?;
        let name = header.name.clone();
        if name.is_empty() || !wanted(&name) {
            return Ok(None);
        }
        self.variable = Some(name.clone());
        let value = self.value(header, end, 0)?;
        self.variable = None;
        Ok(Some((name, value)))
    }
}

fn describe(header: Header, stored_bytes: u64) -> VariableInfo {
    let class = header.visible_class();
    let element_bytes = class.element_bytes() as u64 * if header.complex { 2 } else { 1 };
    let count = count_elements(&header.dims).unwrap_or(usize::MAX) as u64;
    let bytes = if element_bytes == 0 { stored_bytes } else { count.saturating_mul(element_bytes) };
    VariableInfo {
        name: header.name,
        class,
        complex: header.complex && class != Class::Logical,
        logical: header.logical,
        dims: header.dims,
        bytes,
    }
}
