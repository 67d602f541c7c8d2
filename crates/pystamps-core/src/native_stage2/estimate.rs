//! One iteration of stage 2: grid the weighted phase, filter it, and fit every candidate against
//! the filtered phase of its cell (stage2.md 5).

use std::ops::Range;

use bytemuck::zeroed_vec;
use num_complex::Complex;
use pystamps_kernels::clap::{ClapFilter, ClapScratch, Plane};
use pystamps_kernels::grid_accumulate::accumulate_plane;
use pystamps_kernels::spares::Spares;
use pystamps_kernels::topofit::{Block, Fits, Rounding, Trials, topofit};
use pystamps_kernels::topographic_phase::remove_topographic_phase;
use rayon::prelude::*;

use super::inputs::Inputs;
use crate::cell_grid::CellGrid;
use crate::error::Result;
use crate::progress::Phase;
use crate::samples::row_blocks;
use crate::scratch::ScratchColumns;
use crate::waves::make_and_store;

/// Rows fitted at a time: the samples of a block stay in the second-level cache.
const BLOCK_ROWS: usize = 256;
/// Rows gridded at a time.
const GRID_ROWS: usize = 4096;

/// What is known of every candidate after an iteration.
#[derive(Debug)]
pub(super) struct Estimates {
    /// Phase for a metre of baseline, rad/m; NaN where it cannot be estimated.
    pub(super) slope_rad_per_m: Vec<f64>,
    /// Phase left at baseline zero, rad.
    pub(super) offset_rad: Vec<f64>,
    /// Coherence over the interferograms; 0 where it cannot be estimated.
    pub(super) coherence: Vec<f64>,
    /// Whether an estimate was made in this or an earlier iteration.
    pub(super) estimated: Vec<bool>,
    /// Coherence of the best trial slope less that of the second best: where it is tiny, another
    /// rounding chooses the other one.
    pub(super) trial_margin: Vec<f64>,
    /// Phase left after the fit, rad; the offset is still in it.
    pub(super) residual_rad: ScratchColumns,
}

impl Estimates {
    /// Nothing known yet: no slope, and `residual_rad` all zero.
    pub(super) fn initial(rows: usize, residual_rad: ScratchColumns) -> Self {
        Self {
            slope_rad_per_m: vec![0.0; rows],
            offset_rad: vec![0.0; rows],
            coherence: vec![0.0; rows],
            estimated: vec![false; rows],
            trial_margin: vec![f64::INFINITY; rows],
            residual_rad,
        }
    }
}

/// Phase on the grid: plane by plane, one an interferogram.
#[derive(Debug)]
pub(super) struct Planes {
    /// Sums of weighted phasors.
    pub(super) gridded: Vec<Complex<f32>>,
    /// The same, filtered.
    pub(super) filtered: Vec<Complex<f32>>,
}

impl Planes {
    /// Planes of zeros. Their memory is handed out where it is first written to: by all threads.
    pub(super) fn empty(cells: usize, columns: usize) -> Self {
        let plane = || zeroed_vec(cells * columns);
        Self { gridded: plane(), filtered: plane() }
    }
}

/// What all iterations share.
pub(super) struct Estimator<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) grid: &'a CellGrid,
    pub(super) filter: ClapFilter,
    pub(super) trials: Trials,
    pub(super) rounding: Rounding,
}

