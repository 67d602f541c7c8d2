//! Takes what is slow in time off the series of edges.

use rayon::prelude::*;

use super::variogram::{
    Bin, Variogram, VariogramModel, VariogramSettings, empirical_variogram, fit_variogram,
};
use super::{
    CovarianceModel, DeformationModel, EdgeNetwork, Kriging, KrigingMethod, Structure, TERMS,
    random_subset, years_since_2000,
};
use crate::least_squares::PivotedQr;
use crate::random::UniformGenerator;
use crate::spatial_noise::TemporalHighPass;

/// Edges worked on together: the unit of summation.
const BLOCK: usize = 512;
/// Plausible variograms from which on they are believed.
const ENOUGH: usize = 50;
const DAYS_A_YEAR: f64 = 365.25;
/// How the variogram of an edge is found: distances in years.
const VARIOGRAM: VariogramSettings = VariogramSettings {
    model: VariogramModel::Exponential,
    start: Variogram { range: 0.25, sill: 1.0, nugget: 2.0 },
    lags: 25,
    most_distance: 1.5,
};

/// PS, their phase and the edges between them.
#[derive(Clone, Copy, Debug)]
pub struct EdgeInput<'a> {
    /// Phase without its plane, look-angle error and master, rad: `[n_ps, n]`, row-major.
    pub phase_rad: &'a [f32],
    /// Places of the PS, m.
    pub xy_m: &'a [[f32; 2]],
    /// Pairs of PS; the difference is second minus first.
    pub edges: &'a [[u32; 2]],
    /// Days of the columns, in MATLAB's numbers.
    pub days: &'a [f64],
    /// The column that does not count where variograms are not believed.
    pub weightless: Option<usize>,
    /// The window of the Gaussian mean there, days; `None` follows the mean range.
    pub window_days: Option<f64>,
}

/// Variograms in time. StaMPS: `temp_vario.mat`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemporalVariogram {
    /// Edges that were looked at.
    pub edges: Vec<usize>,
    /// Their variograms; `None` where there was nothing to fit. StaMPS: `a`, `c1`, `c2`.
    pub variograms: Vec<Option<Variogram>>,
    /// Whether they are plausible.
    pub plausible: Vec<bool>,
    /// Those of all edges where enough are plausible; empty otherwise.
    pub of_edges: Vec<Variogram>,
}

/// What the analysis of the edges makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemporalNoise {
    /// High-passed phase relative to the first PS, rad: `[n_ps, n]`, column-major. StaMPS: `ph_hpt`
    /// before ramps are added.
    pub high_pass_rad: Vec<f32>,
    /// Coefficients of motion of every edge. StaMPS: `coeffs`.
    pub deformation: Vec<[f64; TERMS]>,
    /// Mean over the dates of the residuals' deviation over the edges, rad. StaMPS: `mean_std`.
    pub mean_deviation_rad: f64,
    /// Variograms in time.
    pub variogram: TemporalVariogram,
    /// Cycles by which a date differs from what the others predict, `[edges, n]`, row-major; empty
    /// where variograms are not believed. StaMPS: `unwrapping_errors_edges.mat`.
    pub unwrapping_errors: Vec<i8>,
}

