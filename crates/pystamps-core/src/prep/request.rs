//! Defines what a person may ask of preparation.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::dates::Date;

/// The program that wrote the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Processor {
    /// ESA SNAP's StaMPS export: float32 images.
    Snap,
    /// GAMMA: float32 or int16 images, as `image_format` says.
    Gamma,
}

impl Processor {
    /// The name StaMPS knows it by (`processor.txt`, `insar_processor`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Snap => "snap",
            Self::Gamma => "gamma",
        }
    }
}

/// Amplitude dispersion threshold of candidates: the text as typed, which control files repeat,
/// and its value.
///
/// A negative threshold selects the pixels whose dispersion is at least its size.
#[derive(Clone, Debug, PartialEq)]
pub struct AmplitudeDispersion {
    text: String,
    value: f32,
}

/// The text is not a usable amplitude dispersion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amplitude dispersion: give a finite number, for example 0.4")]
pub struct InvalidAmplitudeDispersion(String);

impl AmplitudeDispersion {
    /// The threshold in the precision StaMPS reads it with.
    pub fn value(&self) -> f32 {
        self.value
    }

    /// What is used when nothing is asked for: 0.4 for a single master, 0.6 for small baselines.
    pub fn default_for(small_baselines: bool) -> Self {
        let (text, value) = if small_baselines { ("0.6", 0.6) } else { ("0.4", 0.4) };
        Self { text: text.to_owned(), value }
    }
}

impl FromStr for AmplitudeDispersion {
    type Err = InvalidAmplitudeDispersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = text.parse::<f32>().ok().filter(|value| value.is_finite());
        match value {
            Some(value) => Ok(Self { text: text.to_owned(), value }),
            None => Err(InvalidAmplitudeDispersion(text.to_owned())),
        }
    }
}

impl fmt::Display for AmplitudeDispersion {
    /// Writes the text as typed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// One preparation. [`PrepRequest::new`] fills in StaMPS' defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepRequest {
    /// The program that wrote the export.
    pub processor: Processor,
    /// Folder with `rslc/`, `diff0/`, `geo/` or with `SMALL_BASELINES/`, `geo/`.
    pub export: PathBuf,
    /// Master date; `None` takes it from the export where that is unambiguous.
    pub master: Option<Date>,
    /// Candidate threshold; `None` is [`AmplitudeDispersion::default_for`].
    pub amplitude_dispersion: Option<AmplitudeDispersion>,
    /// Number of patches across range.
    pub range_patches: usize,
    /// Number of patches along azimuth.
    pub azimuth_patches: usize,
    /// Pixels a patch reaches into its range neighbours.
    pub range_overlap: usize,
    /// Pixels a patch reaches into its azimuth neighbours.
    pub azimuth_overlap: usize,
    /// Raster of one byte a pixel, 0 = use, anything else = leave out; relative to the current
    /// folder or absolute.
    pub mask: Option<PathBuf>,
}

impl PrepRequest {
    /// One patch, 50 pixels overlap, no mask, master and threshold left to the export.
    pub fn new(processor: Processor, export: impl Into<PathBuf>) -> Self {
        Self {
            processor,
            export: export.into(),
            master: None,
            amplitude_dispersion: None,
            range_patches: 1,
            azimuth_patches: 1,
            range_overlap: 50,
            azimuth_overlap: 50,
            mask: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_keeps_its_text() {
        let threshold: AmplitudeDispersion = "0.40".parse().unwrap();
        assert_eq!(threshold.to_string(), "0.40");
        assert_eq!(threshold.value(), 0.4_f32);
        assert!("-0.25".parse::<AmplitudeDispersion>().unwrap().value() < 0.0);
        for text in ["", "nan", "inf", "0,4", "0.4 ", "1e99"] {
            assert!(text.parse::<AmplitudeDispersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn defaults_depend_on_the_kind_of_stack() {
        assert_eq!(AmplitudeDispersion::default_for(false), "0.4".parse().unwrap());
        assert_eq!(AmplitudeDispersion::default_for(true), "0.6".parse().unwrap());
    }
}
