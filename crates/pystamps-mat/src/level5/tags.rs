//! Names the numbers of the level-5 format: data types, classes and flags.
//!
//! ```text
//! header      116 bytes text | 8 bytes subsystem offset | version 0x0100 | "IM" (little endian)
//! element     u32 data type  | u32 byte count | data … | padding to 8 bytes
//! small       u16 byte count, u16 data type (one little-endian u32) | up to 4 bytes data
//! matrix      element 14 of: flags, dimensions, name, then by class
//!             numeric: real part [, imaginary part]     cell: one matrix a cell
//!             struct: name length, names, one matrix an element and field
//!             sparse: row indices, column starts, real part [, imaginary part]
//! compressed  element 15 whose data are a zlib stream of one matrix element, unpadded
//! ```

use crate::Class;

pub(super) const HEADER_BYTES: usize = 128;

pub(super) const INT8: u32 = 1;
pub(super) const UINT8: u32 = 2;
pub(super) const INT16: u32 = 3;
pub(super) const UINT16: u32 = 4;
pub(super) const INT32: u32 = 5;
pub(super) const UINT32: u32 = 6;
pub(super) const SINGLE: u32 = 7;
pub(super) const DOUBLE: u32 = 9;
pub(super) const INT64: u32 = 12;
pub(super) const UINT64: u32 = 13;
pub(super) const MATRIX: u32 = 14;
pub(super) const COMPRESSED: u32 = 15;
pub(super) const UTF8: u32 = 16;
pub(super) const UTF16: u32 = 17;
pub(super) const UTF32: u32 = 18;

pub(super) const FLAG_COMPLEX: u32 = 0x0800;
pub(super) const FLAG_LOGICAL: u32 = 0x0200;

/// Class numbers of the array flags, in ascending order.
const CLASSES: [(u32, Class); 17] = [
    (1, Class::Cell),
    (2, Class::Struct),
    (3, Class::Object),
    (4, Class::Char),
    (5, Class::Sparse),
    (6, Class::Double),
    (7, Class::Single),
    (8, Class::Int8),
    (9, Class::UInt8),
    (10, Class::Int16),
    (11, Class::UInt16),
    (12, Class::Int32),
    (13, Class::UInt32),
    (14, Class::Int64),
    (15, Class::UInt64),
    (16, Class::FunctionHandle),
    (17, Class::Opaque),
];

/// The class numbered `code` in the array flags.
pub(super) fn class_of(code: u32) -> Option<Class> {
    CLASSES.iter().find(|(known, _)| *known == code).map(|&(_, class)| class)
}

/// The number of `class` in the array flags; logical arrays are `uint8` with a flag.
pub(super) fn code_of(class: Class) -> u32 {
    let stored = if class == Class::Logical { Class::UInt8 } else { class };
    CLASSES
        .iter()
        .find(|(_, known)| *known == stored)
        .map(|&(code, _)| code)
        .expect("invariant: every class but logical is in the table")
}

/// The data type that stores elements of a numeric, character or logical class in full width.
pub(super) const fn storage_of(class: Class) -> u32 {
    match class {
        Class::Single => SINGLE,
        Class::Int8 => INT8,
        Class::UInt8 | Class::Logical => UINT8,
        Class::Int16 => INT16,
        Class::UInt16 | Class::Char => UINT16,
        Class::Int32 => INT32,
        Class::UInt32 => UINT32,
        Class::Int64 => INT64,
        Class::UInt64 => UINT64,
        _ => DOUBLE,
    }
}

/// Bytes to the next multiple of eight.
pub(super) const fn padding(bytes: u64) -> u64 {
    bytes.wrapping_neg() % 8
}
