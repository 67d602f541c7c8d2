//! Estimates the look-angle error of phases held in memory.

use std::ops::Range;

use rayon::prelude::*;

use super::{SlopeWeights, offset_weights, slope_least_absolute, slope_weights};
use crate::least_squares::NotPositiveDefinite;

/// PS that one thread works on at a time; results do not depend on it.
const BLOCK_ROWS: usize = 1024;
/// Columns from which on a velocity can be estimated.
const COLUMNS_FOR_VELOCITY: usize = 4;

/// What is fitted against the baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Differences of successive columns, all counting alike; C is estimated.
    SingleMaster,
    /// The interferograms themselves, with their covariance; C is 0.
    SmallBaselines,
}

/// How the slope is fitted. StaMPS: `scla_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Least squares. StaMPS: `L2`.
    LeastSquares,
    /// Least sum of absolute residuals, searched from there. StaMPS: `L1`.
    LeastAbsolute,
}

/// Phase and baselines of all PS, `[n_ps, n_ifg]`, column-major.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a> {
    /// Number of PS.
    pub rows: usize,
    /// Unwrapped phase, deramped and referenced, rad; 0 in the column of the master.
    pub phase_rad: &'a [f32],
    /// Perpendicular baselines, m; 0 in the column of the master.
    pub bperp_m: &'a [f32],
}

/// How it is estimated.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Columns to estimate from, from 0, ascending.
    pub columns: &'a [usize],
    /// Day of every column; for small baselines its time interval, days.
    pub day: &'a [f64],
    /// Covariance of all columns, rad², column-major.
    pub covariance: &'a [f64],
    /// Column of the master, from which days count.
    pub master: Option<usize>,
    /// What is fitted.
    pub network: Network,
    /// How.
    pub method: Method,
    /// Whether a velocity is estimated with it.
    pub velocity: bool,
}

/// Look-angle error and atmosphere of the master of every PS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// K, rad/m.
    pub slope_rad_per_m: Vec<f64>,
    /// C, rad.
    pub offset_rad: Vec<f32>,
    /// `K * bperp`, rad, `[n_ps, n_ifg]`, column-major.
    pub phase_rad: Vec<f32>,
}

/// Estimates both for all PS (stage7.md section 4, steps 8-14).
///
/// # Errors
/// [`NotPositiveDefinite`] for such a covariance of the columns that it weighs.
///
/// # Panics
/// If the sizes do not fit together or a column is not there.
pub fn estimate(
    observations: &Observations<'_>,
    settings: &Settings<'_>,
) -> Result<Estimate, NotPositiveDefinite> {
    let (rows, total) = (observations.rows, settings.day.len());
    assert_eq!(observations.phase_rad.len(), rows * total, "a phase for every PS and column");
    assert_eq!(observations.bperp_m.len(), rows * total, "a baseline for every PS and column");
    let plan = Plan::new(observations, settings)?;
    let starts: Vec<usize> = (0..rows).step_by(BLOCK_ROWS).collect();
    let blocks: Vec<Estimate> =
        starts.par_iter().map(|&start| plan.block(start..rows.min(start + BLOCK_ROWS))).collect();
    let mut all = Estimate { phase_rad: vec![0.0; rows * total], ..Estimate::default() };
    for (block, start) in blocks.iter().zip(starts) {
        let count = block.offset_rad.len();
        all.slope_rad_per_m.extend(&block.slope_rad_per_m);
        all.offset_rad.extend(&block.offset_rad);
        for column in 0..total {
            all.phase_rad[column * rows + start..][..count]
                .copy_from_slice(&block.phase_rad[column * count..][..count]);
        }
    }
    Ok(all)
}

/// What is the same for every PS.
struct Plan<'a> {
    observations: &'a Observations<'a>,
    settings: &'a Settings<'a>,
    bperp_m: Vec<f64>,
    interval_days: Option<Vec<f64>>,
    slope: SlopeWeights,
    /// Columns and weights that make C.
    offset: Vec<(usize, f64)>,
}

impl<'a> Plan<'a> {
    fn new(
        observations: &'a Observations<'a>,
        settings: &'a Settings<'a>,
    ) -> Result<Self, NotPositiveDefinite> {
        let &Settings { columns, day, network, .. } = settings;
        let differenced = network == Network::SingleMaster;
        let count = if differenced { columns.len().saturating_sub(1) } else { columns.len() };
        let with_velocity = settings.velocity && columns.len() >= COLUMNS_FOR_VELOCITY;
        let interval = |k: usize| {
            if differenced { day[columns[k + 1]] - day[columns[k]] } else { day[columns[k]] }
        };
        let interval_days = with_velocity.then(|| (0..count).map(interval).collect::<Vec<f64>>());
        let mean = |k: usize| {
            let Observations { rows, bperp_m, .. } = *observations;
            let sum: f64 = observed(bperp_m, rows, settings, k, 0..rows).iter().sum();
            single(sum / rows as f64).into()
        };
        let bperp_m: Vec<f64> = (0..count).map(mean).collect();
        let covariance = (!differenced).then(|| settings.covariance_of(columns));
        let slope = if observations.rows == 0 {
            slope_weights(&vec![0.0; count], None, covariance.as_deref())?
        } else {
            slope_weights(&bperp_m, interval_days.as_deref(), covariance.as_deref())?
        };
        let offset = if differenced { settings.offset()? } else { Vec::new() };
        Ok(Self { observations, settings, bperp_m, interval_days, slope, offset })
    }

