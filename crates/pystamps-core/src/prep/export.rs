//! Finds the files of an export (prep.md, sections 1 and 3).
//!
//! ```text
//! single master                              small baselines
//!   *slc/YYYYMMDD.*slc  (+ .par)               SMALL_BASELINES/M_S/: two *.*slc (+ .par),
//!   diff0/MMMMMMMM_SSSSSSSS.diff (+ .base)                           one .diff (+ .base)
//!   geo/*.lon  geo/*.lat  geo/*dem.rdc         geo/ as on the left
//! ```

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::acquisitions;
use super::listing::{is_slc, matching, matching_in};
use super::request::{PrepRequest, Processor};
use crate::dates::{Date, DatePair, slc_date};
use crate::error::IoContext;
use crate::{Diagnostic, Result};

/// Folder whose presence makes an export a small-baseline one.
const SMALL_BASELINES: &str = "SMALL_BASELINES";

/// The files of an export, in the order StaMPS lists them, with dates that agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The export folder, absolute; links are kept.
    pub root: PathBuf,
    /// Whether interferograms are small-baseline pairs instead of having one master.
    pub small_baselines: bool,
    /// Date of the master image.
    pub master: Date,
    /// The master's parameter file.
    pub master_par: PathBuf,
    /// Single-look complex images; small baselines: two after another for each interferogram.
    pub slcs: Vec<PathBuf>,
    /// Interferograms; their order is that of every later file.
    pub interferograms: Vec<PathBuf>,
    /// Longitude raster.
    pub longitude: PathBuf,
    /// Latitude raster.
    pub latitude: PathBuf,
    /// Height rasters; only the first is read.
    pub heights: Vec<PathBuf>,
}

impl Export {
    /// Lists the export that `request` names and checks its dates; opens no file.
    ///
    /// # Errors
    /// `export-missing`, `not-an-export`, `missing-geo`, `master-missing`, `master-ambiguous`,
    /// and those of the date checks.
    pub(crate) fn discover(request: &PrepRequest) -> Result<Self> {
        let root = absolute(&request.export).while_doing("find the export")?;
        if !root.is_dir() {
            return Err(Diagnostic::new("export-missing", "the export folder does not exist")
                .path(&root)
                .expected("a folder")
                .found("nothing, or a file")
                .remedy("check the path given with --export")
                .data());
        }
        let small_baselines = root.join(SMALL_BASELINES).is_dir();
        let folders = image_folders(&root, small_baselines)?;
        let slcs = matching_in(&folders, is_slc)?;
        let interferogram_folders =
            if small_baselines { folders.clone() } else { vec![root.join("diff0")] };
        let interferograms = matching_in(&interferogram_folders, |name| name.ends_with(b".diff"))?;
        if slcs.is_empty() || interferograms.is_empty() {
            return Err(not_an_export(&root, small_baselines, &slcs, &interferograms));
        }
        let pairs = acquisitions::pairs(&interferograms)?;
        let geo = root.join("geo");
        let (longitude, latitude, heights) = geometry(&geo, request.processor)?;
        let master = match request.master {
            Some(master) => master,
            None if small_baselines => master_of_geometry(&geo)?,
            None => master_of_interferograms(&root, &pairs)?,
        };
        let master_par = master_parameters(&folders, master, small_baselines)?;
        if small_baselines {
            acquisitions::check_small_baselines(&slcs, &interferograms, &pairs, master)?;
        } else {
            acquisitions::check_single_master(&slcs, &interferograms, &pairs, master)?;
        }
        let export = Self {
            root,
            small_baselines,
            master,
            master_par,
            slcs,
            interferograms,
            longitude,
            latitude,
            heights,
        };
        export.paths().try_for_each(refuse_newline)?;
        Ok(export)
    }

    /// Every path that control files hold.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let single = [&self.master_par, &self.longitude, &self.latitude];
        let lists = [&self.slcs, &self.interferograms, &self.heights];
        single.into_iter().chain(lists.into_iter().flatten()).map(PathBuf::as_path)
    }
}

/// `path` made absolute with its links kept; `..` has to be resolved through them.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    let climbs = path.components().any(|part| part == std::path::Component::ParentDir);
    if climbs && path.exists() { fs_err::canonicalize(path) } else { std::path::absolute(path) }
}

/// The folders that hold images: `*slc/`, or every folder below `SMALL_BASELINES/`.
fn image_folders(root: &Path, small_baselines: bool) -> Result<Vec<PathBuf>> {
    if small_baselines {
        matching(&root.join(SMALL_BASELINES), |_| true)
    } else {
        matching(root, |name| name.ends_with(b"slc"))
    }
}

fn not_an_export(
    root: &Path,
    small_baselines: bool,
    slcs: &[PathBuf],
    interferograms: &[PathBuf],
) -> crate::Error {
    let layout = if small_baselines {
        "SMALL_BASELINES/M_S/ with two YYYYMMDD.rslc (+ .par), one M_S.diff and one M_S.base each, \
         and geo/*.lon, geo/*.lat, geo/*dem.rdc"
    } else {
        "rslc/YYYYMMDD.rslc (+ .par), diff0/MMMMMMMM_SSSSSSSS.diff (+ .base), geo/*.lon, \
         geo/*.lat, geo/*dem.rdc; or SMALL_BASELINES/ instead of rslc/ and diff0/"
    };
    let found = (slcs.len(), interferograms.len());
    Diagnostic::new("not-an-export", "the folder is not a StaMPS export")
        .path(root)
        .expected(layout)
        .found(format!("{} images (*.*slc) and {} interferograms (*.diff)", found.0, found.1))
        .remedy("give the folder that SNAP's `StaMPS Export` or the GAMMA script wrote")
        .data()
}

