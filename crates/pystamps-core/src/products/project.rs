//! Opens the terms of products in the merged project.

use std::path::{Path, PathBuf};

use pystamps_kernels::ramp::RampDesign;

use super::date_range::DateRange;
use super::definition::{Quantity, Series, Term};
use super::description::date_name;
use super::oscillator::oscillator_drift;
use crate::error::{Diagnostic, Error, Result};
use crate::inverted_correction::inverted_correction;
use crate::merged_scope::{refuse_unless_unwrapped, refuse_without_ps};
use crate::parameter_checks::{kept_interferograms, positive};
use crate::patch_scope::missing_input;
use crate::phase_series::{PhaseSeries, Term as Taken};
use crate::project::artifacts::{Variable, stage6, stage7, stage8};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::ramp_degree::ramp_degree;
use crate::reference_area::reference_rows;
use crate::samples::Residence;
use crate::scratch::Room;
use crate::series_covariance::inverted_images;
use crate::stored_array::{StoredArray, column};
use crate::troposphere::tropospheric_field;

/// What needs the files, in messages.
const PRODUCT: &str = "the product";

/// A merged project whose products are made.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) parameters: Parameters,
    pub(crate) stack: Stack,
    /// PS of the reference area.
    pub(crate) reference: Vec<usize>,
    pub(crate) wavelength_m: f64,
    /// Dates that products are made of.
    pub(super) dates: DateRange,
}

impl Project {
    /// Opens the project `root` with these parameters.
    ///
    /// # Errors
    /// `stage-input-missing`, `no-ps`, `reference-empty`; MATLAB file errors; parameters that cannot
    /// work.
    pub(crate) fn open(root: &Path, parameters: Parameters) -> Result<Self> {
        let network = Network::of(&parameters)?;
        let ps = root.join("ps2.mat");
        if !ps.is_file() {
            return Err(missing_input(&ps, PRODUCT, 5).data());
        }
        let stack = Stack::load(root, 2, network)?;
        refuse_without_ps(root, &stack)?;
        let reference = reference_rows(root, &stack, &parameters)?;
        let wavelength_m = positive(&parameters, "lambda")?;
        let dates = DateRange::default();
        Ok(Self { root: root.to_path_buf(), parameters, stack, reference, wavelength_m, dates })
    }

    /// The same project with products of these dates only.
    pub(super) fn within(self, dates: DateRange) -> Self {
        Self { dates, ..self }
    }

    /// Columns of `series` that were unwrapped, ascending; the master's slot among them.
    ///
    /// # Errors
    /// `parameter-range`; MATLAB file errors.
    pub(crate) fn processed(&self, series: Series) -> Result<Vec<usize>> {
        if self.stack.network == Network::SmallBaselines && series == Series::OneMaster {
            return inverted_images(&self.root, &self.stack);
        }
        kept_interferograms(&self.parameters, &self.stack)
    }

    /// Those of them that products are made of: within the dates asked for, pairs with both images.
    ///
    /// # Errors
    /// `dates-empty`; as for [`Project::processed`].
    pub(crate) fn chosen(&self, series: Series) -> Result<Vec<usize>> {
        let day = &self.stack.day;
        let is_within = |&column: &usize| match self.stack.pairs.get(column) {
            Some(images) if series.is_pairs() => {
                images.iter().all(|&image| self.dates.contains(day[image]))
            }
            _ => self.dates.contains(day[column]),
        };
        let columns: Vec<usize> = self.processed(series)?.into_iter().filter(is_within).collect();
        match self.dates.words() {
            Some(limits) if columns.is_empty() => Err(self.no_dates(&limits)),
            _ => Ok(columns),
        }
    }

    fn no_dates(&self, limits: &str) -> Error {
        let day = &self.stack.day;
        let first = day.iter().copied().fold(f64::INFINITY, f64::min);
        let last = day.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Diagnostic::new("dates-empty", "no interferogram has the dates asked for")
            .path(self.root.join("ps2.mat"))
            .variable("day")
            .expected(limits)
            .found(format!("images from {} to {}", date_name(first), date_name(last)))
            .remedy("choose --from and --to among these")
            .usage()
    }

