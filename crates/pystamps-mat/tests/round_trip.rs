//! Whatever is written reads back equal, in both containers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pystamps_mat::{
    CellArray, CharArray, Complex, Container, ElementSource, ElementType, ElementsMut, Error,
    LogicalArray, Numeric, NumericData, Sparse, SparseData, StructArray, Value, Variables,
    WriteOptions, Writer,
};
use std::path::Path;

fn sample() -> Variables {
    let complex: Vec<_> = (0..6_u8).map(|i| Complex::new(f32::from(i), -f32::from(i))).collect();
    let numeric = |dims: &[usize], data| Value::Numeric(Numeric::new(dims.to_vec(), data).unwrap());
    let scalar_struct = StructArray::scalar([
        ("name", Value::text("Étna")),
        (
            "cells",
            Value::Cell(
                CellArray::new(vec![1, 2], vec![Value::scalar(1.0), Value::empty()]).unwrap(),
            ),
        ),
    ]);
    Variables::from_iter([
        ("ph", numeric(&[2, 3], NumericData::C32(complex))),
        ("z", numeric(&[1, 1], NumericData::C64(vec![Complex::new(1.0, 2.0)]))),
        ("n_ps", Value::scalar(3.0)),
        ("empty", Value::empty()),
        ("empty_single", numeric(&[0, 5], NumericData::F32(vec![]))),
        ("empty_text", Value::text("")),
        ("none", Value::Logical(LogicalArray::new(vec![1, 0], vec![]).unwrap())),
        ("small", numeric(&[3, 1], NumericData::I8(vec![-1, 0, 1]))),
        ("cube", numeric(&[2, 1, 2], NumericData::U16(vec![1, 2, 3, 65535]))),
        ("big", numeric(&[1, 2], NumericData::U64(vec![u64::MAX, 1]))),
        ("flags", Value::from_logical_column(&[true, false, true])),
        ("text", Value::text("small_baseline_flag")),
        ("s", Value::Struct(scalar_struct.unwrap())),
    ])
}

fn write(path: &Path, variables: &Variables, container: Container, options: WriteOptions) {
    let mut writer = Writer::create(path, container, options).unwrap();
    for (name, value) in variables.iter() {
        writer.write(name, value).unwrap();
    }
    writer.finish().unwrap();
}

fn assert_same(found: &Variables, expected: &Variables) {
    assert_eq!(found.len(), expected.len());
    for (name, value) in expected.iter() {
        assert_eq!(found.get(name), Some(value), "{name}");
    }
}

#[test]
fn every_class_reads_back_from_level_5() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    for deflate_level in [None, Some(6)] {
        write(&path, &sample(), Container::Level5, WriteOptions { deflate_level });
        assert_eq!(pystamps_mat::read(&path).unwrap(), sample());
    }
}

#[test]
fn every_class_reads_back_from_v73() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    write(&path, &sample(), Container::V73, WriteOptions::default());
    assert_same(&pystamps_mat::read(&path).unwrap(), &sample());
}

#[test]
fn listing_agrees_with_reading() {
    let folder = tempfile::tempdir().unwrap();
    for container in [Container::Level5, Container::V73] {
        let path = folder.path().join("a.mat");
        write(&path, &sample(), container, WriteOptions::default());
        let listed = pystamps_mat::list(&path).unwrap();
        assert_eq!(listed.len(), sample().len());
        for info in listed {
            let value = pystamps_mat::read_variable(&path, &info.name).unwrap();
            assert_eq!(info.class, value.class(), "{}", info.name);
            assert_eq!(info.dims, value.dims(), "{}", info.name);
            assert_eq!(info.complex, value.is_complex(), "{}", info.name);
        }
    }
}

#[test]
fn same_data_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for container in [Container::Level5, Container::V73] {
        let [first, second] = ["a.mat", "b.mat"].map(|name| folder.path().join(name));
        write(&first, &sample(), container, WriteOptions::default());
        write(&second, &sample(), container, WriteOptions::default());
        assert_eq!(fs_err::read(first).unwrap(), fs_err::read(second).unwrap());
    }
}

/// Elements computed from their index, so that any block shows whether it is the right one.
struct Ramp;

impl ElementSource for Ramp {
    fn read_elements(&mut self, first: u64, out: ElementsMut<'_>) -> std::io::Result<()> {
        let ElementsMut::C32(out) = out else {
            return Err(std::io::Error::other("not complex"));
        };
        for (index, place) in (first..).zip(out) {
            *place = Complex::new(index as f32, -(index as f32));
        }
        Ok(())
    }
}

