//! Estimates the look-angle error of every PS, and the master's atmosphere.

use std::path::Path;

use pystamps_kernels::look_angle_error::{SlopeWeights, offset_weights, slope_weights};
use rayon::prelude::*;

use super::least_absolute::{Observations, least_absolute_slopes};
use super::observed::observed;
use super::rules::{Columns, Norm, Rules, used_columns};
use super::series_baselines::SeriesBaselines;
use super::solution::{Estimate, too_few};
use crate::baselines::Baselines;
use crate::error::Result;
use crate::parameter_checks::kept_interferograms;
use crate::phase_series::{PhaseSeries, accumulate, singles};
use crate::progress::Progress;
use crate::project::artifacts::stage6;
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::reference_area::reference_rows;
use crate::samples::compressed_bytes;
use crate::scratch::Room;
use crate::series_covariance::{Covariance, inverted_images};

/// Fewer columns than this, and the velocity is left out of the fit.
const COLUMNS_FOR_VELOCITY: usize = 4;

/// What the estimates of a project have in common.
pub(super) struct Estimator<'a> {
    root: &'a Path,
    parameters: &'a Parameters,
    rules: &'a Rules,
    stack: &'a Stack,
    reference: Vec<usize>,
}

/// What is compared with baselines: the phase of a column, or its difference from the column before.
struct Design {
    /// Columns, ascending.
    columns: Vec<usize>,
    /// Whether each is compared with the one before.
    differences: bool,
    /// Days that each observation spans.
    interval_days: Vec<f64>,
}

impl<'a> Estimator<'a> {
    /// Examines the project.
    ///
    /// # Errors
    /// `no-ps`, `reference-empty`; MATLAB file errors.
    pub(super) fn open(
        root: &'a Path,
        parameters: &'a Parameters,
        rules: &'a Rules,
        stack: &'a Stack,
    ) -> Result<Self> {
        crate::merged_scope::refuse_without_ps(root, stack)?;
        let reference = reference_rows(root, stack, parameters)?;
        Ok(Self { root, parameters, rules, stack, reference })
    }

    /// Memory of arrays that cannot be left in their files, at most at one time.
    ///
    /// # Errors
    /// MATLAB file errors.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let correction = self.rules.troposphere.map(|field| {
            let variable = stage6::tropospheric_phase(self.rules.network, field);
            (variable.file, variable.name)
        });
        let of = |phase: &'static str| {
            let arrays =
                [(phase, "ph_uw"), ("aps2.mat", "ph_aps_slave"), ("aps_sb2.mat", "ph_aps_slave")];
            let arrays: Vec<(&str, &str)> = arrays.into_iter().chain(correction).collect();
            compressed_bytes(self.root, &arrays)
        };
        let phase = of("phuw2.mat")?.max(of("phuw_sb2.mat")?);
        Ok(phase + Baselines::open(self.root, self.stack)?.resident_bytes())
    }

    /// Estimates from the series `which`.
    ///
    /// # Errors
    /// `interferograms-too-few`, `covariance-impossible`; MATLAB file errors; I/O errors.
    pub(super) fn estimate(
        &self,
        which: Columns,
        room: &Room<'_>,
        progress: &Progress,
    ) -> Result<Estimate<'a>> {
        let Self { root, rules, stack, .. } = *self;
        let inverted = inverted_images(root, stack)?;
        let columns = used_columns(self.parameters, stack, which, &inverted)?;
        let design = Design::of(stack, which, columns);
        if design.count() < 2 {
            let slaves = design
                .columns
                .iter()
                .filter(|&&column| which != Columns::Interferograms || column != stack.master);
            return Err(too_few(root, which, slaves.count()));
        }
        let covariance = Covariance::load(root, stack, which == Columns::SmallBaselines)?;
        let kept = kept_interferograms(self.parameters, stack)?;
        let series = observed(root, rules, stack, which, &self.reference, &kept, room)?;
        let baselines = match which {
            Columns::Images => SeriesBaselines::of_images(root, stack, &design.columns, room)?,
            _ => SeriesBaselines::of_interferograms(root, stack)?,
        };
        let mean_bperp_m = design.mean_baselines(&baselines)?;
        let weights = design.slope_weights(&mean_bperp_m, which, &covariance)?;
        let mut slope_rad_per_m = design.slopes(&series, &weights.weights, progress)?;
        if rules.norm == Norm::Absolute {
            let observations = design.kept(&series, room)?;
            let fit = Observations {
                phase_rad: &observations,
                bperp_m: &mean_bperp_m,
                interval_days: design.with_velocity().then_some(&design.interval_days),
                weights: &weights,
            };
            slope_rad_per_m = least_absolute_slopes(&fit, stack.row_count(), progress)?;
        }
        let offset_rad = match which {
            Columns::SmallBaselines => None,
            _ => Some(self.offsets(&design, &series, &baselines, &slope_rad_per_m, &covariance)?),
        };
        Ok(Estimate {
            slope_rad_per_m,
            offset_rad,
            covariance,
            series,
            baselines,
            observations: design.count(),
            dropped: weights.dropped,
        })
    }

    /// Phase of the master at every PS: the intercept of a line through the other columns.
    ///
    /// # StaMPS compatibility
    /// Stage7.md 4, step 14.
    fn offsets(
        &self,
        design: &Design,
        series: &PhaseSeries,
        baselines: &SeriesBaselines<'_>,
        slope_rad_per_m: &[f64],
        covariance: &Covariance,
    ) -> Result<Vec<f32>> {
        let stack = self.stack;
        let columns: Vec<usize> =
            design.columns.iter().copied().filter(|&column| column != stack.master).collect();
        let days: Vec<f64> =
            columns.iter().map(|&column| stack.day[column] - stack.day[stack.master]).collect();
        let of_columns = covariance.of(&columns);
        let weights = offset_weights(&days, &of_columns).map_err(|_| covariance.impossible())?;
        let mut sums = vec![0.0; stack.row_count()];
        series.each(&columns, |place, phase_rad| {
            let bperp_m = baselines.column(columns[place])?;
            accumulate(&mut sums, weights[place], |row| {
                f64::from(phase_rad[row] - slope_phase(slope_rad_per_m[row], bperp_m[row]))
            });
            Ok(())
        })?;
        Ok(singles(&sums))
    }
}

