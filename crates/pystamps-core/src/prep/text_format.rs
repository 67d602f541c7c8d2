//! Writes floating point numbers as C++ streams do by default (`%.6g`).

use std::io::Write;

/// Appends `value` with six significant digits, as C's `%.6g` writes it.
///
/// # StaMPS compatibility
/// `calamp` and `selpsc_patch` write their numbers so (prep.md, sections 8 and 9); later steps use
/// the rounded values.
///
/// # Algorithm
/// 1. Round to six significant digits, ties of the exact binary value to even.
/// 2. With a decimal exponent from -4 to 5 write it as a plain decimal, otherwise with an exponent
///    of at least two digits.
/// 3. Drop trailing zeros of the fraction, and the point with them.
pub(crate) fn push_six_digits(out: &mut Vec<u8>, value: f32) {
    if !value.is_finite() {
        let text: &[u8] = match (value.is_nan(), value.is_sign_negative()) {
            (true, false) => b"nan",
            (true, true) => b"-nan",
            (false, false) => b"inf",
            (false, true) => b"-inf",
        };
        out.extend_from_slice(text);
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let (digits, exponent) = six_digits(value.abs());
    let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    let digits = &digits[..significant];
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + exponent.unsigned_abs() as usize - 1, b'0');
            out.extend_from_slice(digits);
        }
        0..=5 => {
            let integer_digits = exponent.unsigned_abs() as usize + 1;
            let (integer, fraction) = digits.split_at(integer_digits.min(digits.len()));
            out.extend_from_slice(integer);
            out.resize(out.len() + integer_digits - integer.len(), b'0');
            push_fraction(out, fraction);
        }
        _ => {
            out.push(digits[0]);
            push_fraction(out, &digits[1..]);
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "e{sign}{:02}", exponent.abs())
                .expect("invariant: a Vec takes every write");
        }
    }
}

fn push_fraction(out: &mut Vec<u8>, digits: &[u8]) {
    if !digits.is_empty() {
        out.push(b'.');
        out.extend_from_slice(digits);
    }
}

/// The six digits of a finite `value >= 0` and the decimal exponent of the first.
fn six_digits(value: f32) -> ([u8; 6], i32) {
    // `{:.5e}` is `d.ddddde±x`: the standard library rounds the exact value, ties to even.
    let mut text = [0_u8; 16];
    let mut rest = &mut text[..];
    write!(rest, "{value:.5e}").expect("invariant: 16 bytes hold d.ddddde-dd");
    let length = 16 - rest.len();
    let mut digits = [text[0]; 6];
    digits[1..].copy_from_slice(&text[2..7]);
    let (sign, magnitude) =
        if text[8] == b'-' { (-1, &text[9..length]) } else { (1, &text[8..length]) };
    let magnitude = magnitude.iter().fold(0, |sum, digit| 10 * sum + i32::from(digit - b'0'));
    (digits, sign * magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f32) -> String {
        let mut out = Vec::new();
        push_six_digits(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn matches_printf() {
        // Right-hand sides printed by C's printf("%.6g").
        for (value, expected) in [
            (0.0_f32, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.4, "0.4"),
            (0.231_996_1, "0.231996"),
            (1.279_000_4, "1.279"),
            (100.0, "100"),
            (123_456.0, "123456"),
            (120_000.0, "120000"),
            (999_999.5, "1e+06"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.23457e+06"),
            (0.000_1, "0.0001"),
            (0.000_123_456_78, "0.000123457"),
            (0.000_099_999_99, "0.0001"),
            (0.000_012_345_678, "1.23457e-05"),
            (1.0e-38, "1e-38"),
            (1.0e-45, "1.4013e-45"),
            (f32::MAX, "3.40282e+38"),
            (-2.5, "-2.5"),
            (f32::INFINITY, "inf"),
            (f32::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(text(value), expected, "{value:e}");
        }
    }

    #[test]
    fn exact_ties_go_to_the_even_digit() {
        assert_eq!(text(1_000_005.0), "1e+06");
        assert_eq!(text(1_000_015.0), "1.00002e+06");
        assert_eq!(text(2.000_025_5e6), "2.00003e+06");
        assert_eq!(text(8_388_607.5), "8.38861e+06");
        assert_eq!(text(10_000.25), "10000.2");
        assert_eq!(text(10_000.75), "10000.8");
    }

    #[test]
    fn reading_back_gives_the_number_to_six_digits() {
        let mut value = 1.0e-9_f32;
        while value < 1.0e9 {
            let back: f32 = text(value).parse().unwrap();
            assert!((back / value - 1.0).abs() < 5.1e-6, "{value}");
            value *= 1.003_7;
        }
    }
}
