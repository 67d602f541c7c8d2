//! Loads what stage 2 works on: stack, phase, baselines, amplitude dispersion, geometry, parameters.

use std::path::Path;

use crate::error::{Diagnostic, Result};
use crate::parameter_checks::{filter_window, not_negative, positive};
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::samples::{ComplexColumns, RealColumns, Residence};
use crate::trial_wraps::LargestDemError;

/// What StaMPS adds to a look angle to get an incidence angle, rad.
const LOOK_TO_INCIDENCE_RAD: f64 = 0.052;
/// Incidence angle assumed where none is stored, deg.
const DEFAULT_INCIDENCE_DEG: f64 = 21.0;

/// Parameters of stage 2, checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) cell_size_m: f64,
    pub(super) window: usize,
    pub(super) low_pass_wavelength_m: f64,
    pub(super) clap_alpha: f64,
    pub(super) clap_beta: f64,
    pub(super) largest_dem_error_m: f64,
    pub(super) wavelength_m: f64,
    pub(super) convergence: f64,
    pub(super) most_iterations: usize,
    /// Weight by the probability of being random; by signal to noise otherwise.
    pub(super) weights_by_probability: bool,
}

impl Settings {
    /// Reads and checks the parameters.
    ///
    /// # Errors
    /// `parameter-range`, `mode-unsupported`; as `Parameters::number`.
    pub(super) fn of(parameters: &Parameters) -> Result<Self> {
        if !parameters.flag("quick_est_gamma_flag")? {
            return Err(Diagnostic::new(
                "mode-unsupported",
                "coherence is estimated on a grid only",
            )
            .variable("quick_est_gamma_flag")
            .expected("y")
            .found("n, which calls a routine that StaMPS does not have")
            .remedy("pystamps-native params set --dataset … quick_est_gamma_flag y")
            .usage());
        }
        Ok(Self {
            cell_size_m: positive(parameters, "filter_grid_size")?,
            window: filter_window(parameters)?,
            low_pass_wavelength_m: positive(parameters, "clap_low_pass_wavelength")?,
            clap_alpha: not_negative(parameters, "clap_alpha")?,
            clap_beta: not_negative(parameters, "clap_beta")?,
            largest_dem_error_m: positive(parameters, "max_topo_err")?,
            wavelength_m: positive(parameters, "lambda")?,
            convergence: parameters.number("gamma_change_convergence")?,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive; nobody waits for 2^53 iterations"
            )]
            most_iterations: positive(parameters, "gamma_max_iterations")?.ceil() as usize,
            weights_by_probability: parameters
                .text("filter_weighting")?
                .eq_ignore_ascii_case("P-square"),
        })
    }
}

/// Everything stage 2 reads of a patch.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) stack: Stack,
    /// Interferograms without the master's slot, as stored (any amplitude).
    pub(super) phase: ComplexColumns,
    /// Perpendicular baselines, m, of the same interferograms.
    pub(super) bperp_m: RealColumns,
    /// Mean baselines of the same, m.
    pub(super) mean_bperp_m: Vec<f64>,
    /// Amplitude dispersion of every candidate.
    pub(super) amplitude_dispersion: Vec<f64>,
    /// Cycles that the phase of the largest DEM error runs through over the range of baselines.
    pub(super) trial_wraps: f64,
}

impl Inputs {
    /// Opens the other files of the patch `folder`, whose `stack` has been loaded.
    ///
    /// # Errors
    /// `variable-shape` if they disagree in length, `baselines-equal` if all baselines are,
    /// `interferogram-empty`; MATLAB file errors.
    pub(super) fn load(
        folder: &Path,
        stack: Stack,
        settings: &Settings,
        residence: Residence,
    ) -> Result<Self> {
        let rows = stack.row_count();
        let measured = stack.measured();
        let all = [rows, stack.interferogram_count()];
        let path = |name: &str| folder.join(name);
        let phase = ComplexColumns::open(&path("ph1.mat"), "ph", all, measured.clone(), residence)?;
        let dims = [rows, measured.len()];
        let columns = (0..measured.len()).collect();
        let bperp_m = RealColumns::open(&path("bp1.mat"), "bperp_mat", dims, columns, residence)?;
        let mean_bperp_m = stack.measured_bperp_m();
        let incidence_rad = mean_incidence_rad(folder, rows)?;
        if !(incidence_rad > 0.0 && incidence_rad < std::f64::consts::FRAC_PI_2) {
            return Err(impossible_incidence(folder, incidence_rad).data());
        }
        let largest = LargestDemError {
            height_m: settings.largest_dem_error_m,
            wavelength_m: settings.wavelength_m,
        };
        let trial_wraps =
            largest.trial_wraps(&mean_bperp_m, stack.single_precision, incidence_rad)?;
        if trial_wraps <= 0.0 {
            return Err(equal_baselines(&path("ps1.mat"), &mean_bperp_m).data());
        }
        let amplitude_dispersion = amplitude_dispersion(folder, rows)?;
        let inputs =
            Self { stack, phase, bperp_m, mean_bperp_m, amplitude_dispersion, trial_wraps };
        inputs.phase.refuse_empty()?;
        Ok(inputs)
    }

