//! Names the MATLAB classes and the element types a file can hold.

use std::fmt;

/// Class of a MATLAB array, as `class(x)` would print it.
///
/// The last three exist only so that [`list`](crate::list) can name what a file holds; reading
/// such a variable is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// 64-bit floating point.
    Double,
    /// 32-bit floating point.
    Single,
    /// Signed 8-bit integer.
    Int8,
    /// Unsigned 8-bit integer.
    UInt8,
    /// Signed 16-bit integer.
    Int16,
    /// Unsigned 16-bit integer.
    UInt16,
    /// Signed 32-bit integer.
    Int32,
    /// Unsigned 32-bit integer.
    UInt32,
    /// Signed 64-bit integer.
    Int64,
    /// Unsigned 64-bit integer.
    UInt64,
    /// UTF-16 code units.
    Char,
    /// True or false.
    Logical,
    /// Structure array.
    Struct,
    /// Cell array.
    Cell,
    /// Sparse matrix (MATLAB calls it `double` or `logical` with the sparse attribute).
    Sparse,
    /// Instance of an old-style class.
    Object,
    /// Function handle.
    FunctionHandle,
    /// Instance of a `classdef` class (string, table, datetime, …).
    Opaque,
}

impl Class {
    /// MATLAB's name of the class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Single => "single",
            Self::Int8 => "int8",
            Self::UInt8 => "uint8",
            Self::Int16 => "int16",
            Self::UInt16 => "uint16",
            Self::Int32 => "int32",
            Self::UInt32 => "uint32",
            Self::Int64 => "int64",
            Self::UInt64 => "uint64",
            Self::Char => "char",
            Self::Logical => "logical",
            Self::Struct => "struct",
            Self::Cell => "cell",
            Self::Sparse => "sparse",
            Self::Object => "object",
            Self::FunctionHandle => "function_handle",
            Self::Opaque => "opaque",
        }
    }

    /// The class MATLAB calls `name`; `canonical empty` and class names of objects give `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        const NAMED: [Class; 15] = [
            Class::Double,
            Class::Single,
            Class::Int8,
            Class::UInt8,
            Class::Int16,
            Class::UInt16,
            Class::Int32,
            Class::UInt32,
            Class::Int64,
            Class::UInt64,
            Class::Char,
            Class::Logical,
            Class::Struct,
            Class::Cell,
            Class::FunctionHandle,
        ];
        NAMED.into_iter().find(|class| class.name() == name)
    }

    /// Bytes of one real element in memory; 0 for classes whose elements have no fixed size.
    pub const fn element_bytes(self) -> usize {
        match self {
            Self::Double | Self::Int64 | Self::UInt64 => 8,
            Self::Single | Self::Int32 | Self::UInt32 => 4,
            Self::Int16 | Self::UInt16 | Self::Char => 2,
            Self::Int8 | Self::UInt8 | Self::Logical => 1,
            Self::Struct
            | Self::Cell
            | Self::Sparse
            | Self::Object
            | Self::FunctionHandle
            | Self::Opaque => 0,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Type of the elements of a numeric array: a class, and whether it is complex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// Real double.
    F64,
    /// Real single.
    F32,
    /// Complex double.
    C64,
    /// Complex single.
    C32,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 16-bit integer.
    I16,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 64-bit integer.
    U64,
}

impl ElementType {
    /// MATLAB class of arrays with such elements.
    pub const fn class(self) -> Class {
        match self {
            Self::F64 | Self::C64 => Class::Double,
            Self::F32 | Self::C32 => Class::Single,
            Self::I8 => Class::Int8,
            Self::U8 => Class::UInt8,
            Self::I16 => Class::Int16,
            Self::U16 => Class::UInt16,
            Self::I32 => Class::Int32,
            Self::U32 => Class::UInt32,
            Self::I64 => Class::Int64,
            Self::U64 => Class::UInt64,
        }
    }

    /// Whether an element has an imaginary part.
    pub const fn is_complex(self) -> bool {
        matches!(self, Self::C64 | Self::C32)
    }

    /// Bytes of one element, both parts counted.
    pub const fn bytes(self) -> usize {
        self.class().element_bytes() * if self.is_complex() { 2 } else { 1 }
    }
}
