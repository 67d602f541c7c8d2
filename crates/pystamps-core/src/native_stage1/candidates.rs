//! Reads the candidate files of one patch.
//!
//! ```text
//! pscands.1.ij   text      id  azimuth  range           N lines, 0-based pixels
//! pscands.1.ll   f32 big   longitude latitude           N pairs, deg
//! pscands.1.hgt  f32 big   height                       N values, m (optional)
//! pscands.1.da   text      amplitude dispersion         N lines (optional)
//! pscands.1.ph   f32 big   real imaginary               N pairs, interferogram after interferogram
//! ```

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use num_complex::Complex;

use super::acquisitions::Acquisitions;
use super::inputs::MasterGeometry;
use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::project::layout::patch;

/// Candidates in the order of their files.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Azimuth line and range sample, counted from 0.
    pub(super) pixels: Vec<[u32; 2]>,
    /// Longitude and latitude, deg; NaN where the export has none.
    pub(super) lonlat_deg: Vec<[f64; 2]>,
    /// Height, m.
    pub(super) height_m: Option<Vec<f64>>,
    /// Amplitude dispersion.
    pub(super) amplitude_dispersion: Option<Vec<f64>>,
    /// The phase, read column by column.
    pub(super) phase: PhaseFile,
}

impl Candidates {
    /// Reads the files of the patch `folder` and checks that their lengths agree.
    pub(super) fn read(
        folder: &Path,
        acquisitions: &Acquisitions,
        geometry: &MasterGeometry,
    ) -> Result<Self> {
        let path = folder.join(patch::CANDIDATES_IJ);
        let text = fs_err::read_to_string(&path).while_doing("read the candidates")?;
        let raster = [geometry.azimuth_lines, geometry.range_samples];
        let pixels = parse_pixels(&text, raster, &path)?;
        let count = pixels.len();
        let lonlat = read_singles(&folder.join(patch::CANDIDATES_LL), 2 * count, count)?;
        let lonlat_deg = lonlat.chunks_exact(2).map(|p| known_position([p[0], p[1]])).collect();
        let height = folder.join(patch::CANDIDATES_HGT);
        let height_m = height.exists().then(|| read_singles(&height, count, count)).transpose()?;
        let dispersion = folder.join(patch::CANDIDATES_DA);
        let amplitude_dispersion =
            dispersion.exists().then(|| read_dispersion(&dispersion, count)).transpose()?;
        let phase =
            PhaseFile::open(folder.join(patch::CANDIDATES_PH), count, acquisitions.stored_columns)?;
        Ok(Self { pixels, lonlat_deg, height_m, amplitude_dispersion, phase })
    }
}

/// A position on Earth, or NaN twice.
///
/// # StaMPS compatibility
/// The original knows NaN only. Exports also mark pixels without position by 0, 0 or by values far
/// outside the globe; one such row throws the local origin off and makes stage 2 ask for a grid of
/// the size of a continent, so they are treated as missing here.
fn known_position([longitude_deg, latitude_deg]: [f64; 2]) -> [f64; 2] {
    let on_globe = longitude_deg.abs() <= 360.0 && latitude_deg.abs() <= 90.0;
    let blank = longitude_deg == 0.0 && latitude_deg == 0.0;
    if on_globe && !blank { [longitude_deg, latitude_deg] } else { [f64::NAN; 2] }
}

/// Lines `id azimuth range` with pixels inside a raster of so many lines and samples.
///
/// # Errors
/// `candidate-pixel`; `path` is only named in it.
pub(crate) fn parse_pixels(
    text: &str,
    [azimuth_lines, range_samples]: [usize; 2],
    path: &Path,
) -> Result<Vec<[u32; 2]>> {
    text.lines()
        .enumerate()
        .map(|(row, line)| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let mut pixel = || fields.next().and_then(|field| field.parse::<u32>().ok());
            let inside = |pixel: &[u32; 2]| {
                (pixel[0] as usize) < azimuth_lines && (pixel[1] as usize) < range_samples
            };
            pixel().zip(pixel()).map(|(azimuth, range)| [azimuth, range]).filter(inside).ok_or_else(
                || {
                    Diagnostic::new("candidate-pixel", "a candidate is not a pixel of the raster")
                        .path(path)
                        .variable(format!("line {}", row + 1))
                        .expected(format!(
                            "`id azimuth range` with azimuth < {azimuth_lines} and range < \
                             {range_samples}"
                        ))
                        .found(line.chars().take(80).collect::<String>())
                        .remedy("prepare the project again")
                        .data()
                },
            )
        })
        .collect()
}

