//! Defines which images and interferograms a project has, from the names in `pscphase.in`.

use std::path::{Path, PathBuf};

use crate::dates::{Date, DatePair};
use crate::error::{Diagnostic, Error, IoContext, Result};

/// One interferogram as preparation listed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interferogram {
    /// Path of the raster, as written in `pscphase.in`.
    pub(super) path: PathBuf,
    /// Its two dates.
    pub(crate) dates: DatePair,
    /// Its place in `pscands.1.ph`, counted from 0.
    pub(super) column: usize,
}

impl Interferogram {
    /// The baseline file beside the raster: `.diff` replaced by `.base`.
    pub(super) fn baseline_path(&self) -> PathBuf {
        self.path.with_extension("base")
    }
}

/// Images and interferograms of a project, in the order of its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acquisitions {
    /// Date of the master image.
    pub(super) master: Date,
    /// Interferograms with data, in file order.
    pub(super) interferograms: Vec<Interferogram>,
    /// All images, the master among them, in time.
    pub(super) images: Vec<Date>,
    /// Interferograms in `pscands.1.ph`, a null one included.
    pub(super) stored_columns: usize,
}

impl Acquisitions {
    /// Place of the master among the images, counted from 0.
    pub(super) fn master_index(&self) -> usize {
        self.images.iter().filter(|&&day| day < self.master).count()
    }
}

impl std::fmt::Display for Acquisitions {
    /// Master and pairs, which decide the result besides the content of files.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.master)?;
        self.interferograms.iter().try_for_each(|i| write!(out, " {}", i.dates))
    }
}

/// Reads the interferogram list of the project at `root`.
pub(super) fn read_interferograms(root: &Path) -> Result<Vec<Interferogram>> {
    let list = root.join(crate::project::layout::root::PSCPHASE_IN);
    let text = fs_err::read_to_string(&list).while_doing("read the list of interferograms")?;
    parse_interferograms(&text, &list)
}

/// The interferograms of the text of `pscphase.in`, at least one.
///
/// # Errors
/// `interferogram-name`, `no-interferograms`; `list` is only named in them.
pub(crate) fn parse_interferograms(text: &str, list: &Path) -> Result<Vec<Interferogram>> {
    // Line 1 is the raster width. One path a line, so that blanks in paths are no separators.
    let paths = text.lines().skip(1).map(str::trim_end).filter(|line| !line.is_empty());
    let interferograms: Vec<Interferogram> = paths
        .enumerate()
        .map(|(column, path)| {
            let path = PathBuf::from(path);
            let dates = DatePair::from_interferogram(&path).map_err(|error| error.found_in(list));
            Ok(Interferogram { dates: dates?, path, column })
        })
        .collect::<Result<_>>()?;
    if interferograms.is_empty() {
        return Err(Diagnostic::new("no-interferograms", "the project lists no interferogram")
            .path(list)
            .expected("the raster width, then one .diff path a line")
            .found(format!("{} lines", text.lines().count()))
            .remedy("prepare the project again")
            .data());
    }
    Ok(interferograms)
}

/// Orders a single-master stack: every interferogram shares its first date.
///
/// # StaMPS compatibility
/// Stage1.md B.1 and B.2. A master later than every slave is appended (the original errors). A null
/// master-master interferogram is dropped from the stack and the master inserted as ever: the
/// "intent" reading of the specification; the original then writes arrays of inconsistent size.
/// Names out of order are refused, where the original computes with wrongly dated columns.
pub(crate) fn single_master(
    mut interferograms: Vec<Interferogram>,
    list: &Path,
) -> Result<Acquisitions> {
    let master = interferograms[0].dates.first;
    let stored_columns = interferograms.len();
    if let Some(other) = interferograms.iter().find(|i| i.dates.first != master) {
        return Err(disagreement(
            "master-disagrees",
            list,
            format!("every interferogram begins with {master}, as the first one does"),
            other,
            "prepare single-master and small-baseline stacks separately",
        ));
    }
    interferograms.retain(|interferogram| interferogram.dates.second != master);
    let slaves: Vec<Date> = interferograms.iter().map(|i| i.dates.second).collect();
    if let Some(at) = slaves.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(disagreement(
            "dates-not-chronological",
            list,
            format!("a date after {}", slaves[at]),
            &interferograms[at + 1],
            "sort the interferograms by date without duplicates and prepare again",
        ));
    }
    let mut images = slaves;
    let position = images.iter().filter(|&&day| day < master).count();
    images.insert(position, master);
    Ok(Acquisitions { master, interferograms, images, stored_columns })
}

