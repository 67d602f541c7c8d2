//! Defines sums that do not depend on how many values there are.

/// Sum of `values` with Neumaier's compensation: exact to about one rounding, for any number.
///
/// A plain running sum of 250,000 angles is off by 1e-13 of its value, and by another amount in
/// every order of summation.
pub fn compensated_sum(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for &value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::compensated_sum;

    #[test]
    fn what_a_running_sum_loses_is_kept() {
        assert_eq!(compensated_sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(compensated_sum(&[0.1; 10]), 1.0);
        assert_eq!(compensated_sum(&[]), 0.0);
        assert!(compensated_sum(&[1.0, f64::NAN]).is_nan());
    }
}
