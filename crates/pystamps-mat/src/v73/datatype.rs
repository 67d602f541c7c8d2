//! Matches HDF5 datatypes with MATLAB classes.

use crate::Class;
use hdf5_pure::{Datatype, DatatypeByteOrder, ReferenceType};

/// Class whose elements a datatype stores in the form we copy: native width, little endian.
pub(super) fn stored_class(datatype: &Datatype) -> Option<Class> {
    let little = |order: &DatatypeByteOrder| *order == DatatypeByteOrder::LittleEndian;
    match datatype {
        Datatype::FloatingPoint { size, byte_order, exponent_size, mantissa_size, .. }
            if little(byte_order) =>
        {
            match (size, exponent_size, mantissa_size) {
                (8, 11, 52) => Some(Class::Double),
                (4, 8, 23) => Some(Class::Single),
                _ => None,
            }
        }
        Datatype::FixedPoint { size, byte_order, signed, bit_offset: 0, bit_precision }
            if (little(byte_order) || *size == 1)
                && u64::from(*bit_precision) == 8 * u64::from(*size) =>
        {
            Some(match (size, signed) {
                (1, true) => Class::Int8,
                (1, false) => Class::UInt8,
                (2, true) => Class::Int16,
                (2, false) => Class::UInt16,
                (4, true) => Class::Int32,
                (4, false) => Class::UInt32,
                (8, true) => Class::Int64,
                (8, false) => Class::UInt64,
                _ => return None,
            })
        }
        Datatype::Compound { .. } => complex_parts(datatype),
        _ => None,
    }
}

/// Class of the parts of a complex datatype: two packed numbers, the real one first.
pub(super) fn complex_parts(datatype: &Datatype) -> Option<Class> {
    let Datatype::Compound { size, members } = datatype else {
        return None;
    };
    let [real, imaginary] = members.as_slice() else {
        return None;
    };
    let named =
        matches!((real.name.as_str(), imaginary.name.as_str()), ("real", "imag") | ("r", "i"));
    let class = stored_class(&real.datatype).filter(|class| class.element_bytes() > 0)?;
    let part_bytes = class.element_bytes() as u64;
    let packed = real.byte_offset == 0
        && imaginary.byte_offset == part_bytes
        && u64::from(*size) == 2 * part_bytes;
    (named && packed && stored_class(&imaginary.datatype) == Some(class)).then_some(class)
}

/// Whether elements point at other objects of the file.
pub(super) fn is_object_reference(datatype: &Datatype) -> bool {
    matches!(datatype, Datatype::Reference { ref_type: ReferenceType::Object, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole_number(size: u32, bit_precision: u16) -> Datatype {
        Datatype::FixedPoint {
            size,
            byte_order: DatatypeByteOrder::LittleEndian,
            signed: true,
            bit_offset: 0,
            bit_precision,
        }
    }

    #[test]
    fn whole_numbers_of_any_claimed_size_have_a_class_or_none() {
        assert_eq!(stored_class(&whole_number(2, 16)), Some(Class::Int16));
        for (size, bit_precision) in [(2, 8), (3, 24), (0, 0), (u32::MAX, 16), (1 << 29, 0)] {
            assert_eq!(stored_class(&whole_number(size, bit_precision)), None, "{size}");
        }
    }
}
