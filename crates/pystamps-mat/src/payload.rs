//! Hands the elements of an array to a writer, from memory or from a caller's source.

use crate::{ElementType, NumericData};
use num_complex::Complex;
use std::io;

/// Elements of an array that need not fit memory.
///
/// Level 5 stores all real parts before all imaginary parts, so a writer that compresses asks for the
/// same range twice; the answer must be the same.
pub trait ElementSource {
    /// Fills `out` with the elements from column-major index `first` on.
    ///
    /// `out` has the element type that [`Writer::write_streamed`](crate::Writer::write_streamed)
    /// was told.
    ///
    /// # Errors
    /// Whatever keeps the elements from being read; the writer passes it on.
    fn read_elements(&mut self, first: u64, out: ElementsMut<'_>) -> io::Result<()>;
}

/// A block of elements to be filled.
#[derive(Debug)]
pub enum ElementsMut<'a> {
    /// Real double.
    F64(&'a mut [f64]),
    /// Real single.
    F32(&'a mut [f32]),
    /// Complex double.
    C64(&'a mut [Complex<f64>]),
    /// Complex single.
    C32(&'a mut [Complex<f32>]),
    /// Signed 8-bit integers.
    I8(&'a mut [i8]),
    /// Unsigned 8-bit integers.
    U8(&'a mut [u8]),
    /// Signed 16-bit integers.
    I16(&'a mut [i16]),
    /// Unsigned 16-bit integers.
    U16(&'a mut [u16]),
    /// Signed 32-bit integers.
    I32(&'a mut [i32]),
    /// Unsigned 32-bit integers.
    U32(&'a mut [u32]),
    /// Signed 64-bit integers.
    I64(&'a mut [i64]),
    /// Unsigned 64-bit integers.
    U64(&'a mut [u64]),
}

/// Where the elements of one array come from.
pub(crate) enum Payload<'a> {
    /// They are in memory.
    Memory { bytes: &'a [u8], element: ElementType },
    /// They are asked for block by block; `scratch` holds one, aligned for any type.
    Source { element: ElementType, source: &'a mut dyn ElementSource, scratch: Vec<u64> },
}

impl<'a> Payload<'a> {
    pub(crate) fn of_data(data: &'a NumericData) -> Self {
        Self::Memory { bytes: data.as_bytes(), element: data.element_type() }
    }

    pub(crate) fn of_source(element: ElementType, source: &'a mut dyn ElementSource) -> Self {
        Self::Source { element, source, scratch: Vec::new() }
    }

    pub(crate) const fn element(&self) -> ElementType {
        match self {
            Self::Memory { element, .. } | Self::Source { element, .. } => *element,
        }
    }

    /// The bytes of `count` elements from index `first` on.
    pub(crate) fn range(&mut self, first: usize, count: usize) -> io::Result<&[u8]> {
        let size = self.element().bytes();
        match self {
            Self::Memory { bytes, .. } => Ok(&bytes[first * size..(first + count) * size]),
            Self::Source { element, source, scratch } => {
                let byte_count = count * size;
                scratch.resize(byte_count.div_ceil(8), 0);
                let bytes = &mut bytemuck::cast_slice_mut::<u64, u8>(scratch)[..byte_count];
                source.read_elements(first as u64, typed(*element, bytes))?;
                Ok(bytes)
            }
        }
    }
}

/// Aligned `bytes` as elements of their type.
fn typed(element: ElementType, bytes: &mut [u8]) -> ElementsMut<'_> {
    use bytemuck::cast_slice_mut as cast;
    match element {
        ElementType::F64 => ElementsMut::F64(cast(bytes)),
        ElementType::F32 => ElementsMut::F32(cast(bytes)),
        ElementType::C64 => ElementsMut::C64(cast(bytes)),
        ElementType::C32 => ElementsMut::C32(cast(bytes)),
        ElementType::I8 => ElementsMut::I8(cast(bytes)),
        ElementType::U8 => ElementsMut::U8(bytes),
        ElementType::I16 => ElementsMut::I16(cast(bytes)),
        ElementType::U16 => ElementsMut::U16(cast(bytes)),
        ElementType::I32 => ElementsMut::I32(cast(bytes)),
        ElementType::U32 => ElementsMut::U32(cast(bytes)),
        ElementType::I64 => ElementsMut::I64(cast(bytes)),
        ElementType::U64 => ElementsMut::U64(cast(bytes)),
    }
}