/// Filters the series of all edges and brings the result back to the PS (stage8.md section 3, steps
/// 2 to 6).
///
/// # Panics
/// If the sizes do not fit together.
pub fn high_pass_edges(input: &EdgeInput<'_>, random: &mut impl UniformGenerator) -> TemporalNoise {
    let (points, dates) = (input.xy_m.len(), input.days.len());
    assert_eq!(input.phase_rad.len(), points * dates, "a phase for every PS and date");
    let model = DeformationModel::new(&years_since_2000(input.days));
    let (deformation, mean_deviation_rad) = remove_motion(input, &model);
    let subset = random_subset(input.edges.len(), random);
    let variogram = temporal_variogram(input, &model, subset, mean_deviation_rad);
    let filter = Filter::new(input, &model, &variogram);
    let mut inflow = vec![0.0; points * dates];
    let mut unwrapping_errors = Vec::new();
    let blocks: Vec<usize> = (0..input.edges.len()).step_by(BLOCK).collect();
    for batch in blocks.chunks(rayon::current_num_threads().max(1)) {
        let made: Vec<(Vec<f32>, Vec<i8>)> =
            batch.par_iter().map(|&first| filter.block(first)).collect();
        for (&first, (left, errors)) in batch.iter().zip(made) {
            for (edge, left) in input.edges[first..].iter().zip(left.chunks_exact(dates.max(1))) {
                for (date, &left) in left.iter().enumerate() {
                    inflow[date * points + edge[0] as usize] -= f64::from(left);
                    inflow[date * points + edge[1] as usize] += f64::from(left);
                }
            }
            unwrapping_errors.extend(errors);
        }
    }
    let network = EdgeNetwork::new(points, input.edges);
    let columns: Vec<Vec<f64>> =
        inflow.par_chunks_exact(points.max(1)).map(|inflow| network.integrate(inflow)).collect();
    let high_pass_rad = columns.into_iter().flatten().map(single).collect();
    TemporalNoise { high_pass_rad, deformation, mean_deviation_rad, variogram, unwrapping_errors }
}

#[expect(clippy::cast_possible_truncation, reason = "phase is single")]
fn single(value: f64) -> f32 {
    value as f32
}

impl EdgeInput<'_> {
    /// Difference of the phase along an edge.
    fn series(&self, edge: usize) -> Vec<f32> {
        let dates = self.days.len();
        let [a, b] = self.edges[edge].map(|ps| &self.phase_rad[ps as usize * dates..][..dates]);
        b.iter().zip(a).map(|(b, a)| b - a).collect()
    }

    /// What motion leaves of it.
    fn residuals(&self, model: &DeformationModel, edge: usize) -> Vec<f32> {
        let mut series = self.series(edge);
        model.remove(&mut series);
        series
    }

    /// Middle of an edge, m.
    fn middle(&self, edge: usize) -> [f64; 2] {
        let [a, b] = self.edges[edge].map(|ps| self.xy_m[ps as usize].map(f64::from));
        [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])]
    }
}

/// Sums and sums of squares at every date.
type Moments = Vec<[f64; 2]>;

/// Coefficients of all edges, and the mean over the dates of the residuals' standard deviation.
fn remove_motion(input: &EdgeInput<'_>, model: &DeformationModel) -> (Vec<[f64; TERMS]>, f64) {
    let (count, dates) = (input.edges.len(), input.days.len());
    let blocks: Vec<usize> = (0..count).step_by(BLOCK).collect();
    let made: Vec<(Vec<[f64; TERMS]>, Moments)> = blocks
        .par_iter()
        .map(|&first| {
            let mut moments = vec![[0.0; 2]; dates];
            let of_edge = |edge| {
                let mut series = input.series(edge);
                let coefficients = model.remove(&mut series);
                for (moments, &left) in moments.iter_mut().zip(&series) {
                    moments[0] += f64::from(left);
                    moments[1] += f64::from(left) * f64::from(left);
                }
                coefficients
            };
            let coefficients = (first..count.min(first + BLOCK)).map(of_edge).collect();
            (coefficients, moments)
        })
        .collect();
    let mut coefficients = Vec::with_capacity(count);
    let mut all = vec![[0.0; 2]; dates];
    for (of_block, moments) in made {
        coefficients.extend(of_block);
        for (all, of_block) in all.iter_mut().zip(moments) {
            all[0] += of_block[0];
            all[1] += of_block[1];
        }
    }
    let number = count as f64;
    let deviation = |[sum, squares]: &[f64; 2]| {
        ((squares - sum * sum / number) / (number - 1.0).max(1.0)).max(0.0).sqrt()
    };
    let mean = all.iter().map(deviation).sum::<f64>() / dates as f64;
    (coefficients, mean)
}

