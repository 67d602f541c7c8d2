//! Reads array elements: numbers of any storage type, text, flags and sparse matrices.

use super::parser::{Header, Parser};
use super::stream::ByteStream;
use super::tags;
use crate::array_reader::{PlainArray, PlainParts};
use crate::value::count_elements;
use crate::{
    CharArray, Class, LogicalArray, Numeric, NumericData, Result, Sparse, SparseData, Value,
};
use bytemuck::Pod;
use num_complex::Complex;
use num_traits::{AsPrimitive, Zero};

/// Bytes read at a time: two such blocks and their result stay in the second-level cache.
const BLOCK_BYTES: usize = 1 << 17;

/// A number that files store.
pub(super) trait Number:
    Pod
    + Zero
    + AsPrimitive<f64>
    + AsPrimitive<f32>
    + AsPrimitive<i8>
    + AsPrimitive<u8>
    + AsPrimitive<i16>
    + AsPrimitive<u16>
    + AsPrimitive<i32>
    + AsPrimitive<u32>
    + AsPrimitive<i64>
    + AsPrimitive<u64>
{
    /// Data type that stores it in full width.
    const STORAGE: u32;

    /// `stored` as this type; saturates where it does not fit.
    fn from_stored<N: Number>(stored: N) -> Self;
}

macro_rules! numbers {
    ($($number:ty => $storage:ident),*) => {
        $(impl Number for $number {
            const STORAGE: u32 = tags::$storage;

            fn from_stored<N: Number>(stored: N) -> Self {
                stored.as_()
            }
        })*
    };
}

numbers!(
    f64 => DOUBLE, f32 => SINGLE, i8 => INT8, u8 => UINT8, i16 => INT16, u16 => UINT16,
    i32 => INT32, u32 => UINT32, i64 => INT64, u64 => UINT64
);

/// Runs one expression with `$stored` standing for the type that the data type number names.
macro_rules! with_storage {
    ($parser:expr, $data_type:expr, $stored:ident => $result:expr) => {
        match $data_type {
            tags::DOUBLE => {
                type $stored = f64;
                $result
            }
            tags::SINGLE => {
                type $stored = f32;
                $result
            }
            tags::INT8 => {
                type $stored = i8;
                $result
            }
            tags::UINT8 | tags::UTF8 => {
                type $stored = u8;
                $result
            }
            tags::INT16 => {
                type $stored = i16;
                $result
            }
            tags::UINT16 | tags::UTF16 => {
                type $stored = u16;
                $result
            }
            tags::INT32 => {
                type $stored = i32;
                $result
            }
            tags::UINT32 | tags::UTF32 => {
                type $stored = u32;
                $result
            }
            tags::INT64 => {
                type $stored = i64;
                $result
            }
            tags::UINT64 => {
                type $stored = u64;
                $result
            }
            other => Err($parser.malformed("a data type of numbers", other)),
        }
    };
}

impl<S: ByteStream> Parser<'_, '_, S> {
    pub(super) fn numeric(&mut self, header: Header, end: u64) -> Result<Value> {
        let count = count_elements(&header.dims);
        let complex = header.complex;
        let data = match (header.class, complex) {
            (Class::Double, true) => NumericData::C64(self.complex_numbers(count, end)?),
            (Class::Single, true) => NumericData::C32(self.complex_numbers(count, end)?),
            (class, true) => {
                let what = format!("a complex array of class {class}");
                return Err(self.unsupported(what, "save it as double or single"));
            }
            (Class::Double, _) => NumericData::F64(self.numbers(count, end)?),
            (Class::Single, _) => NumericData::F32(self.numbers(count, end)?),
            (Class::Int8, _) => NumericData::I8(self.numbers(count, end)?),
            (Class::UInt8, _) => NumericData::U8(self.numbers(count, end)?),
            (Class::Int16, _) => NumericData::I16(self.numbers(count, end)?),
            (Class::UInt16, _) => NumericData::U16(self.numbers(count, end)?),
            (Class::Int32, _) => NumericData::I32(self.numbers(count, end)?),
            (Class::UInt32, _) => NumericData::U32(self.numbers(count, end)?),
            (Class::Int64, _) => NumericData::I64(self.numbers(count, end)?),
            _ => NumericData::U64(self.numbers(count, end)?),
        };
        let array = Numeric::new(header.dims, data).expect("invariant: dims gave the count");
        Ok(Value::Numeric(array))
    }

