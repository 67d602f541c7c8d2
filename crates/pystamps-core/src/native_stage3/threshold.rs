//! The coherence above which candidates are accepted, from how much of it random phase would reach
//! (stage3.md 2 to 4).

use std::ops::Range;

use pystamps_kernels::histogram::histogram;
use pystamps_kernels::least_squares::{fit_line, fit_polynomial};

use crate::native_stage2::weighting::{bin_centres, low_coherence_bins};
use crate::project::stack::Network;

/// Candidates from which on thresholds depend on the amplitude dispersion.
const BINNED_FROM: usize = 10_000;
/// Candidates from which on bins of dispersion are large.
const LARGE_BINS_FROM: usize = 50_000;
/// Candidates in a bin of dispersion.
const BIN_ROWS: usize = 2_000;
const LARGE_BIN_ROWS: usize = 10_000;
/// Threshold where random phase says nothing.
const DEFAULT_THRESHOLD: f64 = 0.3;
/// Dispersion whose threshold counts for all where thresholds do not rise with dispersion.
const TYPICAL_DISPERSION: f64 = 0.35;

/// How many random candidates may be accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// This many in every bin of dispersion (from a density per km2), in single precision.
    Count(f32),
    /// This percentage of those accepted.
    Percent(f64),
}

impl Target {
    /// The number that is saved as `max_percent_rand`.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Count(count) => count.into(),
            Self::Percent(percent) => percent,
        }
    }

    /// The count of random candidates a bin may contribute, from their density.
    ///
    /// # StaMPS compatibility
    /// Single precision after every operation; the area is that of the patch with its overlap, and
    /// is divided equally among the bins.
    #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
    pub(super) fn of_density(density_per_km2: f64, xy_m: &[[f32; 2]], bins: usize) -> Self {
        let extent = |axis: usize| {
            let values = xy_m.iter().map(|p| p[axis]);
            let most = values.clone().fold(f32::NEG_INFINITY, f32::max);
            most - values.fold(f32::INFINITY, f32::min)
        };
        let area_km2 = extent(0) * extent(1) / 1e6_f32;
        Self::Count(density_per_km2 as f32 * area_km2 / bins as f32)
    }
}

/// Candidates grouped by amplitude dispersion.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DispersionBins {
    /// Dispersion of every candidate, 1 where it plays no part.
    pub(super) dispersion: Vec<f64>,
    /// Edges of the bins; a bin holds what is above its lower and not above its upper edge.
    edges: Vec<f64>,
}

impl DispersionBins {
    /// Groups candidates by their dispersion, if there are enough of them.
    pub(super) fn of(dispersion: Option<Vec<f64>>, rows: usize) -> Self {
        match dispersion {
            Some(dispersion) if rows >= BINNED_FROM => {
                let mut sorted = dispersion.clone();
                sorted.sort_by(f64::total_cmp);
                let step = if rows >= LARGE_BINS_FROM { LARGE_BIN_ROWS } else { BIN_ROWS };
                let inner = (step..=rows - step).step_by(step).map(|index| sorted[index - 1]);
                let edges = std::iter::once(0.0).chain(inner).chain([sorted[rows - 1]]).collect();
                Self { dispersion, edges }
            }
            _ => Self { dispersion: vec![1.0; rows], edges: vec![0.0, 1.0] },
        }
    }

    /// Number of bins.
    pub(super) fn len(&self) -> usize {
        self.edges.len() - 1
    }

    /// Rows of every bin.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.len()];
        for (row, &dispersion) in self.dispersion.iter().enumerate() {
            // The first edge that is not below the value ends its bin.
            let upper = self.edges.partition_point(|&edge| edge < dispersion);
            if let Some(bin) = upper.checked_sub(1).filter(|&bin| bin < members.len()) {
                members[bin].push(row);
            }
        }
        members
    }
}