/// Big-endian singles, widened; their number must be `expected`.
fn read_singles(path: &Path, expected: usize, candidates: usize) -> Result<Vec<f64>> {
    let bytes = fs_err::metadata(path).while_doing("read the candidates")?.len();
    if bytes != 4 * expected as u64 {
        return Err(wrong_length(path, 4 * expected as u64, bytes, candidates));
    }
    let bytes = fs_err::read(path).while_doing("read the candidates")?;
    Ok(bytes.as_chunks().0.iter().map(|&single| f64::from(f32::from_be_bytes(single))).collect())
}

fn read_dispersion(path: &Path, candidates: usize) -> Result<Vec<f64>> {
    let text = fs_err::read_to_string(path).while_doing("read the amplitude dispersion")?;
    parse_dispersion(&text, candidates, path)
}

/// One number for each of the candidates.
///
/// # Errors
/// `unparsable-number`, `candidate-count`; `path` is only named in them.
pub(crate) fn parse_dispersion(text: &str, candidates: usize, path: &Path) -> Result<Vec<f64>> {
    let values: Vec<f64> = text
        .split_ascii_whitespace()
        .map(|token| {
            token.parse::<f64>().map_err(|_| {
                Diagnostic::new("unparsable-number", "an amplitude dispersion is not a number")
                    .path(path)
                    .expected("one number a line")
                    .found(token.chars().take(40).collect::<String>())
                    .remedy("prepare the project again")
                    .data()
            })
        })
        .collect::<Result<_>>()?;
    if values.len() == candidates {
        return Ok(values);
    }
    Err(Diagnostic::new("candidate-count", "the candidate files disagree in length")
        .path(path)
        .expected(format!("{candidates} values, as pscands.1.ij has lines"))
        .found(format!("{} values", values.len()))
        .remedy("prepare the project again")
        .data())
}

fn wrong_length(path: &Path, expected: u64, found: u64, candidates: usize) -> Error {
    Diagnostic::new("candidate-count", "the candidate files disagree in length")
        .path(path)
        .expected(format!("{expected} bytes for the {candidates} lines of pscands.1.ij"))
        .found(format!("{found} bytes"))
        .remedy("prepare the project again")
        .data()
}

/// The interferometric phase of all candidates on disk, one column an interferogram.
#[derive(Debug)]
pub(super) struct PhaseFile {
    path: PathBuf,
    file: fs_err::File,
    candidates: usize,
}

impl PhaseFile {
    fn open(path: PathBuf, candidates: usize, columns: usize) -> Result<Self> {
        let file = fs_err::File::open(&path).while_doing("read the phase")?;
        let found = file.metadata().while_doing("read the phase")?.len();
        let expected = 8 * candidates as u64 * columns as u64;
        if found != expected {
            let mut error = wrong_length(&path, expected, found, candidates);
            if let Error::Data(diagnostic) = &mut error {
                diagnostic.variable = Some(format!("{columns} interferograms"));
            }
            return Err(error);
        }
        Ok(Self { path, file, candidates })
    }

    /// Reads interferogram `column` of all candidates.
    pub(super) fn read_column(&self, column: usize) -> Result<Vec<Complex<f32>>> {
        let mut bytes = vec![0_u8; 8 * self.candidates];
        let offset = column as u64 * bytes.len() as u64;
        self.file
            .file()
            .read_exact_at(&mut bytes, offset)
            .while_doing(format!("read interferogram {column} of {}", self.path.display()))?;
        let (pairs, _) = bytes.as_chunks::<8>();
        Ok(pairs
            .iter()
            .map(|&[a, b, c, d, e, f, g, h]| {
                Complex::new(f32::from_be_bytes([a, b, c, d]), f32::from_be_bytes([e, f, g, h]))
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::known_position;

    #[test]
    fn positions_off_the_globe_are_missing() {
        assert_eq!(known_position([11.3, 44.2]), [11.3, 44.2]);
        assert_eq!(known_position([0.0, 44.2]), [0.0, 44.2]);
        for missing in [[0.0, 0.0], [11.3, f64::NAN], [f64::INFINITY, 1.0], [11.3, 1e20]] {
            assert!(known_position(missing)[0].is_nan(), "{missing:?}");
        }
    }
}
