//! Finds the smooth part of images by kriging.

use rayon::prelude::*;

use super::nearest::NearestPoints;
use super::temporal::structures;
use super::variogram::{
    Variogram, VariogramModel, VariogramSettings, empirical_variogram, fit_variogram,
};
use super::{Kriging, KrigingMethod, random_subset};
use crate::least_squares::PivotedQr;
use crate::random::UniformGenerator;

/// PS worked on together by one thread.
const BLOCK: usize = 64;
/// Nearest PS that a value is predicted from.
const MOST: usize = 50;
const TREND_TERMS: usize = 5;
/// How the variogram of an image is found: distances in metres.
const VARIOGRAM: VariogramSettings = VariogramSettings {
    model: VariogramModel::Exponential,
    start: Variogram { range: 15_000.0, sill: 1.0, nugget: 1.0 },
    lags: 30,
    most_distance: 30_000.0,
};

/// The smooth part of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpatialNoise {
    /// Trend and prediction together, rad: `[n_ps, n]`, column-major. StaMPS: `ph_scn` before ramps
    /// and reference.
    pub noise_rad: Vec<f32>,
    /// Variogram of every image, m and rad².
    pub variograms: Vec<Variogram>,
}

/// The smooth part of every column of `phase_rad`, `[n_ps, n]`, column-major, at the PS (stage8.md
/// section 3, step 7). All images use the PS nearest by the range of the first one, as in StaMPS.
///
/// # Panics
/// If there are not whole columns.
pub fn krige_images(
    xy_m: &[[f32; 2]],
    phase_rad: &[f32],
    random: &mut impl UniformGenerator,
) -> SpatialNoise {
    let points = xy_m.len();
    if points == 0 {
        return SpatialNoise::default();
    }
    assert!(phase_rad.len().is_multiple_of(points), "whole columns");
    let columns = phase_rad.len() / points;
    let subset = random_subset(points, random);
    let (trends, left) = remove_trends(xy_m, phase_rad, &subset);
    let variograms = variograms_of(xy_m, &left, &subset);
    let places: Vec<[f64; 2]> = xy_m.iter().map(|place| place.map(f64::from)).collect();
    let nearest = NearestPoints::new(&places);
    let reach = variograms.first().map_or(0.0, |first| 4.0 * first.range);
    let firsts: Vec<usize> = (0..points).step_by(BLOCK).collect();
    let predict = |&first: &usize| -> Vec<f32> {
        let range = first..points.min(first + BLOCK);
        let mut noise = vec![0.0; range.len() * columns];
        for (row, target) in range.enumerate() {
            let near = if places[target].iter().all(|x| x.is_finite()) {
                nearest.of(places[target], MOST, reach)
            } else {
                Vec::new()
            };
            for (column, variogram) in variograms.iter().enumerate() {
                let at = column * points;
                let predicted = predicted(variogram, &near, &places, target, &left[at..]);
                noise[row * columns + column] = single(predicted + trends[at + target]);
            }
        }
        noise
    };
    let blocks: Vec<Vec<f32>> = firsts.par_iter().map(predict).collect();
    let by_row = blocks.concat();
    let noise_rad =
        (0..points * columns).map(|at| by_row[at % points * columns + at / points]).collect();
    SpatialNoise { noise_rad, variograms }
}

/// The prediction at a PS from its nearest ones; with none in reach its own value.
fn predicted(
    variogram: &Variogram,
    near: &[usize],
    places: &[[f64; 2]],
    target: usize,
    values: &[f64],
) -> f64 {
    if near.is_empty() {
        return values[target];
    }
    let structures = structures(variogram);
    let kriging = Kriging {
        structures: &structures,
        method: KrigingMethod::Ordinary,
        most: MOST,
        reach: f64::INFINITY,
    };
    let found = kriging.weights_of(near.to_vec(), places, places[target]);
    found.points.iter().zip(&found.weights).map(|(&point, weight)| weight * values[point]).sum()
}

/// Trends `[x² x y² y 1]` of all columns, fitted to some PS, and what they leave.
fn remove_trends(xy_m: &[[f32; 2]], phase_rad: &[f32], subset: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let scale = [0, 1].map(|axis| {
        let mean = xy_m.iter().map(|place| f64::from(place[axis])).sum::<f64>() / xy_m.len() as f64;
        if mean == 0.0 || !mean.is_finite() { 1.0 } else { mean }
    });
    let terms = |point: usize| -> [f64; TREND_TERMS] {
        let [x, y] = [0, 1].map(|axis| f64::from(xy_m[point][axis]) / scale[axis]);
        [x * x, x, y * y, y, 1.0]
    };
    let design = (0..TREND_TERMS).flat_map(|term| subset.iter().map(move |&p| terms(p)[term]));
    let qr = PivotedQr::new(&design.collect::<Vec<f64>>(), subset.len());
    let fitted: Vec<Vec<f64>> = phase_rad
        .par_chunks_exact(xy_m.len())
        .map(|phase_rad| {
            let right: Vec<f64> = subset.iter().map(|&point| phase_rad[point].into()).collect();
            let coefficients = qr.solve(&right).coefficients;
            let value = |point| coefficients.iter().zip(terms(point)).map(|(c, t)| c * t).sum();
            (0..xy_m.len()).map(value).collect()
        })
        .collect();
    let trends = fitted.concat();
    let left = trends.iter().zip(phase_rad).map(|(trend, &phase)| f64::from(phase) - trend);
    let left = left.collect();
    (trends, left)
}

/// Variograms of all columns, from some PS.
fn variograms_of(xy_m: &[[f32; 2]], left: &[f64], subset: &[usize]) -> Vec<Variogram> {
    let points = xy_m.len();
    let columns = left.len() / points;
    let places: Vec<[f32; 2]> = subset.iter().map(|&point| xy_m[point]).collect();
    let row =
        |&point: &usize| (0..columns).map(move |column| single(left[column * points + point]));
    let values: Vec<f32> = subset.iter().flat_map(row).collect();
    let bins = empirical_variogram(&places, &values, columns, VARIOGRAM.lags);
    bins.iter().map(|bins| fit_variogram(bins, &VARIOGRAM).unwrap_or(VARIOGRAM.start)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "phase is single")]
fn single(value: f64) -> f32 {
    value as f32
}
