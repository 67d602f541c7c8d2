//! Decides which selected candidates stay, step by step, and writes the result.

use std::path::Path;

use pystamps_kernels::edge_noise::Noise;
use pystamps_mat::{Value, Variables};

use super::neighbours::{best_of_coincident, best_of_neighbours};
use super::network::edges_between;
use super::noise::NoiseTest;
use super::promotion::Promotion;
use super::selection::Selection;
use super::stage4_memory_bytes;
use crate::error::Result;
use crate::mat_output::{flags, no_ps_info_after, single_variable, write_variables};
use crate::parameter_checks::out_of_range;
use crate::plan::check_memory;
use crate::progress::Progress;
use crate::project::artifacts::{AxisLengths, check_folder, stage1, stage4};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::samples::compressed_bytes;
use crate::stage::{Computed, StageOptions};
use crate::stored_array::{column, pick};

/// Heights below this are sea or missing, m.
const ZERO_ELEVATION_M: f64 = 1e-6;

/// What the parameters ask for.
pub(super) struct Rules {
    pub(super) network: Network,
    neighbours: bool,
    zero_elevation: bool,
    largest_deviation_rad: f64,
    largest_noise_rad: f64,
    window_days: f64,
}

impl Rules {
    /// Reads them.
    ///
    /// # Errors
    /// `parameter-range`; as `Parameters::number`.
    pub(super) fn of(parameters: &Parameters) -> Result<Self> {
        let network = Network::of(parameters)?;
        let window_days = parameters.number("weed_time_win")?;
        if window_days.is_nan() || window_days <= 0.0 {
            return Err(out_of_range("weed_time_win", "days above 0", window_days));
        }
        Ok(Self {
            network,
            // StaMPS's driver never weeds neighbours in small-baseline projects.
            neighbours: network == Network::SingleMaster && parameters.flag("weed_neighbours")?,
            zero_elevation: parameters.flag("weed_zero_elevation")?,
            largest_deviation_rad: limit_rad(parameters, "weed_standard_dev")?,
            largest_noise_rad: limit_rad(parameters, "weed_max_noise")?,
            window_days,
        })
    }

    /// Whether any noise is too much.
    fn tests_noise(&self) -> bool {
        let pi = std::f64::consts::PI;
        !(self.largest_deviation_rad >= pi && self.largest_noise_rad >= pi)
    }
}

/// A limit above 0, `Inf` for none.
fn limit_rad(parameters: &Parameters, name: &str) -> Result<f64> {
    let limit = parameters.number(name)?;
    if limit > 0.0 { Ok(limit) } else { Err(out_of_range(name, "radians above 0, or Inf", limit)) }
}

/// A patch after stage 3.
pub(super) struct Patch<'a> {
    pub(super) folder: &'a Path,
    pub(super) stack: &'a Stack,
    /// Columns of the phase that count, from 0.
    pub(super) used: &'a [usize],
    pub(super) rules: &'a Rules,
}

