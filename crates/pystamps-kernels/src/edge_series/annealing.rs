//! Fits a line and two waves in time to a noisy edge by simulated annealing (several masters).
//!
//! # Algorithm
//! Stage6.md section 8: model of the image series `s(x) = m1 x + m2 n/2 sin(2 pi x/n - m3) +
//! m4 n/2 sin(4 pi x/n - m5)`, cost `2 pi sum|W (r - round r)| + sum|diff s| / 5` with
//! `r = (phase - G s) / 2 pi`; fifteen runs from the best of a hundred random models, heat-bath
//! steps at falling temperatures, the best model visited counts.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use super::lanes::wrapped;
use super::network::Design;
use crate::elementary::sin_cos;
use crate::least_squares::{cholesky, whiten};
use crate::simd::{Kernel, run_widest};

/// Largest absolute values of the five parameters, rad.
const BOUNDS: [f64; 5] = [FRAC_PI_2, FRAC_PI_4, PI, FRAC_PI_4, PI];
/// Changes to choose from, shares of a bound.
const STEPS: [f64; 9] = [-0.5, -0.25, -0.125, -0.0625, 0.0, 0.0625, 0.125, 0.25, 0.5];
/// Rounds at the temperatures from high to low, evenly spaced in their logarithm.
const ROUNDS: [usize; 9] = [1, 2, 4, 6, 10, 6, 4, 2, 1];
const RUNS: usize = 15;
const RANDOM_MODELS: usize = 100;
/// Variance below which an interferogram's noise is taken not to be known better, rad^2.
const LEAST_VARIANCE: f64 = 1e-6;

type Model = [f64; 5];

/// The search of models, the same for all edges.
#[derive(Clone, Debug)]
pub(super) struct Annealing {
    pairs: Vec<[usize; 2]>,
    /// Times of the images, from 0 to their number less 1.
    time: Vec<f64>,
    /// Upper triangle `W`, column-major.
    weights: Vec<f64>,
}

/// Evenly spread numbers that depend on nothing but the seed (splitmix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Annealing {
    /// With equal weights for all interferograms.
    pub(super) fn new(design: &Design) -> Self {
        let (count, day) = (design.pairs.len(), &design.day);
        let (first, last) = (day[0], day[day.len() - 1]);
        let scale = if last == first { 0.0 } else { (day.len() - 1) as f64 / (last - first) };
        let mut weights = vec![0.0; count * count];
        weights.iter_mut().step_by(count + 1).for_each(|weight| *weight = 1.0);
        let time = day.iter().map(|day| (day - first) * scale).collect();
        Self { pairs: design.pairs.clone(), time, weights }
    }

    /// Takes the weights from the covariance of noise over edges, rad^2: the triangle whose square
    /// is its inverse, or the inverse deviations where there is none.
    pub(super) fn weigh(&mut self, covariance: &[f64]) {
        let count = self.pairs.len();
        self.weights = inverse_triangle(covariance, count).unwrap_or_else(|| {
            let mut weights = vec![0.0; count * count];
            for k in 0..count {
                let variance = covariance[k * (count + 1)].max(LEAST_VARIANCE);
                weights[k * (count + 1)] = 1.0 / variance.sqrt();
            }
            weights
        });
    }

    /// Differences of the best model for every interferogram, rad, given its phase, rad.
    pub(super) fn fit(&self, phase_rad: &[f64]) -> Vec<f64> {
        let mut search = Search::new(self, phase_rad);
        let mut best = [0.0; 5];
        run_widest(Runs { search: &mut search, best: &mut best });
        let mut series = vec![0.0; self.time.len()];
        self.series(&best, &mut series);
        self.pairs.iter().map(|&[first, second]| series[second] - series[first]).collect()
    }

    #[inline(always)]
    fn series(&self, model: &Model, series: &mut [f64]) {
        let images = self.time.len() as f64;
        let [rate, year, year_phase, half, half_phase] = *model;
        for (value, &x) in series.iter_mut().zip(&self.time) {
            let angle = TAU * x / images;
            *value = rate * x
                + 0.5 * images * year * sin_cos(angle - year_phase).0
                + 0.5 * images * half * sin_cos(2.0 * angle - half_phase).0;
        }
    }
}

