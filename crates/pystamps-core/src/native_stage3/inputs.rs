//! Loads what stage 3 works on: the results of stages 1 and 2, and its parameters.

use std::path::Path;

use pystamps_kernels::clap::LowPass;
use pystamps_kernels::topofit::Trials;
use pystamps_mat::{ArrayReader, Value, Variables};

use super::threshold::{DispersionBins, Target};
use crate::error::{Diagnostic, Result};
use crate::native_stage2::weighting::BIN_COUNT;
use crate::parameter_checks::{
    dropped_interferograms, filter_window, not_negative, out_of_range, positive,
};
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;

/// Where the coherences of the selected candidates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reestimation {
    /// Estimated again without the candidate's own cell (flag 0 of the original).
    WithoutOwnCell,
    /// Those of stage 2 (flag 1).
    None,
    /// Those of an earlier run of stage 3 (flag 2).
    Reused,
}

/// Parameters of stage 3, checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) reestimation: Reestimation,
    pub(super) window: usize,
    pub(super) clap_alpha: f64,
    pub(super) clap_beta: f64,
    /// Cells around the candidate's own that an oversampled image has to leave out.
    pub(super) reach: usize,
    pub(super) by_percent: bool,
    pub(super) density_per_km2: f64,
    pub(super) percent: f64,
    /// Largest bootstrapped standard deviation of coherence; 0 accepts any.
    pub(super) largest_deviation: f64,
    /// Interferograms used, as columns without the master's slot.
    pub(super) used: Vec<usize>,
}

impl Settings {
    /// Reads and checks the parameters.
    ///
    /// # Errors
    /// `parameter-range`, `no-interferograms`; as `Parameters::number`.
    pub(super) fn of(parameters: &Parameters, stack: &Stack, reuse: bool) -> Result<Self> {
        let method = parameters.text("select_method")?;
        let by_percent = method.eq_ignore_ascii_case("PERCENT");
        if !by_percent && !method.eq_ignore_ascii_case("DENSITY") {
            return Err(out_of_range("select_method", "DENSITY or PERCENT", method));
        }
        let again = parameters.flag("quick_est_gamma_flag")?
            && parameters.flag("select_reest_gamma_flag")?;
        let oversampling = positive(parameters, "slc_osf")?;
        Ok(Self {
            reestimation: match (reuse, again) {
                (true, _) => Reestimation::Reused,
                (false, true) => Reestimation::WithoutOwnCell,
                (false, false) => Reestimation::None,
            },
            window: filter_window(parameters)?,
            clap_alpha: not_negative(parameters, "clap_alpha")?,
            clap_beta: not_negative(parameters, "clap_beta")?,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive; more cells than the window are clipped to it"
            )]
            reach: (oversampling - 1.0).max(0.0) as usize,
            by_percent,
            density_per_km2: not_negative(parameters, "density_rand")?,
            percent: percent(parameters)?,
            largest_deviation: not_negative(parameters, "gamma_stdev_reject")?,
            used: used_columns(parameters, stack)?,
        })
    }

    /// How many random candidates may be accepted.
    pub(super) fn target(&self, stack: &Stack, bins: &DispersionBins) -> Target {
        if self.by_percent {
            Target::Percent(self.percent)
        } else {
            Target::of_density(self.density_per_km2, &stack.xy_m, bins.len())
        }
    }
}

/// `percent_rand`, from 0 to 100.
fn percent(parameters: &Parameters) -> Result<f64> {
    let percent = parameters.number("percent_rand")?;
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent);
    }
    Err(out_of_range("percent_rand", "0 to 100 percent", percent))
}

/// Columns without the master's slot that `drop_ifg_index` leaves.
fn used_columns(parameters: &Parameters, stack: &Stack) -> Result<Vec<usize>> {
    let dropped = dropped_interferograms(parameters, stack.interferogram_count())?;
    let used: Vec<usize> = stack
        .measured()
        .into_iter()
        .enumerate()
        .filter(|(_, stored)| !dropped.contains(stored))
        .map(|(column, _)| column)
        .collect();
    if used.is_empty() {
        return Err(Diagnostic::new("no-interferograms", "every interferogram is left out")
            .variable("drop_ifg_index")
            .expected("at least one interferogram to work on")
            .found(format!("all {} dropped", stack.measured().len()))
            .remedy("pystamps-native params set --dataset … drop_ifg_index '[]'")
            .usage());
    }
    Ok(used)
}

/// What stage 2 found out about the candidates of a patch.
#[derive(Debug)]
pub(super) struct CoherenceEstimates {
    pub(super) slope_rad_per_m: Vec<f64>,
    pub(super) offset_rad: Vec<f64>,
    pub(super) coherence: Vec<f64>,
    /// Cell of every candidate along y and x, from 0.
    cells: Vec<[u32; 2]>,
    /// Cells of a plane.
    pub(super) grid_shape: [usize; 2],
    pub(super) trial_wraps: f64,
    /// Counts of the coherence of random phase.
    pub(super) random: Vec<f64>,
    /// Response of the low pass, as the filter takes it.
    pub(super) low_pass: LowPass,
    /// The gridded phase, plane by plane.
    pub(super) gridded: ArrayReader,
}

