//! The readiness inventory: one record a stage scope, five of patches and four of the merged project,
//! and what is known besides of preparation and of the chain of all stages.
//!
//! What a stage is called and refuses is written here. What it is worth is measured while this crate is
//! built: its state, from the certificate in `parity/certificates` and from the digest of its code; its
//! deviations, from `docs/differences.md`; the numerics it uses, from the paths in its code.
//!
//! # When a scope is certified
//! Its certificate passed on the full oracle in every case, noticed every mutation, and is about the code
//! as it is now. That is a SHA-256 digest of the Rust files that decide about the scope's numbers, found by
//! following the paths they name, module by module, without tests, comments and layout; of the pinned
//! compiler (`rust-toolchain.toml`); and of the packages of `Cargo.lock` that `pystamps-core` reaches.
//! What only schedules, prints or plans is left out, by the list in `build/closure.rs`. Whoever changes a
//! comment keeps the certificate, whoever changes a computation loses it.

mod inventory;

use std::fmt;

pub use inventory::INVENTORY;

/// What a stage works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One patch folder.
    Patch,
    /// The merged project.
    Merged,
}

/// How far a stage has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no code of it yet.
    Planned,
    /// Implemented in Rust; not certified as it is now.
    Native,
    /// Implemented, and a certificate about this very code holds.
    Certified,
}

/// One stage scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Stage number, 1 to 8.
    pub stage: u8,
    /// What it works on.
    pub scope: Scope,
    /// StaMPS's name of the step.
    pub name: &'static str,
    /// Rust entry point in `pystamps-core`.
    pub rust_entry: &'static str,
    /// Python reference in `pystamps_shim.pipeline.ported`.
    pub python_entry: &'static str,
    /// The named kernels it uses, as `pystamps_shim.kernels.accelerated` has them.
    pub kernels: &'static [&'static str],
    /// Modes of StaMPS that are refused before any work: `parameter = value`.
    pub refused: &'static [&'static str],
    /// What was measured of it.
    pub evidence: &'static Evidence,
}

/// What was measured while this crate was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Name of the certificate.
    pub name: &'static str,
    /// How far it is.
    pub state: State,
    /// Why it is not certified.
    pub reason: Option<&'static str>,
    /// Digest of the code that decides about its numbers; none if the sources were not there.
    pub code_sha256: Option<&'static str>,
    /// Modules of `pystamps-kernels`, and other crates of numerics, that this code uses.
    pub numerics: &'static [&'static str],
    /// Deliberate differences from original StaMPS.
    pub deviations: &'static [Deviation],
    /// The certificate, if there is one that can be read, whether it holds or not.
    pub certificate: Option<Certificate>,
}

/// A deliberate difference from original StaMPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What the original does, in Markdown.
    pub original: &'static str,
    /// What pystamps does.
    pub pystamps: &'static str,
    /// Where it is written.
    pub link: &'static str,
}

/// The essentials of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whether everything that was tried held.
    pub passed: bool,
    /// Commit of the program that was certified.
    pub commit: &'static str,
    /// When.
    pub date: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Who made the results it was compared with.
    pub engine: &'static str,
    /// How much of them was used: `full` if all.
    pub data: &'static str,
    /// Scenes.
    pub cases: &'static [&'static str],
    /// Changes made to results, each of which had to be noticed.
    pub mutations_made: u64,
    /// Those that were.
    pub mutations_detected: u64,
}

impl Certificate {
    /// The first letters of the commit.
    pub fn short_commit(&self) -> &'static str {
        self.commit.char_indices().nth(7).map_or(self.commit, |(end, _)| &self.commit[..end])
    }
}

include!(concat!(env!("OUT_DIR"), "/evidence.rs"));

/// Evidence about what is no stage: preparation, and a project from its export to the last stage.
pub static FURTHER_EVIDENCE: [&Evidence; 2] = [&EVIDENCE[9], &EVIDENCE[10]];

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Patch => "patch",
            Self::Merged => "merged",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Planned => "planned",
            Self::Native => "native",
            Self::Certified => "certified",
        })
    }
}
