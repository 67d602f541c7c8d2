//! Measures how values differ with distance, and fits a model to it.

use rayon::prelude::*;

/// Points whose pairs with all later points are summed together: the unit of summation.
const BLOCK: usize = 256;
/// Ranges tried, from the shortest to the longest, and steps that narrow the best one down.
const TRIED: u32 = 64;
const NARROWED: usize = 50;
/// The shortest range as a part of the least distance of a bin, and the longest as a multiple of the
/// greatest: beyond them the model does not change any more.
const SHORTEST: f64 = 0.05;
const LONGEST: f64 = 1e3;

/// How values of two points differ with their distance h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariogramModel {
    /// `c1 (1 - exp(-h/a)) + c2`. StaMPS: 2.
    Exponential,
    /// `c1 (1 - exp(-(h/a)²)) + c2`. StaMPS: 3.
    Gaussian,
    /// `c1 (1.5 min(h/a, 1) - 0.5 min(h/a, 1)³) + c2`. StaMPS: 4.
    Spherical,
}

/// Parameters of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Variogram {
    /// Range a, in the unit of distances.
    pub range: f64,
    /// Sill c1.
    pub sill: f64,
    /// Nugget c2.
    pub nugget: f64,
}

/// Pairs of points at similar distance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Ordered pairs: each pair counts twice.
    pub pairs: u64,
    /// Middle of the bin.
    pub distance: f32,
    /// Mean of half the squared differences.
    pub semivariance: f32,
}

/// How a variogram is found.
#[derive(Clone, Copy, Debug)]
pub struct VariogramSettings {
    /// The model.
    pub model: VariogramModel,
    /// Where the fit begins.
    pub start: Variogram,
    /// Number of lags: borders of bins from 0 to the greatest distance.
    pub lags: usize,
    /// Bins from this distance on are left out.
    pub most_distance: f64,
}

impl VariogramModel {
    /// Part of the sill that is reached at distance `h` above 0.
    fn shape(self, range: f64, h: f64) -> f64 {
        let ratio = h / range;
        match self {
            Self::Exponential => 1.0 - (-ratio).exp(),
            Self::Gaussian => 1.0 - (-ratio * ratio).exp(),
            Self::Spherical if ratio < 1.0 => 1.5 * ratio - 0.5 * ratio.powi(3),
            Self::Spherical => 1.0,
        }
    }
}

/// Bins of all pairs of points, for each of the columns of `values`, `[points, columns]`, row-major.
///
/// Differences and their squares are single, sums double, block by block in the order of points: no
/// memory for pairs, and no dependence on threads.
///
/// # StaMPS compatibility
/// `ps_fit_vario`, stage8.md section 3: `lags - 1` bins, closed below and open above (the greatest
/// distance is in none), the first `round((lags - 1) / 1.75)` of those that hold pairs.
///
/// # Panics
/// If there are not as many values as points and columns.
pub fn empirical_variogram(
    places: &[[f32; 2]],
    values: &[f32],
    columns: usize,
    lags: usize,
) -> Vec<Vec<Bin>> {
    assert_eq!(values.len(), places.len() * columns, "a value for every point and column");
    let firsts: Vec<usize> = (0..places.len()).step_by(BLOCK).collect();
    let greatest = firsts
        .par_iter()
        .map(|&first| {
            pairs_of(first, places).map(|(a, b)| distance(places[a], places[b])).fold(0.0, f32::max)
        })
        .reduce(|| 0.0, f32::max);
    let count = lags.saturating_sub(1);
    if greatest.is_nan() || greatest <= 0.0 || count == 0 {
        return vec![Vec::new(); columns];
    }
    let width = greatest / count as f32;
    let blocks: Vec<Sums> = firsts
        .par_iter()
        .map(|&first| {
            let mut sums = Sums { pairs: vec![0; count], squares: vec![0.0; count * columns] };
            for (a, b) in pairs_of(first, places) {
                let number = (distance(places[a], places[b]) / width).floor();
                let bin = whole(number);
                if bin < count {
                    let row = |point: usize| &values[point * columns..][..columns];
                    sums.add(bin, row(a), row(b));
                }
            }
            sums
        })
        .collect();
    let mut all = Sums { pairs: vec![0; count], squares: vec![0.0; count * columns] };
    for block in &blocks {
        all.join(block);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let kept = (count as f64 / 1.75).round() as usize;
    (0..columns).map(|column| all.bins(column, columns, width, kept)).collect()
}

/// Pairs of the points of a block with all later points.
fn pairs_of(first: usize, places: &[[f32; 2]]) -> impl Iterator<Item = (usize, usize)> {
    let block = first..places.len().min(first + BLOCK);
    let count = places.len();
    block.flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}

/// A number of a bin; NaN is far away.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole(number: f32) -> usize {
    if number.is_nan() { usize::MAX } else { number as usize }
}

