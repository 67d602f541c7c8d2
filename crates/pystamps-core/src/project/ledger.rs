//! Defines the ledger of a scope: which inputs, parameters and algorithm made which outputs.
//!
//! `.pystamps/ledger.json` is written with the outputs it describes and holds nothing that depends
//! on the clock or the host, so equal work leaves equal bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::project::checksums::{Checksums, checksum};
use crate::project::layout::CONTROL_FOLDER;

/// Name of the ledger inside the control folder.
pub const LEDGER_FILE: &str = "ledger.json";

/// Version of the file's layout.
const SCHEMA: u32 = 1;

/// Everything recorded about one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    schema: u32,
    /// One entry a finished stage: `prep`, `1` … `8`.
    stages: BTreeMap<String, LedgerEntry>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { schema: SCHEMA, stages: BTreeMap::new() }
    }
}

/// How one stage's outputs came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What went in.
    #[serde(flatten)]
    pub recipe: Recipe,
    /// BLAKE3 checksum of the recipe; equal fingerprints mean the stage need not run again.
    pub fingerprint: String,
    /// Files written, with their checksums.
    pub outputs: Vec<FileRecord>,
    /// Who made them. No part of the fingerprint: results from elsewhere stand as long as ours would.
    #[serde(default, skip_serializing_if = "Origin::is_native")]
    pub origin: Origin,
    /// Rows of the result, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// Who made the results of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// This program.
    #[default]
    Native,
    /// The Python reference.
    Reference,
    /// Another project, whose files were copied.
    Replayed,
}

impl Origin {
    /// Whether this program made them.
    pub fn is_native(&self) -> bool {
        *self == Self::Native
    }

    /// Words for people, where there is anything to say.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Reference => Some("made by the Python reference"),
            Self::Replayed => Some("replayed from another project"),
        }
    }
}

/// Inputs, parameters and algorithm of one run of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Raised whenever the stage's results may change.
    pub algorithm_version: u32,
    /// Parameters that act on the stage, by their StaMPS names (or command-line names for `prep`).
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Files read.
    pub inputs: Vec<FileRecord>,
}

/// One file, by name relative to the scope where it lies inside, and by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path relative to the scope, or absolute.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 checksum of the content in hexadecimal; raw rasters are identified as `modified:<ns>` by
    /// their time of change instead, because hashing them would double the cost of reading.
    pub identity: String,
}

impl Recipe {
    /// BLAKE3 checksum over the canonical JSON of this recipe, paths left out: a moved folder stays valid.
    pub fn fingerprint(&self) -> String {
        let contents: Vec<_> = self.inputs.iter().map(|f| (f.bytes, &f.identity)).collect();
        let canonical =
            serde_json::json!([self.algorithm_version, self.parameters, contents]).to_string();
        checksum(canonical.as_bytes())
    }
}

impl LedgerEntry {
    /// The entry for outputs made from `recipe`.
    pub fn new(recipe: Recipe, outputs: Vec<FileRecord>) -> Self {
        Self {
            fingerprint: recipe.fingerprint(),
            recipe,
            outputs,
            origin: Origin::default(),
            rows: None,
        }
    }

    /// Why the recorded outputs in `scope` cannot stand for a run of `recipe`; `None` if they can.
    ///
    /// # Errors
    /// I/O errors while reading the outputs.
    pub fn staleness(
        &self,
        recipe: &Recipe,
        scope: &Path,
        checksums: &mut Checksums,
    ) -> Result<Option<String>> {
        if self.recipe.algorithm_version != recipe.algorithm_version {
            return Ok(Some("made by another version of the algorithm".into()));
        }
        for (name, value) in &recipe.parameters {
            if self.recipe.parameters.get(name) != Some(value) {
                return Ok(Some(format!("parameter {name} has changed")));
            }
        }
        if self.fingerprint != recipe.fingerprint() {
            let changed = recipe.inputs.iter().find(|file| !self.recipe.inputs.contains(file));
            let gone = self.recipe.inputs.iter().find(|file| !recipe.inputs.contains(file));
            return Ok(Some(match (changed, gone) {
                (Some(file), _) => format!("{} has changed", file.path),
                (None, Some(file)) => format!("{}, which it was made from, is gone", file.path),
                (None, None) => "the set of inputs has changed".to_owned(),
            }));
        }
        self.changed_output(scope, checksums)
    }