/// Thresholds of coherence.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Threshold {
    /// One for all.
    Constant(f64),
    /// One that rises with dispersion.
    Line {
        /// Rise for a unit of dispersion.
        slope: f64,
        /// At dispersion 0.
        intercept: f64,
    },
}

impl Threshold {
    /// The threshold of a candidate of this dispersion.
    pub(super) fn at(&self, dispersion: f64) -> f64 {
        match *self {
            Self::Constant(threshold) => threshold,
            Self::Line { slope, intercept } => not_negative(slope * dispersion + intercept),
        }
    }
}

/// Thresholds and how sure they are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) threshold: Threshold,
    /// Bins of dispersion whose fit did not determine all coefficients: several bins of coherence
    /// had the same count.
    pub(super) undetermined: usize,
}

/// What thresholds are computed from, besides the coherence.
#[derive(Debug)]
pub(super) struct Criterion<'a> {
    pub(super) bins: &'a DispersionBins,
    /// Histogram of the coherence of random phase; only its shape matters.
    pub(super) random: &'a [f64],
    pub(super) target: Target,
    pub(super) network: Network,
}

impl Criterion<'_> {
    /// Thresholds for candidates of this coherence.
    pub(super) fn threshold(&self, coherence: &[f64]) -> Decision {
        let mut dispersion = Vec::new();
        let mut least = Vec::new();
        let mut undetermined = 0;
        for rows in self.bins.members() {
            let values: Vec<f64> =
                rows.iter().map(|&row| coherence[row]).filter(|&value| value != 0.0).collect();
            if let Some((coherence, determined)) = self.least_coherence(&values) {
                undetermined += usize::from(!determined);
                let sum: f64 = rows.iter().map(|&row| self.bins.dispersion[row]).sum();
                dispersion.push(sum / rows.len() as f64);
                least.push(coherence);
            }
        }
        let threshold = match least.as_slice() {
            [] => Threshold::Constant(DEFAULT_THRESHOLD),
            &[one] => Threshold::Constant(not_negative(one)),
            _ => {
                let (slope, intercept) = fit_line(&dispersion, &least);
                if slope > 0.0 {
                    Threshold::Line { slope, intercept }
                } else {
                    Threshold::Constant(not_negative(slope * TYPICAL_DISPERSION + intercept))
                }
            }
        };
        Decision { threshold, undetermined }
    }

    /// The coherence of one bin above which no more random candidates are left than the target
    /// allows, and whether its fit was determined; `None` where that is below all bins of coherence.
    fn least_coherence(&self, coherence: &[f64]) -> Option<(f64, bool)> {
        let low = low_coherence_bins(self.network);
        let mut observed = histogram(coherence, &bin_centres());
        let observed_low: f64 = observed[..low].iter().sum();
        let random_low: f64 = self.random[..low].iter().sum();
        let random: Vec<f64> =
            self.random.iter().map(|count| count * observed_low / random_low).collect();
        for count in &mut observed {
            if *count == 0.0 {
                *count = 1.0;
            }
        }
        let random = tail_sums(&random);
        let accepted: Vec<f64> = match self.target {
            Target::Count(_) => random,
            Target::Percent(_) => {
                let observed = tail_sums(&observed);
                random.iter().zip(&observed).map(|(r, o)| r / o * 100.0).collect()
            }
        };
        let target = self.target.number();
        let Some(first) = accepted.iter().position(|&accepted| accepted < target) else {
            return Some((1.0, true));
        };
        let window = fit_window(first, accepted.len())?;
        Some(self.at_target(&accepted[window.clone()], window))
    }

    /// Interpolates the coherence at which the target is met by a cubic in the count accepted.
    ///
    /// # StaMPS compatibility
    /// The ordinate of a bin is its upper edge. With a density the target is in single precision,
    /// and so is the evaluation.
    fn at_target(&self, accepted: &[f64], bins: Range<usize>) -> (f64, bool) {
        let coherence: Vec<f64> = bins.map(|bin| 0.01 * (bin + 1) as f64).collect();
        let cubic = fit_polynomial(accepted, &coherence, 3);
        let coherence = match self.target {
            Target::Count(count) => cubic.value_single(count).into(),
            Target::Percent(percent) => cubic.value(percent),
        };
        (coherence, !cubic.rank_deficient)
    }
}

