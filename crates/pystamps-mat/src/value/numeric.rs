//! Defines numeric arrays.

use super::dims_hold;
use crate::ElementType;
use num_complex::Complex;
use num_traits::AsPrimitive;

/// A numeric array: dimensions and column-major elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Numeric {
    dims: Vec<usize>,
    data: NumericData,
}

impl Numeric {
    /// An array of `dims` (two or more) with column-major `data`; `None` if their counts differ.
    pub fn new(dims: Vec<usize>, data: NumericData) -> Option<Self> {
        dims_hold(&dims, data.len()).then_some(Self { dims, data })
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Elements, column-major.
    pub fn data(&self) -> &NumericData {
        &self.data
    }

    /// Takes the array apart.
    pub fn into_parts(self) -> (Vec<usize>, NumericData) {
        (self.dims, self.data)
    }
}

/// Elements of a numeric array, column-major.
#[derive(Clone, Debug, PartialEq)]
pub enum NumericData {
    /// Real double.
    F64(Vec<f64>),
    /// Real single.
    F32(Vec<f32>),
    /// Complex double.
    C64(Vec<Complex<f64>>),
    /// Complex single.
    C32(Vec<Complex<f32>>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
}

/// Runs one expression on the vector inside, whatever its type.
macro_rules! for_any_elements {
    ($data:expr, $values:ident => $result:expr) => {
        match $data {
            NumericData::F64($values) => $result,
            NumericData::F32($values) => $result,
            NumericData::C64($values) => $result,
            NumericData::C32($values) => $result,
            NumericData::I8($values) => $result,
            NumericData::U8($values) => $result,
            NumericData::I16($values) => $result,
            NumericData::U16($values) => $result,
            NumericData::I32($values) => $result,
            NumericData::U32($values) => $result,
            NumericData::I64($values) => $result,
            NumericData::U64($values) => $result,
        }
    };
}

impl NumericData {
    /// Number of elements.
    pub fn len(&self) -> usize {
        for_any_elements!(self, values => values.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Type of one element.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::F64(_) => ElementType::F64,
            Self::F32(_) => ElementType::F32,
            Self::C64(_) => ElementType::C64,
            Self::C32(_) => ElementType::C32,
            Self::I8(_) => ElementType::I8,
            Self::U8(_) => ElementType::U8,
            Self::I16(_) => ElementType::I16,
            Self::U16(_) => ElementType::U16,
            Self::I32(_) => ElementType::I32,
            Self::U32(_) => ElementType::U32,
            Self::I64(_) => ElementType::I64,
            Self::U64(_) => ElementType::U64,
        }
    }

    /// The elements as they lie in memory; complex elements are (real, imaginary) pairs.
    pub fn as_bytes(&self) -> &[u8] {
        for_any_elements!(self, values => bytemuck::cast_slice(values))
    }

    /// Real elements widened to double; `None` for complex ones.
    pub fn to_f64_vec(&self) -> Option<Vec<f64>> {
        match self {
            Self::C64(_) | Self::C32(_) => None,
            Self::F64(values) => Some(values.clone()),
            Self::F32(values) => Some(widened(values)),
            Self::I8(values) => Some(widened(values)),
            Self::U8(values) => Some(widened(values)),
            Self::I16(values) => Some(widened(values)),
            Self::U16(values) => Some(widened(values)),
            Self::I32(values) => Some(widened(values)),
            Self::U32(values) => Some(widened(values)),
            Self::I64(values) => Some(widened(values)),
            Self::U64(values) => Some(widened(values)),
        }
    }
}

fn widened<T: AsPrimitive<f64>>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.as_()).collect()
}
