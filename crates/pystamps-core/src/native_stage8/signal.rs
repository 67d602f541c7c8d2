//! The phase that is filtered: unwrapped, without look-angle error, master and ramps.

use pystamps_kernels::least_squares::PivotedQr;
use rayon::prelude::*;

use super::rules::{Rules, deramped_columns, used_columns};
use crate::error::{Diagnostic, Result};
use crate::phase_series::{PhaseSeries, Term as Taken};
use crate::products::{Project, Series, Term};
use crate::project::stack::Stack;
use crate::stage::WeightlessDate;

/// Phase of every PS in the columns in use, rad.
pub(super) struct Signal {
    phase: PhaseSeries,
    /// Columns in use, ascending.
    pub(super) columns: Vec<usize>,
    /// Day of each.
    pub(super) days: Vec<f64>,
    /// Place among the columns whose weight is taken away in the filter: the master's.
    pub(super) weightless: Option<usize>,
    /// Columns whose plane is taken out, by their place, and the plane.
    planes: Vec<(usize, [f64; 3])>,
    xy_m: Vec<[f32; 2]>,
}

impl Signal {
    /// Opens the phase of `project`.
    ///
    /// # StaMPS compatibility
    /// `ps_scn_filt`, stage8.md 2, steps 1 to 4. Small baselines: all images, also those without phase,
    /// as in the original.
    ///
    /// # Errors
    /// `master-index` where `strict` names a column that does not exist; MATLAB file errors.
    pub(super) fn open(project: &Project, rules: &Rules) -> Result<Self> {
        let stack = &project.stack;
        let columns = used_columns(&project.parameters, stack)?;
        let series = Series::OneMaster;
        let mut phase = project.phase_as_unwrapped(series)?;
        project.take_out(&mut phase, series, &[Term::LookAngleError, Term::Master], false)?;
        if let Some(ramp) = project.stored_ramp(series)? {
            phase.subtract(Taken::Stored(ramp));
        }
        let days = columns.iter().map(|&column| stack.day[column]).collect();
        let weightless = weightless(stack, &columns, rules.weightless)?;
        let deramped = deramped_columns(&project.parameters, stack, &columns, rules.kriging)?;
        let xy_m = stack.xy_m.clone();
        let mut signal = Self { phase, columns, days, weightless, planes: Vec::new(), xy_m };
        signal.planes = signal.fit_planes(&deramped)?;
        Ok(signal)
    }

    /// PS.
    pub(super) fn row_count(&self) -> usize {
        self.xy_m.len()
    }

    /// Coordinates of the PS, m.
    pub(super) fn xy_m(&self) -> &[[f32; 2]] {
        &self.xy_m
    }

    /// Memory of arrays that could not be left in their files.
    pub(super) fn resident_bytes(&self) -> u64 {
        self.phase.resident_bytes()
    }

    /// Columns whose plane was taken out.
    pub(super) fn plane_count(&self) -> usize {
        self.planes.len()
    }

    /// The plane at `number` among those taken out, at every PS, rad.
    pub(super) fn plane(&self, number: usize) -> Vec<f64> {
        let [constant, along_x, along_y] = self.planes[number].1;
        let value = |&[x, y]: &[f32; 2]| constant + along_x * f64::from(x) + along_y * f64::from(y);
        self.xy_m.iter().map(value).collect()
    }

    /// The plane that was taken out of the column at `place`, at every PS, rad.
    pub(super) fn plane_of(&self, place: usize) -> Option<Vec<f64>> {
        let number = self.planes.iter().position(|(of, _)| *of == place)?;
        Some(self.plane(number))
    }

    /// Phase of the column at `place`, without its plane; 0 where it is not known.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn column(&self, place: usize) -> Result<Vec<f32>> {
        let mut phase_rad = self.with_plane(place)?;
        if let Some(plane) = self.plane_of(place) {
            for (value, plane) in phase_rad.iter_mut().zip(plane) {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "single precision by definition"
                )]
                let difference = (f64::from(*value) - plane) as f32;
                *value = difference;
            }
        }
        Ok(phase_rad)
    }

    fn with_plane(&self, place: usize) -> Result<Vec<f32>> {
        let mut phase_rad = self.phase.column(self.columns[place])?;
        for value in &mut phase_rad {
            if value.is_nan() {
                *value = 0.0;
            }
        }
        Ok(phase_rad)
    }

    fn fit_planes(&self, columns: &[usize]) -> Result<Vec<(usize, [f64; 3])>> {
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let axis = |axis: usize| self.xy_m.iter().map(move |point| f64::from(point[axis]));
        let ones = std::iter::repeat_n(1.0, self.row_count());
        let design: Vec<f64> = ones.chain(axis(0)).chain(axis(1)).collect();
        let factors = PivotedQr::new(&design, self.row_count());
        columns
            .par_iter()
            .map(|column| {
                let place = self.columns.iter().position(|of| of == column);
                let place = place.expect("invariant: planes are of columns in use");
                let phase_rad: Vec<f64> =
                    self.with_plane(place)?.into_iter().map(f64::from).collect();
                let coefficients = factors.solve(&phase_rad).coefficients;
                Ok((place, [coefficients[0], coefficients[1], coefficients[2]]))
            })
            .collect()
    }
}

/// Place whose weight is taken away.
///
/// # StaMPS compatibility
/// Stage8.md 2, step 6: the original counts the master among all images but the weights among those in
/// use, which differs where an earlier one is dropped (`strict`).
fn weightless(stack: &Stack, columns: &[usize], date: WeightlessDate) -> Result<Option<usize>> {
    if date == WeightlessDate::Master {
        return Ok(columns.iter().position(|&column| column == stack.master));
    }
    if stack.master < columns.len() {
        return Ok(Some(stack.master));
    }
    Err(Diagnostic::new("master-index", "the original's index of the master does not exist")
        .variable("--strict, drop_ifg_index")
        .expected(format!("the master among the {} columns in use", columns.len()))
        .found(format!("column {}", stack.master + 1))
        .remedy("leave --strict out: the master's own place is then used")
        .usage())
}
