//! Defines how a parameter's value is written on the command line and shown to people.

use pystamps_mat::Value;

use super::defaults::{Kind, parameter};
use crate::error::{Diagnostic, Result};

/// A value as typed: `nan` asks for the default.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// Reset to the default.
    Reset,
    /// A new value.
    Value(Value),
}

/// Reads the text typed for parameter `name`: a number, `[1 2 3]`, `1:5`, `[]`, text with or without
/// quotes, or `nan` to reset.
///
/// # Errors
/// `parameter-value` if the text does not fit the parameter's kind.
pub fn parse_value(name: &str, typed: &str) -> Result<Typed> {
    let typed = typed.trim();
    if typed.eq_ignore_ascii_case("nan") {
        return Ok(Typed::Reset);
    }
    if numbers(typed).is_some_and(|row| !row.is_empty() && row.iter().all(|x| x.is_nan())) {
        return Ok(Typed::Reset);
    }
    let plain = unquoted(typed);
    let refuse = |expected: &str| {
        Diagnostic::new("parameter-value", format!("'{typed}' is no value for {name}"))
            .variable(name)
            .expected(expected)
            .found(typed)
            .remedy("see `pystamps-native params list`, or set `nan` for the default")
            .usage()
    };
    let value = match (kind_of(name), numbers(typed)) {
        (Some(Kind::Flag), _) => match plain.to_ascii_lowercase().as_str() {
            "y" | "n" => Value::text(&plain.to_ascii_lowercase()),
            _ => return Err(refuse("y or n")),
        },
        (Some(Kind::Text), _) if plain.is_empty() => return Err(refuse("some text")),
        (Some(Kind::Text), _) | (None, None) => Value::text(plain),
        (Some(Kind::Number), Some(row)) if row.len() == 1 => Value::scalar(row[0]),
        (Some(Kind::Number), Some(row)) if name == "scn_time_win" && row.is_empty() => {
            Value::empty()
        }
        (Some(Kind::Number), _) => return Err(refuse("one number")),
        (Some(Kind::Numbers), None) if name == "scn_deramp_ifg" && plain == "all" => {
            Value::text(plain)
        }
        (Some(Kind::Numbers), None) => return Err(refuse("numbers, such as [1 2 3], 1:3 or []")),
        (_, Some(row)) if row.is_empty() => Value::empty(),
        (_, Some(row)) if row.len() == 1 => Value::scalar(row[0]),
        (_, Some(row)) => Value::row_f64(&row),
    };
    Ok(Typed::Value(value))
}

/// The kind of a parameter; those that preparation and stage 1 set have no row in the table.
fn kind_of(name: &str) -> Option<Kind> {
    match name {
        "insar_processor" | "platform" | "Created" => Some(Kind::Text),
        _ => parameter(name).map(|parameter| parameter.kind),
    }
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    inner.or_else(|| text.strip_prefix('"').and_then(|t| t.strip_suffix('"'))).unwrap_or(text)
}

/// Numbers that a range may stand for, and all ranges of a row together: no stack has as many images.
const LONGEST_RANGE: usize = 100_000;

/// The numbers of `[1 2 3]`, `1, 2`, `1:5`, `-Inf`; `None` if anything else is in there.
fn numbers(text: &str) -> Option<Vec<f64>> {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    if inner.is_none() && text.is_empty() {
        return None;
    }
    let mut row = Vec::new();
    let mut ranges = 0_usize;
    for token in inner.unwrap_or(text).split([' ', ',', '\t']).filter(|t| !t.is_empty()) {
        match token.split_once(':') {
            None => row.push(number(token)?),
            Some((first, last)) => {
                let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
                let range = first..=last;
                ranges += range.size_hint().0;
                if ranges > LONGEST_RANGE {
                    return None;
                }
                row.extend(range.map(f64::from));
            }
        }
    }
    Some(row)
}

fn number(token: &str) -> Option<f64> {
    match token.to_ascii_lowercase().as_str() {
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "infinity" | "+infinity" | "-infinity" => None,
        other => other.parse().ok(),
    }
}

/// A value as one readable line: numbers in the shortest form that reads back equal.
pub fn display_value(value: &Value) -> String {
    if let Some(text) = value.to_text() {
        return format!("'{text}'");
    }
    match value.to_f64_vec() {
        Some(row) if row.len() == 1 => display_number(row[0]),
        Some(row) => {
            let row: Vec<String> = row.into_iter().map(display_number).collect();
            format!("[{}]", row.join(" "))
        }
        None => format!("<{:?} {:?}>", value.class(), value.dims()),
    }
}

fn display_number(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, text: &str) -> String {
        match parse_value(name, text).unwrap() {
            Typed::Reset => "reset".into(),
            Typed::Value(value) => display_value(&value),
        }
    }

    #[test]
    fn values_are_read_by_kind() {
        assert_eq!(parsed("max_topo_err", "12.5"), "12.5");
        assert_eq!(parsed("weed_max_noise", "Inf"), "Inf");
        assert_eq!(parsed("max_topo_err", "NaN"), "reset");
        assert_eq!(parsed("drop_ifg_index", "[nan NaN]"), "reset");
        assert_eq!(parsed("drop_ifg_index", "[3 5:7, 9]"), "[3 5 6 7 9]");
        assert_eq!(parsed("drop_ifg_index", "[]"), "[]");
        assert_eq!(parsed("scla_deramp", "Y"), "'y'");
        assert_eq!(parsed("select_method", "'PERCENT'"), "'PERCENT'");
        assert_eq!(parsed("my_own", "4"), "4");
        assert_eq!(parsed("my_own", "four"), "'four'");
    }

    #[test]
    fn wrong_kinds_are_refused() {
        for (name, text) in [
            ("max_topo_err", "twenty"),
            ("max_topo_err", "[1 2]"),
            ("scla_deramp", "maybe"),
            ("drop_ifg_index", "1:999999999"),
            ("select_method", "''"),
        ] {
            assert_eq!(parse_value(name, text).unwrap_err().name(), "parameter-value", "{text}");
        }
    }

    #[test]
    fn many_short_ranges_are_no_longer_than_one_long_one() {
        assert_eq!(numbers("1:60000").unwrap().len(), 60_000);
        assert_eq!(numbers("1:60000 1:60000"), None);
        assert_eq!(numbers("0:4294967295"), None);
        assert_eq!(numbers("5:1"), Some(Vec::new()));
    }
}
