//! Reads what the merge must know of every patch before it touches the large arrays.

use std::path::{Path, PathBuf};

use pystamps_mat::read_variable;

use crate::error::{Diagnostic, Error, IoContext, Result};
use crate::patch_scope::{Input, missing_input, optional, required};
use crate::project::artifacts::{AxisLengths, Variable};
use crate::project::artifacts::{stage4, stage5};
use crate::project::dataset::{Patch, patches};
use crate::project::layout::patch::PATCH_NOOVER_IN;
use crate::project::stack::{Network, Stack};
use crate::stored_array::column;

/// Files of a patch that the merge reads.
pub(super) const PATCH_FILES: [Input; 12] = [
    required("ps2.mat", 4),
    required("rc2.mat", 5),
    required("ph2.mat", 4),
    required("pm2.mat", 4),
    required("bp2.mat", 4),
    optional("la2.mat"),
    optional("inc2.mat"),
    optional("hgt2.mat"),
    optional("phuw2.mat"),
    optional("scla2.mat"),
    optional("scla_sb2.mat"),
    optional("scn2.mat"),
];

/// Rows of one patch.
#[derive(Debug)]
pub(super) struct PatchRows {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Interferograms and local coordinates.
    pub(super) stack: Stack,
    /// Azimuth line and range sample, from 0.
    pub(super) pixels: Vec<[i32; 2]>,
    /// Longitude and latitude, deg.
    pub(super) lonlat_deg: Vec<[f64; 2]>,
    /// Coherence.
    pub(super) coherence: Vec<f64>,
    /// Which rows lie in the patch's own window, the overlap left out.
    pub(super) own: Vec<bool>,
}

/// The patches of a project by what they can give to the merge, in the order of processing.
#[derive(Debug, Default)]
pub(super) struct PatchSets {
    /// Corrected ones that have PS.
    pub(super) with_ps: Vec<Patch>,
    /// Names of those that have no PS.
    pub(super) without_ps: Vec<String>,
    /// Those that lack a file of stages 4 or 5, or are to be left out whatever they hold.
    pub(super) incomplete: Vec<Patch>,
}

impl PatchSets {
    /// Sorts the patches of the project at `root`; those called `left_out` count as incomplete.
    ///
    /// # Errors
    /// Those of discovery and of MATLAB files.
    pub(super) fn of(root: &Path, left_out: &[String]) -> Result<Self> {
        let mut sets = Self::default();
        for patch in patches(root)? {
            if left_out.contains(&patch.name) {
                sets.incomplete.push(patch);
            } else if is_empty(&patch.folder)? {
                sets.without_ps.push(patch.name);
            } else if missing_files(&patch).next().is_none() {
                sets.with_ps.push(patch);
            } else {
                sets.incomplete.push(patch);
            }
        }
        Ok(sets)
    }

    /// Refuses a merge that would leave out a patch for want of its results.
    ///
    /// # Errors
    /// `patch-not-corrected` for one whose stage 5 is missing, `stage-input-missing` for one that lacks
    /// another file.
    pub(super) fn refuse_incomplete(&self) -> Result<()> {
        let Some(patch) = self.incomplete.first() else { return Ok(()) };
        match missing_files(patch).find(|input| input.file != "rc2.mat") {
            Some(Input { file, required_of: Some(maker) })
                if patch.folder.join("rc2.mat").is_file() =>
            {
                Err(missing_input(&patch.folder.join(file), "stage 5", maker).data())
            }
            _ => Err(not_corrected(patch)),
        }
    }

    /// Refuses a merge of nothing.
    ///
    /// # Errors
    /// `no-ps`.
    pub(super) fn refuse_without_ps(&self, root: &Path) -> Result<()> {
        if !self.with_ps.is_empty() {
            return Ok(());
        }
        let incomplete = self.incomplete_names();
        let found =
            [("no PS in", self.without_ps.as_slice()), ("no results of", incomplete.as_slice())]
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(what, names)| format!("{what} {}", names.join(", ")))
                .collect::<Vec<_>>();
        Err(Diagnostic::new("no-ps", "no patch has PS: there is nothing to merge")
            .path(root)
            .expected("at least one PS in one patch")
            .found(found.join("; "))
            .remedy("relax the selection, for example a larger density_rand, and run stage 3 again")
            .data())
    }

    /// Names of the patches that cannot be merged as they are.
    pub(super) fn incomplete_names(&self) -> Vec<String> {
        self.incomplete.iter().map(|patch| patch.name.clone()).collect()
    }
}

/// Files of stages 4 and 5 that the merge needs and `patch` lacks.
pub(super) fn missing_files(patch: &Patch) -> impl Iterator<Item = Input> {
    let needed = PATCH_FILES.into_iter().filter(|input| input.required_of.is_some());
    needed.filter(|input| !patch.folder.join(input.file).is_file())
}

/// Whether a patch has no PS: `ps2.mat` says so, or the marks of a stage that stopped there.
fn is_empty(folder: &Path) -> Result<bool> {
    let positions = folder.join("ps2.mat");
    if positions.is_file() {
        return Ok(read_variable(&positions, "n_ps")?.to_scalar() == Some(0.0));
    }
    let marks = folder.join("no_ps_info.mat");
    if !marks.is_file() {
        return Ok(false);
    }
    let marks = read_variable(&marks, "stamps_step_no_ps")?.to_f64_vec().unwrap_or_default();
    Ok(marks.iter().sum::<f64>() > 0.0)
}

