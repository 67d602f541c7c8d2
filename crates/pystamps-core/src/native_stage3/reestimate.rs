//! Estimates the coherence of selected candidates against the phase of their surroundings without
//! their own grid cell (stage3.md 6).
//!
//! All candidates of a cell share one filtered phasor an interferogram, so it is computed once a
//! cell: exactly what every candidate for itself would get.

use std::ops::Range;

use num_complex::Complex;
use pystamps_kernels::clap::{ClapPatchFilter, ClapPatchScratch, Plane};
use pystamps_kernels::spares::Spares;
use pystamps_kernels::topofit::{Block, Fits, Trials, topofit};
use rayon::prelude::*;

use super::inputs::{CoherenceEstimates, Settings};
use super::selection::Selected;
use crate::error::Result;
use crate::native_stage2::rounding;
use crate::progress::Progress;
use crate::samples::{ComplexColumns, RealColumns, row_blocks};
use crate::scratch::{Room, ScratchColumns};
use crate::waves::make_and_store;

/// Selected candidates fitted at a time.
const BLOCK_ROWS: usize = 256;
/// Parts of the cells of an interferogram, so that no thread waits long for the last of a wave.
const PARTS: usize = 32;

/// What re-estimation reads.
pub(super) struct Reestimator<'a> {
    pub(super) settings: &'a Settings,
    pub(super) stage2: &'a CoherenceEstimates,
    /// Interferograms as stored, without the master's slot.
    pub(super) phase: &'a ComplexColumns,
    pub(super) bperp_m: &'a RealColumns,
    /// Where intermediate results may be kept.
    pub(super) room: &'a Room<'a>,
}

/// The filtered phasors of every cell that holds a selected candidate.
struct CellPhase {
    /// Every such cell, by y and then x: the order of the candidates, so that neighbours in one are
    /// neighbours in the other.
    cells: Vec<[u32; 2]>,
    re: ScratchColumns,
    im: ScratchColumns,
}

impl CellPhase {
    /// Where `wanted` cells lie: the span that holds them all, and their places in it.
    fn locate(&self, wanted: impl Iterator<Item = [u32; 2]>) -> (Vec<usize>, Range<usize>) {
        let find = |cell| self.cells.binary_search(&cell);
        let mut places: Vec<usize> =
            wanted.map(|cell| find(cell).expect("invariant: every cell was filtered")).collect();
        let first = places.iter().copied().min().unwrap_or(0);
        let end = places.iter().copied().max().map_or(0, |last| last + 1);
        for place in &mut places {
            *place -= first;
        }
        (places, first..end)
    }
}

