//! Reads what stage 1 needs: the patch's candidate files and the project's geometry.

use std::path::{Path, PathBuf};

use pystamps_kernels::imaging_geometry::{Baseline, OrbitSphere};

use super::acquisitions::{
    Acquisitions, Interferogram, read_interferograms, single_master, small_baselines,
};
use super::candidates::Candidates;
use crate::error::{Diagnostic, IoContext, Result};
use crate::gamma_text::{GammaText, key};
use crate::project::layout::{patch, root};
use crate::project::parameters::Parameters;
use crate::project::stack::Network;
use crate::stage_definition::{InputFile, Need};

/// Imaging geometry of the master, from its parameter file.
#[derive(Clone, Debug)]
pub(super) struct MasterGeometry {
    /// The file it was read from.
    pub(super) path: PathBuf,
    pub(super) sphere: OrbitSphere,
    pub(super) near_range_m: f64,
    pub(super) center_range_m: f64,
    pub(super) range_pixel_spacing_m: f64,
    pub(super) azimuth_lines: usize,
    pub(super) range_samples: usize,
    pub(super) pulse_repetition_hz: f64,
    pub(super) heading_deg: f64,
    pub(super) radar_frequency_hz: f64,
    pub(super) sensor: String,
}

impl MasterGeometry {
    /// Slant range of a range sample counted from 0, m.
    pub(super) fn slant_range_m(&self, range_sample: u32) -> f64 {
        self.near_range_m + f64::from(range_sample) * self.range_pixel_spacing_m
    }
}

/// Everything stage 1 reads, but for the phase, which is streamed.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) network: Network,
    pub(super) acquisitions: Acquisitions,
    pub(super) geometry: MasterGeometry,
    /// One for every interferogram.
    pub(super) baselines: Vec<Baseline>,
    pub(super) candidates: Candidates,
}

/// Files of the project that stage 1 of the patch `folder` reads outside it.
#[derive(Debug)]
pub(super) struct ProjectFiles {
    pub(super) network: Network,
    pub(super) acquisitions: Acquisitions,
    pub(super) master_parameters: PathBuf,
}

/// Checks that `folder` is a patch of a prepared project, before anything is made in it.
pub(super) fn check_is_patch(folder: &Path) -> Result<()> {
    Parameters::load(folder)?;
    // Another program's patch may have been relieved of its candidates once they were loaded.
    if folder.join(patch::CANDIDATES_IJ).exists() || folder.join("ps1.mat").exists() {
        return Ok(());
    }
    let found = if folder.join(root::PSCPHASE_IN).exists() {
        "a whole project: use --dataset"
    } else if folder.is_dir() {
        "no such file there"
    } else {
        "no such folder"
    };
    Err(Diagnostic::new("not-a-patch", "stage 1 needs a prepared patch")
        .path(folder)
        .expected(format!("a PATCH_k folder with {}", patch::CANDIDATES_IJ))
        .found(found)
        .remedy("name a folder from patch.list, or use --dataset for all of them")
        .data())
}

/// Reads lists and names (nothing large) and checks that this loader is the right one.
pub(super) fn read_project_files(folder: &Path, parameters: &Parameters) -> Result<ProjectFiles> {
    let processor = parameters.text("insar_processor")?;
    if !["gamma", "snap"].iter().any(|known| processor.eq_ignore_ascii_case(known)) {
        return Err(Diagnostic::new(
            "processor-unsupported",
            format!("stage 1 cannot load data of the processor '{processor}'"),
        )
        .path(parameters.home().join("parms.mat"))
        .variable("insar_processor")
        .expected("snap or gamma")
        .found(processor)
        .remedy("export the stack from SNAP or GAMMA, or load it with original StaMPS and go on from stage 2")
        .data());
    }
    // One level above the patch lies the project root.
    let folder = std::path::absolute(folder).while_doing("find the project folder")?;
    let root_folder = folder.parent().unwrap_or(&folder);
    let list = root_folder.join(root::PSCPHASE_IN);
    let rsc = root_folder.join(root::RSC_TXT);
    let text = fs_err::read_to_string(&rsc).while_doing("find the master's parameter file")?;
    let master_parameters = PathBuf::from(text.trim());
    if !master_parameters.is_file() {
        return Err(Diagnostic::new(
            "master-parameters-missing",
            "the export has moved or is gone",
        )
        .path(&rsc)
        .expected("the path of the master's .par file")
        .found(master_parameters.display())
        .remedy(
            "put the export back, correct the paths in rsc.txt and pscphase.in, or prepare again",
        )
        .data());
    }
    let interferograms = read_interferograms(root_folder)?;
    let small_baseline = parameters.flag("small_baseline_flag")?;
    check_network(root_folder, small_baseline)?;
    let (network, acquisitions) = if small_baseline {
        let master = crate::dates::slc_date(&master_parameters)?;
        (Network::SmallBaselines, small_baselines(interferograms, master, &list)?)
    } else {
        (Network::SingleMaster, single_master(interferograms, &list)?)
    };
    Ok(ProjectFiles { network, acquisitions, master_parameters })
}