fn not_corrected(patch: &Patch) -> Error {
    let stage = if patch.folder.join("weed1.mat").is_file() { 5 } else { 4 };
    Diagnostic::new("patch-not-corrected", format!("{} has not been corrected", patch.name))
        .path(patch.folder.join("rc2.mat"))
        .expected("the file that stage 5 writes, for every patch that has PS")
        .found("no such file")
        .remedy(format!("pystamps-native stage {stage} --patch {}", patch.folder.display()))
        .data()
}

impl PatchRows {
    /// Reads positions and coherence of a patch.
    ///
    /// # Errors
    /// MATLAB file errors, `variable-shape` and its kin; `patch-window` for an unusable window.
    pub(super) fn read(patch: &Patch, network: Network) -> Result<Self> {
        let folder = &patch.folder;
        let stack = Stack::load(folder, 2, network)?;
        let (lengths, rows) = (stack.axis_lengths(), stack.row_count());
        let ij = finite(folder, &stage5::PIXELS, &lengths)?;
        let lonlat = finite(folder, &stage5::POSITIONS, &lengths)?;
        #[expect(clippy::cast_possible_truncation, reason = "pixel numbers are whole and small")]
        let pixels: Vec<[i32; 2]> =
            (0..rows).map(|row| [ij[rows + row] as i32, ij[2 * rows + row] as i32]).collect();
        let window = read_window(&folder.join(PATCH_NOOVER_IN))?;
        Ok(Self {
            own: pixels.iter().map(|&pixel| is_inside(&window, pixel)).collect(),
            lonlat_deg: (0..rows).map(|row| [lonlat[row], lonlat[rows + row]]).collect(),
            coherence: finite(folder, &stage4::COHERENCE, &lengths)?,
            folder: folder.clone(),
            stack,
            pixels,
        })
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.pixels.len()
    }

    /// Name of the patch.
    pub(super) fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A small array without NaN and Inf.
fn finite(folder: &Path, variable: &Variable, lengths: &AxisLengths) -> Result<Vec<f64>> {
    let values = column(folder, variable, lengths)?;
    let Some(place) = values.iter().position(|value| !value.is_finite()) else {
        return Ok(values);
    };
    Err(Diagnostic::new("variable-range", "a PS cannot be merged")
        .path(folder.join(variable.file))
        .variable(variable.name)
        .expected("finite numbers")
        .found(format!("{} at element {}", values[place], place + 1))
        .remedy("run stage 4 of this patch again")
        .data())
}

/// First and last range sample, first and last azimuth line, from 1.
fn read_window(path: &Path) -> Result<[i32; 4]> {
    let text = fs_err::read_to_string(path).while_doing("read the window of a patch")?;
    parse_window(&text, path)
}

/// The four numbers of `patch_noover.in`.
///
/// # Errors
/// `patch-window`; `path` is only named in it.
pub(crate) fn parse_window(text: &str, path: &Path) -> Result<[i32; 4]> {
    let numbers: Vec<i32> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    numbers.as_slice().try_into().map_err(|_| {
        Diagnostic::new("patch-window", "the window of a patch cannot be read")
            .path(path)
            .expected("four whole numbers: range from and to, azimuth from and to")
            .found(text.chars().take(80).collect::<String>())
            .remedy("prepare the project again")
            .data()
    })
}

fn is_inside([range1, range2, azimuth1, azimuth2]: &[i32; 4], [azimuth, range]: [i32; 2]) -> bool {
    (azimuth1.saturating_sub(1)..*azimuth2).contains(&azimuth)
        && (range1.saturating_sub(1)..*range2).contains(&range)
}

/// Refuses patches that were loaded from different sets of interferograms.
///
/// # Errors
/// `patches-disagree`.
pub(super) fn check_same_interferograms(patches: &[PatchRows]) -> Result<()> {
    let Some((first, others)) = patches.split_first() else { return Ok(()) };
    let of = |patch: &PatchRows| {
        let stack = &patch.stack;
        (stack.interferogram_count(), stack.day.clone(), stack.master, stack.pairs.clone())
    };
    let expected = of(first);
    let Some(other) = others.iter().find(|patch| of(patch) != expected) else { return Ok(()) };
    Err(Diagnostic::new("patches-disagree", "patches have different interferograms")
        .path(other.folder.join("ps2.mat"))
        .variable("n_ifg, day, master_ix")
        .expected(format!("{} interferograms as in {}", expected.0, first.folder.display()))
        .found(format!("{} interferograms, or other dates", of(other).0))
        .remedy("run stages 1 to 5 of both patches again")
        .data())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_from_one() {
        let window = [11, 20, 1, 5];
        assert!(is_inside(&window, [0, 10]) && is_inside(&window, [4, 19]));
        assert!(!is_inside(&window, [5, 10]) && !is_inside(&window, [0, 9]));
        assert!(!is_inside(&window, [0, 20]));
    }
}