#[test]
fn streamed_arrays_equal_arrays_in_memory() {
    let dims = [300_007, 2];
    let elements = (0..600_014_u32).map(|index| Complex::new(index as f32, -(index as f32)));
    let data = NumericData::C32(elements.collect());
    let value = Value::Numeric(Numeric::new(dims.to_vec(), data).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for container in [Container::Level5, Container::V73] {
        let [streamed, whole] = ["a.mat", "b.mat"].map(|name| folder.path().join(name));
        let mut source = Ramp;
        let mut writer = Writer::create(&streamed, container, WriteOptions::default()).unwrap();
        writer.write_streamed("ph", ElementType::C32, &dims, &mut source).unwrap();
        writer.finish().unwrap();
        assert_eq!(pystamps_mat::read_variable(&streamed, "ph").unwrap(), value);
        write(
            &whole,
            &Variables::from_iter([("ph", value.clone())]),
            container,
            WriteOptions::default(),
        );
        assert_eq!(fs_err::read(streamed).unwrap(), fs_err::read(whole).unwrap());
    }
}

#[test]
fn a_failing_source_fails_the_write() {
    let folder = tempfile::tempdir().unwrap();
    for container in [Container::Level5, Container::V73] {
        let mut source = Ramp;
        let path = folder.path().join("a.mat");
        let mut writer = Writer::create(path, container, WriteOptions::default()).unwrap();
        let outcome = writer
            .write_streamed("x", ElementType::F64, &[4, 4], &mut source)
            .and_then(|()| writer.finish());
        let Err(Error::Io { source, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(source.to_string(), "not complex");
    }
}

#[test]
fn rows_of_text_keep_their_padding() {
    let value = Value::Char(CharArray::from_rows(&["one", "three"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    write(
        &path,
        &Variables::from_iter([("rows", value)]),
        Container::Level5,
        WriteOptions::default(),
    );
    let Value::Char(rows) = pystamps_mat::read_variable(&path, "rows").unwrap() else { panic!() };
    assert_eq!(rows.rows().unwrap(), ["one  ", "three"]);
}

#[test]
fn two_gigabytes_go_to_v73_and_level_5_says_so() {
    assert_eq!(Container::for_largest_variable((1 << 31) - 1), Container::Level5);
    assert_eq!(Container::for_largest_variable(1 << 31), Container::V73);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    let mut source = Ramp;
    let mut writer = Writer::create(path, Container::Level5, WriteOptions::default()).unwrap();
    let refused = writer.write_streamed("ph", ElementType::C32, &[1 << 14, 1 << 14], &mut source);
    let Err(Error::TooLargeForLevel5 { bytes, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(bytes, 1 << 31);
}

#[test]
fn one_variable_is_read_from_many() {
    let folder = tempfile::tempdir().unwrap();
    for container in [Container::Level5, Container::V73] {
        let path = folder.path().join("a.mat");
        write(&path, &sample(), container, WriteOptions::default());
        let found = pystamps_mat::read_variables(&path, &["text", "n_ps"]).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found.get("n_ps").unwrap().to_scalar(), Some(3.0));
        assert_eq!(found.get("text").unwrap().to_text().unwrap(), "small_baseline_flag");
        let missing = pystamps_mat::read_variable(&path, "absent").unwrap_err();
        let Error::MissingVariable { available, .. } = missing else { panic!("{missing}") };
        assert_eq!(available.len(), sample().len());
    }
}

#[test]
fn a_name_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    let mut writer = Writer::create(path, Container::Level5, WriteOptions::default()).unwrap();
    writer.write("x", Value::scalar(1.0)).unwrap();
    let again = writer.write("x", Value::scalar(2.0));
    assert!(matches!(again, Err(Error::InvalidName { .. })), "{again:?}");
}

#[test]
fn sparse_matrices_of_doubles_come_back_from_level_5() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    let filled =
        Sparse::new([4, 3], vec![1, 3, 0], vec![0, 2, 2, 3], SparseData::F64(vec![5., -1., 2.]));
    let empty = Sparse::new([7, 2], vec![], vec![0; 3], SparseData::F64(vec![]));
    let variables = Variables::from_iter([
        ("filled", Value::Sparse(filled.unwrap())),
        ("spread", Value::Sparse(empty.unwrap())),
        ("after", Value::scalar(1.0)),
    ]);
    for compress in [false, true] {
        let options = WriteOptions { deflate_level: compress.then_some(6) };
        write(&path, &variables, Container::Level5, options);
        assert_eq!(pystamps_mat::read(&path).unwrap(), variables);
    }
}
