//! Keeps the solution of every finished interferogram until the stage is published, so that an
//! interruption costs no more than the interferograms in progress.
//!
//! ```text
//! .pystamps/checkpoints/stage6/NNN.solved
//!   magic | BLAKE3 of the problem | proof, little endian | BLAKE3 of all before
//! ```
//! A checkpoint counts only if the problem is the same, the file is whole, and its proof holds.

use std::path::{Path, PathBuf};

use pystamps_unwrap::GridArcs;

use super::costs::EdgeCosts;
use super::solution::{Effort, Entries, Proof};
use crate::error::{IoContext, Result};
use crate::project::layout::CONTROL_FOLDER;

/// Name and version of the format.
const MAGIC: &[u8; 8] = b"PSUWCHK1";
const CHECKSUM_BYTES: usize = blake3::OUT_LEN;

/// The checkpoints of one project.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    /// What all interferograms share.
    common: blake3::Hasher,
}

/// What was found of an interferogram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// Not what was written, or of another problem.
    Unusable(&'static str),
    Solved(Proof),
}

impl Checkpoints {
    /// Opens the checkpoints of the project `root` for a grid with these arcs.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn open(
        root: &Path,
        shape: [usize; 2],
        arc_edges: &GridArcs<i32>,
        version: u32,
    ) -> Result<Self> {
        let folder = folder_of(root);
        fs_err::create_dir_all(&folder).while_doing("make room for checkpoints")?;
        for entry in fs_err::read_dir(&folder).while_doing("look for checkpoints")? {
            let path = entry.while_doing("look for checkpoints")?.path();
            // Another program's solutions, and its folders, are made again.
            if path.extension().is_none_or(|extension| extension != "solved") {
                let _ = fs_err::remove_dir_all(&path).or_else(|_| fs_err::remove_file(&path));
            }
        }
        let mut common = blake3::Hasher::new();
        common.update(&version.to_le_bytes());
        for extent in shape {
            common.update(&(extent as u64).to_le_bytes());
        }
        common.update(bytemuck::cast_slice(&arc_edges.down));
        common.update(bytemuck::cast_slice(&arc_edges.right));
        Ok(Self { folder, common })
    }

    fn path(&self, column: usize) -> PathBuf {
        self.folder.join(format!("{:03}.solved", column + 1))
    }

    fn key(&self, costs: &EdgeCosts, wraps: &GridArcs<i8>) -> blake3::Hash {
        let mut key = self.common.clone();
        key.update(bytemuck::cast_slice(&costs.offset));
        key.update(bytemuck::cast_slice(&costs.variance));
        key.update(bytemuck::cast_slice(&wraps.down));
        key.update(bytemuck::cast_slice(&wraps.right));
        key.finalize()
    }

    /// Looks for the solution of the interferogram `column`.
    pub(super) fn find(&self, column: usize, costs: &EdgeCosts, wraps: &GridArcs<i8>) -> Found {
        let path = self.path(column);
        let Ok(metadata) = fs_err::symlink_metadata(&path) else { return Found::Nothing };
        if !metadata.is_file() {
            // Whatever it is, it is in the way.
            let _ = fs_err::remove_dir_all(&path).or_else(|_| fs_err::remove_file(&path));
            return Found::Unusable("it is no file");
        }
        let Ok(bytes) = fs_err::read(&path) else { return Found::Unusable("it cannot be read") };
        let Some(contents) = checked(&bytes) else { return Found::Unusable("it is damaged") };
        let Some(proof) = contents.strip_prefix(self.key(costs, wraps).as_bytes()) else {
            return Found::Unusable("its phase or its costs have changed");
        };
        decode(proof).map_or(Found::Unusable("it is damaged"), Found::Solved)
    }

    /// Keeps the solution of the interferogram `column`.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn keep(
        &self,
        column: usize,
        costs: &EdgeCosts,
        wraps: &GridArcs<i8>,
        proof: &Proof,
    ) -> Result<()> {
        write_proof(&self.path(column), self.key(costs, wraps), proof)
    }

    /// Keeps the proof that is published for the interferogram `column` in place of the solution.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn keep_external(&self, column: usize, proof: &Proof) -> Result<()> {
        write_proof(&self.external_path(column), blake3::hash(b""), proof)
    }

    /// The proof that is published for the interferogram `column`.
    ///
    /// # Errors
    /// I/O errors, also where a checkpoint of this run has been changed.
    pub(super) fn published(&self, column: usize) -> Result<Proof> {
        let external = self.external_path(column);
        let path = if external.is_file() { external } else { self.path(column) };
        let bytes = fs_err::read(&path).while_doing("read a finished interferogram")?;
        let contents = checked(&bytes).and_then(|contents| contents.get(CHECKSUM_BYTES..));
        contents.and_then(decode).ok_or_else(|| crate::Error::Io {
            action: format!("read {}", path.display()),
            source: std::io::Error::other("it has been changed while stage 6 ran"),
        })
    }

    fn external_path(&self, column: usize) -> PathBuf {
        self.folder.join(format!("{:03}.external", column + 1))
    }

    /// Where programs may work that are gone with the checkpoints.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Forgets the checkpoints of the project `root`: the stage is published.
    pub(super) fn clear(root: &Path) {
        let folder = folder_of(root);
        // What stays behind is found current or unusable, never wrong.
        let _ = fs_err::remove_dir_all(&folder);
        if let Some(parent) = folder.parent() {
            let _ = fs_err::remove_dir(parent);
        }
    }
}