/// Pairs in the bins and sums of half their squared differences, `[bins, columns]`, row-major.
struct Sums {
    pairs: Vec<u64>,
    squares: Vec<f64>,
}

impl Sums {
    fn add(&mut self, bin: usize, a: &[f32], b: &[f32]) {
        self.pairs[bin] += 1;
        let squares = &mut self.squares[bin * a.len()..][..a.len()];
        for ((square, a), b) in squares.iter_mut().zip(a).zip(b) {
            *square += f64::from(0.5 * ((a - b) * (a - b)));
        }
    }

    fn join(&mut self, other: &Self) {
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(a, b)| *a += b);
        self.squares.iter_mut().zip(&other.squares).for_each(|(a, b)| *a += b);
    }

    /// The first bins with pairs.
    #[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps them in single")]
    fn bins(&self, column: usize, columns: usize, width: f32, kept: usize) -> Vec<Bin> {
        let bin = |(number, &pairs): (usize, &u64)| Bin {
            pairs: 2 * pairs,
            distance: (number as f32 + 0.5) * width,
            semivariance: (self.squares[number * columns + column] / pairs as f64) as f32,
        };
        self.pairs.iter().enumerate().filter(|(_, pairs)| **pairs > 0).map(bin).take(kept).collect()
    }
}

/// Parameters, none below 0, that bring the model nearest to the bins nearer than the most distance;
/// every bin counts alike. `None` without such bins, or for semivariances that are no numbers.
///
/// # StaMPS compatibility
/// The original searches with a bounded solver (`lsqcurvefit`) from a start, and may stop short of the
/// minimum or in another one; this is the least of all.
///
/// # Algorithm
/// 1. For a given range the model is linear in sill and nugget, which are solved for.
/// 2. Ranges are tried in geometric steps, then the best is narrowed down by the golden section.
pub fn fit_variogram(bins: &[Bin], settings: &VariogramSettings) -> Option<Variogram> {
    let near = |bin: &&Bin| f64::from(bin.distance) < settings.most_distance;
    let points: Vec<[f64; 2]> =
        bins.iter().filter(near).map(|b| [b.distance, b.semivariance].map(f64::from)).collect();
    if points.is_empty() || points.iter().flatten().any(|number| !number.is_finite()) {
        return None;
    }
    let distances = || points.iter().map(|&[distance, _]| distance);
    let shortest = SHORTEST * distances().fold(f64::INFINITY, f64::min);
    let ratio = LONGEST * distances().fold(0.0, f64::max) / shortest;
    let fit = |part: f64| with_range(settings.model, shortest * ratio.powf(part), &points);
    let part = |tried: u32| f64::from(tried) / f64::from(TRIED - 1);
    let best = (0..TRIED).min_by(|&a, &b| fit(part(a)).1.total_cmp(&fit(part(b)).1))?;
    let (mut low, mut high) = (part(best.saturating_sub(1)), part((best + 1).min(TRIED - 1)));
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..NARROWED {
        let width = golden * (high - low);
        if fit(high - width).1 <= fit(low + width).1 {
            high = low + width;
        } else {
            low = high - width;
        }
    }
    let (narrowed, tried) = (fit(f64::midpoint(low, high)), fit(part(best)));
    Some(if narrowed.1 <= tried.1 { narrowed.0 } else { tried.0 })
}