impl Reestimator<'_> {
    /// Estimates the candidates `rows`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn run(&self, rows: &[usize], progress: &Progress) -> Result<Selected> {
        let cells = self.filter_cells(rows, progress)?;
        let columns = self.phase.column_count();
        let mut selected = Selected::without_estimates(rows.to_vec(), columns, self.room)?;
        let phase = progress.phase("estimating coherence", rows.len() as u64, "candidates");
        let spares = Spares::default();
        let fit = |block: &Range<usize>, fit: &mut BlockFit| {
            spares.lend(|samples| self.fit_block(&cells, rows, block.clone(), samples, fit))?;
            phase.advance(block.len() as u64);
            Ok(())
        };
        let blocks = row_blocks(rows.len(), BLOCK_ROWS);
        make_and_store(&blocks, fit, |fit| fit.store(&self.settings.used, &mut selected))?;
        Ok(selected)
    }

    /// Filters the surroundings of every cell that holds one of `rows`, interferogram by
    /// interferogram.
    fn filter_cells(&self, rows: &[usize], progress: &Progress) -> Result<CellPhase> {
        let mut cells: Vec<[u32; 2]> = rows.iter().map(|&row| self.stage2.cell(row)).collect();
        cells.sort_unstable();
        cells.dedup();
        let columns = self.phase.column_count();
        let mut re = self.room.columns(cells.len(), columns)?;
        let mut im = self.room.columns(cells.len(), columns)?;
        let settings = self.settings;
        let filter =
            ClapPatchFilter::new(settings.clap_alpha, settings.clap_beta, &self.stage2.low_pass);
        let total = (cells.len() * columns) as u64;
        let phase = progress.phase("filtering without the own cell", total, "windows");
        let parts = row_blocks(cells.len(), cells.len().div_ceil(PARTS).max(1));
        let spares = Spares::<ClapPatchScratch>::default();
        for wave in row_blocks(columns, rayon::current_num_threads()) {
            let planes: Vec<_> = wave
                .clone()
                .into_par_iter()
                .map(|column| self.read_plane(column))
                .collect::<Result<_>>()?;
            let tasks: Vec<_> = wave
                .zip(&planes)
                .flat_map(|(column, plane)| parts.iter().map(move |part| (column, plane, part)))
                .collect();
            let filtered: Vec<Vec<Complex<f32>>> = tasks
                .par_iter()
                .with_max_len(1)
                .map(|(column, plane, part)| {
                    let cells = &cells[(*part).clone()];
                    phase.advance(cells.len() as u64);
                    spares.lend(|scratch| self.filter_part(&filter, *column, plane, cells, scratch))
                })
                .collect();
            for ((column, _, part), values) in tasks.iter().zip(filtered) {
                let parts: (Vec<f32>, Vec<f32>) = values.iter().map(|v| (v.re, v.im)).unzip();
                re.write(*column, part.start, &parts.0)?;
                im.write(*column, part.start, &parts.1)?;
            }
        }
        Ok(CellPhase { cells, re, im })
    }

    /// Filtered phasors at `cells` of one interferogram; zero on a grid smaller than the window.
    fn filter_part(
        &self,
        filter: &ClapPatchFilter,
        column: usize,
        plane: &[Complex<f32>],
        cells: &[[u32; 2]],
        scratch: &mut ClapPatchScratch,
    ) -> Vec<Complex<f32>> {
        let [rows, columns] = self.stage2.grid_shape;
        let plane = Plane { rows, columns, values: plane };
        let places = cells.iter().map(|cell| cell.map(|index| index as usize));
        let values = filter.values_without_cells(&plane, places, self.reach(column), scratch);
        values.unwrap_or_else(|| vec![Complex::default(); cells.len()])
    }

    /// # StaMPS compatibility
    /// Only the first interferogram leaves out the neighbourhood that an oversampled image needs.
    fn reach(&self, column: usize) -> usize {
        if column == 0 { self.settings.reach } else { 0 }
    }

    fn read_plane(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let cells = self.stage2.grid_shape.iter().product();
        let first = (column * cells) as u64;
        let (mut re, mut im) = (vec![0.0_f32; cells], vec![0.0_f32; cells]);
        self.stage2.gridded.read_real(first, &mut re)?;
        self.stage2.gridded.read_imaginary(first, &mut im)?;
        Ok(re.into_iter().zip(im).map(|(re, im)| Complex::new(re, im)).collect())
    }

    fn fit_block(
        &self,
        cells: &CellPhase,
        rows: &[usize],
        block: Range<usize>,
        samples: &mut Samples,
        fit: &mut BlockFit,
    ) -> Result<()> {
        let rows = &rows[block.clone()];
        samples.gather(self, cells, rows)?;
        samples.choose(&self.settings.used, rows.len());
        let chosen = &samples.chosen;
        let columns = self.settings.used.len();
        let fit_block = Block { rows: rows.len(), columns, re: &chosen.re, im: &chosen.im };
        let trials = Trials::for_wraps(self.stage2.trial_wraps);
        let rounding = rounding(self.bperp_m.is_single());
        topofit(&fit_block, &chosen.bperp_m, &trials, rounding, &mut fit.fits);
        fit.block = block;
        fit.usable.clone_from(&samples.usable);
        fit.patch_re.clone_from(&samples.patch_re);
        fit.patch_im.clone_from(&samples.patch_im);
        Ok(())
    }
}

/// Samples of the interferograms that are used.
#[derive(Default)]
struct Chosen {
    re: Vec<f64>,
    im: Vec<f64>,
    bperp_m: Vec<f64>,
}

/// Samples of one block of selected candidates, column after column.
#[derive(Default)]
struct Samples {
    re: Vec<f32>,
    im: Vec<f32>,
    bperp_m: Vec<f64>,
    patch_re: Vec<f32>,
    patch_im: Vec<f32>,
    usable: Vec<bool>,
    chosen: Chosen,
}