    /// The estimate of some PS.
    fn block(&self, range: Range<usize>) -> Estimate {
        let (rows, count) = (self.observations.rows, range.len());
        let slope_rad_per_m = match self.settings.method {
            Method::LeastSquares => self.least_squares(range.clone()),
            Method::LeastAbsolute => self.least_absolute(range.clone()),
        };
        let mut phase_rad = Vec::with_capacity(count * self.settings.day.len());
        for column in 0..self.settings.day.len() {
            let bperp_m = &self.observations.bperp_m[column * rows..][range.clone()];
            let values = bperp_m.iter().zip(&slope_rad_per_m);
            phase_rad.extend(values.map(|(&bperp, slope)| single(slope * f64::from(bperp))));
        }
        let mut offset_rad = vec![0.0; count];
        for &(column, weight) in &self.offset {
            let given = &self.observations.phase_rad[column * rows..][range.clone()];
            let known = &phase_rad[column * count..][..count];
            for ((offset, given), known) in offset_rad.iter_mut().zip(given).zip(known) {
                *offset += weight * f64::from(given - known);
            }
        }
        let offset_rad = offset_rad.into_iter().map(single).collect();
        Estimate { slope_rad_per_m, offset_rad, phase_rad }
    }

    fn least_squares(&self, range: Range<usize>) -> Vec<f64> {
        let mut slope = vec![0.0; range.len()];
        for (k, weight) in self.slope.weights.iter().enumerate() {
            let Observations { rows, phase_rad, .. } = *self.observations;
            let values = observed(phase_rad, rows, self.settings, k, range.clone());
            for (slope, value) in slope.iter_mut().zip(values) {
                *slope += weight * value;
            }
        }
        slope
    }

    fn least_absolute(&self, range: Range<usize>) -> Vec<f64> {
        let Observations { rows, phase_rad, .. } = *self.observations;
        let days = self.interval_days.as_deref();
        let of_one = |row: usize| {
            let value = |k| observed(phase_rad, rows, self.settings, k, row..row + 1);
            let series: Vec<f64> = (0..self.bperp_m.len()).flat_map(value).collect();
            let start = self.slope.coefficients(&series);
            slope_least_absolute(&series, &self.bperp_m, days, &start)
        };
        range.map(of_one).collect()
    }
}

impl Settings<'_> {
    /// Covariance of some columns.
    fn covariance_of(&self, columns: &[usize]) -> Vec<f64> {
        let total = self.day.len();
        assert_eq!(self.covariance.len(), total * total, "a covariance of all columns");
        let pairs = columns.iter().flat_map(|b| columns.iter().map(move |a| b * total + a));
        pairs.map(|at| self.covariance[at]).collect()
    }

    /// Columns and weights of the atmosphere of the master.
    fn offset(&self) -> Result<Vec<(usize, f64)>, NotPositiveDefinite> {
        let others = self.columns.iter().copied().filter(|&column| Some(column) != self.master);
        let others: Vec<usize> = others.collect();
        let weights = if self.velocity {
            let origin = self.master.map_or(0.0, |master| self.day[master]);
            let days: Vec<f64> = others.iter().map(|&column| self.day[column] - origin).collect();
            offset_weights(&days, &self.covariance_of(&others))?
        } else {
            vec![1.0 / others.len() as f64; others.len()]
        };
        Ok(others.into_iter().zip(weights).collect())
    }
}

