//! Reads GAMMA-style text files (`.par`, `.base`): a key, its values, their units.
//!
//! A value is found as StaMPS finds it (parameters.md, section 6, `readparm`): the
//! file is split at white space, the first token that starts with the key is taken, and the tokens
//! after it are the values. What follows the values (units such as `m` or `Hz`) is not looked at.
//!
//! # StaMPS compatibility
//! StaMPS evaluates each token as a MATLAB expression; here a number must be a finite decimal
//! number, and anything else is refused by name instead of being carried on as text.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::IoContext;
use crate::{Diagnostic, Result};

/// Keys that preparation and stage 1 look for.
pub mod key {
    /// Number of lines (SLC parameter file).
    pub const AZIMUTH_LINES: &str = "azimuth_lines";
    /// Number of samples of a line.
    pub const RANGE_SAMPLES: &str = "range_samples";
    /// `FCOMPLEX` or `SCOMPLEX`.
    pub const IMAGE_FORMAT: &str = "image_format";
    /// Flight direction, degrees clockwise from north.
    pub const HEADING_DEG: &str = "heading:";
    /// Carrier frequency, Hz.
    pub const RADAR_FREQUENCY_HZ: &str = "radar_frequency:";
    /// Name of the satellite.
    pub const SENSOR: &str = "sensor:";
    /// Slant range spacing, m.
    pub const RANGE_PIXEL_SPACING_M: &str = "range_pixel_spacing";
    /// Slant range of the first sample, m.
    pub const NEAR_RANGE_M: &str = "near_range_slc";
    /// Slant range of the middle sample, m.
    pub const CENTER_RANGE_M: &str = "center_range_slc";
    /// Distance of the satellite from the Earth's centre, m.
    pub const SAR_TO_EARTH_CENTER_M: &str = "sar_to_earth_center";
    /// Earth radius below the satellite, m.
    pub const EARTH_RADIUS_M: &str = "earth_radius_below_sensor";
    /// Pulse repetition frequency, Hz.
    pub const PULSE_REPETITION_HZ: &str = "prf";
    /// Baseline in track, cross-track and normal direction, m (`.base` file).
    pub const INITIAL_BASELINE_M: &str = "initial_baseline(TCN):";
    /// Its rate, m/s.
    pub const INITIAL_BASELINE_RATE_M_PER_S: &str = "initial_baseline_rate:";
}

/// A parameter file has a few kilobytes; a raster given by mistake is not swallowed.
const LONGEST_FILE: u64 = 1 << 20;

/// The text of one parameter file.
#[derive(Clone, Debug)]
pub struct GammaText {
    path: PathBuf,
    text: String,
}

