//! Any value reads back equal from any container that takes it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use ndarray::{Array2, ShapeBuilder};
use proptest::prelude::*;
use pystamps_mat::{
    CellArray, CharArray, Complex, Container, LogicalArray, Numeric, NumericData, StructArray,
    Value, Variables, WriteOptions, Writer,
};

fn dims() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..5, 2..4)
}

/// Numbers of every class; NaN would not equal itself and has a test of its own in Python.
fn numeric() -> impl Strategy<Value = Value> {
    (dims(), 0..12_u8, any::<u64>()).prop_map(|(dims, class, seed)| {
        let count = dims.iter().product::<usize>() as u64;
        let bits = (0..count).map(|index| seed.wrapping_mul(2 * index + 1).rotate_left(7));
        let real = |bits: u64| bits as f64 / 3.0;
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        #[expect(clippy::cast_possible_wrap, reason = "any bits will do")]
        let data = match class {
            0 => NumericData::F64(bits.map(real).collect()),
            1 => NumericData::F32(bits.map(|bits| real(bits) as f32).collect()),
            2 => NumericData::C64(bits.map(|bits| Complex::new(real(bits), -1.0)).collect()),
            3 => NumericData::C32(bits.map(|bits| Complex::new(1.0, bits as f32)).collect()),
            4 => NumericData::I8(bits.map(|bits| bits as i8).collect()),
            5 => NumericData::U8(bits.map(|bits| bits as u8).collect()),
            6 => NumericData::I16(bits.map(|bits| bits as i16).collect()),
            7 => NumericData::U16(bits.map(|bits| bits as u16).collect()),
            8 => NumericData::I32(bits.map(|bits| bits as i32).collect()),
            9 => NumericData::U32(bits.map(|bits| bits as u32).collect()),
            10 => NumericData::I64(bits.map(|bits| bits as i64).collect()),
            _ => NumericData::U64(bits.collect()),
        };
        Value::Numeric(Numeric::new(dims, data).unwrap())
    })
}

fn leaf() -> impl Strategy<Value = Value> {
    let logical = (dims(), any::<u64>()).prop_map(|(dims, seed)| {
        let count = dims.iter().product::<usize>();
        let flags =
            (0..count).map(|index| seed.rotate_left(u32::try_from(index).unwrap()) & 1 == 1);
        Value::Logical(LogicalArray::new(dims, flags.collect()).unwrap())
    });
    prop_oneof![numeric(), logical, "\\PC{0,12}".prop_map(|text| Value::text(&text))]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let cell = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|values| Value::Cell(CellArray::new(vec![1, values.len()], values).unwrap()));
        let names = prop::collection::btree_map("[a-z][a-z0-9_]{0,40}", inner, 0..4);
        let scalar = names.prop_map(|fields| Value::Struct(StructArray::scalar(fields).unwrap()));
        prop_oneof![cell, scalar]
    })
}

fn round_trip(value: &Value, container: Container, deflate_level: Option<u32>) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mat");
    let mut writer = Writer::create(&path, container, WriteOptions { deflate_level }).unwrap();
    writer.write("x", value).unwrap();
    writer.finish().unwrap();
    let mut found: Variables = pystamps_mat::read(&path).unwrap();
    assert_eq!(pystamps_mat::list(&path).unwrap().len(), 1);
    found.remove("x").unwrap()
}

/// v7.3 has no empty complex arrays: they come back real.
fn as_v73_keeps_it(value: Value) -> Value {
    match value {
        Value::Numeric(array) if array.data().is_empty() => {
            let data = match array.data() {
                NumericData::C64(_) => NumericData::F64(Vec::new()),
                NumericData::C32(_) => NumericData::F32(Vec::new()),
                other => other.clone(),
            };
            Value::Numeric(Numeric::new(array.dims().to_vec(), data).unwrap())
        }
        Value::Cell(cells) => {
            let (dims, values) = cells.into_parts();
            let values = values.into_iter().map(as_v73_keeps_it).collect();
            Value::Cell(CellArray::new(dims, values).unwrap())
        }
        Value::Struct(array) => {
            let values = array.values().iter().cloned().map(as_v73_keeps_it);
            let fields = array.fields().iter().cloned();
            Value::Struct(StructArray::scalar(fields.zip(values)).unwrap())
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn level_5_keeps_any_value(value in value(), deflate in prop::option::of(1_u32..9)) {
        prop_assert_eq!(round_trip(&value, Container::Level5, deflate), value);
    }

    #[test]
    fn v73_keeps_any_value(value in value()) {
        let found = round_trip(&value, Container::V73, None);
        prop_assert_eq!(found, as_v73_keeps_it(value));
    }

    #[test]
    fn random_bytes_are_refused(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = vec![b' '; 124];
        file.extend([0, 1, b'I', b'M']);
        file.extend(tail);
        let limits = pystamps_mat::ReadLimits::default();
        let path = std::path::Path::new("x.mat");
        if let Ok(found) = pystamps_mat::read_from(std::io::Cursor::new(file), path, None, &limits) {
            prop_assert!(found.is_empty());
        }
    }

    #[test]
    fn matrices_of_any_layout_keep_their_elements(
        rows in 1_usize..70, columns in 1_usize..70, fortran in any::<bool>(),
    ) {
        let element = |(row, column): (usize, usize)| (row * columns + column) as f64;
        let shape = (rows, columns).set_f(fortran);
        let matrix = Array2::from_shape_fn(shape, element);
        let value = Value::from_array2_f64(matrix.view());
        prop_assert_eq!(value.to_f64_vec().unwrap()[1 % rows], element((1 % rows, 0)));
        prop_assert_eq!(value.to_array2_f64().unwrap(), matrix.clone());
        let complex = matrix.mapv(|real| Complex::new(real, -real));
        let value = Value::from_array2_c64(complex.view());
        prop_assert_eq!(value.to_array2_c64().unwrap(), complex);
        prop_assert!(value.to_array2_f64().is_none());
    }
}

#[test]
fn text_beyond_the_basic_plane_and_halves_of_it_survive_level_5() {
    for units in [vec![0xd83d, 0xde00], vec![0xd83d], vec![0x00e4, 0x4e2d]] {
        let text = CharArray::new(vec![1, units.len()], units).unwrap();
        let value = Value::Char(text);
        assert_eq!(round_trip(&value, Container::Level5, None), value);
    }
}

#[test]
fn an_independent_reader_agrees_on_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mat");
    let value =
        Value::from_array2_f64(Array2::from_shape_fn((3, 2), |(i, j)| (i + 10 * j) as f64).view());
    pystamps_mat::write(&path, &Variables::from_iter([("x", value)]), &WriteOptions::default())
        .unwrap();
    let file = matfile::MatFile::parse(fs_err::File::open(path).unwrap()).unwrap();
    let found = file.find_by_name("x").unwrap();
    assert_eq!(found.size(), &vec![3, 2]);
    let matfile::NumericData::Double { real, imag } = found.data() else { panic!("not double") };
    assert_eq!(real, &vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    assert!(imag.is_none());
}
