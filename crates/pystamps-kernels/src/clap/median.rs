//! Finds the median of many numbers that are not negative.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use super::real::Real;

/// So few values between two pivots are put in order.
const FEW: usize = 16;
/// Ranks beyond the middle that a pivot aims at, so that the middle is between two pivots soon.
const MARGIN: f64 = 4.0;
/// Passes over all values before what is between the pivots is put in order, however much.
const MOST_PASSES: usize = 10;
/// Values that are looked at together for one between the pivots.
const CHUNK: usize = 16;
/// Density of smoothed moduli at their median times the median. A bad guess costs passes, not the
/// result.
const TYPICAL_DENSITY: f64 = 1.6;

/// Memory of a median, and where the last one was: those of neighbouring windows are alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct MedianScratch<T: Real> {
    last: T,
    between: Vec<T::Bits>,
}

/// Median of `values` (of an even number of values the mean of the two in the middle); NaN comes
/// after all numbers.
///
/// Counting what lies below a pivot takes no branches and many values at a time: a few pivots leave
/// less to be put in order than the first exchanges of a selection do. The bits of numbers that are
/// not negative, taken as integers, are in the same order and compare faster.
///
/// # Panics
/// If there are no values.
#[inline(always)]
pub(crate) fn median<T: Real>(values: &[T], scratch: &mut MedianScratch<T>) -> T {
    let upper_rank = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let MedianScratch { last, between } = scratch;
    between.clear();
    let bracket = Bracket::around(values, upper_rank - usize::from(even), upper_rank, *last);
    if let Some(bracket) = &bracket {
        bracket.gather(values, between);
    } else {
        between.extend(values.iter().map(|value| value.bits()));
    }
    let before = bracket.map_or(0, |bracket| bracket.below_low);
    let (below, &mut upper, _) = between.select_nth_unstable(upper_rank - before);
    let lower = below.iter().copied().max().filter(|_| even).unwrap_or(upper);
    let two = T::one() + T::one();
    *last = (T::from_ordered(lower) + T::from_ordered(upper)) / two;
    *last
}

/// Two pivots with the middle between them: `low` is not above it, `high` is.
struct Bracket<T> {
    low: T,
    below_low: usize,
    high: T,
    below_high: usize,
}

impl<T: Real> Bracket<T> {
    /// Pivots around the values of two ranks, counted from 0; `None` if infinity or NaN is among
    /// them.
    #[inline(always)]
    fn around(values: &[T], lower_rank: usize, upper_rank: usize, guess: T) -> Option<Self> {
        let below_high = T::count_below(values, T::rounded(f64::INFINITY));
        let high = T::rounded(f64::INFINITY);
        let mut bracket = Self { low: T::zero(), below_low: 0, high, below_high };
        if below_high <= upper_rank {
            return None;
        }
        let mut pivot = if guess > T::zero() { guess } else { values[0] };
        for _ in 0..MOST_PASSES {
            let splits = pivot > bracket.low && pivot < bracket.high;
            if !splits || bracket.below_high - bracket.below_low <= FEW {
                break;
            }
            let below = T::count_below(values, pivot);
            if below <= lower_rank {
                (bracket.low, bracket.below_low) = (pivot, below);
            } else if below > upper_rank {
                (bracket.high, bracket.below_high) = (pivot, below);
            }
            let density = TYPICAL_DENSITY * values.len() as f64 / pivot.wide();
            pivot = bracket.next_pivot([lower_rank, upper_rank], pivot, below, density);
        }
        Some(bracket)
    }

    /// Copies what is between the pivots.
    #[expect(clippy::needless_bitwise_bool, reason = "`&&` may become a branch")]
    #[inline(always)]
    fn gather(&self, values: &[T], between: &mut Vec<T::Bits>) {
        let inside = |value: T| (value >= self.low) & (value < self.high);
        between.resize(values.len(), T::Bits::default());
        let mut count = 0;
        for chunk in values.chunks(CHUNK) {
            if chunk.iter().fold(false, |any, &value| any | inside(value)) {
                // Every value is written, and kept by counting it: a branch would often be guessed
                // wrong.
                for &value in chunk {
                    between[count] = value.bits();
                    count += usize::from(inside(value));
                }
            }
        }
        between.truncate(count);
    }

    /// Where the next pivot should be, `below` values being below the last: beyond the side of the
    /// middle that is not enclosed closely yet.
    fn next_pivot(&self, ranks: [usize; 2], pivot: T, below: usize, density: f64) -> T {
        let [lower, upper] = ranks.map(|rank| rank as f64);
        let loose_above = self.below_high as f64 - upper > 2.0 * MARGIN;
        let wanted = if loose_above { upper + MARGIN } else { lower - MARGIN };
        let (low, high) = (self.low.wide(), self.high.wide());
        let next = if low > 0.0 && high.is_finite() {
            let inside = (self.below_high - self.below_low) as f64;
            low + (high - low) * (wanted - self.below_low as f64) / inside
        } else {
            pivot.wide() + (wanted - below as f64) / density
        };
        let enclosed = next > low && next < high;
        T::rounded(if enclosed { next } else { pivot.wide() * if loose_above { 1.5 } else { 0.6 } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted_median(values: &[f32]) -> f32 {
        let mut sorted: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        sorted.sort_unstable();
        let upper = f32::from_bits(sorted[sorted.len() / 2]);
        let lower = f32::from_bits(sorted[(sorted.len() - 1) / 2]);
        f32::midpoint(lower, upper)
    }

    fn fraction(k: usize) -> f32 {
        (k as f32 * 0.618_034).fract()
    }

    #[test]
    fn medians_are_those_of_sorted_values() {
        let spread: Vec<f32> = (0..1024).map(|k| 3.0 + fraction(k)).collect();
        let wide: Vec<f32> = (0..1024).map(|k| (40.0 * fraction(k) - 20.0).exp()).collect();
        let equal = vec![2.5_f32; 1024];
        let halves: Vec<f32> = (0..1024).map(|k| if k % 2 == 0 { 1.0 } else { 9.0 }).collect();
        let zeros: Vec<f32> = (0..1024).map(|k| if k % 3 == 0 { 1.0 } else { 0.0 }).collect();
        let odd: Vec<f32> = (0..225).map(|k| 7.0 * fraction(k * k)).collect();
        let tiny: Vec<f32> = (0..64).map(|k| f32::MIN_POSITIVE * fraction(k)).collect();
        let mut scratch = MedianScratch::default();
        for values in [&spread, &wide, &equal, &halves, &zeros, &odd, &tiny, &spread] {
            assert_eq!(median(values, &mut scratch), sorted_median(values));
        }
    }

    #[test]
    fn what_is_no_number_comes_last() {
        let mut values: Vec<f32> = (0..100).map(fraction).collect();
        let mut scratch = MedianScratch::default();
        for (count, expect_number) in [(30, true), (49, true), (51, false)] {
            for (k, value) in values.iter_mut().take(count).enumerate() {
                *value = if k % 2 == 0 { f32::INFINITY } else { f32::NAN };
            }
            let found = median(&values, &mut scratch);
            assert_eq!(found.is_finite(), expect_number);
            if expect_number {
                assert_eq!(found, sorted_median(&values));
            }
        }
        values.fill(1.5);
        assert_eq!(median(&values, &mut scratch), 1.5);
    }
}
