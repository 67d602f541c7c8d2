//! Defines what preparation reports when it is done.

use super::calibrate::NO_AMPLITUDE;
use super::candidates::PatchFiles;
use super::extract::BadPositions;
use super::parameters::SamplePrecision;
use super::plan::PrepPlan;
use super::request::Processor;
use crate::dates::Date;
use crate::project::layout::patch_folder;

/// What was prepared.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PrepSummary {
    /// The program that wrote the export.
    pub processor: Processor,
    /// Whether interferograms are small-baseline pairs.
    pub small_baselines: bool,
    /// Date of the master image.
    pub master: Date,
    /// Samples of a line.
    pub width: usize,
    /// Number of lines.
    pub length: usize,
    /// How image samples are stored.
    pub precision: SamplePrecision,
    /// Number of interferograms.
    pub interferograms: usize,
    /// The images in the order of `calamp.out`.
    pub images: Vec<ImageSummary>,
    /// The patches in the order of `patch.list`.
    pub patches: Vec<PatchSummary>,
    /// What a person should know although the work was done.
    pub warnings: Vec<String>,
    /// Bytes of the rasters worked off: images count twice, all others once, the mask never.
    pub bytes_read: u64,
}

/// One image.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ImageSummary {
    /// The image's path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// Its amplitude calibration constant.
    pub calibration_constant: f32,
}

/// One patch. A pixel in an overlap counts in each of its patches.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PatchSummary {
    /// Name of the patch folder.
    pub name: String,
    /// Pixels of the patch with its overlap.
    pub pixels: u64,
    /// Candidates selected.
    pub candidates: u64,
    /// Pixels that are stable but dark in some image, and so are no candidates.
    pub low_amplitude_rows: u64,
    /// Candidates with longitude and latitude 0.
    pub zero_positions: u64,
    /// Candidates with a longitude or latitude off the globe or not finite; stage 1 removes them.
    pub impossible_positions: u64,
}

impl PrepSummary {
    pub(crate) fn new(
        plan: &PrepPlan,
        constants: &[f32],
        files: &[PatchFiles],
        positions: &[BadPositions],
        bytes_read: u64,
    ) -> Self {
        let images: Vec<_> = plan
            .export
            .slcs
            .iter()
            .zip(constants)
            .map(|(path, &calibration_constant)| ImageSummary {
                path: path.to_string_lossy().into_owned(),
                calibration_constant,
            })
            .collect();
        let patches: Vec<_> = files
            .iter()
            .zip(positions)
            .enumerate()
            .map(|(index, (files, positions))| PatchSummary {
                name: patch_folder(index + 1),
                pixels: files.window.pixels(),
                candidates: files.accepted,
                low_amplitude_rows: files.low,
                zero_positions: positions.zero,
                impossible_positions: positions.impossible,
            })
            .collect();
        let mut warnings = plan.warnings.clone();
        let blank = images.iter().all(|image| image.calibration_constant == NO_AMPLITUDE);
        if blank && plan.mask.is_some() {
            warnings.push("the mask leaves no pixel with an amplitude: 0 uses a pixel".to_owned());
        } else {
            warnings.extend(images.iter().filter_map(image_warning));
        }
        warnings.extend(patches.iter().flat_map(patch_warnings));
        Self {
            processor: plan.processor,
            small_baselines: plan.export.small_baselines,
            master: plan.export.master,
            width: plan.width,
            length: plan.length,
            precision: plan.precision,
            interferograms: plan.export.interferograms.len(),
            images,
            patches,
            warnings,
            bytes_read,
        }
    }
}

fn image_warning(image: &ImageSummary) -> Option<String> {
    let constant = image.calibration_constant;
    if constant == NO_AMPLITUDE {
        let path = &image.path;
        return Some(format!("{path} holds no amplitudes: no pixel can become a candidate"));
    }
    (!constant.is_finite()).then(|| format!("{} holds infinite amplitudes", image.path))
}

fn patch_warnings(patch: &PatchSummary) -> Vec<String> {
    let mut warnings = Vec::new();
    if patch.candidates == 0 {
        warnings.push(format!("{} has no candidates", patch.name));
    }
    if patch.zero_positions > 0 {
        let count = patch.zero_positions;
        warnings.push(format!(
            "{}: {count} candidates at longitude and latitude 0; stage 1 removes them",
            patch.name
        ));
    }
    if patch.impossible_positions > 0 {
        let count = patch.impossible_positions;
        warnings.push(format!(
            "{}: {count} candidates without a position on Earth; stage 1 removes them",
            patch.name
        ));
    }
    warnings
}