impl Estimator<'_> {
    /// Grids and filters the phase of all candidates, corrected by their slopes and weighted.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn estimate_planes(
        &self,
        slope_rad_per_m: &[f64],
        weight: &[f64],
        planes: &mut Planes,
        progress: &Phase<'_>,
    ) -> Result<()> {
        let cells = self.grid.cell_count();
        let gridded = planes.gridded.par_chunks_mut(cells);
        let filtered = planes.filtered.par_chunks_mut(cells);
        let spares = Spares::<ClapScratch>::default();
        // One at a time: a thread that is done takes another's next.
        gridded.zip(filtered).enumerate().with_max_len(1).try_for_each(
            |(column, (gridded, filtered))| {
                gridded.fill(Complex::default());
                self.grid_interferogram(column, slope_rad_per_m, weight, gridded)?;
                let [rows, columns] = self.grid.shape;
                let plane = Plane { rows, columns, values: gridded };
                spares.lend(|scratch| self.filter.filter(&plane, scratch, filtered));
                progress.advance(1);
                Ok(())
            },
        )
    }

    /// Adds the candidates to the plane of one interferogram, in the order of their rows.
    fn grid_interferogram(
        &self,
        column: usize,
        slope_rad_per_m: &[f64],
        weight: &[f64],
        plane: &mut [Complex<f32>],
    ) -> Result<()> {
        let rows = self.inputs.stack.row_count();
        let mut samples = WeightedPhase::with_room(GRID_ROWS.min(rows));
        for block in row_blocks(rows, GRID_ROWS) {
            let places = &self.grid.places[block.clone()];
            let (slope, weight) = (&slope_rad_per_m[block.clone()], &weight[block.clone()]);
            samples.read(self.inputs, column, block, slope, weight)?;
            accumulate_plane(&samples.re, &samples.im, places, plane);
        }
        Ok(())
    }

    /// Fits every candidate against the filtered phase.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn fit(
        &self,
        filtered: &[Complex<f32>],
        estimates: &mut Estimates,
        progress: &Phase<'_>,
    ) -> Result<()> {
        let blocks = row_blocks(self.inputs.stack.row_count(), BLOCK_ROWS);
        let spares = Spares::default();
        let fit = |rows: &Range<usize>, fit: &mut BlockFit| {
            spares.lend(|samples| self.fit_block(filtered, rows.clone(), samples, fit))?;
            progress.advance(rows.len() as u64);
            Ok(())
        };
        make_and_store(&blocks, fit, |fit| fit.store(estimates))
    }

    fn fit_block(
        &self,
        filtered: &[Complex<f32>],
        rows: Range<usize>,
        samples: &mut Samples,
        fit: &mut BlockFit,
    ) -> Result<()> {
        let columns = self.inputs.phase.column_count();
        samples.resize(rows.len(), columns);
        let places = &self.grid.places[rows.clone()];
        for column in 0..columns {
            self.inputs.read_unit_phase(
                column,
                rows.clone(),
                &mut samples.phase_re,
                &mut samples.phase_im,
            )?;
            let place = column * rows.len()..(column + 1) * rows.len();
            self.inputs.bperp_m.read(column, rows.clone(), &mut samples.bperp_m[place.clone()])?;
            let plane = &filtered[column * self.grid.cell_count()..][..self.grid.cell_count()];
            samples.subtract_patch_phase(place.start, places, plane);
            samples.require_baselines(&place);
        }
        let block = Block { rows: rows.len(), columns, re: &samples.re, im: &samples.im };
        topofit(&block, &samples.bperp_m, &self.trials, self.rounding, &mut fit.fits);
        fit.usable.clone_from(&samples.usable);
        fit.rows = rows;
        Ok(())
    }
}

/// Samples of one block of rows, column after column.
#[derive(Default)]
struct Samples {
    phase_re: Vec<f32>,
    phase_im: Vec<f32>,
    re: Vec<f64>,
    im: Vec<f64>,
    bperp_m: Vec<f64>,
    /// Filtered phase of one column.
    patch: Vec<Complex<f32>>,
    /// Whether a row has no sample that is exactly zero.
    usable: Vec<bool>,
}

impl Samples {
    fn resize(&mut self, rows: usize, columns: usize) {
        self.phase_re.resize(rows, 0.0);
        self.phase_im.resize(rows, 0.0);
        for values in [&mut self.re, &mut self.im, &mut self.bperp_m] {
            values.resize(rows * columns, 0.0);
        }
        self.usable.clear();
        self.usable.resize(rows, true);
    }

    /// A row without a baseline cannot be fitted.
    fn require_baselines(&mut self, column: &Range<usize>) {
        for (usable, bperp_m) in self.usable.iter_mut().zip(&self.bperp_m[column.clone()]) {
            *usable &= bperp_m.is_finite();
        }
    }