/// The best sill and nugget, none below 0, for a range, and the sum of squares that they leave.
fn with_range(model: VariogramModel, range: f64, points: &[[f64; 2]]) -> (Variogram, f64) {
    let count = points.len() as f64;
    let (mut shapes, mut squares, mut products, mut values) = (0.0, 0.0, 0.0, 0.0);
    for &[h, value] in points {
        let shape = model.shape(range, h);
        shapes += shape;
        squares += shape * shape;
        products += shape * value;
        values += value;
    }
    let determinant = count * squares - shapes * shapes;
    let sill = (count * products - shapes * values) / determinant;
    let nugget = (values - sill * shapes) / count;
    // Without one of them, where both together would go below 0 or cannot be told apart.
    let pairs = [[sill, nugget], [products / squares, 0.0], [0.0, values / count]];
    let possible = pairs.into_iter().filter(|pair| pair.iter().all(|&part| part >= 0.0));
    let fits = possible.map(|[sill, nugget]| {
        let misfit =
            |&[h, value]: &[f64; 2]| (sill * model.shape(range, h) + nugget - value).powi(2);
        (Variogram { range, sill, nugget }, points.iter().map(misfit).sum::<f64>())
    });
    let nothing = (Variogram { range, sill: 0.0, nugget: 0.0 }, f64::INFINITY);
    fits.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUE: Variogram = Variogram { range: 0.7, sill: 2.0, nugget: 0.4 };

    #[expect(clippy::cast_possible_truncation, reason = "bins are single")]
    fn bins(model: VariogramModel, of: &Variogram) -> Vec<Bin> {
        let bin = |k: u8| {
            let distance = 0.1 * f32::from(k) + 0.05;
            let semivariance = of.sill * model.shape(of.range, distance.into()) + of.nugget;
            let semivariance = semivariance as f32;
            Bin { pairs: 2, distance, semivariance }
        };
        (0..25).map(bin).collect()
    }

    fn settings(model: VariogramModel) -> VariogramSettings {
        let start = Variogram { range: 0.25, sill: 1.0, nugget: 2.0 };
        VariogramSettings { model, start, lags: 25, most_distance: 1.5 }
    }

    #[test]
    fn every_model_is_found_again() {
        use VariogramModel::{Exponential, Gaussian, Spherical};
        for model in [Exponential, Gaussian, Spherical] {
            let found = fit_variogram(&bins(model, &TRUE), &settings(model)).unwrap();
            for (found, given) in
                [(found.range, TRUE.range), (found.sill, TRUE.sill), (found.nugget, TRUE.nugget)]
            {
                assert!((found - given).abs() < 1e-4, "{model:?} {found} {given}");
            }
        }
    }

    #[test]
    fn small_values_at_short_distances_are_no_trap() {
        let of = Variogram { range: 0.05, sill: 0.02, nugget: 0.003 };
        let model = VariogramModel::Exponential;
        let start = Variogram { range: 1.5, sill: 1.0, nugget: 1.0 };
        let found =
            fit_variogram(&bins(model, &of), &VariogramSettings { start, ..settings(model) });
        assert!((found.unwrap().range - of.range).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn parameters_stay_above_zero() {
        let of = Variogram { nugget: -0.3, ..TRUE };
        let model = VariogramModel::Exponential;
        let found = fit_variogram(&bins(model, &of), &settings(model)).unwrap();
        assert_eq!(found.nugget, 0.0);
        assert!(found.range > 0.0 && found.sill > 0.0);
    }

    #[test]
    fn bins_of_a_line_of_points() {
        // Distances 1 (three pairs), 2 (two) and 3 (one, on the last border): bins of 1.5.
        let places = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]];
        let values = [0.0, 1.0, 1.0, 5.0, 3.0, 2.0, 4.0, 9.0];
        let found = empirical_variogram(&places, &values, 2, 3);
        assert_eq!(found[0], [Bin { pairs: 6, distance: 0.75, semivariance: 1.0 }]);
        let of_second = (16.0 + 9.0 + 49.0) / 6.0;
        assert!((found[1][0].semivariance - of_second).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn nothing_to_measure_is_no_panic() {
        assert_eq!(empirical_variogram(&[], &[], 0, 25), Vec::<Vec<Bin>>::new());
        assert_eq!(empirical_variogram(&[[1.0, 1.0]; 3], &[1.0; 3], 1, 25), [vec![]]);
        assert_eq!(empirical_variogram(&[[f32::NAN; 2]; 2], &[1.0; 2], 1, 25), [vec![]]);
        assert_eq!(fit_variogram(&[], &settings(VariogramModel::Gaussian)), None);
        let bin = Bin { pairs: 2, distance: 0.1, semivariance: f32::NAN };
        assert_eq!(fit_variogram(&[bin], &settings(VariogramModel::Gaussian)), None);
    }
}
