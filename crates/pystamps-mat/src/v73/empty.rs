//! Makes arrays without elements.

use crate::{CellArray, CharArray, Class, LogicalArray, Numeric, NumericData, StructArray, Value};

/// An array of `class` without elements.
pub(super) fn empty_value(class: Class, dims: Vec<usize>, fields: Vec<String>) -> Value {
    let data = match class {
        Class::Char => return Value::Char(CharArray::new(dims, Vec::new()).expect(EMPTY)),
        Class::Logical => return Value::Logical(LogicalArray::new(dims, Vec::new()).expect(EMPTY)),
        Class::Cell => return Value::Cell(CellArray::new(dims, Vec::new()).expect(EMPTY)),
        Class::Struct => {
            let array = StructArray::new(dims.clone(), fields, Vec::new())
                .or_else(|| StructArray::new(dims, Vec::new(), Vec::new()));
            return Value::Struct(array.expect(EMPTY));
        }
        Class::Single => NumericData::F32(Vec::new()),
        Class::Int8 => NumericData::I8(Vec::new()),
        Class::UInt8 => NumericData::U8(Vec::new()),
        Class::Int16 => NumericData::I16(Vec::new()),
        Class::UInt16 => NumericData::U16(Vec::new()),
        Class::Int32 => NumericData::I32(Vec::new()),
        Class::UInt32 => NumericData::U32(Vec::new()),
        Class::Int64 => NumericData::I64(Vec::new()),
        Class::UInt64 => NumericData::U64(Vec::new()),
        _ => NumericData::F64(Vec::new()),
    };
    Value::Numeric(Numeric::new(dims, data).expect(EMPTY))
}

const EMPTY: &str = "invariant: the dimensions hold a zero";