/// 0 for what is below. Unlike `max`, leaves NaN, which selects nothing: the threshold of a
/// candidate without dispersion.
fn not_negative(threshold: f64) -> f64 {
    if threshold < 0.0 { 0.0 } else { threshold }
}

/// Sums of every value and all after it, added from the end.
fn tail_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = values.to_vec();
    for index in (0..sums.len().saturating_sub(1)).rev() {
        sums[index] += sums[index + 1];
    }
    sums
}

/// The bins around `first` (from 0) that the cubic is fitted to: three before, two after.
fn fit_window(first: usize, bins: usize) -> Option<Range<usize>> {
    Some(first.checked_sub(3)?..(first + 3).min(bins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_candidates_share_one_bin() {
        let bins = DispersionBins::of(Some(vec![0.2; 9_999]), 9_999);
        assert_eq!((bins.len(), bins.dispersion[0]), (1, 1.0));
        assert_eq!(bins.members()[0].len(), 9_999);
    }

    #[test]
    fn many_candidates_are_binned_by_rank() {
        let dispersion: Vec<f64> = (1..=11_000).map(|k| f64::from(k) / 11_000.0).collect();
        let bins = DispersionBins::of(Some(dispersion), 11_000);
        // Inner edges at ranks 2000, 4000, 6000, 8000; the rest is the last bin.
        let sizes: Vec<usize> = bins.members().iter().map(Vec::len).collect();
        assert_eq!(sizes, [2000, 2000, 2000, 2000, 3000]);
        // Dispersion 0 is in no bin.
        let mut zero = vec![0.0; 5];
        zero.extend((6..=11_000).map(f64::from));
        let members = DispersionBins::of(Some(zero), 11_000).members();
        assert_eq!(members[0][0], 5);
    }

    #[test]
    fn without_dispersion_nothing_is_selected() {
        let line = Threshold::Line { slope: 1.5, intercept: -0.1 };
        assert_eq!(line.at(0.01), 0.0);
        assert!((line.at(0.4) - 0.5).abs() < 1e-12);
        assert!(line.at(f64::NAN).is_nan());
    }

    #[test]
    fn windows_of_the_fit() {
        assert_eq!(fit_window(2, 100), None);
        assert_eq!(fit_window(3, 100), Some(0..6));
        assert_eq!(fit_window(98, 100), Some(95..100));
        assert_eq!(tail_sums(&[1.0, 2.0, 3.0]), [6.0, 5.0, 3.0]);
    }

    #[test]
    fn thresholds_follow_the_tail_of_random_coherence() {
        let bins = DispersionBins::of(None, 2000);
        let random: Vec<f64> = (0..100).map(|k| (-0.1 * f64::from(k)).exp()).collect();
        let criterion = |target| Criterion {
            bins: &bins,
            random: &random,
            target,
            network: Network::SingleMaster,
        };
        let coherence: Vec<f64> = (0..2000)
            .map(|k| if k < 1000 { 0.3 * f64::from(k) / 1000.0 + 1e-3 } else { 0.8 })
            .collect();
        let strict = criterion(Target::Count(1.0)).threshold(&coherence).threshold;
        let lenient = criterion(Target::Count(10.0)).threshold(&coherence).threshold;
        let (Threshold::Constant(strict), Threshold::Constant(lenient)) = (strict, lenient) else {
            panic!("one bin has one threshold")
        };
        assert!(lenient < strict && strict < 1.0, "{lenient} {strict}");
        // So many may be random that every bin of coherence meets the target.
        let everything = criterion(Target::Count(5000.0)).threshold(&coherence);
        assert_eq!(everything.threshold, Threshold::Constant(DEFAULT_THRESHOLD));
    }
}