    /// Reads `rows` of interferogram `column` with unit amplitude; without phase they are zero.
    ///
    /// # Errors
    /// I/O errors.
    ///
    /// # StaMPS compatibility
    /// Single arithmetic. A NaN sample counts as zero: the original would fail on it later.
    pub(super) fn read_unit_phase(
        &self,
        column: usize,
        rows: std::ops::Range<usize>,
        re: &mut [f32],
        im: &mut [f32],
    ) -> Result<()> {
        self.phase.read(column, rows, re, im)?;
        normalise(re, im);
        Ok(())
    }
}

/// Divides samples by their amplitudes in single precision.
fn normalise(re: &mut [f32], im: &mut [f32]) {
    for (re, im) in re.iter_mut().zip(im) {
        let (x, y) = (f64::from(*re), f64::from(*im));
        #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
        let amplitude = (x * x + y * y).sqrt() as f32;
        let usable = amplitude > 0.0 && amplitude.is_finite();
        (*re, *im) = if usable { (*re / amplitude, *im / amplitude) } else { (0.0, 0.0) };
    }
}

/// Mean incidence angle (stage2.md 2.3).
fn mean_incidence_rad(folder: &Path, rows: usize) -> Result<f64> {
    let incidence = optional_column(folder, "inc1.mat", "inc", rows)?;
    if let Some(angles) = incidence {
        let known: Vec<f64> = angles.into_iter().filter(|&angle| angle != 0.0).collect();
        return Ok(mean(&known));
    }
    Ok(match optional_column(folder, "la1.mat", "la", rows)? {
        Some(angles) => mean(&angles) + LOOK_TO_INCIDENCE_RAD,
        None => DEFAULT_INCIDENCE_DEG.to_radians(),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Amplitude dispersion; 1 everywhere if it is not stored.
fn amplitude_dispersion(folder: &Path, rows: usize) -> Result<Vec<f64>> {
    Ok(optional_column(folder, "da1.mat", "D_A", rows)?.unwrap_or_else(|| vec![1.0; rows]))
}

/// One number a row from a file that may be absent.
///
/// # Errors
/// `variable-shape` if there are more or fewer; MATLAB file errors.
pub(crate) fn optional_column(
    folder: &Path,
    file: &str,
    name: &str,
    rows: usize,
) -> Result<Option<Vec<f64>>> {
    let path = folder.join(file);
    if !path.is_file() {
        return Ok(None);
    }
    let value = pystamps_mat::read_variable(&path, name)?;
    match value.to_f64_vec() {
        Some(numbers) if numbers.len() == rows => Ok(Some(numbers)),
        _ => Err(Diagnostic::new("variable-shape", "a variable does not fit the patch")
            .path(&path)
            .variable(name)
            .expected(format!("{rows} numbers, one a candidate"))
            .found(format!("{:?}", value.dims()))
            .remedy("run stage 1 again")
            .data()),
    }
}

fn impossible_incidence(folder: &Path, incidence_rad: f64) -> Diagnostic {
    let inc1 = folder.join("inc1.mat");
    let (path, name) = if inc1.is_file() { (inc1, "inc") } else { (folder.join("la1.mat"), "la") };
    Diagnostic::new("incidence-unknown", "the mean incidence angle is impossible")
        .path(path)
        .variable(name)
        .expected("angles between 0 and pi/2 rad")
        .found(format!("a mean of {incidence_rad} rad"))
        .remedy("run stage 1 again, or check the geometry of the export")
}

fn equal_baselines(path: &Path, mean_bperp_m: &[f64]) -> Diagnostic {
    Diagnostic::new("baselines-equal", "the baselines do not tell DEM errors from other phase")
        .path(path)
        .variable("bperp")
        .expected("two or more interferograms of different perpendicular baselines")
        .found(format!("{mean_bperp_m:?}"))
        .remedy("add interferograms, or check the .base files of the export")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amplitudes_become_one_and_what_has_no_phase_zero() {
        let (mut re, mut im) = ([3.0, 0.0, f32::NAN, 1e-30], [-4.0, 0.0, 1.0, 0.0]);
        normalise(&mut re, &mut im);
        assert_eq!((re, im), ([0.6, 0.0, 0.0, 1.0], [-0.8, 0.0, 0.0, 0.0]));
    }
}
