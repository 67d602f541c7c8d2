//! Extracts position, height and phase of the candidates (prep.md, section 11).
//!
//! The scene is worked off in bands of lines. In each band every raster is read from top to bottom
//! once, for all patches; the bytes of its candidates go to their place in the patch's file.
//! Memory: one block of lines and the band's candidates for each thread.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use fs_err::os::unix::fs::FileExt;
use rayon::prelude::*;

use super::candidates::PatchFiles;
use super::plan::{PrepPlan, Tuning};
use super::raster::Raster;
use crate::Result;
use crate::error::IoContext;
use crate::progress::{Phase, Progress};
use crate::project::layout::patch as names;

/// Candidates whose position cannot be right; stage 1 removes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BadPositions {
    /// Longitude and latitude both 0.
    pub(crate) zero: u64,
    /// Longitude or latitude not finite, or off the globe.
    pub(crate) impossible: u64,
}

/// The candidates of one patch in a band.
#[derive(Debug)]
struct BandCandidates<'a> {
    patch: usize,
    folder: &'a Path,
    /// Candidates of the patch, in all and before this band.
    total: u64,
    before: u64,
    pixels: Vec<Pixel>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pixel {
    line: usize,
    sample: usize,
}

/// Writes `pscands.1.ll`, `.hgt` and `.ph` of every patch; returns the bad positions of each and
/// the number of bytes read.
///
/// # StaMPS compatibility
/// Bytes are copied as they are (big-endian); phases interferogram by interferogram, positions as
/// longitude, latitude pairs.
pub(crate) fn extract(
    plan: &PrepPlan,
    files: &[PatchFiles],
    progress: &Progress,
) -> Result<(Vec<BadPositions>, u64)> {
    for patch in files {
        for name in [names::CANDIDATES_LL, names::CANDIDATES_HGT, names::CANDIDATES_PH] {
            fs_err::File::create(patch.folder.join(name)).while_doing("make a candidate file")?;
        }
    }
    let sources = Sources {
        interferograms: plan.interferograms(),
        geometry: plan.geometry(),
        block_lines: Tuning::lines(plan.tuning.block_pixels, plan.width),
    };
    let covered = plan.covered_lines();
    let line_bytes: u64 = sources.rasters().map(|raster| raster.line_bytes() as u64).sum();
    let phase = progress.phase("extract candidates", line_bytes * covered as u64, "bytes");
    let mut bad = vec![BadPositions::default(); files.len()];
    let mut done = vec![0_u64; files.len()];
    let band_lines = Tuning::lines(plan.tuning.band_pixels, plan.width);
    for first in (0..covered).step_by(band_lines) {
        let lines = first..(first + band_lines).min(covered);
        let band = read_band(files, &lines, &mut done)?;
        let jobs = 0..sources.interferograms.len() + 2;
        let positions: Vec<Vec<(usize, BadPositions)>> = jobs
            .into_par_iter()
            .map(|job| sources.run(job, &band, &lines, &phase))
            .collect::<Result<_>>()?;
        for (patch, found) in positions.into_iter().flatten() {
            bad[patch].zero += found.zero;
            bad[patch].impossible += found.impossible;
        }
    }
    Ok((bad, line_bytes * covered as u64))
}

/// Reads the candidates of `lines` back from each patch; `done` counts those of earlier bands.
fn read_band<'a>(
    files: &'a [PatchFiles],
    lines: &Range<usize>,
    done: &mut [u64],
) -> Result<Vec<BandCandidates<'a>>> {
    let mut band = Vec::new();
    for (patch, (files, done)) in files.iter().zip(done).enumerate() {
        if *done == files.accepted || files.window.azimuth.start >= lines.end {
            continue;
        }
        let pixels = read_pixels(&files.folder, *done, files.accepted, lines.end)
            .while_doing("read candidates back")?;
        let before = *done;
        *done += pixels.len() as u64;
        let folder = files.folder.as_path();
        band.push(BandCandidates { patch, folder, total: files.accepted, before, pixels });
    }
    Ok(band)
}

fn read_pixels(
    folder: &Path,
    before: u64,
    total: u64,
    end_line: usize,
) -> std::io::Result<Vec<Pixel>> {
    let mut file = fs_err::File::open(folder.join(names::CANDIDATES_IJ_INT))?;
    file.seek(SeekFrom::Start(before * 8))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut pixels = Vec::new();
    for _ in before..total {
        let mut row = [[0; 4]; 2];
        reader.read_exact(row.as_flattened_mut())?;
        let [sample, line] = row.map(|bytes| u32::from_be_bytes(bytes) as usize);
        if line >= end_line {
            break;
        }
        pixels.push(Pixel { line, sample });
    }
    Ok(pixels)
}

struct Sources {
    interferograms: Vec<Raster>,
    geometry: [Raster; 3],
    block_lines: usize,
}

impl Sources {
    fn rasters(&self) -> impl Iterator<Item = &Raster> {
        self.interferograms.iter().chain(&self.geometry)
    }

