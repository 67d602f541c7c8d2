//! Which dates a product is made of.

use crate::dates::Date;
use crate::error::{Diagnostic, Result};

/// The dates asked for, both ends included; open where an end is not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct DateRange {
    /// First date.
    pub first: Option<Date>,
    /// Last date.
    pub last: Option<Date>,
}

impl DateRange {
    /// Whether MATLAB's day number lies within.
    #[expect(clippy::cast_possible_truncation, reason = "day numbers are small")]
    pub(super) fn contains(&self, day: f64) -> bool {
        let day = day.floor() as i64;
        self.first.is_none_or(|first| first.datenum() <= day)
            && self.last.is_none_or(|last| day <= last.datenum())
    }

    /// The limits in words, if there are any.
    pub(super) fn words(&self) -> Option<String> {
        let first = self.first.map(|date| format!("from {date}"));
        let last = self.last.map(|date| format!("to {date}"));
        let limits: Vec<String> = first.into_iter().chain(last).collect();
        (!limits.is_empty()).then(|| limits.join(" "))
    }

    /// Refuses limits in the wrong order.
    ///
    /// # Errors
    /// `dates-empty`.
    pub(super) fn refuse_backwards(&self) -> Result<()> {
        match (self.first, self.last) {
            (Some(first), Some(last)) if last < first => {
                Err(Diagnostic::new("dates-empty", "the dates asked for end before they begin")
                    .variable("--to")
                    .expected(format!("a date from {first} on"))
                    .found(last)
                    .remedy("exchange --from and --to")
                    .usage())
            }
            _ => Ok(()),
        }
    }
}
