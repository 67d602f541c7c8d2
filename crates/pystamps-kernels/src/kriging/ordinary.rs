//! Predicts a value from those around it.

use crate::least_squares::{PivotedQr, cholesky, whiten, whiten_weights};

/// Points below which the mean is always estimated.
const FEW: usize = 3;

/// What is known of the mean of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KrigingMethod {
    /// It is 0. StaMPS: 1.
    Simple,
    /// It is the same everywhere. StaMPS: 2.
    Ordinary,
    /// It is linear in the coordinates. StaMPS: 4.
    Universal,
}

/// How a part of the covariance falls with the distance h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CovarianceModel {
    /// Nothing but the variance of a point itself. StaMPS: 1.
    Nugget,
    /// `c exp(-h/a)`. StaMPS: 2.
    Exponential,
    /// `c exp(-(h/a)²)`. StaMPS: 3.
    Gaussian,
    /// `c (1 - 1.5 h/a + 0.5 (h/a)³)` up to a. StaMPS: 4.
    Spherical,
}

/// A part of the covariance: one row of StaMPS's `cv`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Structure {
    /// Its form.
    pub model: CovarianceModel,
    /// Range a, in the unit of coordinates.
    pub range: f64,
    /// Variance c at distance 0.
    pub sill: f64,
}

/// Which points a value is predicted from, and how.
#[derive(Clone, Copy, Debug)]
pub struct Kriging<'a> {
    /// The covariance, a sum of parts.
    pub structures: &'a [Structure],
    /// What is known of the mean.
    pub method: KrigingMethod,
    /// Number of nearest points.
    pub most: usize,
    /// Points count only if they are nearer than this.
    pub reach: f64,
}

/// Weights of the values of some points in a prediction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Numbers of the points, the nearest first.
    pub points: Vec<usize>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// Variance of the prediction's error.
    pub variance: f64,
}

impl CovarianceModel {
    /// Covariance of two points, relative to that of a point with itself.
    fn at(self, ratio: f64) -> f64 {
        match self {
            Self::Exponential => (-ratio).exp(),
            Self::Gaussian => (-ratio * ratio).exp(),
            Self::Spherical if ratio < 1.0 => 1.0 - 1.5 * ratio + 0.5 * ratio.powi(3),
            Self::Spherical | Self::Nugget => 0.0,
        }
    }
}

impl Structure {
    /// Covariance at a distance.
    fn at(&self, distance: f64) -> f64 {
        // At distance 0 whatever the range, also if that is 0.
        let ratio = if distance == 0.0 { 0.0 } else { distance / self.range };
        self.sill * self.model.at(ratio)
    }
}

impl Kriging<'_> {
    /// Covariance of a value with itself.
    fn variance(&self) -> f64 {
        self.structures.iter().map(|part| part.sill).sum()
    }

    /// Covariance at a distance without the nugget, which is noise that no other value shares.
    fn shared(&self, distance: f64) -> f64 {
        self.structures.iter().map(|part| part.at(distance)).sum()
    }

    /// The points nearest to `at`, ties in their order; points whose place is no number are none.
    pub fn nearest(&self, places: &[[f64; 2]], at: [f64; 2]) -> Vec<usize> {
        let mut near: Vec<(f64, usize)> = places
            .iter()
            .map(|&place| separation(place, at))
            .zip(0..)
            .filter(|(distance, _)| *distance < self.reach)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(self.most);
        near.into_iter().map(|(_, point)| point).collect()
    }

    /// Weights of the nearest points in the prediction at `at`; none where there is no point in
    /// reach.
    pub fn weights(&self, places: &[[f64; 2]], at: [f64; 2]) -> Weights {
        let points = self.nearest(places, at);
        self.weights_of(points, places, at)
    }

    /// Weights of the points with these numbers, at least one, in the prediction at `at`.
    ///
    /// # StaMPS compatibility
    /// `ps_kriging`, stage8.md section 3. The nugget is left out of the covariances with the
    /// prediction, also at a point itself, so that the prediction is smooth; a system without a
    /// unique solution (points at one place and no nugget) gets the basic one.
    pub fn weights_of(&self, points: Vec<usize>, places: &[[f64; 2]], at: [f64; 2]) -> Weights {
        let size = points.len();
        if size == 0 {
            return Weights { variance: f64::NAN, ..Weights::default() };
        }
        let method = if size < FEW { KrigingMethod::Ordinary } else { self.method };
        let place: Vec<[f64; 2]> = points.iter().map(|&point| places[point]).collect();
        let mut covariance = vec![0.0; size * size];
        for row in 0..size {
            covariance[row * size + row] = self.variance();
            for column in 0..row {
                let value = self.shared(separation(place[row], place[column]));
                covariance[row * size + column] = value;
                covariance[column * size + row] = value;
            }
        }
        let with_target: Vec<f64> =
            place.iter().map(|&place| self.shared(separation(place, at))).collect();
        let drift = Drift::new(method, &place, at);
        let (weights, multipliers) = solve(&covariance, &with_target, &drift);
        let explained: f64 = weights.iter().zip(&with_target).map(|(w, c)| w * c).sum();
        let mean: f64 = multipliers.iter().zip(&drift.at_target).map(|(m, f)| m * f).sum();
        Weights { points, weights, variance: self.variance() - explained - mean }
    }

    /// The prediction at `at`; NaN without a point in reach.
    pub fn predict(&self, places: &[[f64; 2]], values: &[f64], at: [f64; 2]) -> f64 {
        let found = self.weights(places, at);
        if found.points.is_empty() {
            return f64::NAN;
        }
        found.points.iter().zip(&found.weights).map(|(&point, w)| w * values[point]).sum()
    }
}