impl CoherenceEstimates {
    /// Reads `pm1.mat` of the patch `folder`.
    ///
    /// # Errors
    /// `variable-shape` if it does not fit the stack; MATLAB file errors.
    pub(super) fn load(folder: &Path, stack: &Stack, window: usize) -> Result<Self> {
        let path = folder.join("pm1.mat");
        let names = ["K_ps", "C_ps", "coh_ps", "grid_ij", "low_pass", "n_trial_wraps", "Nr"];
        let file = PmFile { path: &path, variables: pystamps_mat::read_variables(&path, &names)? };
        let rows = stack.row_count();
        let cells = file.numbers("grid_ij", 2 * rows)?;
        let gridded = ArrayReader::open(&path, "ph_grid")?;
        let (grid_shape, cells) = file.cells(&cells, &gridded, stack.measured().len())?;
        Ok(Self {
            slope_rad_per_m: file.numbers("K_ps", rows)?,
            offset_rad: file.numbers("C_ps", rows)?,
            coherence: file.finite("coh_ps", rows)?,
            cells,
            grid_shape,
            trial_wraps: file.trial_wraps(rows)?,
            random: file.finite("Nr", BIN_COUNT)?,
            low_pass: file.low_pass(window)?,
            gridded,
        })
    }
}

impl CoherenceEstimates {
    /// The cell of a candidate along y and x, from 0.
    pub(super) fn cell(&self, row: usize) -> [u32; 2] {
        self.cells[row]
    }
}

/// The variables read from `pm1.mat`.
struct PmFile<'a> {
    path: &'a Path,
    variables: Variables,
}

impl PmFile<'_> {
    fn numbers(&self, name: &str, count: usize) -> Result<Vec<f64>> {
        let value = self.variables.get(name);
        match value.and_then(Value::to_f64_vec) {
            Some(numbers) if numbers.len() == count => Ok(numbers),
            _ => {
                let found = value.map_or_else(String::new, |value| format!("{:?}", value.dims()));
                Err(self.misfit(name, format!("{count} numbers"), found).data())
            }
        }
    }

    /// Numbers none of which is NaN or infinite.
    fn finite(&self, name: &str, count: usize) -> Result<Vec<f64>> {
        let numbers = self.numbers(name, count)?;
        match numbers.iter().position(|number| !number.is_finite()) {
            None => Ok(numbers),
            Some(place) => {
                let found = format!("{} at element {}", numbers[place], place + 1);
                Err(self.misfit(name, "finite numbers".to_owned(), found).data())
            }
        }
    }

    fn trial_wraps(&self, rows: usize) -> Result<f64> {
        let wraps = self.numbers("n_trial_wraps", 1)?[0];
        // A patch without rows has none.
        if rows == 0 || (0.0..=Trials::MOST_WRAPS).contains(&wraps) {
            return Ok(wraps);
        }
        let expected = format!("0 to {} cycles", Trials::MOST_WRAPS);
        Err(self.misfit("n_trial_wraps", expected, wraps.to_string()).data())
    }

    /// The low pass that stage 2 filtered with; another window would not fit it.
    fn low_pass(&self, window: usize) -> Result<LowPass> {
        Ok(LowPass::from_values(window, self.numbers("low_pass", window * window)?))
    }

    /// The shape of the grid, and the cell of every candidate.
    fn cells(
        &self,
        cells: &[f64],
        gridded: &ArrayReader,
        interferograms: usize,
    ) -> Result<([usize; 2], Vec<[u32; 2]>)> {
        let shape = match *gridded.dims() {
            [rows, columns] if interferograms == 1 => [rows, columns],
            [rows, columns, planes] if planes == interferograms => [rows, columns],
            ref other => {
                let expected = format!("a plane for each of {interferograms} interferograms");
                return Err(self.misfit("ph_grid", expected, format!("{other:?}")).data());
            }
        };
        let (y, x) = cells.split_at(cells.len() / 2);
        let inside =
            |cell: f64, length: usize| cell >= 1.0 && cell <= length as f64 && cell.fract() == 0.0;
        let cells = y.iter().zip(x).map(|(&i, &j)| {
            let fits = inside(i, shape[0]) && inside(j, shape[1]);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cell of the grid"
            )]
            fits.then(|| [i as u32 - 1, j as u32 - 1])
        });
        let cells = cells.collect::<Option<Vec<[u32; 2]>>>();
        let outside = || {
            let expected = format!("cells from 1, 1 to {}, {}", shape[0], shape[1]);
            self.misfit("grid_ij", expected, "a cell outside the grid".to_owned()).data()
        };
        Ok((shape, cells.ok_or_else(outside)?))
    }

    fn misfit(&self, name: &str, expected: String, found: String) -> Diagnostic {
        Diagnostic::new("variable-shape", "pm1.mat does not fit the patch")
            .path(self.path)
            .variable(name)
            .expected(expected)
            .found(found)
            .remedy("run stage 2 again")
    }
}

/// Candidates grouped by their amplitude dispersion, if it is stored.
pub(super) fn dispersion_bins(folder: &Path, rows: usize) -> Result<DispersionBins> {
    let dispersion = crate::native_stage2::optional_column(folder, "da1.mat", "D_A", rows)?;
    Ok(DispersionBins::of(dispersion, rows))
}