/// Variograms of some edges, and of all where enough of those are plausible.
fn temporal_variogram(
    input: &EdgeInput<'_>,
    model: &DeformationModel,
    subset: Vec<usize>,
    deviation_rad: f64,
) -> TemporalVariogram {
    #[expect(clippy::cast_possible_truncation, reason = "distances are single")]
    let places: Vec<[f32; 2]> = model.years().iter().map(|&year| [year as f32, 0.0]).collect();
    let of_edge = |&edge: &usize| -> Option<Variogram> {
        let series = input.residuals(model, edge);
        let bins: Vec<Vec<Bin>> = empirical_variogram(&places, &series, 1, VARIOGRAM.lags);
        fit_variogram(&bins[0], &VARIOGRAM)
    };
    let variograms: Vec<Option<Variogram>> = subset.par_iter().map(of_edge).collect();
    let mean_year = mean(model.years());
    let within = |value: f64, low: f64, high: f64| value > low && value < high;
    let plausible: Vec<bool> = variograms
        .iter()
        .map(|found| {
            found.is_some_and(|v| {
                within(v.range, mean_year / 50.0, 3.0 * mean_year)
                    && within(v.sill, deviation_rad / 50.0, 4.0 * deviation_rad)
                    && within(v.nugget, deviation_rad / 50.0, 4.0 * deviation_rad)
            })
        })
        .collect();
    let mut result =
        TemporalVariogram { edges: subset, variograms, plausible, of_edges: Vec::new() };
    if result.plausible.iter().filter(|&&plausible| plausible).count() > ENOUGH {
        let least = [mean_year / 50.0, deviation_rad / 50.0, deviation_rad / 50.0];
        result.of_edges = result.spread(input, least);
    }
    result
}

impl TemporalVariogram {
    /// Parameters of the plausible variograms and their edges.
    fn believed(&self) -> impl Iterator<Item = (usize, [f64; 3])> {
        let all = self.edges.iter().zip(&self.variograms).zip(&self.plausible);
        all.filter(|(_, plausible)| **plausible)
            .filter_map(|((&edge, found), _)| found.map(|v| (edge, [v.range, v.sill, v.nugget])))
    }

    /// Variograms of all edges: polynomials of second order in their places; what is below the
    /// least plausible value becomes the mean of the plausible ones.
    fn spread(&self, input: &EdgeInput<'_>, least: [f64; 3]) -> Vec<Variogram> {
        let middles: Vec<[f64; 2]> = (0..input.edges.len()).map(|e| input.middle(e)).collect();
        let scale = [0, 1].map(|axis| {
            let mean =
                middles.iter().map(|middle| middle[axis]).sum::<f64>() / middles.len() as f64;
            if mean == 0.0 || !mean.is_finite() { 1.0 } else { mean }
        });
        let terms = |edge: usize| {
            let [x, y] = [0, 1].map(|axis| middles[edge][axis] / scale[axis]);
            [x * x, y * y, x, y, 1.0]
        };
        let (edges, values): (Vec<usize>, Vec<[f64; 3]>) = self.believed().unzip();
        let design = (0..5).flat_map(|term| edges.iter().map(move |&edge| terms(edge)[term]));
        let qr = PivotedQr::new(&design.collect::<Vec<f64>>(), edges.len());
        let fits: Vec<(Vec<f64>, f64)> = (0..3)
            .map(|part| {
                let right: Vec<f64> = values.iter().map(|value| value[part]).collect();
                (qr.solve(&right).coefficients, mean(&right))
            })
            .collect();
        let value = |edge: usize, part: usize| {
            let (coefficients, mean) = &fits[part];
            let value: f64 = coefficients.iter().zip(terms(edge)).map(|(c, t)| c * t).sum();
            if value > least[part] { value } else { *mean }
        };
        let of_edge = |edge| Variogram {
            range: value(edge, 0),
            sill: value(edge, 1),
            nugget: value(edge, 2),
        };
        (0..input.edges.len()).map(of_edge).collect()
    }

