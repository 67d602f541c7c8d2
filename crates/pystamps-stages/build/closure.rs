//! Finds the code that decides about the numbers of a stage, and its digest.
//!
//! ```text
//! native_stageN -> the modules its paths name -> the modules theirs name … -> files -> SHA-256
//! ```
//! Modules are followed at the first level of a crate. What schedules, prints or plans, and computes no
//! number, is cut off ([`CUT`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::references::references;
use crate::sources::{CRATES, Source, Unit, read_sources};

/// Modules and files of `pystamps-core/src` that compute no number of a result, with the reason. Neither
/// their text nor what they refer to belongs to a stage's code.
pub(crate) const CUT: [(&str, &str); 17] = [
    ("adopt", "takes finished results from elsewhere"),
    ("all_stages", "lists the stages for status and adopt"),
    ("bin", "starts the command line"),
    ("cli", "reads options, prints outcomes"),
    ("error", "words of diagnostics"),
    ("merged_scope", "opens the merged project and refuses what cannot run"),
    ("patch_scope", "opens a patch and names the files it needs"),
    ("plan", "predicts memory, disk and time"),
    ("process_memory", "measures the process"),
    ("progress", "prints progress"),
    ("project/checksums", "tells changed files from unchanged ones"),
    ("project/commit", "publishes finished files"),
    ("project/ledger", "records what was made from what"),
    ("project/lock", "keeps other writers away"),
    ("stage_definition", "names the files of a stage and compares fingerprints"),
    ("standing", "says whether results are current"),
    ("status", "says how far a project is"),
];

/// The crate that has the stages.
pub(crate) const CORE: &str = "pystamps-core";

/// The sources of a workspace, with what every module refers to.
pub(crate) struct Closures {
    sources: Vec<Source>,
    named_by: BTreeMap<Unit, BTreeSet<Unit>>,
}

impl Closures {
    /// Reads the sources below `workspace`.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub(crate) fn read(workspace: &Path) -> Result<Self, String> {
        let mut sources = read_sources(workspace)?;
        // What else a crate's `lib.rs` hands on is found under its own name.
        let exports: BTreeMap<&str, String> = CRATES
            .iter()
            .map(|krate| (krate.folder, format!("crates/{}/src/lib.rs", krate.folder)))
            .map(|(folder, lib)| {
                let of_lib = sources.iter().find(|source| source.path == lib);
                (folder, of_lib.map(|source| source.code.clone()).unwrap_or_default())
            })
            .collect();
        let units: BTreeSet<Unit> = sources.iter().map(|source| source.unit.clone()).collect();
        sources.retain(|source| !is_cut(&source.path));
        let mut named_by: BTreeMap<Unit, BTreeSet<Unit>> = BTreeMap::new();
        for source in &sources {
            let named = references(source, &units, &exports);
            named_by.entry(source.unit.clone()).or_default().extend(named);
        }
        Ok(Self { sources, named_by })
    }

    /// Whether the workspace's sources are there at all.
    pub(crate) fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The module `start` of `pystamps-core` and everything it reaches; empty without such a module.
    pub(crate) fn units(&self, start: &str) -> BTreeSet<Unit> {
        let start = Unit { krate: CORE, module: start.to_owned() };
        let mut found = BTreeSet::new();
        let mut open = vec![start];
        while let Some(unit) = open.pop() {
            if let Some(named) = self.named_by.get(&unit)
                && found.insert(unit)
            {
                open.extend(named.iter().cloned());
            }
        }
        found
    }

    /// The files of [`Closures::units`].
    pub(crate) fn files(&self, start: &str) -> BTreeSet<&str> {
        let units = self.units(start);
        let inside = self.sources.iter().filter(|source| units.contains(&source.unit));
        inside.map(|source| source.path.as_str()).collect()
    }

    /// Digest of `start`'s code and of `foundation`, what all code stands on (the compiler, the versions of
    /// dependencies); nothing without such a module.
    pub(crate) fn digest(&self, start: &str, foundation: &str) -> Option<String> {
        let files = self.files(start);
        if files.is_empty() {
            return None;
        }
        let mut lines = String::new();
        for source in self.sources.iter().filter(|source| files.contains(source.path.as_str())) {
            lines += &[&hexadecimal(&source.code), " ", &source.path, "\n"].concat();
        }
        Some(hexadecimal(&(lines + foundation)))
    }
}

/// SHA-256 of a text.
pub(crate) fn hexadecimal(text: &str) -> String {
    let digits = Sha256::digest(text.as_bytes());
    let digits = digits.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Whether a file is in [`CUT`].
fn is_cut(path: &str) -> bool {
    let Some(below) = path.strip_prefix("crates/pystamps-core/src/") else { return false };
    CUT.iter().any(|(module, _)| {
        let rest = below.strip_prefix(module);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}
