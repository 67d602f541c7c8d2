//! Counts values the way MATLAB's `hist` does.

/// Number of `values` in the bin of each of the ascending `centres`.
///
/// Bins meet half-way between their centres, a value on the edge belongs to the lower one, the outer
/// bins are open, NaN is not counted (stage2.md 6).
///
/// # StaMPS compatibility
/// Edges are compared as `edge + eps(edge)`, that is, a value one bit above the edge still counts in
/// the lower bin: 0.01 does so although the edge computed from the centres 0.005 and 0.015 is one bit
/// less.
pub fn histogram(values: &[f64], centres: &[f64]) -> Vec<f64> {
    let limits: Vec<f64> =
        centres.windows(2).map(|pair| raised(pair[0] + (pair[1] - pair[0]) / 2.0)).collect();
    let mut counts = vec![0.0; centres.len()];
    for value in values.iter().filter(|value| !value.is_nan()) {
        let bin = limits.partition_point(|limit| value > limit);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1.0;
        }
    }
    counts
}

/// An edge and its `eps`: below 0, at a power of two, that is twice the step to the next double.
fn raised(edge: f64) -> f64 {
    let size = edge.abs();
    edge + (size.next_up() - size)
}

#[cfg(test)]
mod tests {
    use super::histogram;

    #[test]
    fn edges_of_the_specification() {
        let centres: Vec<f64> = (0..100).map(|k| 0.005 + 0.01 * f64::from(k)).collect();
        let counts = histogram(&[0.01, 0.010_000_1, 1.02, f64::NAN, -3.0], &centres);
        assert_eq!((counts[0], counts[1], counts[99]), (2.0, 1.0, 1.0));
        assert_eq!(counts.iter().sum::<f64>(), 4.0);
        // Every edge as it is written down belongs to the bin below it.
        let edges: Vec<f64> = (1..100).map(|k| 0.01 * f64::from(k)).collect();
        let counts = histogram(&edges, &centres);
        assert!(counts.iter().all(|&count| count <= 2.0));
    }

    #[test]
    fn edges_below_zero_are_raised_by_their_own_spacing() {
        let above = (-1.0_f64).next_up();
        let counts =
            histogram(&[-1.0, above, above.next_up(), above.next_up().next_up()], &[-2.0, 0.0]);
        assert_eq!(counts, [3.0, 1.0]);
    }

    #[test]
    fn no_bins_no_counts() {
        assert!(histogram(&[1.0], &[]).is_empty());
        assert_eq!(histogram(&[1.0, f64::INFINITY], &[3.0]), [2.0]);
    }
}
