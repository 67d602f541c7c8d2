//! Reads the attributes by which MATLAB says what an HDF5 object is.

use crate::Class;
use hdf5_pure::AttrValue;

/// What MATLAB notes beside a dataset or group.
pub(super) struct Notes {
    /// Class, if it is one of MATLAB's own.
    pub(super) class: Option<Class>,
    /// Class as written.
    pub(super) class_name: Option<String>,
    /// Whether the data are the dimensions of an empty array.
    pub(super) empty: bool,
    /// Whether a group is a sparse matrix.
    pub(super) sparse: bool,
    /// Field names of a structure in order.
    pub(super) fields: Option<Vec<String>>,
}

impl Notes {
    pub(super) fn of(attributes: impl IntoIterator<Item = (String, AttrValue)>) -> Self {
        let mut notes =
            Notes { class: None, class_name: None, empty: false, sparse: false, fields: None };
        for (name, value) in attributes {
            match (name.as_str(), value) {
                (
                    "MATLAB_class",
                    AttrValue::AsciiString(text)
                    | AttrValue::String(text)
                    | AttrValue::AsciiStringSized { value: text, .. }
                    | AttrValue::StringSized { value: text, .. },
                ) => {
                    notes.class = Class::from_name(&text);
                    notes.class_name = Some(text);
                }
                ("MATLAB_empty", AttrValue::U8(flag)) => notes.empty = flag != 0,
                ("MATLAB_empty", AttrValue::U32(flag)) => notes.empty = flag != 0,
                ("MATLAB_empty", AttrValue::U64(flag)) => notes.empty = flag != 0,
                ("MATLAB_empty", AttrValue::I64(flag)) => notes.empty = flag != 0,
                ("MATLAB_sparse", _) => notes.sparse = true,
                (
                    "MATLAB_fields",
                    AttrValue::VarLenAsciiCharArray(names)
                    | AttrValue::AsciiStringArray(names)
                    | AttrValue::StringArray(names)
                    | AttrValue::AsciiStringArraySized { values: names, .. }
                    | AttrValue::StringArraySized { values: names, .. },
                ) => notes.fields = Some(names),
                _ => {}
            }
        }
        notes
    }
}