    /// Turns the phase of the column at `start` against the filtered phase at `places`.
    fn subtract_patch_phase(&mut self, start: usize, places: &[u32], plane: &[Complex<f32>]) {
        // Before anything is made of them, so that the processor waits for many cells at once.
        self.patch.clear();
        self.patch.extend(places.iter().map(|&place| plane[place as usize]));
        for (row, &patch) in self.patch.iter().enumerate() {
            let patch = unit_phasor(patch);
            let difference = Complex::new(self.phase_re[row], self.phase_im[row]) * patch.conj();
            self.usable[row] &= difference.re != 0.0 || difference.im != 0.0;
            self.re[start + row] = difference.re.into();
            self.im[start + row] = difference.im.into();
        }
    }
}

/// A phasor of amplitude 1 in single precision; zero and NaN have no phase and give zero.
pub(super) fn unit_phasor(value: Complex<f32>) -> Complex<f32> {
    let (re, im) = (f64::from(value.re), f64::from(value.im));
    #[expect(clippy::cast_possible_truncation, reason = "the original computes in single")]
    let amplitude = (re * re + im * im).sqrt() as f32;
    if amplitude > 0.0 { value / amplitude } else { Complex::default() }
}

/// The fits of one block of rows.
#[derive(Default)]
struct BlockFit {
    rows: Range<usize>,
    usable: Vec<bool>,
    fits: Fits,
}

impl BlockFit {
    /// Stores the fits; rows without phase lose slope and coherence and keep what else they had.
    fn store(&mut self, estimates: &mut Estimates) -> Result<()> {
        for (n, row) in self.rows.clone().enumerate() {
            estimates.estimated[row] |= self.usable[n];
            if self.usable[n] {
                estimates.slope_rad_per_m[row] = self.fits.slope_rad_per_m[n];
                estimates.offset_rad[row] = self.fits.offset_rad[n];
                estimates.coherence[row] = self.fits.coherence[n];
                estimates.trial_margin[row] = self.fits.trial_margin[n];
            } else {
                estimates.slope_rad_per_m[row] = f64::NAN;
                estimates.coherence[row] = 0.0;
            }
        }
        let count = self.rows.len();
        let all_usable = self.usable.iter().all(|&usable| usable);
        let mut before = vec![0.0; if all_usable { 0 } else { count }];
        for (column, residual) in self.fits.residual_rad.chunks_exact_mut(count).enumerate() {
            if !all_usable {
                estimates.residual_rad.read(column, self.rows.clone(), &mut before)?;
                for (n, residual) in residual.iter_mut().enumerate() {
                    if !self.usable[n] {
                        *residual = before[n];
                    }
                }
            }
            estimates.residual_rad.write(column, self.rows.start, residual)?;
        }
        Ok(())
    }
}

/// Weighted phasors of some rows of one interferogram, corrected by the slopes.
#[derive(Debug, Default)]
pub(super) struct WeightedPhase {
    pub(super) re: Vec<f32>,
    pub(super) im: Vec<f32>,
    bperp_m: Vec<f64>,
}

impl WeightedPhase {
    fn with_room(rows: usize) -> Self {
        Self { re: vec![0.0; rows], im: vec![0.0; rows], bperp_m: vec![0.0; rows] }
    }

    /// Reads `rows` of interferogram `column`: unit phase turned back by slope times baseline, times
    /// weight.
    pub(super) fn read(
        &mut self,
        inputs: &Inputs,
        column: usize,
        rows: Range<usize>,
        slope_rad_per_m: &[f64],
        weight: &[f64],
    ) -> Result<()> {
        self.re.resize(rows.len(), 0.0);
        self.im.resize(rows.len(), 0.0);
        self.bperp_m.resize(rows.len(), 0.0);
        inputs.read_unit_phase(column, rows.clone(), &mut self.re, &mut self.im)?;
        inputs.bperp_m.read(column, rows, &mut self.bperp_m)?;
        remove_topographic_phase(
            &mut self.re,
            &mut self.im,
            &self.bperp_m,
            slope_rad_per_m,
            weight,
        );
        Ok(())
    }
}
