//! Brings values that stick out of their surroundings back to the outermost neighbour.

/// Brings every value into the range of its neighbours along `edges` (pairs of numbers from 0): one
/// pass, from the given values alone. Neighbours count as rounded to single precision; NaN among
/// them is ignored, and a value that is NaN stays so.
///
/// # StaMPS compatibility
/// `ps_smooth_scla`, stage7.md section 5. A PS without edges, or whose neighbours are all NaN,
/// keeps its value; the original makes it infinite.
///
/// # Panics
/// If an edge ends outside the values.
pub fn clamp_to_neighbours(values: &[f64], edges: &[[u32; 2]]) -> Vec<f64> {
    let mut low = vec![f64::INFINITY; values.len()];
    let mut high = vec![f64::NEG_INFINITY; values.len()];
    for &[a, b] in edges {
        let [a, b] = [a as usize, b as usize];
        for (at, neighbour) in [(a, single(values[b])), (b, single(values[a]))] {
            // `min` and `max` give the other operand where one is NaN.
            low[at] = low[at].min(neighbour);
            high[at] = high[at].max(neighbour);
        }
    }
    let ranges = low.into_iter().zip(high);
    values
        .iter()
        .zip(ranges)
        .map(|(&value, (low, high))| match value {
            _ if low > high => value,
            _ if value > high => high,
            _ if value < low => low,
            _ => value,
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps the neighbours in single")]
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_come_back_to_their_neighbours() {
        let values = [1.0, 9.0, 2.0, -5.0, f64::NAN, 7.0];
        let edges = [[0, 1], [1, 2], [2, 0], [2, 3], [4, 3], [3, 4]];
        // 1 is above both neighbours, 3 below its one, 5 has none, 4 is NaN, 0 and 2 lie between.
        let clamped = clamp_to_neighbours(&values, &edges);
        assert_eq!(clamped[..4], [2.0, 2.0, 2.0, 2.0]);
        assert!(clamped[4].is_nan());
        assert_eq!(clamped[5], 7.0);
    }

    #[test]
    fn neighbours_count_in_single_precision() {
        let clamped = clamp_to_neighbours(&[0.1, 0.2], &[[0, 1]]);
        assert_eq!(clamped, [f64::from(0.2_f32), f64::from(0.1_f32)]);
    }

    #[test]
    fn only_nan_around_leaves_a_value_alone() {
        assert_eq!(clamp_to_neighbours(&[3.0, f64::NAN], &[[0, 1]])[0], 3.0);
        assert_eq!(clamp_to_neighbours(&[], &[]), Vec::<f64>::new());
    }
}