struct Search<'a> {
    annealing: &'a Annealing,
    phase_rad: &'a [f64],
    /// Phase that a model leaves, cycles around whole ones.
    left: Vec<f64>,
    /// The same, weighed.
    weighed: Vec<f64>,
    /// The model's series, rad.
    series: Vec<f64>,
}

/// All runs of one search.
struct Runs<'a, 's> {
    search: &'a mut Search<'s>,
    best: &'a mut Model,
}

impl Kernel for Runs<'_, '_> {
    #[inline(always)]
    fn run(self) {
        let phase_rad = self.search.phase_rad;
        let seed = phase_rad.iter().fold(0, |seed: u64, x| Random(seed ^ x.to_bits()).bits());
        let mut random = Random(seed);
        let mut least = f64::INFINITY;
        for run in 0..RUNS {
            // Exponents of the critical temperature from 2 to 3.
            let exponent = 2.0 + run as f64 / (RUNS - 1) as f64;
            let (model, cost) = self.search.run(exponent, &mut random);
            if cost < least {
                (*self.best, least) = (model, cost);
            }
        }
    }
}

impl<'a> Search<'a> {
    fn new(annealing: &'a Annealing, phase_rad: &'a [f64]) -> Self {
        let zeros = vec![0.0; phase_rad.len()];
        let series = vec![0.0; annealing.time.len()];
        Self { annealing, phase_rad, left: zeros.clone(), weighed: zeros, series }
    }

    /// The best model visited from one start, and its cost.
    #[inline(always)]
    fn run(&mut self, exponent: f64, random: &mut Random) -> (Model, f64) {
        let (mut model, mut least, mut sum) = ([0.0; 5], f64::INFINITY, 0.0);
        for _ in 0..RANDOM_MODELS {
            let tried = BOUNDS.map(|bound| bound * (2.0 * random.uniform() - 1.0));
            // The original takes absolute values before the weights here.
            let cost = self.cost(&tried, f64::abs);
            sum += cost;
            if cost < least {
                (model, least) = (tried, cost);
            }
        }
        let critical = (sum / RANDOM_MODELS as f64).log10() - exponent;
        let mut best = (model, self.cost(&model, |x| x));
        for (level, rounds) in ROUNDS.into_iter().enumerate() {
            let temperature = 10_f64.powf(critical + 1.0 - 0.25 * level as f64);
            for parameter in (0..rounds).flat_map(|_| 0..BOUNDS.len()) {
                let cost = self.step(&mut model, parameter, temperature, random);
                if cost < best.1 {
                    best = (model, cost);
                }
            }
        }
        best
    }

    /// Draws a new value of one parameter, likelier the less it costs; returns its cost.
    #[inline(always)]
    fn step(
        &mut self,
        model: &mut Model,
        parameter: usize,
        temperature: f64,
        random: &mut Random,
    ) -> f64 {
        let bound = BOUNDS[parameter];
        let mut costs = [f64::INFINITY; STEPS.len()];
        for (cost, step) in costs.iter_mut().zip(STEPS) {
            let mut tried = *model;
            tried[parameter] += step * bound;
            if tried[parameter].abs() <= bound {
                *cost = self.cost(&tried, |x| x);
            }
        }
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let chances = costs.map(|cost| (-(cost - least) / temperature).exp());
        let mut rest = random.uniform() * chances.iter().sum::<f64>();
        let mut drawn = STEPS.len() / 2;
        for (number, chance) in chances.iter().enumerate() {
            if *chance > 0.0 {
                drawn = number;
                rest -= chance;
                if rest < 0.0 {
                    break;
                }
            }
        }
        model[parameter] += STEPS[drawn] * bound;
        costs[drawn]
    }