    /// The same without the master's slot.
    ///
    /// # Errors
    /// As for [`Project::chosen`].
    pub(crate) fn chosen_slaves(&self, series: Series) -> Result<Vec<usize>> {
        let mut columns = self.chosen(series)?;
        if !series.is_pairs() {
            columns.retain(|&column| column != self.stack.master);
        }
        Ok(columns)
    }

    /// Days that every column of `series` spans.
    pub(crate) fn days(&self, series: Series) -> Vec<f64> {
        let day = &self.stack.day;
        if series.is_pairs() {
            let spans = self.stack.pairs.iter().map(|&[first, second]| day[second] - day[first]);
            return spans.collect();
        }
        day.iter().map(|day| day - self.stack.day[self.stack.master]).collect()
    }

    /// Unwrapped phase without the terms `minus`, rad; not referred to anything.
    ///
    /// # StaMPS compatibility
    /// Products.md 2 and 3. Columns of phases without master, slave noise or correction have no master:
    /// where one of these is taken out of a phase, the master's column becomes 0 (`clears_master`).
    ///
    /// # Errors
    /// `stage-input-missing`; MATLAB file errors; `variable-shape`.
    pub(crate) fn phase(
        &self,
        series: Series,
        minus: &[Term],
        clears_master: bool,
    ) -> Result<PhaseSeries> {
        let mut phase = self.phase_as_unwrapped(series)?;
        if let Some(drift) = oscillator_drift(self)? {
            phase.subtract(Taken::Product { of_ps: drift, of_column: self.days(series) });
        }
        self.take_out(&mut phase, series, minus, clears_master)?;
        Ok(phase)
    }

    /// Unwrapped phase as stage 6 left it, rad.
    ///
    /// # Errors
    /// `stage-input-missing`; MATLAB file errors; `variable-shape`.
    pub(crate) fn phase_as_unwrapped(&self, series: Series) -> Result<PhaseSeries> {
        refuse_unless_unwrapped(&self.root, PRODUCT, self.stack.network)?;
        let variable = match (self.stack.network, series) {
            (_, Series::Pairs) => stage6::UNWRAPPED_SMALL_BASELINES,
            (Network::SingleMaster, Series::OneMaster) => stage6::UNWRAPPED_PHASE,
            (Network::SmallBaselines, Series::OneMaster) => stage6::INVERTED_PHASE,
        };
        PhaseSeries::open(&self.root, &variable, &self.stack.axis_lengths())
    }