/// Orders a small-baseline stack: any pairs, the master given by the parameter file's name.
///
/// # StaMPS compatibility
/// Stage1.md C: the images are the sorted unique dates of all pairs; file order is kept.
pub(crate) fn small_baselines(
    interferograms: Vec<Interferogram>,
    master: Date,
    list: &Path,
) -> Result<Acquisitions> {
    let mut images: Vec<Date> =
        interferograms.iter().flat_map(|i| [i.dates.first, i.dates.second]).collect();
    images.sort();
    images.dedup();
    if let Some(null) = interferograms.iter().find(|i| i.dates.first == i.dates.second) {
        let expected = "two different dates".to_owned();
        let remedy = "remove the interferogram and prepare again";
        return Err(disagreement("null-interferogram", list, expected, null, remedy));
    }
    if !images.contains(&master) {
        return Err(Diagnostic::new("master-absent", "no interferogram contains the master image")
            .path(list)
            .expected(format!("pairs with {master}"))
            .found(format!("{} other dates", images.len()))
            .remedy("prepare again with --master set to one of the dates of the pairs")
            .data());
    }
    let stored_columns = interferograms.len();
    Ok(Acquisitions { master, interferograms, images, stored_columns })
}

fn disagreement(
    name: &'static str,
    list: &Path,
    expected: String,
    culprit: &Interferogram,
    remedy: &str,
) -> Error {
    Diagnostic::new(name, "the dates of the interferograms do not fit together")
        .path(list)
        .expected(expected)
        .found(culprit.path.display())
        .remedy(remedy)
        .data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(names: &[&str]) -> Vec<Interferogram> {
        names
            .iter()
            .enumerate()
            .map(|(column, name)| {
                let path = PathBuf::from(format!("/export/diff0/{name}.diff"));
                Interferogram { dates: DatePair::from_interferogram(&path).unwrap(), path, column }
            })
            .collect()
    }

    fn days(acquisitions: &Acquisitions) -> Vec<String> {
        acquisitions.images.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_master_is_inserted_in_time() {
        let list = Path::new("pscphase.in");
        let middle =
            single_master(stack(&["20210201_20210101", "20210201_20210301"]), list).unwrap();
        assert_eq!(middle.master_index(), 1);
        assert_eq!(days(&middle), ["20210101", "20210201", "20210301"]);
        let last = single_master(stack(&["20210401_20210101", "20210401_20210301"]), list).unwrap();
        assert_eq!(last.master_index(), 2);
        assert_eq!(days(&last)[2], "20210401");
    }

    #[test]
    fn a_null_interferogram_is_left_out() {
        let names = ["20210201_20210101", "20210201_20210201", "20210201_20210301"];
        let acquisitions = single_master(stack(&names), Path::new("pscphase.in")).unwrap();
        let columns: Vec<usize> = acquisitions.interferograms.iter().map(|i| i.column).collect();
        assert_eq!((columns, acquisitions.stored_columns), (vec![0, 2], 3));
        assert_eq!(acquisitions.images.len(), 3);
    }

    #[test]
    fn disorder_is_refused() {
        for (names, expected) in [
            (["20210201_20210301", "20210201_20210101"], "dates-not-chronological"),
            (["20210201_20210301", "20210201_20210301"], "dates-not-chronological"),
            (["20210201_20210301", "20210101_20210401"], "master-disagrees"),
        ] {
            let error = single_master(stack(&names), Path::new("pscphase.in")).unwrap_err();
            assert_eq!(error.name(), expected);
        }
    }

    #[test]
    fn small_baseline_images_are_unique() {
        let names = ["20210101_20210201", "20210101_20210301", "20210201_20210301"];
        let list = Path::new("pscphase.in");
        let day = |text: &str| text.parse::<Date>().unwrap();
        let acquisitions = small_baselines(stack(&names), day("20210201"), list).unwrap();
        assert_eq!((acquisitions.images.len(), acquisitions.master_index()), (3, 1));
        let error = small_baselines(stack(&names), day("20220101"), list).unwrap_err();
        assert_eq!(error.name(), "master-absent");
    }
}
