//! Checks the text files of an export before any raster is read.
//!
//! Stage 1 needs more of them than preparation does; a missing line is said now rather than after
//! hours of work.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::request::Processor;
use crate::gamma_text::{GammaText, key};
use crate::{Diagnostic, Result};

/// How the samples of single-look complex images are stored; both are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SamplePrecision {
    /// Two float32: `FCOMPLEX`.
    Float32,
    /// Two int16: `SCOMPLEX`.
    Int16,
}

impl SamplePrecision {
    /// Bytes of one complex sample.
    pub fn sample_bytes(self) -> usize {
        match self {
            Self::Float32 => 8,
            Self::Int16 => 4,
        }
    }
}

/// What preparation itself needs of the master's parameter file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SceneParameters {
    pub(crate) width: usize,
    pub(crate) length: usize,
    pub(crate) precision: SamplePrecision,
}

/// Reads the master's parameter file and tries every key that stage 1 will ask for.
pub(crate) fn read_scene(master_par: &Path, processor: Processor) -> Result<SceneParameters> {
    let par = GammaText::read(master_par)?;
    par.text(key::SENSOR)?;
    par.number(key::HEADING_DEG)?;
    for positive in [
        key::RADAR_FREQUENCY_HZ,
        key::RANGE_PIXEL_SPACING_M,
        key::NEAR_RANGE_M,
        key::CENTER_RANGE_M,
        key::SAR_TO_EARTH_CENTER_M,
        key::EARTH_RADIUS_M,
        key::PULSE_REPETITION_HZ,
    ] {
        par.positive_number(positive)?;
    }
    Ok(SceneParameters {
        width: par.count(key::RANGE_SAMPLES)?,
        length: par.count(key::AZIMUTH_LINES)?,
        precision: precision(&par, master_par, processor)?,
    })
}

/// SNAP writes float32 always; GAMMA says what it wrote.
fn precision(par: &GammaText, path: &Path, processor: Processor) -> Result<SamplePrecision> {
    if processor == Processor::Snap {
        return Ok(SamplePrecision::Float32);
    }
    match par.text(key::IMAGE_FORMAT)? {
        "FCOMPLEX" => Ok(SamplePrecision::Float32),
        "SCOMPLEX" => Ok(SamplePrecision::Int16),
        other => Err(Diagnostic::new("image-format", "the images are not complex")
            .path(path)
            .variable(key::IMAGE_FORMAT)
            .expected("FCOMPLEX or SCOMPLEX")
            .found(other)
            .remedy("export single-look complex images")
            .data()),
    }
}

/// Tries the baseline file of every interferogram.
pub(crate) fn check_baselines(interferograms: &[PathBuf]) -> Result<()> {
    for interferogram in interferograms {
        let path = interferogram.with_extension("base");
        let base = match GammaText::read(&path) {
            Err(crate::Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Err(Diagnostic::new("missing-baseline", "a baseline file is missing")
                    .path(&path)
                    .expected("a .base file beside every .diff")
                    .found("no such file")
                    .remedy("export the scene again")
                    .data());
            }
            outcome => outcome?,
        };
        base.numbers(key::INITIAL_BASELINE_M, 3)?;
        base.numbers(key::INITIAL_BASELINE_RATE_M_PER_S, 3)?;
    }
    Ok(())
}
