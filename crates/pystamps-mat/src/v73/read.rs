//! Reads v7.3 files, and plain HDF5 files as far as they hold numbers.

use super::datatype::{complex_parts, stored_class};
use super::empty::empty_value;
use super::notes::Notes;
use super::source::SharedReader;
use crate::array_reader::{PlainArray, PlainParts};
use crate::value::count_elements;
use crate::{
    CellArray, CharArray, Class, Error, LogicalArray, Numeric, NumericData, ReadLimits, Result,
    Value, VariableInfo, Variables,
};
use bytemuck::{AnyBitPattern, NoUninit, Zeroable};
use hdf5_pure::{
    Dataset, Datatype, File, FileAccessProperties, FormatError, Group, Layout, MetadataCacheConfig,
};
use num_complex::Complex;
use std::io::{Read, Seek};
use std::path::Path;

/// Deflate cannot shrink data further than this.
const MOST_EXPANSION: u64 = 1032;
/// Metadata kept while a file is open; every name is looked up from the root.
const METADATA_CACHE_BYTES: usize = 1 << 20;

/// Describes the variables of a v7.3 file without reading their data.
pub(crate) fn list<R: Read + Seek + Send + 'static>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
) -> Result<Vec<VariableInfo>> {
    let (root, mut source) = open(reader, origin, limits)?;
    let mut found = Vec::new();
    for name in source.dataset_names(&root)? {
        let dataset = source.dataset(&root, &name)?;
        source.variable = Some(name.clone());
        found.push(source.describe(name, &dataset)?);
    }
    for name in source.group_names(&root)? {
        let group = source.group(&root, &name)?;
        source.variable = Some(name.clone());
        let dims = source.struct_dims(&group)?;
        let class = Class::Struct;
        found.push(VariableInfo { name, class, dims, complex: false, logical: false, bytes: 0 });
    }
    Ok(found)
}

/// Reads the variables of a v7.3 file that `wanted` accepts.
pub(crate) fn read<R: Read + Seek + Send + 'static>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
    wanted: &mut dyn FnMut(&str) -> bool,
) -> Result<Variables> {
    let (root, mut source) = open(reader, origin, limits)?;
    let mut variables = Variables::new();
    for name in source.dataset_names(&root)? {
        if wanted(&name) {
            let dataset = source.dataset(&root, &name)?;
            source.variable = Some(name.clone());
            variables.insert(name, source.dataset_value(&dataset, 0)?);
        }
    }
    for name in source.group_names(&root)? {
        if wanted(&name) {
            let group = source.group(&root, &name)?;
            source.variable = Some(name.clone());
            variables.insert(name, source.group_value(&group, 0)?);
        }
    }
    Ok(variables)
}

/// Finds the floating-point array called `name` if it lies in the file as it is.
pub(crate) fn locate<R: Read + Seek + Send + 'static>(
    reader: R,
    origin: &Path,
    limits: &ReadLimits,
    name: &str,
) -> Result<Option<PlainArray>> {
    let (root, mut source) = open(reader, origin, limits)?;
    if !source.dataset_names(&root)?.iter().any(|found| found == name) {
        return Ok(None);
    }
    let dataset = source.dataset(&root, name)?;
    source.variable = Some(name.to_owned());
    source.plain_array(&dataset)
}

fn open<'a, R: Read + Seek + Send + 'static>(
    reader: R,
    origin: &'a Path,
    limits: &ReadLimits,
) -> Result<(Group, Reading<'a, R>)> {
    let failed = |source| Error::Io { path: origin.to_path_buf(), action: "read", source };
    let reader = SharedReader::new(reader).map_err(failed)?;
    let length = reader.length();
    let reading = Reading {
        reader: reader.clone(),
        origin,
        variable: None,
        nesting: limits.nesting,
        plain_left: length.saturating_mul(2),
        expanded_left: limits.expanded_bytes_of(length),
        references_left: length / 8,
    };
    let cache = MetadataCacheConfig::new(METADATA_CACHE_BYTES);
    let access = FileAccessProperties::new().with_metadata_cache(cache);
    let file =
        File::from_source_with_options(reader, access).map_err(|error| reading.damaged(error))?;
    let expected = file.superblock().eof_address;
    if length < expected {
        let path = origin.to_path_buf();
        return Err(Error::Truncated { path, variable: None, expected, found: length });
    }
    Ok((file.root(), reading))
}