/// Longitude, latitude and height rasters.
///
/// # StaMPS compatibility
/// For GAMMA without `geo/*.lon` StaMPS calls GAMMA's own `pt2geo` (prep.md, section 7), and
/// without a height raster it writes zeros; both are refused here.
fn geometry(geo: &Path, processor: Processor) -> Result<(PathBuf, PathBuf, Vec<PathBuf>)> {
    let find = |ending: &str, what: &str| {
        let paths = matching(geo, |name| name.ends_with(ending.as_bytes()))?;
        if paths.is_empty() {
            let remedy = match processor {
                Processor::Snap => "export the scene again with its geometry bands",
                Processor::Gamma => {
                    "geocode in radar geometry (float32, big-endian) and put the raster there; \
                     pystamps does not call GAMMA's pt2geo"
                }
            };
            return Err(Diagnostic::new("missing-geo", format!("the {what} raster is missing"))
                .path(geo)
                .expected(format!("geo/*{ending}"))
                .found("no such file")
                .remedy(remedy)
                .data());
        }
        Ok(paths)
    };
    let longitude = find(".lon", "longitude")?.swap_remove(0);
    let latitude = find(".lat", "latitude")?.swap_remove(0);
    Ok((longitude, latitude, find("dem.rdc", "height")?))
}

/// The date all interferograms begin with.
fn master_of_interferograms(root: &Path, pairs: &[DatePair]) -> Result<Date> {
    let masters: BTreeSet<Date> = pairs.iter().map(|pair| pair.first).collect();
    match *masters.iter().collect::<Vec<_>>() {
        [&master] => Ok(master),
        _ => Err(Diagnostic::new("master-ambiguous", "the interferograms have several masters")
            .path(root.join("diff0"))
            .expected("one date at the beginning of all interferogram names")
            .found(join_dates(masters))
            .remedy("export one single-master stack, or put the pairs below SMALL_BASELINES/")
            .data()),
    }
}

/// Small-baseline pairs have no common date; the geometry rasters are named after the master.
fn master_of_geometry(geo: &Path) -> Result<Date> {
    let names = matching(geo, |name| name.ends_with(b".lon"))?;
    let dates: BTreeSet<Date> = names
        .iter()
        .filter_map(|path| path.file_stem().and_then(OsStr::to_str)?.parse().ok())
        .collect();
    match *dates.iter().collect::<Vec<_>>() {
        [&master] => Ok(master),
        _ => Err(Diagnostic::new("master-ambiguous", "the master date is not known")
            .path(geo)
            .expected("exactly one geo/YYYYMMDD.lon, named after the master")
            .found(if dates.is_empty() { "none".to_owned() } else { join_dates(dates) })
            .remedy("give the master with --master YYYYMMDD")
            .usage()),
    }
}

/// The master's `.par`: the only one, or with small baselines the last, as StaMPS takes it.
fn master_parameters(folders: &[PathBuf], master: Date, small_baselines: bool) -> Result<PathBuf> {
    let all = matching_in(folders, |name| name.strip_suffix(b".par").is_some_and(is_slc))?;
    let start = format!("{master}.");
    let is_master = |path: &&PathBuf| {
        path.file_name().is_some_and(|n| n.as_bytes().starts_with(start.as_bytes()))
    };
    let candidates: Vec<&PathBuf> = all.iter().filter(is_master).collect();
    match candidates[..] {
        [.., last] if small_baselines => Ok(last.clone()),
        [only] => Ok(only.clone()),
        [] => {
            let dates: BTreeSet<Date> = all.iter().filter_map(|path| slc_date(path).ok()).collect();
            Err(Diagnostic::new("master-missing", "the master has no parameter file")
                .path(folders.first().map_or(Path::new(""), PathBuf::as_path))
                .expected(format!("{master}.rslc.par beside the images"))
                .found(match dates.len() {
                    0 => "no .par file at all".to_owned(),
                    _ => format!("parameter files of {}", join_dates(dates)),
                })
                .remedy(format!(
                    "restore {master}.rslc.par; if {master} is not the master, see --master"
                ))
                .data())
        }
        _ => Err(Diagnostic::new("master-ambiguous", "the master has several parameter files")
            .path(candidates[0])
            .expected(format!("one {master}.*slc.par"))
            .found(format!("{} of them", candidates.len()))
            .remedy("keep one *slc folder, with one file for each date, in the export")
            .data()),
    }
}

/// Dates in a list for people.
pub(crate) fn join_dates(dates: impl IntoIterator<Item = Date>) -> String {
    dates.into_iter().map(|date| date.to_string()).collect::<Vec<_>>().join(", ")
}

/// Control files hold one path a line.
fn refuse_newline(path: &Path) -> Result<()> {
    if path.as_os_str().as_bytes().contains(&b'\n') {
        return Err(Diagnostic::new("path-newline", "a path holds a line break")
            .path(path)
            .expected("a path that fits on one line of a control file")
            .found("a line break")
            .remedy("rename the folder or file")
            .data());
    }
    Ok(())
}
