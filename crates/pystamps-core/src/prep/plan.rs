//! Turns a request into a checked plan. Reads text files and file sizes only.

use std::path::{Path, PathBuf};

use super::export::Export;
use super::parameters::{SamplePrecision, check_baselines, read_scene};
use super::patches::{Patch, lay_out};
use super::raster::Raster;
use super::request::{AmplitudeDispersion, PrepRequest, Processor};
use super::scan::Pick;
use crate::error::IoContext;
use crate::plan::check_memory;
use crate::{Diagnostic, Result};

/// Memory of the process itself: program, thread stacks, file buffers.
const PROCESS_BYTES: u64 = 12 << 20;

/// Longest path that fits the buffers of StaMPS' own programs.
const LONGEST_STAMPS_PATH: usize = 255;

/// A preparation that has passed every check that can be made before work begins.
#[derive(Clone, Debug)]
pub struct PrepPlan {
    /// The program that wrote the export.
    pub processor: Processor,
    /// The files of the export.
    pub export: Export,
    /// Samples of a line.
    pub width: usize,
    /// Number of lines.
    pub length: usize,
    /// How image samples are stored.
    pub precision: SamplePrecision,
    /// Candidate threshold.
    pub amplitude_dispersion: AmplitudeDispersion,
    /// The patches in the order of `patch.list`; patch `k` (from 1) is `PATCH_k`.
    pub patches: Vec<Patch>,
    /// Absolute path of the mask.
    pub mask: Option<PathBuf>,
    /// What a person should know although the work can be done.
    pub warnings: Vec<String>,
    /// Block sizes; they change the memory used and the speed, never the output.
    pub tuning: Tuning,
}

/// Sizes of the pieces the rasters are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Pixels a thread works on at a time (at least one line is read).
    pub block_pixels: usize,
    /// Blocks selected before candidates are written.
    pub wave_blocks: usize,
    /// Pixels of a band; the candidates of a band are extracted together.
    pub band_pixels: usize,
    /// Images kept open.
    pub open_files: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        // 2^14 pixels: samples (128 kB) and sums (192 kB) of a block stay in the second-level cache.
        Self { block_pixels: 1 << 14, wave_blocks: 32, band_pixels: 1 << 22, open_files: 96 }
    }
}

impl Tuning {
    /// Lines that hold about `pixels` pixels, at least one.
    pub(crate) fn lines(pixels: usize, width: usize) -> usize {
        (pixels / width.max(1)).max(1)
    }
}

/// Checks `request` against the export: names, dates, text files, raster sizes, patches, mask.
///
/// # Errors
/// A [`Diagnostic`] for everything that would stop the work or stage 1 later.
pub fn plan(request: &PrepRequest) -> Result<PrepPlan> {
    let export = Export::discover(request)?;
    let scene = read_scene(&export.master_par, request.processor)?;
    check_baselines(&export.interferograms)?;
    let patches = lay_out(request, scene.width, scene.length)?;
    let mask = request.mask.as_deref().map(find_mask).transpose()?;
    let default = || AmplitudeDispersion::default_for(export.small_baselines);
    let amplitude_dispersion = request.amplitude_dispersion.clone().unwrap_or_else(default);
    let plan = PrepPlan {
        processor: request.processor,
        warnings: warnings(&export),
        export,
        width: scene.width,
        length: scene.length,
        precision: scene.precision,
        amplitude_dispersion,
        patches,
        mask,
        tuning: Tuning::default(),
    };
    let rasters = [plan.slcs(), plan.interferograms(), plan.geometry().into()];
    rasters.iter().flatten().chain(&plan.mask_raster()).try_for_each(Raster::check)?;
    Ok(plan)
}

impl PrepPlan {
    /// Most memory that [`run`](super::run()) takes with `threads` threads, bytes, reached if
    /// every pixel becomes a candidate.
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        let Tuning { block_pixels, wave_blocks, band_pixels, .. } = self.tuning;
        let block = block_pixels.max(self.width) as u64;
        let band = band_pixels.max(self.width) as u64;
        let threads = threads as u64;
        // A thread: samples of two images, three sums, mask. A waiting block: amplitude and picks.
        // A candidate of the band: its pixel, and its bytes in every thread.
        PROCESS_BYTES
            + threads * block * (2 * 8 + 3 * 4 + 1)
            + 2 * wave_blocks as u64 * block * (4 + size_of::<Pick>() as u64)
            + band * (16 + 8 * threads)
    }

    /// Makes the pieces of work smaller until they fit into `limit_bytes`.
    ///
    /// # Errors
    /// `memory-limit` if even the smallest pieces do not fit.
    pub fn fit_into(&mut self, limit_bytes: u64, threads: usize) -> Result<()> {
        while self.memory_bytes(threads) > limit_bytes {
            let Tuning { wave_blocks, band_pixels, .. } = &mut self.tuning;
            if *wave_blocks == 1 && *band_pixels <= self.width {
                break;
            }
            *wave_blocks = (*wave_blocks / 2).max(1);
            *band_pixels = (*band_pixels / 2).max(1);
        }
        check_memory(Some(limit_bytes), self.memory_bytes(threads), "preparation")
    }

    fn raster(&self, path: &Path, sample_bytes: usize) -> Raster {
        let (width, length) = (self.width, self.length);
        Raster { path: path.to_path_buf(), width, length, sample_bytes }
    }

    /// Lines from the first on that belong to some patch; a remainder behind the last overlap does
    /// not.
    pub(crate) fn covered_lines(&self) -> usize {
        self.patches.iter().map(|patch| patch.window.azimuth.end).max().unwrap_or(0)
    }

    pub(crate) fn slcs(&self) -> Vec<Raster> {
        let sample_bytes = self.precision.sample_bytes();
        self.export.slcs.iter().map(|path| self.raster(path, sample_bytes)).collect()
    }

    pub(crate) fn interferograms(&self) -> Vec<Raster> {
        self.export.interferograms.iter().map(|path| self.raster(path, 8)).collect()
    }

    /// Longitude, latitude, height.
    pub(crate) fn geometry(&self) -> [Raster; 3] {
        [&self.export.longitude, &self.export.latitude, &self.export.heights[0]]
            .map(|path| self.raster(path, 4))
    }

    pub(crate) fn mask_raster(&self) -> Option<Raster> {
        self.mask.as_deref().map(|path| self.raster(path, 1))
    }
}

fn find_mask(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).while_doing("find the mask")?;
    if !path.is_file() {
        return Err(Diagnostic::new("missing-mask", "the mask does not exist")
            .path(&path)
            .expected("a raster of one byte a pixel, 0 = use")
            .found("no such file")
            .remedy("check the path given with --mask, or leave it out")
            .usage());
    }
    Ok(path)
}

fn warnings(export: &Export) -> Vec<String> {
    let mut warnings = Vec::new();
    if export.heights.len() > 1 {
        let first = export.heights[0].display();
        warnings.push(format!("{} height rasters; {first} is used", export.heights.len()));
    }
    let unreadable = |path: &&Path| {
        let bytes = path.as_os_str().as_encoded_bytes();
        bytes.len() > LONGEST_STAMPS_PATH || bytes.iter().any(u8::is_ascii_whitespace)
    };
    if let Some(path) = export.paths().find(unreadable) {
        warnings.push(format!(
            "original StaMPS cannot read paths with blanks or over {LONGEST_STAMPS_PATH} bytes \
             (pystamps can): {}",
            path.display()
        ));
    }
    warnings
}