    /// Where the elements of a plain array lie; `None` unless they are stored in the width of a
    /// floating-point class.
    pub(super) fn plain_array(&mut self, header: &Header, end: u64) -> Result<Option<PlainArray>> {
        let (size, storage) = match header.visible_class() {
            Class::Double => (8, tags::DOUBLE),
            Class::Single => (4, tags::SINGLE),
            _ => return Ok(None),
        };
        let count = count_elements(&header.dims);
        let (data_type, count, padding) = self.part(count, end)?;
        let real = self.stream.position();
        let mut as_is = data_type == storage;
        let parts = if header.complex {
            // The real parts need not be read to know where the imaginary parts begin.
            let stored = with_storage!(self, data_type, Stored => Ok(size_of::<Stored>()))?;
            self.skip((count * stored) as u64 + padding)?;
            let (data_type, _, _) = self.part(Some(count), end)?;
            as_is &= data_type == storage;
            PlainParts::Apart(real, self.stream.position())
        } else {
            PlainParts::Real(real)
        };
        debug_assert!(!as_is || end >= real + (count * size) as u64, "`part` checks the room");
        let class = header.visible_class();
        Ok(as_is.then(|| PlainArray { class, dims: header.dims.clone(), parts }))
    }

    pub(super) fn logical(&mut self, dims: Vec<usize>, end: u64) -> Result<Value> {
        let bytes: Vec<u8> = self.numbers(count_elements(&dims), end)?;
        let flags = bytes.into_iter().map(|byte| byte != 0).collect();
        let array = LogicalArray::new(dims, flags).expect("invariant: dims gave the count");
        Ok(Value::Logical(array))
    }

    /// Reads the tag of an array part and checks that it holds `count` numbers.
    ///
    /// Gives the data type and the number of elements. Without an expected count (sparse
    /// matrices) any whole number of elements will do.
    fn part(&mut self, expected: Option<usize>, end: u64) -> Result<(u32, usize, u64)> {
        let tag = self.tag(end)?;
        let size = with_storage!(self, tag.data_type, Stored => Ok(size_of::<Stored>()))? as u64;
        let count = usize::try_from(tag.bytes / size).unwrap_or(usize::MAX);
        if !tag.bytes.is_multiple_of(size) || expected.is_some_and(|expected| expected != count) {
            let wanted = expected.map_or("whole numbers".to_owned(), |n| format!("{n} numbers"));
            let found = format!("{} bytes, {size} a number", tag.bytes);
            return Err(self.malformed(wanted, found));
        }
        Ok((tag.data_type, count, tag.padding))
    }

    /// Reads `count` real numbers, whatever type stores them.
    fn numbers<T: Number>(&mut self, count: Option<usize>, end: u64) -> Result<Vec<T>> {
        let (data_type, count, padding) = self.part(count, end)?;
        self.charge(count as u64 * size_of::<T>() as u64)?;
        let values = if data_type == T::STORAGE {
            self.stored_as_is(count)?
        } else {
            let mut values = Vec::new();
            if self.stream.is_plain() {
                values.reserve_exact(count);
            }
            with_storage!(self, data_type, Stored => self.blocks(count, |block: &[Stored]| {
                values.extend(block.iter().map(|&number| T::from_stored(number)));
            }))?;
            values
        };
        self.skip(padding)?;
        Ok(values)
    }

    /// Reads `count` numbers stored in their own type, without a copy in between.
    fn stored_as_is<T: Number>(&mut self, count: usize) -> Result<Vec<T>> {
        // The file is at least as long as plain data, so all of it may be allocated at once.
        // What an inflated stream announces is believed only as far as it arrives.
        let first = if self.stream.is_plain() { count } else { count.min(BLOCK_BYTES) };
        let mut values: Vec<T> = bytemuck::allocation::zeroed_vec(first);
        let mut filled = 0;
        loop {
            self.read(bytemuck::cast_slice_mut(&mut values[filled..]))?;
            filled = values.len();
            if filled == count {
                break;
            }
            values.resize(count.min(2 * filled), T::zero());
        }
        if self.context.swap {
            swap_bytes(&mut values);
        }
        Ok(values)
    }

