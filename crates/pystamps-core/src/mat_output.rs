//! Writes result files: arrays as MATLAB values, and arrays too large to hold, column by column.

use std::path::Path;

use pystamps_mat::{
    Container, ElementSource, ElementType, Numeric, NumericData, Value, Variables, WriteOptions,
    Writer,
};

use crate::error::Result;

/// A matrix from its elements in MATLAB's order.
pub(crate) fn matrix(rows: usize, columns: usize, data: NumericData) -> Value {
    let numeric = Numeric::new(vec![rows, columns], data);
    Value::Numeric(numeric.expect("invariant: as many values as the dimensions say"))
}

/// A one-column logical array.
pub(crate) fn flags(values: &[bool]) -> Value {
    Value::from_logical_column(values)
}

/// A count or an index as MATLAB holds it.
pub(crate) fn count(number: usize) -> Value {
    Value::scalar(number as f64)
}

/// A file with one small variable.
pub(crate) fn single_variable(name: &str, value: Value) -> Variables {
    [(name, value)].into_iter().collect()
}

/// Which stages left no PS: `no_ps_info.mat` of a patch (stage1.md A). `stage` is the one that did.
pub(crate) fn no_ps_info(stage: Option<usize>) -> Variables {
    let mut marks = [0.0; 5];
    if let Some(stage) = stage {
        marks[stage - 1] = 1.0;
    }
    single_variable("stamps_step_no_ps", Value::column_f64(&marks))
}

/// `no_ps_info.mat` after `stage` of the patch `folder`: marks of earlier stages stay, those of later
/// ones are taken back.
///
/// # Errors
/// MATLAB file errors.
pub(crate) fn no_ps_info_after(folder: &Path, stage: usize, empty: bool) -> Result<Variables> {
    let path = folder.join("no_ps_info.mat");
    let mut marks = Vec::new();
    if path.is_file() {
        let value = pystamps_mat::read_variable(&path, "stamps_step_no_ps")?;
        marks = value.to_f64_vec().unwrap_or_default();
    }
    marks.resize(5, 0.0);
    marks[stage - 1..].fill(0.0);
    marks[stage - 1] = f64::from(u8::from(empty));
    Ok(single_variable("stamps_step_no_ps", Value::column_f64(&marks)))
}

/// Writes `variables` to `file` in `folder`.
pub(crate) fn write_variables(folder: &Path, file: &str, variables: &Variables) -> Result<()> {
    Ok(pystamps_mat::write(folder.join(file), variables, &WriteOptions::default())?)
}

/// Bytes of a value's elements as MATLAB stores them.
fn value_bytes(value: &Value) -> u64 {
    let parts = if value.is_complex() { 2 } else { 1 };
    match value {
        Value::Sparse(matrix) => 16 * matrix.data().len() as u64,
        _ => (value.element_count() * value.class().element_bytes() * parts) as u64,
    }
}

/// A large array and where its elements come from.
pub(crate) struct Streamed<'a> {
    pub(crate) name: &'static str,
    pub(crate) element: ElementType,
    pub(crate) dims: Vec<usize>,
    pub(crate) source: &'a mut dyn ElementSource,
}

/// Writes a file of small variables and arrays that are made while they are written.
pub(crate) fn write_streamed(
    folder: &Path,
    file: &str,
    streamed: &mut [Streamed<'_>],
    variables: &Variables,
) -> Result<()> {
    let bytes = |array: &Streamed<'_>| {
        (array.dims.iter().product::<usize>() * array.element.bytes()) as u64
    };
    let held = variables.iter().map(|(_, value)| value_bytes(value));
    let largest = streamed.iter().map(bytes).chain(held).max().unwrap_or(0);
    let container = Container::for_largest_variable(largest);
    let mut writer = Writer::create(folder.join(file), container, WriteOptions::default())?;
    for array in streamed {
        writer.write_streamed(array.name, array.element, &array.dims, array.source)?;
    }
    for (name, value) in variables.iter() {
        writer.write(name, value)?;
    }
    Ok(writer.finish()?)
}