/// One file being read, with what it may still cost.
///
/// References and the links of groups may point anywhere, also in circles and at one object many
/// times. The budgets make such a file end: each takes eight bytes or more of an honest one, where it
/// is followed once, and honest data are read once.
pub(super) struct Reading<'a, R> {
    pub(super) reader: SharedReader<R>,
    origin: &'a Path,
    variable: Option<String>,
    pub(super) nesting: usize,
    plain_left: u64,
    expanded_left: u64,
    references_left: u64,
}

impl<R: Read + Seek> Reading<'_, R> {
    #[expect(clippy::needless_pass_by_value, reason = "callers give numbers and new text alike")]
    pub(super) fn malformed(&self, expected: impl Into<String>, found: impl ToString) -> Error {
        Error::Malformed {
            path: self.origin.to_path_buf(),
            variable: self.variable.clone(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// Names what the library could not read: the file may be damaged, cut off or too exotic.
    pub(super) fn damaged(&self, error: hdf5_pure::Error) -> Error {
        use FormatError as F;
        let path = self.origin.to_path_buf();
        let variable = self.variable.clone();
        match error {
            hdf5_pure::Error::Format(F::UnexpectedEof { expected, available }) => {
                let (expected, found) = (expected as u64, available as u64);
                Error::Truncated { path, variable, expected, found }
            }
            hdf5_pure::Error::Format(F::Source(message)) => {
                Error::Io { path, action: "read", source: std::io::Error::other(message) }
            }
            hdf5_pure::Error::Format(
                F::InvalidLayoutVersion(_)
                | F::UnsupportedVersion(_)
                | F::UnsupportedMessage(_)
                | F::UnsupportedFilter(_)
                | F::UnsupportedVirtualLayout
                | F::UnsupportedExternalStorage
                | F::UnsupportedSohmReference
                | F::UnsupportedFilteredHeapObject,
            ) => Error::Unsupported {
                path,
                variable,
                what: format!("this HDF5 structure ({error})"),
                remedy: "load it in MATLAB and save it again with `save -v7`",
            },
            error => self.malformed("an intact HDF5 structure", error),
        }
    }

    pub(super) fn unsupported(&self, what: String) -> Error {
        Error::Unsupported {
            path: self.origin.to_path_buf(),
            variable: self.variable.clone(),
            what,
            remedy: "save its data as numbers, text, structs or cells",
        }
    }

    pub(super) fn exceeded(&self, unit: &'static str, limit: u64, found: u64) -> Error {
        let path = self.origin.to_path_buf();
        Error::LimitExceeded { path, variable: self.variable.clone(), unit, limit, found }
    }

    /// Names of the datasets of a group that are variables or fields.
    ///
    /// They are opened one after the other: an open one holds its whole header, which any number of
    /// names may share.
    pub(super) fn dataset_names(&mut self, group: &Group) -> Result<Vec<String>> {
        let names = group.datasets().map_err(|error| self.damaged(error))?;
        self.of_variables(names)
    }

    /// Names of the groups inside a group, but for MATLAB's own.
    pub(super) fn group_names(&mut self, group: &Group) -> Result<Vec<String>> {
        let names = group.groups().map_err(|error| self.damaged(error))?;
        self.of_variables(names)
    }

    fn of_variables(&mut self, mut names: Vec<String>) -> Result<Vec<String>> {
        names.retain(|name| !name.starts_with('#'));
        self.charge_references(names.len() as u64)?;
        Ok(names)
    }

    pub(super) fn dataset(&self, group: &Group, name: &str) -> Result<Dataset> {
        group.dataset(name).map_err(|error| self.damaged(error))
    }

    pub(super) fn group(&self, group: &Group, name: &str) -> Result<Group> {
        group.group(name).map_err(|error| self.damaged(error))
    }

    /// Takes what is about to be followed from the budget.
    pub(super) fn charge_references(&mut self, count: u64) -> Result<()> {
        let limit = self.reader.length() / 8;
        let Some(left) = self.references_left.checked_sub(count) else {
            let followed = limit - self.references_left;
            return Err(self.exceeded("references", limit, followed.saturating_add(count)));
        };
        self.references_left = left;
        Ok(())
    }

    pub(super) fn dataset_notes(&self, dataset: &Dataset) -> Result<Notes> {
        Ok(Notes::of(dataset.attrs().map_err(|error| self.damaged(error))?))
    }

    /// MATLAB dimensions: HDF5's in reverse, at least two.
    pub(super) fn dims(&self, dataset: &Dataset) -> Result<Vec<usize>> {
        let shape = dataset.shape().map_err(|error| self.damaged(error))?;
        let dims: Option<Vec<usize>> =
            shape.iter().rev().map(|&extent| usize::try_from(extent).ok()).collect();
        let mut dims = dims
            .filter(|dims| count_elements(dims).is_some())
            .ok_or_else(|| self.malformed("dimensions in range", format!("{shape:?}")))?;
        while dims.len() < 2 {
            dims.push(1);
        }
        Ok(dims)
    }

    /// Dimensions of a dataset flagged as empty, which stores them as its data.
    fn empty_dims(&mut self, dataset: &Dataset) -> Result<Vec<usize>> {
        let shape = self.dims(dataset)?;
        let dims = if shape.contains(&0) {
            shape
        } else {
            if count_elements(&shape).is_none_or(|count| count > 64) {
                return Err(self.malformed("at most 64 stored dimensions", format!("{shape:?}")));
            }
            let stored: Vec<u64> = self.elements(dataset)?;
            stored.into_iter().map(|extent| usize::try_from(extent).unwrap_or(1)).collect()
        };
        if dims.len() < 2 || count_elements(&dims) != Some(0) {
            return Err(self.malformed("dimensions with a zero", format!("{dims:?}")));
        }
        Ok(dims)
    }

    pub(super) fn datatype(&self, dataset: &Dataset) -> Result<Datatype> {
        dataset.datatype().map_err(|error| self.damaged(error))
    }

    fn describe(&mut self, name: String, dataset: &Dataset) -> Result<VariableInfo> {
        let notes = self.dataset_notes(dataset)?;
        let datatype = self.datatype(dataset)?;
        let complex = complex_parts(&datatype).is_some();
        let class = match (notes.class, notes.class_name) {
            (Some(class), _) => class,
            (None, Some(_)) => Class::Opaque,
            (None, None) => stored_class(&datatype).unwrap_or(Class::Opaque),
        };
        let dims = if notes.empty { self.empty_dims(dataset)? } else { self.dims(dataset)? };
        let element_bytes = class.element_bytes() as u64 * if complex { 2 } else { 1 };
        let count = count_elements(&dims).unwrap_or(0) as u64;
        let bytes = count.saturating_mul(element_bytes);
        let logical = class == Class::Logical;
        Ok(VariableInfo { name, class, dims, complex, logical, bytes })
    }

    /// Reads a dataset: numbers, text, flags, cells and everything empty.
    pub(super) fn dataset_value(&mut self, dataset: &Dataset, depth: usize) -> Result<Value> {
        let notes = self.dataset_notes(dataset)?;
        let datatype = self.datatype(dataset)?;
        let class = match (notes.class, notes.class_name) {
            (Some(class), _) => class,
            (None, Some(name)) if name == "canonical empty" => Class::Double,
            (None, Some(name)) => {
                return Err(self.unsupported(format!("a variable of class {name}")));
            }
            (None, None) => stored_class(&datatype)
                .ok_or_else(|| self.unsupported(format!("an HDF5 dataset of type {datatype}")))?,
        };
        if notes.empty {
            let dims = self.empty_dims(dataset)?;
            return Ok(empty_value(class, dims, notes.fields.unwrap_or_default()));
        }
        let dims = self.dims(dataset)?;
        match class {
            Class::Char => {
                let units = match stored_class(&datatype) {
                    Some(Class::UInt8) => {
                        self.elements::<u8>(dataset)?.into_iter().map(u16::from).collect()
                    }
                    _ => self.elements(dataset)?,
                };
                let found = units.len();
                CharArray::new(dims, units)
                    .map(Value::Char)
                    .ok_or_else(|| self.malformed("one code unit a character", found))
            }
            Class::Logical => {
                let flags = self.elements::<u8>(dataset)?.iter().map(|&flag| flag != 0).collect();
                LogicalArray::new(dims, flags)
                    .map(Value::Logical)
                    .ok_or_else(|| self.malformed("one byte a flag", "another number"))
            }
            Class::Cell => {
                let values = self.referenced(dataset, depth)?;
                let found = values.len();
                CellArray::new(dims, values)
                    .map(Value::Cell)
                    .ok_or_else(|| self.malformed("one reference a cell", found))
            }
            Class::Struct => Err(self.malformed("a structure as a group", "a dataset")),
            class if class.element_bytes() > 0 => self.numeric(dataset, class, &datatype, dims),
            class => Err(self.unsupported(format!("a variable of class {class}"))),
        }
    }

    fn numeric(
        &mut self,
        dataset: &Dataset,
        class: Class,
        datatype: &Datatype,
        dims: Vec<usize>,
    ) -> Result<Value> {
        let complex = complex_parts(datatype);
        let stored = complex.or_else(|| stored_class(datatype));
        if stored != Some(class) {
            return Err(self.malformed(format!("elements of class {class}"), datatype));
        }
        let data = match (class, complex.is_some()) {
            (Class::Double, true) => NumericData::C64(self.elements::<Complex<f64>>(dataset)?),
            (Class::Single, true) => NumericData::C32(self.elements::<Complex<f32>>(dataset)?),
            (_, true) => return Err(self.unsupported(format!("a complex array of class {class}"))),
            (Class::Double, _) => NumericData::F64(self.elements(dataset)?),
            (Class::Single, _) => NumericData::F32(self.elements(dataset)?),
            (Class::Int8, _) => NumericData::I8(self.elements(dataset)?),
            (Class::UInt8, _) => NumericData::U8(self.elements(dataset)?),
            (Class::Int16, _) => NumericData::I16(self.elements(dataset)?),
            (Class::UInt16, _) => NumericData::U16(self.elements(dataset)?),
            (Class::Int32, _) => NumericData::I32(self.elements(dataset)?),
            (Class::UInt32, _) => NumericData::U32(self.elements(dataset)?),
            (Class::Int64, _) => NumericData::I64(self.elements(dataset)?),
            _ => NumericData::U64(self.elements(dataset)?),
        };
        let found = data.len();
        Numeric::new(dims, data)
            .map(Value::Numeric)
            .ok_or_else(|| self.malformed("as many elements as the dimensions say", found))
    }

    /// Where the elements of a contiguous dataset lie; `None` unless they are of a floating-point
    /// class.
    fn plain_array(&mut self, dataset: &Dataset) -> Result<Option<PlainArray>> {
        let notes = self.dataset_notes(dataset)?;
        let datatype = self.datatype(dataset)?;
        let complex = complex_parts(&datatype);
        let Some(class @ (Class::Double | Class::Single)) =
            complex.or_else(|| stored_class(&datatype))
        else {
            return Ok(None);
        };
        if notes.empty || notes.class.is_some_and(|noted| noted != class) {
            return Ok(None);
        }
        let dims = self.dims(dataset)?;
        let layout = dataset.layout().map_err(|error| self.damaged(error))?;
        let element_bytes = class.element_bytes() as u64 * if complex.is_some() { 2 } else { 1 };
        let bytes = count_elements(&dims).and_then(|n| (n as u64).checked_mul(element_bytes));
        let Layout::Contiguous { address: Some(address), size } = layout else { return Ok(None) };
        let room = self.reader.length().saturating_sub(address);
        if Some(size) != bytes || size > room {
            return Ok(None);
        }
        let parts = if complex.is_some() {
            PlainParts::Interleaved(address)
        } else {
            PlainParts::Real(address)
        };
        Ok(Some(PlainArray { class, dims, parts }))
    }

    /// Reads all elements of a dataset whose stored type has been checked to be `T`.
    fn elements<T: AnyBitPattern + NoUninit + Zeroable>(
        &mut self,
        dataset: &Dataset,
    ) -> Result<Vec<T>> {
        let size = dataset.element_size().map_err(|error| self.damaged(error))?;
        if size != size_of::<T>() as u64 {
            return Err(self.malformed(format!("elements of {} bytes", size_of::<T>()), size));
        }
        let shape = dataset.shape().map_err(|error| self.damaged(error))?;
        let count = shape.iter().try_fold(1_u64, |count, &extent| count.checked_mul(extent));
        let Some(bytes) = count.and_then(|count| count.checked_mul(size)) else {
            return Err(self.malformed("dimensions in range", format!("{shape:?}")));
        };
        let layout = dataset.layout().map_err(|error| self.damaged(error))?;
        if let Layout::Contiguous { address: Some(address), size } = layout
            && size == bytes
        {
            return self.contiguous(address, bytes);
        }
        self.charge(dataset, &shape, &layout, bytes)?;
        let raw = dataset.read_raw().map_err(|error| self.damaged(error))?;
        if raw.len() as u64 != bytes {
            return Err(self.malformed(format!("{bytes} bytes of data"), raw.len()));
        }
        Ok(bytemuck::allocation::pod_collect_to_vec(&raw))
    }

    /// Reads data that lie in the file as they are, straight to where they belong.
    fn contiguous<T: AnyBitPattern + NoUninit + Zeroable>(
        &mut self,
        address: u64,
        bytes: u64,
    ) -> Result<Vec<T>> {
        let room = self.reader.length().saturating_sub(address);
        let count = usize::try_from(bytes / size_of::<T>() as u64);
        let (true, Ok(count)) = (bytes <= room, count) else {
            return Err(Error::Truncated {
                path: self.origin.to_path_buf(),
                variable: self.variable.clone(),
                expected: bytes,
                found: room,
            });
        };
        self.charge_plain(bytes)?;
        let mut values: Vec<T> = bytemuck::allocation::zeroed_vec(count);
        let filled = self.reader.fill(address, bytemuck::cast_slice_mut(&mut values));
        let path = || self.origin.to_path_buf();
        filled.map_err(|source| Error::Io { path: path(), action: "read", source })?;
        Ok(values)
    }

    fn charge_plain(&mut self, bytes: u64) -> Result<()> {
        let limit = self.reader.length().saturating_mul(2);
        match self.plain_left.checked_sub(bytes) {
            Some(left) => self.plain_left = left,
            None => {
                return Err(self.exceeded("bytes of data", limit, limit - self.plain_left + bytes));
            }
        }
        Ok(())
    }

    /// Takes the memory of a dataset that is not simply contiguous from the budgets, as far as
    /// what is stored can fill it at all.
    fn charge(
        &mut self,
        dataset: &Dataset,
        shape: &[u64],
        layout: &Layout,
        bytes: u64,
    ) -> Result<()> {
        let stored = match layout {
            Layout::Compact { size } => *size,
            Layout::Chunked { chunk_shape, .. } => {
                let stored = self.stored_in_chunks(dataset, shape, chunk_shape)?;
                if dataset.filters().is_empty() {
                    stored
                } else {
                    stored.saturating_mul(MOST_EXPANSION)
                }
            }
            _ => 0,
        };
        if bytes > stored {
            return Err(
                self.malformed(format!("at most {stored} bytes from what is stored"), bytes)
            );
        }
        let limit = self.expanded_left;
        match self.expanded_left.checked_sub(bytes) {
            Some(left) => self.expanded_left = left,
            None => return Err(self.exceeded("bytes of expanded data", limit, bytes)),
        }
        Ok(())
    }

    /// Bytes that the chunks of a dataset take in the file.
    ///
    /// The library lists every chunk of the grid, and makes room for as many bytes of a chunk as the
    /// index says, before it looks whether the file has them.
    fn stored_in_chunks(
        &self,
        dataset: &Dataset,
        shape: &[u64],
        chunk_shape: &[u64],
    ) -> Result<u64> {
        if shape.len() != chunk_shape.len() || chunk_shape.contains(&0) {
            return Err(self.malformed("chunks that tile the array", format!("{chunk_shape:?}")));
        }
        let length = self.reader.length();
        let along_axes =
            shape.iter().zip(chunk_shape).map(|(extent, chunk)| extent.div_ceil(*chunk));
        let count = along_axes.fold(1, u64::saturating_mul);
        // Each has its address in an index or, without one, is an element at least.
        if count > length / 8 {
            return Err(self.malformed(format!("at most {} chunks", length / 8), count));
        }
        let chunks = dataset.chunks().map_err(|error| self.damaged(error))?;
        let stored = chunks.iter().map(|chunk| chunk.storage_size);
        let stored = stored.fold(0_u64, u64::saturating_add);
        if stored > length {
            return Err(self.malformed(format!("at most {length} bytes in chunks"), stored));
        }
        Ok(stored)
    }
}