    /// Hands `count` numbers of type `T` to `consume`, block by block.
    fn blocks<T: Number>(&mut self, count: usize, mut consume: impl FnMut(&[T])) -> Result<()> {
        let most = BLOCK_BYTES / size_of::<T>();
        let mut block = vec![T::zero(); most.min(count)];
        let mut left = count;
        while left > 0 {
            let block = &mut block[..most.min(left)];
            self.read(bytemuck::cast_slice_mut(block))?;
            if self.context.swap {
                swap_bytes(block);
            }
            consume(block);
            left -= block.len();
        }
        Ok(())
    }

    /// Reads `count` complex numbers: all real parts, then all imaginary parts.
    fn complex_numbers<T: Number>(
        &mut self,
        count: Option<usize>,
        end: u64,
    ) -> Result<Vec<Complex<T>>> {
        let (data_type, count, padding) = self.part(count, end)?;
        if data_type == T::STORAGE && self.stream.is_plain() {
            let real_start = self.stream.position();
            self.skip((count * size_of::<T>()) as u64 + padding)?;
            let (imaginary_type, _, imaginary_padding) = self.part(Some(count), end)?;
            if imaginary_type == T::STORAGE {
                let values = self.interleaved(count, real_start)?;
                self.skip(imaginary_padding)?;
                return Ok(values);
            }
            self.seek(real_start)?;
        }
        self.charge(2 * count as u64 * size_of::<T>() as u64)?;
        let mut values: Vec<Complex<T>> = Vec::new();
        with_storage!(self, data_type, Stored => self.blocks(count, |block: &[Stored]| {
            values.extend(block.iter().map(|&re| Complex::new(T::from_stored(re), T::zero())));
        }))?;
        self.skip(padding)?;
        let (data_type, _, padding) = self.part(Some(count), end)?;
        let mut rest = values.iter_mut();
        with_storage!(self, data_type, Stored => self.blocks(count, |block: &[Stored]| {
            for (&imaginary, value) in block.iter().zip(&mut rest) {
                value.im = T::from_stored(imaginary);
            }
        }))?;
        self.skip(padding)?;
        Ok(values)
    }

    /// Reads both parts of plain complex data side by side, so that the result is written once;
    /// the stream stands at the imaginary part.
    fn interleaved<T: Number>(&mut self, count: usize, real_start: u64) -> Result<Vec<Complex<T>>> {
        let imaginary_start = self.stream.position();
        let mut values: Vec<Complex<T>> = Vec::with_capacity(count);
        let most = BLOCK_BYTES / size_of::<T>();
        let mut real = vec![T::zero(); most.min(count)];
        let mut imaginary = real.clone();
        while values.len() < count {
            let done_bytes = (values.len() * size_of::<T>()) as u64;
            let length = most.min(count - values.len());
            let (real, imaginary) = (&mut real[..length], &mut imaginary[..length]);
            self.seek(real_start + done_bytes)?;
            self.read(bytemuck::cast_slice_mut(real))?;
            self.seek(imaginary_start + done_bytes)?;
            self.read(bytemuck::cast_slice_mut(imaginary))?;
            if self.context.swap {
                swap_bytes(real);
                swap_bytes(imaginary);
            }
            values.extend(real.iter().zip(&*imaginary).map(|(&re, &im)| Complex::new(re, im)));
        }
        Ok(values)
    }

    fn seek(&mut self, position: u64) -> Result<()> {
        self.stream.seek_to(position).map_err(|source| self.failed_read(source)).map(|_| ())
    }

