//! Checks that the dates of images and interferograms form one stack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::export::join_dates;
use crate::dates::{Date, DatePair, slc_date};
use crate::{Diagnostic, Result};

/// The dates of every interferogram.
///
/// # Errors
/// `interferogram-name`, or `null-interferogram` for an image with itself.
///
/// # StaMPS compatibility
/// With a master-master interferogram StaMPS writes arrays that disagree in size (stage1.md, B.2).
/// It holds no information, so it is refused.
pub(crate) fn pairs(interferograms: &[PathBuf]) -> Result<Vec<DatePair>> {
    let pair_of = |path: &PathBuf| {
        let pair = DatePair::from_interferogram(path)?;
        if pair.first == pair.second {
            return Err(Diagnostic::new("null-interferogram", "an image is paired with itself")
                .path(path)
                .expected("two different dates")
                .found(pair)
                .remedy("remove this .diff and its .base; the master needs no interferogram")
                .data());
        }
        Ok(pair)
    };
    interferograms.iter().map(pair_of).collect()
}

/// Single master: every interferogram begins with the master, slaves ascend, and images and
/// interferograms are of the same dates.
pub(crate) fn check_single_master(
    slcs: &[PathBuf],
    interferograms: &[PathBuf],
    pairs: &[DatePair],
    master: Date,
) -> Result<()> {
    for (path, pair) in interferograms.iter().zip(pairs) {
        if pair.first != master {
            return Err(master_disagrees(path, *pair, master));
        }
    }
    for (path, neighbours) in interferograms[1..].iter().zip(pairs.windows(2)) {
        if neighbours[1].second <= neighbours[0].second {
            return Err(not_ascending(path, neighbours[0], neighbours[1]));
        }
    }
    let images = distinct_image_dates(slcs)?;
    let mut acquisitions: BTreeSet<Date> = pairs.iter().map(|pair| pair.second).collect();
    acquisitions.insert(master);
    let mut problems = Vec::new();
    for (dates, text) in [
        (acquisitions.difference(&images), "no image (*.*slc)"),
        (images.difference(&acquisitions), "no interferogram"),
    ] {
        let dates = join_dates(dates.copied());
        if !dates.is_empty() {
            problems.push(format!("{text} of {dates}"));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let folder = interferograms[0].parent().and_then(Path::parent).unwrap_or(Path::new(""));
    Err(Diagnostic::new("date-lists", "images and interferograms are not of the same dates")
        .path(folder)
        .expected("one image of the master and of every interferogram's second date")
        .found(problems.join("; "))
        .remedy("add the missing files, or remove image and interferogram of that date together")
        .data())
}

/// Small baselines: in each folder two images and one interferogram of the same two dates.
pub(crate) fn check_small_baselines(
    slcs: &[PathBuf],
    interferograms: &[PathBuf],
    pairs: &[DatePair],
    master: Date,
) -> Result<()> {
    let mut folders: BTreeMap<&Path, (Vec<Date>, Vec<DatePair>)> = BTreeMap::new();
    for path in slcs {
        let entry = folders.entry(path.parent().unwrap_or(path)).or_default();
        entry.0.push(slc_date(path)?);
    }
    for (path, pair) in interferograms.iter().zip(pairs) {
        folders.entry(path.parent().unwrap_or(path)).or_default().1.push(*pair);
    }
    let mut seen = BTreeMap::new();
    for (folder, (images, pairs)) in folders {
        let [pair] = pairs[..] else {
            return Err(wrong_pair_folder(folder, &images, &pairs));
        };
        let mut dates = [pair.first, pair.second];
        dates.sort_unstable();
        if images != dates {
            return Err(wrong_pair_folder(folder, &images, &pairs));
        }
        if let Some(other) = seen.insert(dates, folder) {
            return Err(Diagnostic::new("duplicate-date", "a pair of dates occurs twice")
                .path(folder)
                .expected("every pair of dates once")
                .found(format!("{pair} also in {}", other.display()))
                .remedy("remove one of the two folders")
                .data());
        }
    }
    if !seen.keys().flatten().any(|&date| date == master) {
        let dates: BTreeSet<Date> = seen.into_keys().flatten().collect();
        return Err(Diagnostic::new("master-missing", "the master belongs to no pair")
            .expected(format!("an interferogram with {master}"))
            .found(format!("interferograms of {}", join_dates(dates)))
            .remedy("choose one of these dates with --master")
            .data());
    }
    Ok(())
}

fn distinct_image_dates(slcs: &[PathBuf]) -> Result<BTreeSet<Date>> {
    let mut images = BTreeMap::new();
    for path in slcs {
        if let Some(other) = images.insert(slc_date(path)?, path) {
            return Err(Diagnostic::new("duplicate-date", "two images have the same date")
                .path(path)
                .expected("one image (*slc/YYYYMMDD.*slc) for each date")
                .found(format!("also {}", other.display()))
                .remedy("keep one *slc folder, with one file for each date, in the export")
                .data());
        }
    }
    Ok(images.into_keys().collect())
}

fn master_disagrees(path: &Path, pair: DatePair, master: Date) -> crate::Error {
    Diagnostic::new("master-disagrees", "an interferogram has another master")
        .path(path)
        .expected(format!("{master}_{}.diff", pair.second))
        .found(format!("master {}", pair.first))
        .remedy(format!("prepare with --master {}, or export with master {master}", pair.first))
        .data()
}

fn not_ascending(path: &Path, before: DatePair, pair: DatePair) -> crate::Error {
    let (name, problem) = if before.second == pair.second {
        ("duplicate-date", "two interferograms have the same dates")
    } else {
        ("date-order", "the interferograms' names do not sort by date")
    };
    Diagnostic::new(name, problem)
        .path(path)
        .expected(format!("a second date after {}", before.second))
        .found(pair.second)
        .remedy("name all interferograms MMMMMMMM_SSSSSSSS.diff, one for each slave")
        .data()
}

fn wrong_pair_folder(folder: &Path, images: &[Date], pairs: &[DatePair]) -> crate::Error {
    let pairs: Vec<_> = pairs.iter().map(DatePair::to_string).collect();
    let list = |text: String| {
        if text.is_empty() { "none".to_owned() } else { text }
    };
    Diagnostic::new("date-lists", "a pair folder is not complete")
        .path(folder)
        .expected("two images (*.*slc), oldest first by name, and the one .diff of their dates")
        .found(format!(
            "images: {}; interferograms: {}",
            list(join_dates(images.iter().copied())),
            list(pairs.join(", "))
        ))
        .remedy("complete the folder or remove it")
        .data()
}
