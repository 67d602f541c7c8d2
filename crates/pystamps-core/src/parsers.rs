//! Every parser of text and binary files that come from outside, as a function of bytes: for fuzz
//! targets and tests of damaged input, not for programs.
//!
//! Each says whether the input was taken, so that a test can tell a parser that reads from one that
//! refuses everything. MATLAB files are `pystamps_mat`'s, `.par` and `.base` [`crate::gamma_text`]'s.

use std::path::{Path, PathBuf};

use crate::cli::arguments::{parse_assignment, parse_size};
use crate::dates::{Date, DatePair, slc_date};
use crate::native_stage1::{acquisitions, candidates};
use crate::native_stage4::network::parse_edges;
use crate::native_stage5::merge_inputs::parse_window;
use crate::native_stage6::{certificates::SolverLog, checkpoint};
use crate::plan::sizes::extent_of;
use crate::prep::{self, AmplitudeDispersion};
use crate::products::Definition;
use crate::project::checksums::parse_memory;
use crate::project::commit::Journal;
use crate::project::ledger::Ledger;
use crate::project::lock::parse_holder;
use crate::project::parameters::parse_value;
use crate::project::stack::Network;

/// Named in diagnostics.
const INPUT: &str = "input";

/// `pscands.1.ij` of a raster of a thousand lines and samples.
pub fn candidate_pixels(bytes: &[u8]) -> bool {
    text(bytes)
        .is_some_and(|text| candidates::parse_pixels(text, [1000, 1000], Path::new(INPUT)).is_ok())
}

/// `pscands.1.da` of as many candidates as there are words.
pub fn amplitude_dispersion(bytes: &[u8]) -> bool {
    text(bytes).is_some_and(|text| {
        let count = text.split_ascii_whitespace().count();
        candidates::parse_dispersion(text, count, Path::new(INPUT)).is_ok()
    })
}

/// `pscands.1.ll`, as `plan` looks at it.
pub fn candidate_positions(bytes: &[u8]) -> bool {
    extent_of(bytes, 190.0)[0] > 0.0
}

/// `pscphase.in`, as a stack of either kind.
pub fn interferogram_list(bytes: &[u8]) -> bool {
    let list = Path::new(INPUT);
    let parsed = text(bytes).map(|text| acquisitions::parse_interferograms(text, list));
    let Some(Ok(listed)) = parsed else { return false };
    let master = listed[0].dates.first;
    let pairs = acquisitions::small_baselines(listed.clone(), master, list).is_ok();
    acquisitions::single_master(listed, list).is_ok() || pairs
}

/// Names of the files of an export, one a line: images and interferograms of either kind of stack.
pub fn export_names(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let (images, others): (Vec<PathBuf>, Vec<PathBuf>) =
        text.lines().map(PathBuf::from).partition(|path| slc_date(path).is_ok());
    let Ok(pairs) = prep::acquisitions::pairs(&others) else { return false };
    let Some(master) = pairs.first().map(|pair: &DatePair| pair.first) else { return false };
    let single = prep::acquisitions::check_single_master(&images, &others, &pairs, master).is_ok();
    prep::acquisitions::check_small_baselines(&images, &others, &pairs, master).is_ok() || single
}

/// An edge file of Triangle for a thousand points.
pub fn edge_file(bytes: &[u8]) -> bool {
    text(bytes).is_some_and(|text| parse_edges(text, 1000, Path::new(INPUT)).is_ok())
}

/// `patch_noover.in`.
pub fn patch_window(bytes: &[u8]) -> bool {
    text(bytes).is_some_and(|text| parse_window(text, Path::new(INPUT)).is_ok())
}

/// `uw_solver.json`.
pub fn solver_log(bytes: &[u8]) -> bool {
    SolverLog::parse(bytes, Path::new(INPUT)).is_ok()
}

/// What a checkpoint of stage 6 holds between key and checksum.
pub fn unwrapping_proof(bytes: &[u8]) -> bool {
    checkpoint::decode(bytes).is_some()
}

/// `.pystamps/ledger.json`.
pub fn ledger(bytes: &[u8]) -> bool {
    Ledger::parse(bytes, Path::new(INPUT)).is_ok()
}

/// The journal of a publication; panics if an entry of it leads out of the scope or into our folder.
pub fn journal(bytes: &[u8]) -> bool {
    let Ok(journal) = Journal::parse(bytes, Path::new(INPUT)) else { return false };
    for name in journal.entries() {
        assert!(!name.is_empty() && !name.contains('/'), "{name:?}");
        assert!(![".", "..", ".pystamps"].contains(&name), "{name:?}");
    }
    true
}

/// The text of a lock file.
pub fn lock_holder(bytes: &[u8]) -> bool {
    text(bytes).and_then(parse_holder).is_some_and(|holder| !holder.to_string().is_empty())
}

/// `.pystamps/checksums.json`.
pub fn checksum_memory(bytes: &[u8]) -> bool {
    parse_memory(bytes).is_some()
}

/// What is typed for a parameter of every kind.
pub fn parameter_value(bytes: &[u8]) -> bool {
    const NAMES: [&str; 6] = [
        "drop_ifg_index",
        "max_topo_err",
        "small_baseline_flag",
        "scn_time_win",
        "select_method",
        "unknown",
    ];
    let Some(text) = text(bytes) else { return false };
    NAMES.into_iter().filter(|name| parse_value(name, text).is_ok()).count() > 0
}

/// What else is typed: dates, sizes, assignments, thresholds, names of products.
pub fn option_value(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    [
        text.parse::<Date>().is_ok(),
        text.parse::<AmplitudeDispersion>().is_ok(),
        parse_size(text).is_ok(),
        parse_assignment(text).is_ok(),
        Definition::of(text, Network::SingleMaster).is_ok(),
        Definition::of(text, Network::SmallBaselines).is_ok(),
    ]
    .contains(&true)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