    /// Reads a character array stored as bytes, UTF-8, UTF-16 or UTF-32.
    pub(super) fn text(&mut self, dims: Vec<usize>, end: u64) -> Result<Value> {
        let expected = count_elements(&dims).unwrap_or(usize::MAX);
        let (data_type, count, padding) = self.part(None, end)?;
        self.charge(2 * count as u64)?;
        let units: Vec<u16> = match data_type {
            tags::UTF8 => {
                let bytes: Vec<u8> = self.stored_as_is(count)?;
                utf8_units(&bytes, expected)
            }
            tags::UTF32 => {
                let codes: Vec<u32> = self.stored_as_is(count)?;
                let replaced =
                    codes.into_iter().map(|code| char::from_u32(code).unwrap_or('\u{fffd}'));
                replaced.collect::<String>().encode_utf16().collect()
            }
            tags::UINT8 | tags::INT8 => {
                let bytes: Vec<u8> = self.stored_as_is(count)?;
                bytes.into_iter().map(u16::from).collect()
            }
            tags::UINT16 | tags::UTF16 | tags::INT16 => self.stored_as_is(count)?,
            other => return Err(self.malformed("a data type of characters", other)),
        };
        self.skip(padding)?;
        // MATLAB counts code units; a character beyond the basic plane is two of them.
        let found = units.len();
        CharArray::new(dims, units)
            .map(Value::Char)
            .ok_or_else(|| self.malformed(format!("{expected} characters"), found))
    }

    /// Reads the entries of a logical sparse matrix. MATLAB stores a byte an entry but calls them
    /// doubles; others store what they say.
    fn sparse_flags(&mut self, count: usize, end: u64) -> Result<Vec<bool>> {
        let tag = self.tag(end)?;
        let flags: Vec<bool> = if tag.bytes == count as u64 {
            self.charge(tag.bytes)?;
            let bytes: Vec<u8> = self.stored_as_is(count)?;
            bytes.into_iter().map(|byte| byte != 0).collect()
        } else if tag.data_type == tags::DOUBLE && tag.bytes == 8 * count as u64 {
            self.charge(tag.bytes)?;
            let numbers: Vec<f64> = self.stored_as_is(count)?;
            numbers.into_iter().map(|number| number != 0.0).collect()
        } else {
            return Err(self.malformed(format!("{count} flags"), format!("{} bytes", tag.bytes)));
        };
        self.skip(tag.padding)?;
        Ok(flags)
    }

    pub(super) fn sparse(&mut self, header: &Header, end: u64) -> Result<Value> {
        let &[rows, columns] = header.dims.as_slice() else {
            return Err(self.malformed("a sparse matrix of two dimensions", header.dims.len()));
        };
        let row_indices: Vec<i64> = self.numbers(None, end)?;
        let column_starts: Vec<i64> = self.numbers(None, end)?;
        let mut data = if header.complex {
            SparseData::C64(self.complex_numbers(None, end)?)
        } else if header.logical {
            SparseData::Logical(self.sparse_flags(row_indices.len(), end)?)
        } else {
            SparseData::F64(self.numbers(None, end)?)
        };
        // Writers may keep room for more entries than they use; the last start counts them.
        let as_index = |number: &i64| usize::try_from(*number).ok();
        let column_starts: Option<Vec<usize>> = column_starts.iter().map(as_index).collect();
        let matrix = column_starts.and_then(|column_starts| {
            let used = *column_starts.last()?;
            let row_indices: Vec<usize> =
                row_indices.get(..used)?.iter().map(as_index).collect::<Option<_>>()?;
            match &mut data {
                SparseData::F64(values) => values.truncate(used),
                SparseData::C64(values) => values.truncate(used),
                SparseData::Logical(values) => values.truncate(used),
            }
            Sparse::new([rows, columns], row_indices, column_starts, data)
        });
        matrix
            .map(Value::Sparse)
            .ok_or_else(|| self.malformed("consistent sparse indices", "indices out of range"))
    }
}

/// Code units of text in UTF-8 that should be `expected` ones.
///
/// Octave writes several rows byte by byte, column by column, which tears characters apart; there
/// every foreign byte is a lost character.
fn utf8_units(bytes: &[u8], expected: usize) -> Vec<u16> {
    if !bytes.is_ascii() {
        let units: Vec<u16> = String::from_utf8_lossy(bytes).encode_utf16().collect();
        if units.len() == expected || bytes.len() != expected {
            return units;
        }
    }
    let unit = |&byte: &u8| if byte.is_ascii() { byte.into() } else { 0xfffd };
    bytes.iter().map(unit).collect()
}

fn swap_bytes<T: Number>(values: &mut [T]) {
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(values);
    for number in bytes.chunks_exact_mut(size_of::<T>()) {
        number.reverse();
    }
}
