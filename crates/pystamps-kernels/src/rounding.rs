//! Defines MATLAB's rounding.

/// Rounds a length to whole millimetres the way stage 1 stores coordinates, in single precision
/// throughout: `round(value * 1000) / 1000`, halves away from zero (stage1.md B.9).
pub fn round_to_millimetre(value_m: f32) -> f32 {
    (value_m * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::round_to_millimetre;

    #[test]
    fn halves_go_away_from_zero() {
        // 0.0625 m is exact in binary: 62.5 mm lies exactly between two millimetres.
        assert_eq!(round_to_millimetre(0.0625), 0.063);
        assert_eq!(round_to_millimetre(-0.0625), -0.063);
        assert!(round_to_millimetre(f32::NAN).is_nan());
    }
}