impl GammaText {
    /// Reads `path`; bytes that are not UTF-8 (accents in titles) are replaced.
    ///
    /// # Errors
    /// [`crate::Error::Io`], or `parameter-file-size` above 1 MiB.
    pub fn read(path: &Path) -> Result<Self> {
        let action = "read a parameter file";
        let file = fs_err::File::open(path).while_doing(action)?;
        let mut bytes = Vec::new();
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).while_doing(action)?;
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(Diagnostic::new("parameter-file-size", "this is no parameter file")
                .path(path)
                .expected("a text file of at most 1 MiB")
                .found("a larger file")
                .remedy("check that the raster and its .par or .base were not exchanged")
                .data());
        }
        Ok(Self::from_text(path, String::from_utf8_lossy(&bytes)))
    }

    /// Takes `text` as the content of `path` (the path is only named in diagnostics).
    pub fn from_text(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The `count` finite numbers after `key`.
    ///
    /// # Errors
    /// `missing-key` or `unparsable-number`, naming the file and the key.
    pub fn numbers(&self, key: &str, count: usize) -> Result<Vec<f64>> {
        let mut values = self.values(key)?;
        (0..count)
            .map(|position| {
                let token = values.next().unwrap_or_default();
                let number = token.parse::<f64>().ok().filter(|number| number.is_finite());
                number.ok_or_else(|| {
                    let expected = match count {
                        1 => "one finite decimal number".to_owned(),
                        _ => format!("{count} finite decimal numbers"),
                    };
                    self.unparsable(key, &expected, position, token)
                })
            })
            .collect()
    }

    /// The finite number after `key`.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn number(&self, key: &str) -> Result<f64> {
        Ok(self.numbers(key, 1)?[0])
    }

    /// The finite number above zero after `key`.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn positive_number(&self, key: &str) -> Result<f64> {
        let number = self.number(key)?;
        if number > 0.0 {
            return Ok(number);
        }
        Err(self.unparsable(key, "a number above zero", 0, &number.to_string()))
    }

    /// The positive whole number after `key`, at most 2^31 - 1 as pixel numbers are stored.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn count(&self, key: &str) -> Result<usize> {
        let token = self.values(key)?.next().unwrap_or_default();
        token
            .parse::<i32>()
            .ok()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|&number| number > 0)
            .ok_or_else(|| self.unparsable(key, "a whole number from 1 to 2147483647", 0, token))
    }

    /// The word after `key`.
    ///
    /// # Errors
    /// `missing-key` when the key, or a word after it, is missing.
    pub fn text(&self, key: &str) -> Result<&str> {
        self.values(key)?.next().ok_or_else(|| self.missing(key, "the file ends after the key"))
    }

    fn values(&self, key: &str) -> Result<std::str::SplitWhitespace<'_>> {
        let mut tokens = self.text.split_whitespace();
        tokens
            .find(|token| token.starts_with(key))
            .ok_or_else(|| self.missing(key, "no such key in the file"))?;
        Ok(tokens)
    }

    fn missing(&self, key: &str, found: &str) -> crate::Error {
        Diagnostic::new("missing-key", format!("the value of `{key}` is missing"))
            .path(&self.path)
            .variable(key)
            .expected(format!("a line `{key}  value`"))
            .found(found)
            .remedy("export the scene again, or add the line from the product's metadata")
            .data()
    }

    fn unparsable(&self, key: &str, expected: &str, position: usize, token: &str) -> crate::Error {
        let found = match token {
            "" => "the end of the file".to_owned(),
            _ => format!("`{token}` as value {}", position + 1),
        };
        Diagnostic::new("unparsable-number", format!("the value of `{key}` cannot be used"))
            .path(&self.path)
            .variable(key)
            .expected(expected)
            .found(found)
            .remedy("correct the line by hand or export the scene again")
            .data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> GammaText {
        GammaText::from_text(
            "20210107.par",
            "Gamma Parameter File\n\nsensor:  S1A\nheading:  -167.0000 degrees\n\
             azimuth_lines:   260\nprf: 486.5Hz\nradar_frequency: 5.4050005e+09 Hz\n\
             earth_radius_below_sensor: nan m\nrange_samples: 0\n\
             initial_baseline(TCN):  0.0  -31.5  57.8  m m m\ninitial_baseline_rate: 0.0 1.0",
        )
    }

    #[test]
    fn values_follow_their_key_and_units_are_ignored() {
        let text = sample();
        assert_eq!(text.number(key::HEADING_DEG).unwrap(), -167.0);
        assert_eq!(text.number(key::RADAR_FREQUENCY_HZ).unwrap(), 5.405_000_5e9);
        assert_eq!(text.count(key::AZIMUTH_LINES).unwrap(), 260);
        assert_eq!(text.text(key::SENSOR).unwrap(), "S1A");
        assert_eq!(text.numbers(key::INITIAL_BASELINE_M, 3).unwrap(), [0.0, -31.5, 57.8]);
    }

    #[test]
    fn the_first_token_with_the_prefix_counts() {
        let text = GammaText::from_text("x", "heading_old: 1 heading: 2 heading: 3");
        assert_eq!(text.number("heading").unwrap(), 1.0);
        assert_eq!(text.number("heading:").unwrap(), 2.0);
    }

    #[test]
    fn problems_name_file_key_expected_and_found() {
        let text = sample();
        let problem = text.number(key::NEAR_RANGE_M).unwrap_err();
        assert_eq!(problem.name(), "missing-key");
        assert!(problem.to_string().contains("20210107.par"));
        assert!(problem.to_string().contains("near_range_slc"));
        for problem in [
            text.number(key::PULSE_REPETITION_HZ).unwrap_err(),
            text.number(key::EARTH_RADIUS_M).unwrap_err(),
            text.numbers(key::INITIAL_BASELINE_RATE_M_PER_S, 3).unwrap_err(),
            text.count(key::RANGE_SAMPLES).unwrap_err(),
            text.count(key::SENSOR).unwrap_err(),
            text.positive_number(key::HEADING_DEG).unwrap_err(),
        ] {
            assert_eq!(problem.name(), "unparsable-number", "{problem}");
        }
        let problem = text.number(key::PULSE_REPETITION_HZ).unwrap_err().to_string();
        assert!(problem.contains("486.5Hz"), "{problem}");
    }

    #[test]
    fn a_raster_is_not_a_parameter_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("20210107.rslc.par");
        fs_err::write(&path, b"x ".repeat(1 << 20)).unwrap();
        assert_eq!(GammaText::read(&path).unwrap_err().name(), "parameter-file-size");
        fs_err::write(&path, b"title: caf\xe9\nprf: 1.5").unwrap();
        assert_eq!(GammaText::read(&path).unwrap().number("prf").unwrap(), 1.5);
    }
}