    /// Works off one raster of a band (the two position rasters count as one).
    fn run(
        &self,
        job: usize,
        band: &[BandCandidates<'_>],
        lines: &Range<usize>,
        phase: &Phase<'_>,
    ) -> Result<Vec<(usize, BadPositions)>> {
        let mut bad = Vec::new();
        let gather = |raster| gather(raster, band, lines, self.block_lines, phase);
        if let Some(interferogram) = self.interferograms.get(job) {
            for (candidates, phase) in band.iter().zip(gather(interferogram)?) {
                let first = job as u64 * candidates.total + candidates.before;
                candidates.write(names::CANDIDATES_PH, &phase, first * 8)?;
            }
        } else if job == self.interferograms.len() {
            let [longitude, latitude, _] = &self.geometry;
            let pairs = gather(longitude)?.into_iter().zip(gather(latitude)?);
            for (candidates, (longitude, latitude)) in band.iter().zip(pairs) {
                let (positions, found) = interleave(&longitude, &latitude);
                candidates.write(names::CANDIDATES_LL, &positions, candidates.before * 8)?;
                bad.push((candidates.patch, found));
            }
        } else {
            for (candidates, height) in band.iter().zip(gather(&self.geometry[2])?) {
                candidates.write(names::CANDIDATES_HGT, &height, candidates.before * 4)?;
            }
        }
        Ok(bad)
    }
}

impl BandCandidates<'_> {
    fn write(&self, name: &str, bytes: &[u8], offset: u64) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let action = "write extracted values";
        let path = self.folder.join(name);
        let file = fs_err::OpenOptions::new().write(true).open(path).while_doing(action)?;
        file.write_all_at(bytes, offset).while_doing(action)
    }

    /// The candidates of `lines`; candidates are sorted by line.
    fn in_lines(&self, lines: &Range<usize>) -> &[Pixel] {
        let start = self.pixels.partition_point(|pixel| pixel.line < lines.start);
        let end = self.pixels.partition_point(|pixel| pixel.line < lines.end);
        &self.pixels[start..end]
    }
}

/// The samples of `raster` at the band's candidates, patch by patch.
fn gather(
    raster: &Raster,
    band: &[BandCandidates<'_>],
    lines: &Range<usize>,
    block_lines: usize,
    phase: &Phase<'_>,
) -> Result<Vec<Vec<u8>>> {
    let open = raster.open()?;
    let sample_bytes = raster.sample_bytes;
    let mut buffer = vec![0; block_lines.min(lines.len()) * raster.line_bytes()];
    let capacity = |candidates: &BandCandidates<'_>| candidates.pixels.len() * sample_bytes;
    let mut values: Vec<Vec<u8>> =
        band.iter().map(|candidates| Vec::with_capacity(capacity(candidates))).collect();
    for first in lines.clone().step_by(block_lines) {
        let block = first..(first + block_lines).min(lines.end);
        let buffer = &mut buffer[..block.len() * raster.line_bytes()];
        phase.advance(buffer.len() as u64);
        if band.iter().all(|candidates| candidates.in_lines(&block).is_empty()) {
            continue;
        }
        open.read_lines(first, buffer)?;
        for (candidates, values) in band.iter().zip(&mut values) {
            for pixel in candidates.in_lines(&block) {
                let offset = ((pixel.line - first) * raster.width + pixel.sample) * sample_bytes;
                values.extend_from_slice(&buffer[offset..offset + sample_bytes]);
            }
        }
    }
    Ok(values)
}

/// Pairs of big-endian longitude and latitude, and how many of them cannot be right.
fn interleave(longitude: &[u8], latitude: &[u8]) -> (Vec<u8>, BadPositions) {
    let mut positions = Vec::with_capacity(2 * longitude.len());
    let mut bad = BadPositions::default();
    let pairs = longitude.as_chunks::<4>().0.iter().zip(latitude.as_chunks::<4>().0);
    for (longitude, latitude) in pairs {
        positions.extend_from_slice(longitude);
        positions.extend_from_slice(latitude);
        let [longitude, latitude] = [longitude, latitude].map(|b| f32::from_be_bytes(*b));
        bad.impossible += u64::from(!(longitude.abs() <= 360.0 && latitude.abs() <= 90.0));
        bad.zero += u64::from([longitude, latitude] == [0.0; 2]);
    }
    (positions, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_interleaved_and_judged() {
        let bytes = |values: [f32; 3]| values.map(f32::to_be_bytes).concat();
        let (positions, bad) =
            interleave(&bytes([11.5, f32::NAN, 0.0]), &bytes([44.25, 44.0, 0.0]));
        assert_eq!(positions[..8], [11.5_f32.to_be_bytes(), 44.25_f32.to_be_bytes()].concat());
        assert_eq!(positions.len(), 24);
        assert_eq!(bad, BadPositions { zero: 1, impossible: 1 });
        // A place on the prime meridian or on the equator is a place.
        assert_eq!(interleave(&bytes([0.0; 3]), &bytes([51.5; 3])).1, BadPositions::default());
    }
}
