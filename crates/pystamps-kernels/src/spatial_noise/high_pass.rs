//! Takes the slow part in time off phase series.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use crate::simd::{Kernel, run_widest};

/// PS worked on together: their series fit into the nearest cache.
const STRIP: usize = 32;
/// PS and dates whose sums are kept in registers.
const LANES: usize = 8;
const TARGETS: usize = 4;

/// A Gaussian high-pass in time.
#[derive(Clone, Debug)]
pub struct TemporalHighPass {
    dates: usize,
    /// Weights of all dates in the mean at one date, date by date; filled up with dates of no weight
    /// to whole groups of [`TARGETS`], within which the weights of one date lie side by side.
    weights: Vec<[f64; TARGETS]>,
}

impl TemporalHighPass {
    /// The high-pass for columns at `days`, with a standard deviation of `window_days`. The column
    /// `weightless` (that of the master, which holds no phase) does not count in the means.
    ///
    /// Where nothing else counts the mean is the date's own phase (stage8.md section 5). The largest
    /// weight is 1 before weights are divided by their sum, so that they never all vanish.
    pub fn new(days: &[f64], window_days: f64, weightless: Option<usize>) -> Self {
        let dates = days.len();
        let mut weights = Vec::with_capacity(dates.div_ceil(TARGETS) * dates);
        for first in (0..dates).step_by(TARGETS) {
            let count = TARGETS.min(dates - first);
            let group: Vec<Vec<f64>> = (first..first + count)
                .map(|target| weights_at(target, days, window_days, weightless))
                .collect();
            for date in 0..dates {
                let mut of_date = [0.0; TARGETS];
                for (weight, of_target) in of_date.iter_mut().zip(&group) {
                    *weight = of_target[date];
                }
                weights.push(of_date);
            }
        }
        Self { dates, weights }
    }

    /// Number of dates.
    pub fn dates(&self) -> usize {
        self.dates
    }

    /// Writes what the high-pass leaves of `tile` to `out`: both `[rows, dates]`, column-major, rad.
    /// Sums are double. Every row is worked on by itself, so that tiles of any size give the same.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn apply(&self, tile: &[f32], rows: usize, out: &mut [f32]) {
        assert_eq!(tile.len(), rows * self.dates, "a phase for every row and date");
        assert_eq!(out.len(), tile.len(), "room for every phase");
        if tile.is_empty() {
            return;
        }
        run_widest(Apply { filter: self, tile, rows, out });
    }
}

/// Weights of all dates in the mean at one.
fn weights_at(
    target: usize,
    days: &[f64],
    window_days: f64,
    weightless: Option<usize>,
) -> Vec<f64> {
    let squared = |date: usize| (days[target] - days[date]).powi(2);
    let counted = |date: &usize| Some(*date) != weightless;
    let nearest = (0..days.len()).filter(counted).map(squared).fold(f64::INFINITY, f64::min);
    let mut weights = vec![0.0; days.len()];
    for date in (0..days.len()).filter(counted) {
        // 1 at the nearest date, whatever the window.
        let farther = squared(date) - nearest;
        let exponent = farther / (2.0 * window_days * window_days);
        weights[date] = if farther == 0.0 { 1.0 } else { (-exponent).exp() };
    }
    let sum: f64 = weights.iter().sum();
    if sum == 0.0 {
        weights[target] = 1.0;
    } else {
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    weights
}

struct Apply<'a> {
    filter: &'a TemporalHighPass,
    tile: &'a [f32],
    rows: usize,
    out: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn run(self) {
        let dates = self.filter.dates;
        let mut strip = vec![[0.0; LANES]; dates * (STRIP / LANES)];
        for first in (0..self.rows).step_by(STRIP) {
            let count = STRIP.min(self.rows - first);
            for date in 0..dates {
                let column = &self.tile[date * self.rows + first..][..count];
                for (k, &phase) in column.iter().enumerate() {
                    strip[(k / LANES) * dates + date][k % LANES] = f64::from(phase);
                }
            }
            let targets = self.filter.weights.chunks_exact(dates);
            for (group, weights) in targets.enumerate() {
                for (part, series) in strip.chunks_exact(dates).enumerate() {
                    let lanes = count.saturating_sub(part * LANES).min(LANES);
                    let means = means(weights, series);
                    let dates_left = TARGETS.min(dates - group * TARGETS);
                    for (target, means) in means[..dates_left].iter().enumerate() {
                        let date = group * TARGETS + target;
                        let at = date * self.rows + first + (part * LANES).min(count);
                        for (lane, out) in self.out[at..][..lanes].iter_mut().enumerate() {
                            *out = single(series[date][lane] - means[lane]);
                        }
                    }
                }
            }
        }
    }
}

