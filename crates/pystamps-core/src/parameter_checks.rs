//! Checks parameter values that several stages share, before any work.

use crate::error::{Diagnostic, Error, Result};
use crate::project::parameters::Parameters;

/// Columns left out by `drop_ifg_index`, from 0, of `count` interferograms with the master's slot.
///
/// # Errors
/// `parameter-range` for an index that does not exist.
pub(crate) fn dropped_interferograms(parameters: &Parameters, count: usize) -> Result<Vec<usize>> {
    let (name, value) = parameters.get("drop_ifg_index")?;
    let numbers = value.to_f64_vec().unwrap_or_default();
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
            let expected = format!("interferograms from 1 to {count}, the master's slot counted");
            Err(out_of_range(&name, &expected, number))
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
