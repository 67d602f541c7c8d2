//! Elements read by position are those that reading the whole array gives.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

use num_complex::Complex;
use pystamps_mat::{
    ArrayReader, Class, Container, Error, Numeric, NumericData, Value, WriteOptions, Writer,
};

const ROWS: usize = 37;
const COLUMNS: usize = 1000;

fn value(data: NumericData) -> Value {
    Value::Numeric(Numeric::new(vec![ROWS, COLUMNS], data).unwrap())
}

fn arrays() -> [(&'static str, Value); 4] {
    let numbers = || (0..ROWS * COLUMNS).map(|i| i as f32 * 0.37 - 11.0);
    let pairs = || numbers().map(|x| Complex::new(x, 1.5 - x));
    [
        ("f32", value(NumericData::F32(numbers().collect()))),
        ("f64", value(NumericData::F64(numbers().map(f64::from).collect()))),
        ("c32", value(NumericData::C32(pairs().collect()))),
        (
            "c64",
            value(NumericData::C64(
                pairs().map(|c| Complex::new(c.re.into(), c.im.into())).collect(),
            )),
        ),
    ]
}

fn write(
    folder: &std::path::Path,
    container: Container,
    deflate_level: Option<u32>,
) -> std::path::PathBuf {
    let path = folder.join("arrays.mat");
    let mut writer = Writer::create(&path, container, WriteOptions { deflate_level }).unwrap();
    for (name, value) in arrays() {
        writer.write(name, value).unwrap();
    }
    writer.write("flags", Value::from_logical_column(&[true, false])).unwrap();
    writer.finish().unwrap();
    path
}

#[test]
fn any_range_of_any_container() {
    let folder = tempfile::tempdir().unwrap();
    for (container, level, plain) in [
        (Container::Level5, None, true),
        (Container::Level5, Some(5), false),
        (Container::V73, None, true),
    ] {
        let path = write(folder.path(), container, level);
        for (name, whole) in arrays() {
            let reader = ArrayReader::open(&path, name).unwrap();
            assert_eq!((reader.dims(), reader.class()), (&[ROWS, COLUMNS][..], whole.class()));
            assert_eq!(reader.is_complex(), name.starts_with('c'));
            assert_eq!(reader.resident_bytes() == 0, plain, "{name} {container:?}");
            let announced = ArrayReader::bytes_to_open(&path, name).unwrap();
            assert_eq!(announced, reader.resident_bytes());
            for (first, count) in [(0, 1), (5, 20_000), (ROWS * COLUMNS - 3, 3), (7, 0)] {
                let expected: Vec<f64> =
                    (first..first + count).map(|i| f64::from(i as f32 * 0.37 - 11.0)).collect();
                let mut double = vec![0.0_f64; count];
                let mut single = vec![0.0_f32; count];
                reader.read_real(first as u64, &mut double).unwrap();
                reader.read_real(first as u64, &mut single).unwrap();
                assert_eq!(double, expected);
                assert!(single.iter().zip(&expected).all(|(&s, &e)| f64::from(s) == e));
                reader.read_imaginary(first as u64, &mut single).unwrap();
                let imaginary = |real: f64| {
                    if reader.is_complex() { 1.5 - real as f32 } else { 0.0 }
                };
                assert!(single.iter().zip(&expected).all(|(&s, &e)| s == imaginary(e)));
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), Container::Level5, None);
    let reader = ArrayReader::open(&path, "f32").unwrap();
    assert_eq!(reader.class(), Class::Single);
    let past_the_end = reader.read_real((ROWS * COLUMNS) as u64, &mut [0.0_f32]);
    assert!(matches!(past_the_end, Err(Error::Io { .. })));
    assert!(matches!(ArrayReader::open(&path, "flags"), Err(Error::Unsupported { .. })));
    assert!(matches!(ArrayReader::open(&path, "none"), Err(Error::MissingVariable { .. })));
}