/// Observation `k` of a range of PS: of `values`, `[rows, n_ifg]`, the column itself or its
/// difference to the next one, in single precision.
fn observed(
    values: &[f32],
    rows: usize,
    settings: &Settings<'_>,
    k: usize,
    range: Range<usize>,
) -> Vec<f64> {
    let column = |k: usize| &values[settings.columns[k] * rows..][range.clone()];
    match settings.network {
        Network::SingleMaster => {
            column(k + 1).iter().zip(column(k)).map(|(b, a)| f64::from(b - a)).collect()
        }
        Network::SmallBaselines => column(k).iter().map(|&value| value.into()).collect(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "StaMPS keeps it in single")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [f64; 7] = [0.0, 12.0, 36.0, 48.0, 60.0, 96.0, 108.0];
    const MASTER: usize = 3;

    /// Baselines of 50 PS, which differ from PS to PS by a little.
    fn baselines() -> Vec<f32> {
        let of = [-90.0, 140.0, 35.0, 0.0, -60.0, 110.0, 75.0_f32];
        (0..350_u16).map(|k| of[usize::from(k / 50)] * (1.0 + 1e-4 * f32::from(k % 50))).collect()
    }

    /// Slope, atmosphere of the master and a little velocity of every PS.
    fn phases(bperp_m: &[f32]) -> Vec<f32> {
        let value = |(k, &bperp): (usize, &f32)| {
            let (row, column) = (k % 50, k / 50);
            if column == MASTER {
                return 0.0;
            }
            let slope = 0.001 * row as f64 - 0.02;
            single(slope * f64::from(bperp) + 0.01 * row as f64 + 2e-4 * (DAYS[column] - 48.0))
        };
        bperp_m.iter().enumerate().map(value).collect()
    }

    fn identity(size: usize) -> Vec<f64> {
        (0..size * size).map(|k| f64::from(u8::from(k % (size + 1) == 0))).collect()
    }

    fn settings<'a>(columns: &'a [usize], covariance: &'a [f64]) -> Settings<'a> {
        Settings {
            columns,
            day: &DAYS,
            covariance,
            master: Some(MASTER),
            network: Network::SingleMaster,
            method: Method::LeastSquares,
            velocity: true,
        }
    }

    #[test]
    fn slopes_and_offsets_are_found_again() {
        let bperp_m = baselines();
        let phase_rad = phases(&bperp_m);
        let observations = Observations { rows: 50, phase_rad: &phase_rad, bperp_m: &bperp_m };
        let covariance = identity(7);
        // Without the column of the master its atmosphere does not disturb K.
        let columns = [0, 1, 2, 4, 5, 6];
        for method in [Method::LeastSquares, Method::LeastAbsolute] {
            let settings = Settings { method, ..settings(&columns, &covariance) };
            let found = estimate(&observations, &settings).unwrap();
            for row in 0..50 {
                let slope = 0.001 * row as f64 - 0.02;
                // The design has mean baselines; those of a PS differ by up to 0.25 %.
                assert!((found.slope_rad_per_m[row] - slope).abs() < 1e-4, "{row} {method:?}");
                assert!((f64::from(found.offset_rad[row]) - 0.01 * row as f64).abs() < 5e-3);
            }
        }
        let small =
            Settings { network: Network::SmallBaselines, ..settings(&columns, &covariance) };
        let found = estimate(&observations, &small).unwrap();
        assert_eq!(found.offset_rad, [0.0; 50]);
        assert!(found.slope_rad_per_m.iter().any(|slope| slope.abs() > 0.01));
    }

    #[test]
    fn a_phase_that_is_no_number_stays_with_its_scatterer() {
        let bperp_m = baselines();
        let mut phase_rad = phases(&bperp_m);
        phase_rad[50 + 7] = f32::NAN;
        let observations = Observations { rows: 50, phase_rad: &phase_rad, bperp_m: &bperp_m };
        let (covariance, columns) = (identity(7), [0, 1, 2, 3, 4, 5, 6]);
        for method in [Method::LeastSquares, Method::LeastAbsolute] {
            let settings = Settings { method, ..settings(&columns, &covariance) };
            let found = estimate(&observations, &settings).unwrap();
            let lost: Vec<usize> =
                (0..50).filter(|&row| found.slope_rad_per_m[row].is_nan()).collect();
            assert_eq!(lost, [7]);
        }
    }

    #[test]
    fn too_little_to_estimate_from_is_zero() {
        let bperp_m = baselines();
        let phase_rad = phases(&bperp_m);
        let observations = Observations { rows: 50, phase_rad: &phase_rad, bperp_m: &bperp_m };
        let covariance = identity(7);
        for columns in [&[][..], &[MASTER], &[2]] {
            for velocity in [false, true] {
                let settings = Settings { velocity, ..settings(columns, &covariance) };
                let found = estimate(&observations, &settings).unwrap();
                assert_eq!(found.slope_rad_per_m, [0.0; 50]);
                assert!(found.offset_rad.iter().all(|offset| offset.is_finite()));
            }
        }
        let none = Observations { rows: 0, phase_rad: &[], bperp_m: &[] };
        let columns = [0, 1, 2, 3, 4];
        assert_eq!(estimate(&none, &settings(&columns, &covariance)).unwrap().offset_rad, []);
        // Whether the covariance can be one does not depend on there being PS.
        let nothing = [0.0; 49];
        for network in [Network::SingleMaster, Network::SmallBaselines] {
            let settings = Settings { network, ..settings(&columns, &nothing) };
            assert!(estimate(&none, &settings).is_err());
        }
    }
}