    #[inline(always)]
    fn cost(&mut self, model: &Model, each: impl Fn(f64) -> f64) -> f64 {
        let Self { annealing, phase_rad, left, weighed, series } = self;
        annealing.series(model, series);
        let pairs = annealing.pairs.iter().zip(*phase_rad);
        for (left, (&[first, second], phase)) in left.iter_mut().zip(pairs) {
            *left = (phase - (series[second] - series[first])) * (1.0 / TAU);
        }
        for left in left.iter_mut() {
            *left = each(wrapped(*left));
        }
        weighed.fill(0.0);
        let columns = annealing.weights.chunks_exact(left.len()).enumerate();
        for ((column, weights), left) in columns.zip(left.iter()) {
            let weights = &weights[..=column];
            for (sum, weight) in weighed[..=column].iter_mut().zip(weights) {
                *sum += weight * left;
            }
        }
        let misfit: f64 = weighed.iter().map(|value| value.abs()).sum();
        let length: f64 = series.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
        misfit * TAU + length / 5.0
    }
}

/// Upper triangle, column-major, whose transpose times itself is the inverse of `matrix`.
fn inverse_triangle(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let factor = cholesky(matrix, size).ok()?;
    let column = |k: usize| {
        let mut unit = vec![0.0; size];
        unit[k] = 1.0;
        whiten(&factor, &mut unit);
        unit
    };
    let columns: Vec<Vec<f64>> = (0..size).map(column).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let inverse: Vec<f64> =
        columns.iter().flat_map(|a| columns.iter().map(move |b| product(a, b))).collect();
    // The lower triangle row by row is the upper one column by column.
    cholesky(&inverse, size).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge_series::Network;

    fn annealing() -> Annealing {
        let day: Vec<f64> = (0..12).map(|i| 12.0 * f64::from(i)).collect();
        let pairs: Vec<[usize; 2]> = (0..11)
            .flat_map(|i| [[i, i + 1], [i, (i + 3).min(11)]])
            .filter(|p| p[0] < p[1])
            .collect();
        let bperp_m = vec![0.0; pairs.len()];
        let network = Network { day: &day, pairs: &pairs, bperp_m: &bperp_m };
        Annealing::new(&Design::new(&network).unwrap())
    }

    #[test]
    fn a_model_is_found_again() {
        let annealing = annealing();
        // More than half a cycle from image to image in places.
        let truth = [0.55, 0.25, 0.7, 0.0, 0.0];
        let mut series = vec![0.0; annealing.time.len()];
        annealing.series(&truth, &mut series);
        let expected: Vec<f64> =
            annealing.pairs.iter().map(|p| series[p[1]] - series[p[0]]).collect();
        assert!(expected.iter().any(|x| x.abs() > PI));
        let phase: Vec<f64> = expected.iter().map(|x| x - TAU * (x / TAU).round()).collect();
        let found = annealing.fit(&phase);
        assert_eq!(found, annealing.fit(&phase), "the same draws every time");
        let left = found.iter().zip(&phase).map(|(f, p)| {
            let cycles = (f - p) / TAU;
            (TAU * (cycles - cycles.round())).powi(2)
        });
        let deviation = (left.sum::<f64>() / phase.len() as f64).sqrt();
        assert!(deviation < 0.7, "{deviation}");
        let near = found.iter().zip(&expected).filter(|(f, e)| (*f - *e).abs() < PI).count();
        assert!(near > phase.len() * 9 / 10, "{near}");
    }

    #[test]
    fn weights_whiten() {
        let covariance = [4.0, 1.0, 0.5, 1.0, 3.0, -0.5, 0.5, -0.5, 2.0];
        let weights = inverse_triangle(&covariance, 3).unwrap();
        assert_eq!((weights[1], weights[2], weights[5]), (0.0, 0.0, 0.0));
        for i in 0..3 {
            for j in 0..3 {
                // covariance * (W' W) is the identity.
                let entry: f64 = (0..3)
                    .flat_map(|k| (0..3).map(move |l| (k, l)))
                    .map(|(k, l)| covariance[i * 3 + k] * weights[k * 3 + l] * weights[j * 3 + l])
                    .sum();
                assert!((entry - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        let mut search = annealing();
        let count = search.pairs.len();
        search.weigh(&vec![0.25; count * count]);
        assert_eq!(search.weights[..2], [2.0, 0.0], "not positive definite: deviations alone");
        search.weigh(&vec![0.0; count * count]);
        assert_eq!(search.weights[0], 1000.0);
    }
}