fn write_proof(path: &Path, key: blake3::Hash, proof: &Proof) -> Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(key.as_bytes());
    encode(proof, &mut bytes);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    let draft = path.with_extension("draft");
    // Not synchronised: what a power cut tears is found out and solved again.
    fs_err::write(&draft, bytes)
        .and_then(|()| fs_err::rename(&draft, path))
        .while_doing("keep a finished interferogram")
}

fn folder_of(root: &Path) -> PathBuf {
    root.join(CONTROL_FOLDER).join("checkpoints").join("stage6")
}

/// What stands between magic and checksum, if both are right.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    let whole = blake3::hash(body).as_bytes() == checksum;
    body.strip_prefix(MAGIC).filter(|_| whole)
}

fn encode(proof: &Proof, out: &mut Vec<u8>) {
    out.extend(proof.statistics.imbalance.to_le_bytes());
    out.extend(proof.statistics.augmentations.to_le_bytes());
    out.extend((proof.flow.len() as u64).to_le_bytes());
    for (place, cycles) in &proof.flow {
        out.extend(place.to_le_bytes());
        out.extend(cycles.to_le_bytes());
    }
    for (place, potential) in &proof.potentials {
        out.extend(place.to_le_bytes());
        out.extend(potential.to_le_bytes());
    }
}

/// The proof between key and checksum; nothing if it is none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Proof> {
    let (imbalance, rest) = bytes.split_first_chunk()?;
    let (augmentations, rest) = rest.split_first_chunk()?;
    let (flows, rest) = rest.split_first_chunk()?;
    let flows = usize::try_from(u64::from_le_bytes(*flows)).ok()?;
    let (flow, potentials) = rest.split_at_checked(flows.checked_mul(6)?)?;
    let flow: Entries<i16> = flow
        .chunks_exact(6)
        .map(|entry| {
            (number(&entry[..4], u32::from_le_bytes), number(&entry[4..], i16::from_le_bytes))
        })
        .collect();
    if potentials.len() % 12 != 0 {
        return None;
    }
    let potentials: Entries<i64> = potentials
        .chunks_exact(12)
        .map(|entry| {
            (number(&entry[..4], u32::from_le_bytes), number(&entry[4..], i64::from_le_bytes))
        })
        .collect();
    let statistics = Effort {
        imbalance: u64::from_le_bytes(*imbalance),
        augmentations: u64::from_le_bytes(*augmentations),
    };
    Some(Proof { flow, potentials, statistics })
}

fn number<T, const N: usize>(bytes: &[u8], of: fn([u8; N]) -> T) -> T {
    of(bytes.try_into().expect("invariant: the chunk is as long as the number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> (GridArcs<i32>, EdgeCosts, GridArcs<i8>) {
        let arcs = GridArcs { down: vec![1, -2], right: vec![0, 3] };
        let costs = EdgeCosts { offset: vec![5, -7, 9], variance: vec![1, 2, 0], saturated: 0 };
        (arcs, costs, GridArcs { down: vec![0, 1], right: vec![-1, 0] })
    }

    fn proof() -> Proof {
        Proof {
            flow: vec![(1, -3), (3, 1)],
            potentials: vec![(0, -1 << 40)],
            statistics: Effort { imbalance: 4, augmentations: 2 },
        }
    }

    #[test]
    fn what_is_kept_is_found_again_for_the_same_problem_only() {
        let root = tempfile::tempdir().unwrap();
        let (arcs, mut costs, wraps) = problem();
        let checkpoints = Checkpoints::open(root.path(), [2, 2], &arcs, 1).unwrap();
        assert_eq!(checkpoints.find(2, &costs, &wraps), Found::Nothing);
        checkpoints.keep(2, &costs, &wraps, &proof()).unwrap();
        assert_eq!(checkpoints.find(2, &costs, &wraps), Found::Solved(proof()));
        assert_eq!(checkpoints.published(2).unwrap(), proof());
        let newer = Checkpoints::open(root.path(), [2, 2], &arcs, 2).unwrap();
        assert!(matches!(newer.find(2, &costs, &wraps), Found::Unusable(_)));
        costs.offset[0] += 1;
        assert!(matches!(checkpoints.find(2, &costs, &wraps), Found::Unusable(_)));
        Checkpoints::clear(root.path());
        assert!(!root.path().join(".pystamps/checkpoints").exists());
    }

    #[test]
    fn damage_of_any_byte_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let (arcs, costs, wraps) = problem();
        let checkpoints = Checkpoints::open(root.path(), [2, 2], &arcs, 1).unwrap();
        checkpoints.keep(0, &costs, &wraps, &proof()).unwrap();
        let path = checkpoints.path(0);
        let whole = fs_err::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs_err::write(&path, &damaged).unwrap();
            assert!(matches!(checkpoints.find(0, &costs, &wraps), Found::Unusable(_)), "{place}");
        }
        for length in 0..whole.len() {
            fs_err::write(&path, &whole[..length]).unwrap();
            assert!(matches!(checkpoints.find(0, &costs, &wraps), Found::Unusable(_)), "{length}");
        }
    }
}