    /// What is wrong with the recorded outputs in `scope`; `None` if they are as they were written.
    ///
    /// # Errors
    /// I/O errors while reading the outputs.
    pub fn changed_output(
        &self,
        scope: &Path,
        checksums: &mut Checksums,
    ) -> Result<Option<String>> {
        for output in &self.outputs {
            let path = scope.join(&output.path);
            if !path.exists() {
                return Ok(Some(format!("{} is missing", output.path)));
            }
            if checksums.record(scope, &path)?.identity != output.identity {
                return Ok(Some(format!("{} has been changed since", output.path)));
            }
        }
        Ok(None)
    }
}

impl Ledger {
    /// Reads the ledger of `scope`; an empty one if there is none.
    ///
    /// # Errors
    /// `ledger-damaged` if the file is not a ledger of this version.
    pub fn load(scope: &Path) -> Result<Self> {
        let path = scope.join(CONTROL_FOLDER).join(LEDGER_FILE);
        let text = match fs_err::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::Io { action: "read the ledger".into(), source }),
        };
        Self::parse(&text, &path)
    }

    /// The ledger that is written in `text`; `path` is only named in errors.
    ///
    /// # Errors
    /// `ledger-damaged`.
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        let ledger: Self = serde_json::from_slice(text).map_err(|e| damaged(path, e))?;
        if ledger.schema != SCHEMA {
            return Err(damaged(path, format!("schema {}", ledger.schema)));
        }
        Ok(ledger)
    }

    /// The entry of `stage`, if it has been run by us.
    pub fn stage(&self, stage: &str) -> Option<&LedgerEntry> {
        self.stages.get(stage)
    }

    /// Records `entry` for `stage` and forgets the stages in `invalidated`.
    pub fn record(&mut self, stage: &str, entry: LedgerEntry, invalidated: &[&str]) {
        self.stages.retain(|name, _| !invalidated.contains(&name.as_str()));
        self.stages.insert(stage.to_owned(), entry);
    }

    /// Writes the ledger to `path`.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).expect("invariant: plain data serialise");
        text.push(b'\n');
        fs_err::write(path, text).while_doing("write the ledger")
    }
}

fn damaged(path: &Path, found: impl std::fmt::Display) -> Error {
    Diagnostic::new("ledger-damaged", "the ledger of this folder cannot be used")
        .path(path)
        .expected(format!("a ledger of schema {SCHEMA} written by pystamps-native"))
        .found(found)
        .remedy("delete it: the stages then count as made by another program")
        .data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(threshold: f64) -> Recipe {
        Recipe {
            algorithm_version: 1,
            parameters: BTreeMap::from([("max_topo_err".into(), threshold.into())]),
            inputs: vec![FileRecord { path: "in".into(), bytes: 3, identity: "abc".into() }],
        }
    }

    #[test]
    fn staleness_names_the_reason() {
        let scope = tempfile::tempdir().unwrap();
        let path = scope.path().join("out");
        fs_err::write(&path, "result").unwrap();
        let mut checksums = Checksums::load(scope.path());
        let output = checksums.record(scope.path(), &path).unwrap();
        let entry = LedgerEntry::new(recipe(20.0), vec![output]);
        let mut reason =
            |recipe: &Recipe| entry.staleness(recipe, scope.path(), &mut checksums).unwrap();
        assert_eq!(reason(&recipe(20.0)), None);
        assert_eq!(reason(&recipe(30.0)).unwrap(), "parameter max_topo_err has changed");
        let mut other_input = recipe(20.0);
        other_input.inputs[0].identity = "abd".into();
        assert_eq!(reason(&other_input).unwrap(), "in has changed");
        fs_err::write(&path, "tampered").unwrap();
        assert_eq!(reason(&recipe(20.0)).unwrap(), "out has been changed since");
        fs_err::remove_file(&path).unwrap();
        assert_eq!(reason(&recipe(20.0)).unwrap(), "out is missing");
    }

    #[test]
    fn a_damaged_ledger_is_named() {
        let scope = tempfile::tempdir().unwrap();
        fs_err::create_dir(scope.path().join(CONTROL_FOLDER)).unwrap();
        fs_err::write(scope.path().join(CONTROL_FOLDER).join(LEDGER_FILE), "{").unwrap();
        assert_eq!(Ledger::load(scope.path()).unwrap_err().name(), "ledger-damaged");
    }
}
