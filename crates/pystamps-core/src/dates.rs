//! Defines acquisition dates as the file names of an export carry them.
//!
//! Dates are read from names only: `20210224.rslc` holds one, `20210224_20210107.diff` a pair. The
//! numeric form that StaMPS stores is MATLAB's `datenum` (parameters.md, section 6).

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::{Diagnostic, Result};

/// A day of the Gregorian calendar; ordered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The text is not a date written `YYYYMMDD`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a calendar date written YYYYMMDD, for example 20210224")]
pub struct InvalidDate(String);

impl Date {
    /// The day, if it exists in the calendar (years 1000 to 9999, so that eight digits suffice).
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let valid = (1000..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        valid.then_some(Self { year, month, day })
    }

    /// MATLAB's `datenum`: days since year 0, with 1970-01-01 = 719529.
    pub fn datenum(self) -> i64 {
        // Years counted from March put the leap day last; no table of month lengths is needed.
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let leap_days = year / 4 - year / 100 + year / 400;
        365 * year + leap_days + day_of_year + 61
    }

    /// The day that MATLAB's `datenum` names; `None` outside the years 1000 to 9999.
    pub fn from_datenum(datenum: f64) -> Option<Self> {
        let first_of = |year, month| Self::new(year, month, 1).map(|date| date.datenum() as f64);
        let year = (1000..=9999).rev().find(|&year| first_of(year, 1) <= Some(datenum))?;
        let month = (1..=12).rev().find(|&month| first_of(year, month) <= Some(datenum))?;
        let day = datenum.floor() - first_of(year, month)? + 1.0;
        (1..=31)
            .find(|&number| f64::from(number) == day)
            .and_then(|day| Self::new(year, month, day))
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = InvalidDate;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidDate> {
        let invalid = || InvalidDate(text.to_owned());
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let number: u32 = text.parse().map_err(|_| invalid())?;
        let year = u16::try_from(number / 10_000).map_err(|_| invalid())?;
        let month = u8::try_from(number / 100 % 100).map_err(|_| invalid())?;
        let day = u8::try_from(number % 100).map_err(|_| invalid())?;
        Self::new(year, month, day).ok_or_else(invalid)
    }
}

impl fmt::Display for Date {
    /// Writes `YYYYMMDD`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The day `days` after 1970-01-01 as MATLAB and StaMPS write it, `22-Nov-2026`.
pub fn day_month_year(days: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // Every 400 years the calendar repeats, after 146,097 days.
    let (cycles, mut days) = (days / 146_097, days % 146_097);
    for year in 1970..=2369_u16 {
        for (name, month) in MONTHS.into_iter().zip(1..) {
            let length = u64::from(days_in_month(year, month));
            if days < length {
                let year = u64::from(year) + 400 * cycles;
                return format!("{:02}-{name}-{year}", days + 1);
            }
            days -= length;
        }
    }
    unreachable!("invariant: 400 years have more days than are left")
}

/// The two acquisitions of an interferogram, in the order of its file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatePair {
    /// The first date of the name: the master of a single-master interferogram.
    pub first: Date,
    /// The second date of the name.
    pub second: Date,
}

impl DatePair {
    /// Reads the pair from the end of an interferogram's name, `…YYYYMMDD?YYYYMMDD.diff` with any
    /// one character between the dates.
    ///
    /// # Errors
    /// `interferogram-name` when the name does not end so or holds an impossible date.
    ///
    /// # StaMPS compatibility
    /// The dates stand where StaMPS looks for them (stage1.md, B.1), counted from the end of the
    /// path; StaMPS counts with the length of the first path for all of them.
    pub fn from_interferogram(path: &Path) -> Result<Self> {
        Self::parse_name(path).ok_or_else(|| {
            Diagnostic::new(
                "interferogram-name",
                "the interferogram's name does not hold two dates",
            )
            .path(path)
            .expected("a name that ends in YYYYMMDD_YYYYMMDD.diff (master first)")
            .found(path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into()))
            .remedy("rename the file and its .base, or remove both from the export")
            .data()
        })
    }

    fn parse_name(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".diff")?;
        let start = stem.len().checked_sub(17)?;
        let first = stem.get(start..start + 8)?.parse().ok()?;
        let second = stem.get(start + 9..)?.parse().ok()?;
        Some(Self { first, second })
    }
}

impl fmt::Display for DatePair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}_{}", self.first, self.second)
    }
}

/// Reads the date a single-look complex image is named after (`YYYYMMDD.rslc`, `YYYYMMDD.VV.slc`).
///
/// # Errors
/// `slc-name` when the name does not begin with a date and a dot.
pub fn slc_date(path: &Path) -> Result<Date> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    name.split('.').next().and_then(|stem| stem.parse().ok()).ok_or_else(|| {
        Diagnostic::new("slc-name", "the image's name does not begin with its date")
            .path(path)
            .expected("YYYYMMDD.rslc")
            .found(&name)
            .remedy("rename the image and its .par, or move both out of the folder")
            .data()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn datenum_is_matlabs() {
        assert_eq!(date("19700101").datenum(), 719_529);
        assert_eq!(date("20000229").datenum(), 730_545);
        assert_eq!(date("20000301").datenum(), 730_546);
        assert_eq!(date("20210224").datenum(), 738_211);
        assert_eq!(date("20201231").datenum() + 1, date("20210101").datenum());
        for text in ["10000101", "19700101", "20000229", "20201231", "99991231"] {
            assert_eq!(Date::from_datenum(date(text).datenum() as f64 + 0.5), Some(date(text)));
        }
        for datenum in [f64::NAN, 0.0, f64::INFINITY, 4e6] {
            assert_eq!(Date::from_datenum(datenum), None);
        }
    }

    #[test]
    fn days_are_written_as_stamps_does() {
        assert_eq!(day_month_year(0), "01-Jan-1970");
        assert_eq!(day_month_year(11_016), "29-Feb-2000");
        assert_eq!(day_month_year(11_017), "01-Mar-2000");
        assert_eq!(day_month_year(20_779), "22-Nov-2026");
        assert_eq!(day_month_year(146_096), "31-Dec-2369");
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in
            ["20210229", "19000229", "20211301", "20210100", "2021022", "202102244", "2021-2-4", ""]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("20000229".parse::<Date>().is_ok());
        assert!("+2021022".parse::<Date>().is_err());
    }

    #[test]
    fn dates_are_ordered_in_time_and_written_as_read() {
        assert!(date("20201231") < date("20210101"));
        assert_eq!(date("20210224").to_string(), "20210224");
    }

    #[test]
    fn interferogram_names() {
        let pair = DatePair::from_interferogram(Path::new("/a b/20210224_20210107.diff")).unwrap();
        assert_eq!(pair.to_string(), "20210224_20210107");
        let other = DatePair::from_interferogram(Path::new("x20210224-20210107.diff")).unwrap();
        assert_eq!(other, pair);
        for name in
            ["20210224_20210107.base", "0210224_20210107.diff", "20210224_20211307.diff", "é.diff"]
        {
            let error = DatePair::from_interferogram(Path::new(name)).unwrap_err();
            assert_eq!(error.name(), "interferogram-name", "{name}");
        }
    }

    #[test]
    fn slc_names() {
        assert_eq!(slc_date(Path::new("rslc/20210107.rslc")).unwrap(), date("20210107"));
        assert_eq!(slc_date(Path::new("20210107.VV.slc")).unwrap(), date("20210107"));
        let error = slc_date(Path::new("rslc/master.rslc")).unwrap_err();
        assert_eq!(error.name(), "slc-name");
    }
}