    /// Mean range of the fitted variograms, years; that of the start without any.
    fn mean_range(&self) -> f64 {
        let ranges: Vec<f64> = self.variograms.iter().flatten().map(|fit| fit.range).collect();
        if ranges.is_empty() { VARIOGRAM.start.range } else { mean(&ranges) }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How the slow part of a series is found.
struct Filter<'a> {
    input: &'a EdgeInput<'a>,
    model: &'a DeformationModel,
    variograms: &'a [Variogram],
    gaussian: TemporalHighPass,
    /// Years of the dates, as places on a line.
    places: Vec<[f64; 2]>,
    most: usize,
}

impl<'a> Filter<'a> {
    fn new(
        input: &'a EdgeInput<'a>,
        model: &'a DeformationModel,
        variogram: &'a TemporalVariogram,
    ) -> Self {
        let window_days =
            input.window_days.unwrap_or_else(|| 2.0 * variogram.mean_range() * DAYS_A_YEAR);
        let years = model.years();
        let mean_year = mean(years);
        let squares: f64 = years.iter().map(|year| (year - mean_year).powi(2)).sum();
        let deviation = (squares / (years.len() as f64 - 1.0).max(1.0)).sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few dates")]
        let most = (mean_year + 2.0 * deviation).ceil().max(1.0) as usize;
        Self {
            input,
            model,
            variograms: &variogram.of_edges,
            gaussian: TemporalHighPass::new(input.days, window_days, input.weightless),
            places: years.iter().map(|&year| [year, 0.0]).collect(),
            most,
        }
    }

    /// What is left of the series of a block of edges, and their unwrapping errors.
    fn block(&self, first: usize) -> (Vec<f32>, Vec<i8>) {
        let (mut left, mut errors) = (Vec::new(), Vec::new());
        let dates = self.input.days.len();
        for edge in first..self.input.edges.len().min(first + BLOCK) {
            let series = self.input.residuals(self.model, edge);
            if let Some(variogram) = self.variograms.get(edge) {
                self.krige(&series, variogram, &mut left, &mut errors);
            } else {
                let begin = left.len();
                left.resize(begin + dates, 0.0);
                self.gaussian.apply(&series, 1, &mut left[begin..]);
            }
        }
        (left, errors)
    }

    /// Adds what the prediction from all dates leaves of a series, and by how many cycles every date
    /// differs from the prediction from the others.
    fn krige(
        &self,
        series: &[f32],
        variogram: &Variogram,
        left: &mut Vec<f32>,
        errors: &mut Vec<i8>,
    ) {
        let structures = structures(variogram);
        let kriging = Kriging {
            structures: &structures,
            method: KrigingMethod::Ordinary,
            most: self.most,
            reach: 4.0 * variogram.range,
        };
        let others = Kriging { most: self.most + 1, ..kriging };
        for (date, &at) in self.places.iter().enumerate() {
            let sum = |points: Vec<usize>| {
                let found = kriging.weights_of(points, &self.places, at);
                let pairs = found.points.iter().zip(&found.weights);
                pairs.map(|(&point, weight)| weight * f64::from(series[point])).sum::<f64>()
            };
            let value = f64::from(series[date]);
            left.push(single(value - sum(kriging.nearest(&self.places, at))));
            let mut points = others.nearest(&self.places, at);
            points.retain(|&point| point != date);
            points.truncate(self.most);
            let error = if points.is_empty() { 0.0 } else { sum(points) - value };
            #[expect(clippy::cast_possible_truncation, reason = "casts saturate, as MATLAB's do")]
            errors.push((error / (2.01 * std::f64::consts::PI)).round() as i8);
        }
    }
}

/// Exponential covariance and nugget of a variogram.
pub(super) fn structures(variogram: &Variogram) -> [Structure; 2] {
    let &Variogram { range, sill, nugget } = variogram;
    [
        Structure { model: CovarianceModel::Exponential, range, sill },
        Structure { model: CovarianceModel::Nugget, range: 0.0, sill: nugget },
    ]
}