/// Weighted sums of the series of some PS, at some dates.
#[inline(always)]
fn means(weights: &[[f64; TARGETS]], series: &[[f64; LANES]]) -> [[f64; LANES]; TARGETS] {
    let mut sums = [[0.0; LANES]; TARGETS];
    for (weights, phases) in weights.iter().zip(series) {
        for (sums, weight) in sums.iter_mut().zip(weights) {
            for (sum, phase) in sums.iter_mut().zip(phases) {
                *sum += weight * phase;
            }
        }
    }
    sums
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "phases are single")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [f64; 6] = [0.0, 12.0, 24.0, 48.0, 60.0, 400.0];

    fn tile(rows: usize) -> Vec<f32> {
        (0..rows * 6).map(|k| single(((k * k) as f64 * 0.618).fract() * 6.0 - 3.0)).collect()
    }

    #[test]
    fn what_is_left_is_phase_less_its_mean() {
        let filter = TemporalHighPass::new(&DAYS, 30.0, Some(2));
        assert_eq!(filter.dates(), 6);
        for rows in [1, 7, 8, 33, 100] {
            let tile = tile(rows);
            let mut out = vec![0.0; tile.len()];
            filter.apply(&tile, rows, &mut out);
            for (k, &got) in out.iter().enumerate() {
                let (row, target) = (k % rows, k / rows);
                let weight = |date: usize| {
                    let since: f64 = DAYS[target] - DAYS[date];
                    if date == 2 { 0.0 } else { (-since * since / 1800.0).exp() }
                };
                let sum: f64 = (0..6).map(weight).sum();
                let value = |date: usize| weight(date) * f64::from(tile[date * rows + row]) / sum;
                let expected = f64::from(tile[k]) - (0..6).map(value).sum::<f64>();
                assert!((f64::from(got) - expected).abs() < 4e-7, "{rows} {k}: {got} {expected}");
            }
        }
    }

    #[test]
    fn rows_do_not_depend_on_their_tile() {
        let filter = TemporalHighPass::new(&DAYS, 100.0, None);
        let all = tile(70);
        let mut together = vec![0.0; all.len()];
        filter.apply(&all, 70, &mut together);
        let one: Vec<f32> = (0..6).map(|date| all[date * 70 + 45]).collect();
        let mut alone = vec![0.0; 6];
        filter.apply(&one, 1, &mut alone);
        for date in 0..6 {
            assert_eq!(alone[date].to_bits(), together[date * 70 + 45].to_bits());
        }
    }

    #[test]
    fn nothing_else_in_reach_leaves_nothing() {
        for (days, weightless) in [(&[3.0][..], None), (&[3.0], Some(0)), (&[3.0, 90.0], Some(0))] {
            let filter = TemporalHighPass::new(days, 365.0, weightless);
            let mut out = vec![9.0; days.len()];
            let tile = &[0.5, 0.5][..days.len()];
            filter.apply(tile, 1, &mut out);
            assert_eq!(out, vec![0.0; days.len()]);
        }
        // Weights that underflow without the largest exponent taken out: the master's nearest image.
        let filter = TemporalHighPass::new(&[0.0, 9e4, 2e5], 1.0, Some(0));
        let mut out = [9.0; 3];
        filter.apply(&[0.0, 2.0, 5.0], 1, &mut out);
        assert_eq!(out, [-2.0, 0.0, 0.0]);
        TemporalHighPass::new(&[], 365.0, None).apply(&[], 0, &mut []);
        TemporalHighPass::new(&[], 365.0, None).apply(&[], 3, &mut []);
    }

    #[test]
    fn windows_without_sense_are_no_panic() {
        for window in [0.0, -3.0, f64::INFINITY, f64::NAN] {
            let mut out = vec![9.0; 12];
            TemporalHighPass::new(&DAYS, window, None).apply(&tile(2), 2, &mut out);
            assert!(window.is_nan() || out.iter().all(|value| value.is_finite()), "{window}");
        }
    }
}