    /// Ramps that stage 7 has estimated, if it has any.
    ///
    /// # Errors
    /// As for [`Project::stored`].
    pub(crate) fn stored_ramp(&self, series: Series) -> Result<Option<StoredArray>> {
        let variable = self.estimate(series).ramp;
        self.present(&variable, 7)?;
        let listed = pystamps_mat::list(self.root.join(variable.file))?;
        let found = listed.iter().find(|info| info.name == variable.name);
        match found {
            Some(info) if !info.dims.contains(&0) => self.stored(&variable, 7).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes the terms `minus` out of `phase`.
    ///
    /// # Errors
    /// As for [`Project::phase`].
    pub(crate) fn take_out(
        &self,
        phase: &mut PhaseSeries,
        series: Series,
        minus: &[Term],
        clears_master: bool,
    ) -> Result<()> {
        let of_slaves = [Term::Master, Term::SlaveNoise, Term::Troposphere];
        let clears = clears_master && minus.iter().any(|term| of_slaves.contains(term));
        let mut cleared = !clears || series.is_pairs();
        for &term in minus {
            if term == Term::Ramp {
                if !cleared {
                    phase.clear(vec![self.stack.master]);
                    cleared = true;
                }
                phase.deramp(RampDesign::new(&self.stack.xy_m, ramp_degree(&self.root)?))?;
            } else {
                phase.subtract(self.term(series, term)?);
            }
        }
        if !cleared {
            phase.clear(vec![self.stack.master]);
        }
        Ok(())
    }

    fn term(&self, series: Series, term: Term) -> Result<Taken> {
        let estimate = self.estimate(series);
        Ok(match term {
            Term::LookAngleError => Taken::Stored(self.stored(&estimate.phase, 7)?),
            Term::Master => Taken::Constant(self.master_rad()?),
            Term::SlaveNoise => {
                Taken::Stored(self.stored(&stage8::slave_noise(self.stack.network), 8)?)
            }
            Term::Troposphere => self.correction_term(series)?,
            Term::Ramp => unreachable!("invariant: ramps are fitted, not stored"),
        })
    }

    /// Names of what stage 7 has estimated from `series`.
    pub(crate) fn estimate(&self, series: Series) -> stage7::Estimate {
        match (self.stack.network, series) {
            (_, Series::Pairs) => stage7::SMALL_BASELINES,
            (Network::SingleMaster, Series::OneMaster) => stage7::SINGLE_MASTER,
            (Network::SmallBaselines, Series::OneMaster) => stage7::INVERTED,
        }
    }

    /// Phase of the master at every PS, rad.
    ///
    /// # Errors
    /// `stage-input-missing`; MATLAB file errors.
    pub(crate) fn master_rad(&self) -> Result<Vec<f32>> {
        let values = self.column(&self.estimate(Series::OneMaster).offset, 7)?;
        #[expect(clippy::cast_possible_truncation, reason = "the original works in single here")]
        Ok(values.into_iter().map(|value| value as f32).collect())
    }

    /// Tropospheric correction of `series`, rad.
    ///
    /// # Errors
    /// `stage-input-missing`, `parameter-range`; MATLAB file errors.
    pub(crate) fn correction(&self, series: Series) -> Result<StoredArray> {
        let field = tropospheric_field(&self.parameters.text("tropo_method")?)?;
        let network = match series {
            Series::OneMaster => Network::SingleMaster,
            Series::Pairs => Network::SmallBaselines,
        };
        let variable = stage6::tropospheric_phase(network, field);
        if !self.root.join(variable.file).is_file() {
            return Err(missing_input(&self.root.join(variable.file), PRODUCT, 6)
                .expected("the tropospheric correction, which TRAIN makes")
                .remedy("make it with TRAIN, or choose a product without suffix a")
                .data());
        }
        StoredArray::open(&self.root, &variable, &self.stack.axis_lengths())
    }

    /// The tropospheric correction of `series` as a term: that of images is inverted from the
    /// interferograms', as stage 7 does.
    fn correction_term(&self, series: Series) -> Result<Taken> {
        let of_images = self.stack.network == Network::SmallBaselines && !series.is_pairs();
        if !of_images {
            return self.correction(series).map(Taken::Stored);
        }
        let stored = self.correction(Series::Pairs)?;
        let field = tropospheric_field(&self.parameters.text("tropo_method")?)?;
        let kept = self.processed(Series::Pairs)?;
        let room = Room { residence: Residence::Memory, folder: &self.root };
        inverted_correction(&stored, &self.stack, &kept, field, &room).map(Taken::Made)
    }

    /// A stored array of stage `maker`.
    ///
    /// # Errors
    /// `stage-input-missing`; MATLAB file errors; `variable-shape`.
    pub(crate) fn stored(&self, variable: &Variable, maker: u8) -> Result<StoredArray> {
        self.present(variable, maker)?;
        StoredArray::open(&self.root, variable, &self.stack.axis_lengths())
    }

    /// A column of one number a PS of stage `maker`.
    ///
    /// # Errors
    /// As for [`Project::stored`].
    pub(crate) fn column(&self, variable: &Variable, maker: u8) -> Result<Vec<f64>> {
        self.present(variable, maker)?;
        column(&self.root, variable, &self.stack.axis_lengths())
    }

    /// A table of a few numbers a PS, column by column.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape`.
    pub(crate) fn column_table(&self, variable: &Variable) -> Result<Vec<f64>> {
        column(&self.root, variable, &self.stack.axis_lengths())
    }

    fn present(&self, variable: &Variable, maker: u8) -> Result<()> {
        let path = self.root.join(variable.file);
        if path.is_file() {
            return Ok(());
        }
        Err(missing_input(&path, PRODUCT, maker).data())
    }
}

impl Quantity {
    /// The series that the quantity is made of.
    pub(crate) const fn series(self) -> Series {
        match self {
            Self::Phase(series)
            | Self::Slope(series)
            | Self::Wrapped(series)
            | Self::Surroundings(series)
            | Self::Correction(series)
            | Self::Velocity(series)
            | Self::VelocityDeviation(series)
            | Self::VelocityWithoutEach(series) => series,
            Self::Residual => Series::Pairs,
            _ => Series::OneMaster,
        }
    }
}