/// Checks that the parameter tells the kind of stack that was prepared.
fn check_network(root_folder: &Path, small_baseline: bool) -> Result<()> {
    let (wanted, other) = if small_baseline {
        (root::SELSBC_IN, root::SELPSC_IN)
    } else {
        (root::SELPSC_IN, root::SELSBC_IN)
    };
    if root_folder.join(wanted).exists() || !root_folder.join(other).exists() {
        return Ok(());
    }
    Err(Diagnostic::new("network-disagrees", "the project was prepared as the other kind of stack")
        .path(root_folder)
        .variable("small_baseline_flag")
        .expected(wanted)
        .found(other)
        .remedy("restore small_baseline_flag in parms.mat, or prepare the project again")
        .data())
}

impl ProjectFiles {
    /// Every file that stage 1 of the patch `folder` reads.
    pub(super) fn inputs(&self, folder: &Path) -> Vec<InputFile> {
        let candidates = [
            (patch::CANDIDATES_IJ, Need::OfPreparation),
            (patch::CANDIDATES_LL, Need::OfPreparation),
            (patch::CANDIDATES_PH, Need::OfPreparation),
            (patch::CANDIDATES_DA, Need::Optional),
            (patch::CANDIDATES_HGT, Need::Optional),
        ];
        let interferograms = &self.acquisitions.interferograms;
        let outside = std::iter::once(self.master_parameters.clone())
            .chain(interferograms.iter().map(Interferogram::baseline_path));
        candidates
            .into_iter()
            .map(|(name, need)| InputFile::new(folder.join(name), need))
            .chain(outside.map(|path| InputFile::new(path, Need::OfPreparation)))
            .collect()
    }

    /// Reads geometry, baselines and candidates.
    pub(super) fn load(self, folder: &Path) -> Result<Inputs> {
        let geometry = read_geometry(&self.master_parameters)?;
        let baselines = self
            .acquisitions
            .interferograms
            .iter()
            .map(|interferogram| read_baseline(&interferogram.baseline_path()))
            .collect::<Result<_>>()?;
        let candidates = Candidates::read(folder, &self.acquisitions, &geometry)?;
        Ok(Inputs {
            network: self.network,
            acquisitions: self.acquisitions,
            geometry,
            baselines,
            candidates,
        })
    }
}

fn read_geometry(path: &Path) -> Result<MasterGeometry> {
    let text = GammaText::read(path)?;
    Ok(MasterGeometry {
        path: path.to_path_buf(),
        sphere: OrbitSphere {
            satellite_radius_m: text.positive_number(key::SAR_TO_EARTH_CENTER_M)?,
            earth_radius_m: text.positive_number(key::EARTH_RADIUS_M)?,
        },
        near_range_m: text.positive_number(key::NEAR_RANGE_M)?,
        center_range_m: text.positive_number(key::CENTER_RANGE_M)?,
        range_pixel_spacing_m: text.positive_number(key::RANGE_PIXEL_SPACING_M)?,
        azimuth_lines: text.count(key::AZIMUTH_LINES)?,
        range_samples: text.count(key::RANGE_SAMPLES)?,
        pulse_repetition_hz: text.positive_number(key::PULSE_REPETITION_HZ)?,
        heading_deg: text.number(key::HEADING_DEG)?,
        radar_frequency_hz: text.positive_number(key::RADAR_FREQUENCY_HZ)?,
        sensor: text.text(key::SENSOR)?.to_owned(),
    })
}

fn read_baseline(path: &Path) -> Result<Baseline> {
    let text = GammaText::read(path)?;
    let baseline_m = text.numbers(key::INITIAL_BASELINE_M, 3)?;
    let rate_m_s = text.numbers(key::INITIAL_BASELINE_RATE_M_PER_S, 3)?;
    Ok(Baseline {
        cross_track_m: baseline_m[1],
        normal_m: baseline_m[2],
        cross_track_rate_m_s: rate_m_s[1],
        normal_rate_m_s: rate_m_s[2],
    })
}