pub(super) fn separation(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}

/// Functions whose sum the mean is.
struct Drift {
    /// At the points, function by function.
    at_points: Vec<Vec<f64>>,
    at_target: Vec<f64>,
}

impl Drift {
    /// Coordinates count from the target: they keep their digits.
    fn new(method: KrigingMethod, place: &[[f64; 2]], at: [f64; 2]) -> Self {
        let mut at_points = Vec::new();
        let mut at_target = Vec::new();
        if method != KrigingMethod::Simple {
            at_points.push(vec![1.0; place.len()]);
            at_target.push(1.0);
        }
        if method == KrigingMethod::Universal {
            for axis in 0..2 {
                at_points.push(place.iter().map(|place| place[axis] - at[axis]).collect());
                at_target.push(0.0);
            }
        }
        Self { at_points, at_target }
    }
}

/// Weights and multipliers of the system `[K F; F' 0] [w; m] = [k; f]`.
fn solve(covariance: &[f64], with_target: &[f64], drift: &Drift) -> (Vec<f64>, Vec<f64>) {
    let size = with_target.len();
    let Ok(factor) = cholesky(covariance, size) else {
        return solve_whole(covariance, with_target, drift);
    };
    let solved = |column: &[f64]| {
        let mut column = column.to_vec();
        whiten(&factor, &mut column);
        whiten_weights(&factor, &mut column);
        column
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut weights = solved(with_target);
    let functions = &drift.at_points;
    if functions.is_empty() {
        return (weights, Vec::new());
    }
    let turned: Vec<Vec<f64>> = functions.iter().map(|function| solved(function)).collect();
    let pairs = turned.iter().flat_map(|v| functions.iter().map(move |f| dot(f, v)));
    let excess: Vec<f64> =
        functions.iter().zip(&drift.at_target).map(|(f, at)| dot(f, &weights) - at).collect();
    let matrix: Vec<f64> = pairs.collect();
    let multipliers = PivotedQr::new(&matrix, functions.len()).solve(&excess).coefficients;
    for (turned, multiplier) in turned.iter().zip(&multipliers) {
        for (weight, value) in weights.iter_mut().zip(turned) {
            *weight -= multiplier * value;
        }
    }
    (weights, multipliers)
}

/// The same by factorising the whole system, for covariances that are not positive definite.
fn solve_whole(covariance: &[f64], with_target: &[f64], drift: &Drift) -> (Vec<f64>, Vec<f64>) {
    let (size, functions) = (with_target.len(), drift.at_points.len());
    let total = size + functions;
    let mut matrix = vec![0.0; total * total];
    for column in 0..size {
        matrix[column * total..][..size].copy_from_slice(&covariance[column * size..][..size]);
    }
    for (number, function) in drift.at_points.iter().enumerate() {
        for (point, &value) in function.iter().enumerate() {
            matrix[(size + number) * total + point] = value;
            matrix[point * total + size + number] = value;
        }
    }
    let right = [with_target, &drift.at_target].concat();
    let mut weights = PivotedQr::new(&matrix, total).solve(&right).coefficients;
    let multipliers = weights.split_off(size);
    (weights, multipliers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [[f64; 2]; 6] =
        [[0.0, 0.0], [1.0, 0.2], [2.0, -0.5], [0.3, 1.5], [1.7, 1.1], [9.0, 9.0]];

    fn structures(nugget: f64) -> [Structure; 2] {
        [
            Structure { model: CovarianceModel::Exponential, range: 2.0, sill: 1.5 },
            Structure { model: CovarianceModel::Nugget, range: 0.0, sill: nugget },
        ]
    }

    fn kriging(structures: &[Structure], method: KrigingMethod) -> Kriging<'_> {
        Kriging { structures, method, most: 50, reach: 5.0 }
    }

    #[test]
    fn without_a_nugget_values_are_met() {
        let structures = structures(0.0);
        let values = [3.0, -1.0, 2.0, 0.5, 4.0, 100.0];
        for method in [KrigingMethod::Simple, KrigingMethod::Ordinary, KrigingMethod::Universal] {
            let kriging = kriging(&structures, method);
            for (&place, value) in PLACES.iter().zip(values) {
                assert!((kriging.predict(&PLACES, &values, place) - value).abs() < 1e-10);
            }
            let at_point = kriging.weights(&PLACES, PLACES[1]);
            assert!(at_point.variance.abs() < 1e-12, "{method:?}");
        }
    }

    #[test]
    fn means_that_are_estimated_come_back() {
        let structures = structures(0.7);
        let linear = |p: [f64; 2]| 4.0 + 2.0 * p[0] - 3.0 * p[1];
        let values = PLACES.map(linear);
        let at = [0.8, 0.6];
        let universal = kriging(&structures, KrigingMethod::Universal);
        assert!((universal.predict(&PLACES, &values, at) - linear(at)).abs() < 1e-12);
        let ordinary = kriging(&structures, KrigingMethod::Ordinary);
        assert!((ordinary.predict(&PLACES, &[5.0; 6], at) - 5.0).abs() < 1e-12);
        let simple = kriging(&structures, KrigingMethod::Simple);
        assert!(simple.predict(&PLACES, &[5.0; 6], at) < 4.9);
        // Of two points the mean is always estimated.
        let two = Kriging { most: 2, ..simple };
        assert!((two.predict(&PLACES, &[5.0; 6], at) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_nugget_smooths() {
        let values = [0.0, 0.0, 9.0, 0.0, 0.0, 0.0];
        let smooth = structures(2.0);
        let at = kriging(&smooth, KrigingMethod::Ordinary).predict(&PLACES, &values, PLACES[2]);
        assert!(at > 0.5 && at < 8.0, "{at}");
    }

    #[test]
    fn the_nearest_in_reach_are_taken() {
        let structures = structures(0.1);
        let kriging =
            Kriging { most: 3, reach: 2.0, ..kriging(&structures, KrigingMethod::Ordinary) };
        assert_eq!(kriging.nearest(&PLACES, [0.0, 0.0]), [0, 1, 3]);
        assert_eq!(kriging.nearest(&PLACES, [8.0, 9.0]), [5]);
        assert_eq!(kriging.nearest(&PLACES, [f64::NAN, 0.0]), Vec::<usize>::new());
        assert!(kriging.predict(&PLACES, &[1.0; 6], [-50.0, 0.0]).is_nan());
    }

    #[test]
    fn points_at_one_place_without_a_nugget() {
        let structures = structures(0.0);
        let places = [[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 0.0]];
        for method in [KrigingMethod::Simple, KrigingMethod::Ordinary, KrigingMethod::Universal] {
            let value = kriging(&structures, method).predict(&places, &[4.0; 4], [1.5, 1.0]);
            assert!(value.is_finite());
        }
    }
}