/// Phase of a look-angle error, rounded to single precision.
pub(super) fn slope_phase(slope_rad_per_m: f64, bperp_m: f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
    let phase_rad = (slope_rad_per_m * f64::from(bperp_m)) as f32;
    phase_rad
}

impl Design {
    fn of(stack: &Stack, which: Columns, columns: Vec<usize>) -> Self {
        let differences = which != Columns::SmallBaselines;
        let interval_days = if differences {
            columns.windows(2).map(|pair| stack.day[pair[1]] - stack.day[pair[0]]).collect()
        } else {
            let pairs = columns.iter().map(|&column| stack.pairs[column]);
            pairs.map(|[first, second]| stack.day[second] - stack.day[first]).collect()
        };
        Self { columns, differences, interval_days }
    }

    /// Observations.
    fn count(&self) -> usize {
        self.interval_days.len()
    }

    fn with_velocity(&self) -> bool {
        self.columns.len() >= COLUMNS_FOR_VELOCITY
    }

    /// Baseline of every observation, the mean of all PS: summed in double, differences in single.
    fn mean_baselines(&self, baselines: &SeriesBaselines<'_>) -> Result<Vec<f64>> {
        let firsts = if self.differences { &self.columns[..self.count()] } else { &[] };
        (0..self.count())
            .into_par_iter()
            .map(|k| {
                let column = self.columns[k + usize::from(self.differences)];
                let mut bperp_m = baselines.column(column)?;
                if let Some(&first) = firsts.get(k) {
                    for (value, first) in bperp_m.iter_mut().zip(baselines.column(first)?) {
                        *value -= first;
                    }
                }
                let sum: f64 = bperp_m.iter().map(|&value| f64::from(value)).sum();
                #[expect(clippy::cast_possible_truncation, reason = "the mean of single numbers")]
                let mean = (sum / bperp_m.len() as f64) as f32;
                Ok(f64::from(mean))
            })
            .collect()
    }

    fn slope_weights(
        &self,
        mean_bperp_m: &[f64],
        which: Columns,
        covariance: &Covariance,
    ) -> Result<SlopeWeights> {
        let interval_days = self.with_velocity().then_some(&self.interval_days[..]);
        let of_columns = (which == Columns::SmallBaselines).then(|| covariance.of(&self.columns));
        slope_weights(mean_bperp_m, interval_days, of_columns.as_deref())
            .map_err(|_| covariance.impossible())
    }

    /// Hands over every observation, rad.
    fn each(
        &self,
        series: &PhaseSeries,
        mut use_observation: impl FnMut(usize, &(dyn Fn(usize) -> f32 + Sync)) -> Result<()>,
    ) -> Result<()> {
        let mut before: Vec<f32> = Vec::new();
        series.each(&self.columns, |place, phase_rad| {
            if !self.differences {
                return use_observation(place, &|row| phase_rad[row]);
            }
            if place > 0 {
                use_observation(place - 1, &|row| phase_rad[row] - before[row])?;
            }
            before.clear();
            before.extend_from_slice(phase_rad);
            Ok(())
        })
    }

    fn slopes(
        &self,
        series: &PhaseSeries,
        weights: &[f64],
        progress: &Progress,
    ) -> Result<Vec<f64>> {
        let phase = progress.phase("look-angle error", self.count() as u64, "observations");
        let mut slopes = vec![0.0; series.row_count()];
        self.each(series, |observation, value| {
            accumulate(&mut slopes, weights[observation], |row| f64::from(value(row)));
            phase.advance(1);
            Ok(())
        })?;
        Ok(slopes)
    }

    /// All observations, kept for a fit PS by PS.
    fn kept(
        &self,
        series: &PhaseSeries,
        room: &Room<'_>,
    ) -> Result<crate::scratch::ScratchColumns> {
        let rows = series.row_count();
        let mut kept = room.columns(rows, self.count())?;
        self.each(series, |observation, value| {
            kept.write(observation, 0, &(0..rows).map(value).collect::<Vec<_>>())
        })?;
        Ok(kept)
    }
}
