//! Checks parameter values that several stages share, before any work.

use crate::error::{Diagnostic, Error, Result};
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;

/// A parameter that must be a finite number above zero.
///
/// # Errors
/// `parameter-range`; as `Parameters::number`.
pub(crate) fn positive(parameters: &Parameters, name: &str) -> Result<f64> {
    let value = parameters.number(name)?;
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(out_of_range(name, "a number above 0", value))
}

/// A parameter that must be a finite number of 0 or more.
///
/// # Errors
/// `parameter-range`; as `Parameters::number`.
pub(crate) fn not_negative(parameters: &Parameters, name: &str) -> Result<f64> {
    let value = parameters.number(name)?;
    if value >= 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(out_of_range(name, "a number of 0 or more", value))
}

/// Side of the CLAP filter's window, cells. Three quarters of it must be even.
///
/// # Errors
/// `parameter-range`; as `Parameters::number`.
pub(crate) fn filter_window(parameters: &Parameters) -> Result<usize> {
    let value = positive(parameters, "clap_win")?;
    if value % 8.0 == 0.0 && value <= 1024.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number up to 1024"
        )]
        return Ok(value as usize);
    }
    Err(out_of_range("clap_win", "a multiple of 8 up to 1024", value))
}

/// Columns left out by `drop_ifg_index`, from 0, of `count` interferograms with the master's slot.
///
/// # Errors
/// `parameter-range` for an index that does not exist.
pub(crate) fn dropped_interferograms(parameters: &Parameters, count: usize) -> Result<Vec<usize>> {
    indices(parameters, "drop_ifg_index", count, "interferograms, the master's slot counted")
}

/// Interferograms of `stack` that are not dropped, ascending; the master's slot among them.
///
/// # Errors
/// `parameter-range`.
pub(crate) fn kept_interferograms(parameters: &Parameters, stack: &Stack) -> Result<Vec<usize>> {
    let count = stack.interferogram_count();
    let dropped = dropped_interferograms(parameters, count)?;
    Ok((0..count).filter(|column| !dropped.contains(column)).collect())
}

/// The `count` things, counted from 0, that a parameter lists, counted from 1; `things` says what they
/// are.
///
/// # Errors
/// `parameter-range` for an index that does not exist.
pub(crate) fn indices(
    parameters: &Parameters,
    name: &str,
    count: usize,
    things: &str,
) -> Result<Vec<usize>> {
    let (name, value) = parameters.get(name)?;
    let Some(numbers) = value.to_f64_vec() else {
        let found = crate::project::parameters::display_value(value);
        return Err(out_of_range(&name, &format!("numbers of {things}, or []"), found));
    };
    numbers
        .into_iter()
        .map(|number| {
            if number >= 1.0 && number <= count as f64 && number.fract() == 0.0 {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number in range"
                )]
                return Ok(number as usize - 1);
            }
            Err(out_of_range(&name, &format!("numbers from 1 to {count} of {things}"), number))
        })
        .collect()
}

/// A parameter whose value cannot work.
pub(crate) fn out_of_range(name: &str, expected: &str, found: impl std::fmt::Display) -> Error {
    Diagnostic::new("parameter-range", format!("parameter {name} cannot have this value"))
        .variable(name)
        .expected(expected)
        .found(found)
        .remedy(format!("pystamps-native params set --dataset … {name} VALUE (nan resets)"))
        .usage()
}