impl Samples {
    /// Picks the samples of the columns `used` in `count` rows.
    fn choose(&mut self, used: &[usize], count: usize) {
        let Chosen { re, im, bperp_m } = &mut self.chosen;
        re.clear();
        im.clear();
        bperp_m.clear();
        for &column in used {
            let place = column * count..(column + 1) * count;
            re.extend(self.re[place.clone()].iter().map(|&re| f64::from(re)));
            im.extend(self.im[place.clone()].iter().map(|&im| f64::from(im)));
            bperp_m.extend_from_slice(&self.bperp_m[place]);
        }
    }

    /// Reads the phase of `rows` against that of their cells, with unit amplitude. A row with a
    /// sample of exactly zero in any interferogram, used or not, is not usable.
    fn gather(&mut self, from: &Reestimator<'_>, cells: &CellPhase, rows: &[usize]) -> Result<()> {
        let (count, columns) = (rows.len(), from.phase.column_count());
        for values in [&mut self.re, &mut self.im, &mut self.patch_re, &mut self.patch_im] {
            values.resize(count * columns, 0.0);
        }
        self.bperp_m.resize(count * columns, 0.0);
        self.usable.clear();
        self.usable.resize(count, true);
        // Selected candidates lie close together in the order of rows: one span is read.
        let span = rows.first().map_or(0..0, |&first| first..rows[count - 1] + 1);
        let mut span_re = vec![0.0_f32; span.len()];
        let mut span_im = vec![0.0_f32; span.len()];
        let mut span_bperp_m = vec![0.0_f64; span.len()];
        let (cell_of, cell_span) = cells.locate(rows.iter().map(|&row| from.stage2.cell(row)));
        let mut cell_re = vec![0.0_f32; cell_span.len()];
        let mut cell_im = vec![0.0_f32; cell_span.len()];
        for column in 0..columns {
            from.phase.read(column, span.clone(), &mut span_re, &mut span_im)?;
            from.bperp_m.read(column, span.clone(), &mut span_bperp_m)?;
            cells.re.read(column, cell_span.clone(), &mut cell_re)?;
            cells.im.read(column, cell_span.clone(), &mut cell_im)?;
            for (n, &row) in rows.iter().enumerate() {
                let out = column * count + n;
                let at = row - span.start;
                let patch = Complex::new(cell_re[cell_of[n]], cell_im[cell_of[n]]);
                let difference = Complex::new(span_re[at], span_im[at]) * patch.conj();
                (self.patch_re[out], self.patch_im[out]) = (patch.re, patch.im);
                let amplitude = difference.norm();
                self.usable[n] &= amplitude > 0.0 && span_bperp_m[at].is_finite();
                (self.re[out], self.im[out]) = if amplitude > 0.0 {
                    (difference.re / amplitude, difference.im / amplitude)
                } else {
                    (0.0, 0.0)
                };
                self.bperp_m[out] = span_bperp_m[at];
            }
        }
        Ok(())
    }
}

/// Fits of one block of selected candidates.
#[derive(Default)]
struct BlockFit {
    block: Range<usize>,
    usable: Vec<bool>,
    patch_re: Vec<f32>,
    patch_im: Vec<f32>,
    fits: Fits,
}

impl BlockFit {
    fn store(&mut self, used: &[usize], selected: &mut Selected) -> Result<()> {
        let count = self.block.len();
        for (n, row) in self.block.clone().enumerate() {
            if self.usable[n] {
                selected.slope_rad_per_m[row] = self.fits.slope_rad_per_m[n];
                selected.offset_rad[row] = self.fits.offset_rad[n];
                selected.coherence[row] = self.fits.coherence[n];
            } else {
                selected.slope_rad_per_m[row] = f64::NAN;
                selected.offset_rad[row] = 0.0;
                selected.coherence[row] = f64::NAN;
            }
        }
        let start = self.block.start;
        let parts = self.patch_re.chunks_exact(count).zip(self.patch_im.chunks_exact(count));
        for (column, (re, im)) in parts.enumerate() {
            selected.patch_re.write(column, start, re)?;
            selected.patch_im.write(column, start, im)?;
        }
        let residual_rad = &mut self.fits.residual_rad;
        for (residual, &column) in residual_rad.chunks_exact_mut(count).zip(used) {
            for (n, residual) in residual.iter_mut().enumerate() {
                if !self.usable[n] {
                    *residual = 0.0;
                }
            }
            selected.residual_rad.write(column, start, residual)?;
        }
        Ok(())
    }
}