impl Patch<'_> {
    /// Decides which PS stay and writes all files of the stage into `staging`.
    ///
    /// # Errors
    /// As for [`run_stage4_native`](super::run_stage4_native).
    pub(super) fn weed(
        &self,
        options: &StageOptions,
        staging: &Path,
        progress: &Progress,
    ) -> Result<Computed> {
        let selection = Selection::read(self.folder, self.stack.row_count())?;
        self.check_memory(&selection, options.memory_limit_bytes)?;
        let mut stays = self.best_by_place(&selection)?;
        let kept = selection.filtered(&stays);
        let noise = self.noise(&kept, options.edges.as_deref(), progress)?;
        let quiet = self.quiet(noise.as_ref(), kept.len());
        self.write_decision(&mut stays, &quiet, noise.as_ref(), staging)?;
        let chosen = selection.filtered(&stays);
        Promotion { folder: self.folder, stack: self.stack, chosen: &chosen }
            .write(staging, progress)?;
        let empty = chosen.len() == 0;
        write_variables(staging, "psver.mat", &single_variable("psver", Value::scalar(2.0)))?;
        write_variables(staging, "no_ps_info.mat", &no_ps_info_after(self.folder, 4, empty)?)?;
        let details = format!(
            "{} PS of {} selected; {} for their place, {} for their noise left out",
            chosen.len(),
            selection.len(),
            selection.len() - kept.len(),
            kept.len() - chosen.len()
        );
        Ok((chosen.len() as u64, details))
    }

    fn check_memory(&self, selection: &Selection, limit_bytes: Option<u64>) -> Result<()> {
        let (candidates, selected) = (self.stack.row_count() as u64, selection.len() as u64);
        let compared = if self.rules.tests_noise() { self.used.len() as u64 } else { 0 };
        let threads = rayon::current_num_threads() as u64;
        // A triangulation has fewer than three edges a point.
        let needed = stage4_memory_bytes(candidates, selected, compared, 3 * selected, threads);
        let arrays = [("ph1.mat", "ph"), ("bp1.mat", "bperp_mat"), ("pm1.mat", "ph_patch")];
        let compressed = compressed_bytes(self.folder, &arrays)?
            + compressed_bytes(self.folder, &[("select1.mat", "ph_res2")])?;
        check_memory(limit_bytes, needed + compressed, "stage 4")
    }

    /// Which rows stay after neighbours, sea and coincident positions (stage4.md 2 to 4).
    fn best_by_place(&self, selection: &Selection) -> Result<Vec<bool>> {
        let lengths = self.stack.axis_lengths();
        let selected = AxisLengths { scatterers: selection.selected_count, ..lengths };
        let coherence = column(self.folder, &stage4::SELECTED_COHERENCE, &selected)?;
        let coherence = pick(&coherence, &selection.selected);
        let mut stays = vec![true; selection.len()];
        if self.rules.neighbours {
            stays = best_of_neighbours(&self.pixels(&selection.candidates)?, &coherence);
        }
        if self.rules.zero_elevation && self.folder.join(stage4::CANDIDATE_HEIGHT.file).is_file() {
            let height_m = column(self.folder, &stage4::CANDIDATE_HEIGHT, &lengths)?;
            let of_rows = pick(&height_m, &selection.candidates);
            for (stays, height_m) in stays.iter_mut().zip(of_rows) {
                *stays &= height_m >= ZERO_ELEVATION_M || height_m.is_nan();
            }
        }
        let rows: Vec<usize> = (0..stays.len()).filter(|&row| stays[row]).collect();
        let xy_m: Vec<[f64; 2]> = rows
            .iter()
            .map(|&row| self.stack.xy_m[selection.candidates[row] as usize].map(f64::from))
            .collect();
        let of_rows: Vec<f64> = rows.iter().map(|&row| coherence[row]).collect();
        for (row, best) in rows.into_iter().zip(best_of_coincident(&xy_m, &of_rows)) {
            stays[row] = best;
        }
        Ok(stays)
    }

    /// Azimuth line and range sample of `candidates`.
    fn pixels(&self, candidates: &[u32]) -> Result<Vec<[i64; 2]>> {
        let lengths = self.stack.axis_lengths();
        let ij = column(self.folder, &stage1::PIXELS, &lengths)?;
        let count = lengths.scatterers;
        #[expect(clippy::cast_possible_truncation, reason = "pixel numbers are whole and small")]
        let pixel = |row: usize| [ij[count + row] as i64, ij[2 * count + row] as i64];
        Ok(candidates.iter().map(|&row| pixel(row as usize)).collect())
    }

    /// Noise of the `kept` rows; `None` if no noise is too much.
    fn noise(
        &self,
        kept: &Selection,
        edges: Option<&Path>,
        progress: &Progress,
    ) -> Result<Option<Noise>> {
        if !self.rules.tests_noise() || kept.len() == 0 {
            return Ok(None);
        }
        if self.used.len() < 2 {
            let expected = "at least two interferograms left, the master's slot counted";
            return Err(out_of_range("drop_ifg_index", expected, self.used.len()));
        }
        let xy_m: Vec<[f32; 2]> =
            kept.candidates.iter().map(|&row| self.stack.xy_m[row as usize]).collect();
        let edges = edges_between(&xy_m, edges)?;
        let mut joined = vec![false; xy_m.len()];
        for &end in edges.iter().flatten() {
            joined[end as usize] = true;
        }
        let alone = joined.iter().filter(|&&joined| !joined).count();
        if alone > 0 {
            progress.note(&format!("{alone} PS have no edge to another, and are left out"));
        }
        let test = NoiseTest {
            folder: self.folder,
            stack: self.stack,
            kept,
            used: self.used,
            window_days: self.rules.window_days,
        };
        test.noise(&edges, progress).map(Some)
    }

    /// Which rows are not too noisy.
    fn quiet(&self, noise: Option<&Noise>, rows: usize) -> Vec<bool> {
        let Some(noise) = noise else { return vec![true; rows] };
        let of_rows = noise.deviation_rad.iter().zip(&noise.maximum_rad);
        of_rows
            .map(|(&deviation_rad, &maximum_rad)| {
                f64::from(deviation_rad) < self.rules.largest_deviation_rad
                    && f64::from(maximum_rad) < self.rules.largest_noise_rad
            })
            .collect()
    }

    /// Writes `weed1.mat`; afterwards `stays` holds the final decision.
    fn write_decision(
        &self,
        stays: &mut [bool],
        quiet: &[bool],
        noise: Option<&Noise>,
        staging: &Path,
    ) -> Result<()> {
        let (selected, compared) = (stays.len(), quiet.len());
        for (stays, &quiet) in stays.iter_mut().filter(|stays| **stays).zip(quiet) {
            *stays = quiet;
        }
        let [deviation, maximum] = match noise {
            Some(noise) => [&noise.deviation_rad, &noise.maximum_rad].map(|x| Value::column_f32(x)),
            // The original leaves its initial zeros, which are double.
            None => [0, 1].map(|_| Value::column_f64(&vec![0.0; compared])),
        };
        let numbers: Vec<f64> = self.used.iter().map(|&column| (column + 1) as f64).collect();
        let variables: Variables = [
            ("ix_weed", flags(stays)),
            ("ix_weed2", flags(quiet)),
            (stage4::NOISE_DEVIATION.name, deviation),
            (stage4::NOISE_MAXIMUM.name, maximum),
            ("ifg_index", Value::row_f64(&numbers)),
        ]
        .into_iter()
        .collect();
        write_variables(staging, "weed1.mat", &variables)?;
        let lengths = AxisLengths {
            scatterers: compared,
            candidates: selected,
            interferograms: self.used.len(),
            ..self.stack.axis_lengths()
        };
        check_folder(staging, &stage4::weed_variables(noise.is_some()), &lengths, false)
    }
}
