//! Joins results of later stages that were computed patch by patch.

use std::path::Path;

use pystamps_mat::{ElementSource, ElementType, Variables};

use super::joined::Joined;
use super::merge_inputs::PatchRows;
use super::ownership::Appended;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, write_streamed};
use crate::progress::{Phase, Progress};
use crate::project::artifacts::stage5::{UNWRAPPED_PHASE, patchwise_results};
use crate::project::artifacts::{AxisLengths, Variable};
use crate::project::stack::Network;
use crate::stored_array::StoredArray;

/// Writes `phuw2.mat`, zeros where patches have not been unwrapped, and `scla2`, `scla_sb2`, `scn2`
/// where every patch has them.
///
/// # StaMPS compatibility
/// Stage5.md B1.4: a patch is shifted by the mean difference over the pixels it shares with those
/// before, unwrapped phase of a single-master stack by whole cycles; without shared pixels it is
/// not shifted (the original makes everything NaN). Nothing of all this where cells are combined.
///
/// # Errors
/// MATLAB file errors; `variable-shape` where files disagree in length.
pub(super) fn write_patchwise_results(
    patches: &[PatchRows],
    joined: &Joined,
    staging: &Path,
    progress: &Progress,
) -> Result<()> {
    let Some(appended) = &joined.appended else { return Ok(()) };
    let network = patches[0].stack.network;
    let results = patchwise_results(network == Network::SmallBaselines);
    for variables in results.chunk_by(|a, b| a.file == b.file) {
        let file = variables[0].file;
        let have = patches.iter().filter(|patch| patch.folder.join(file).is_file()).count();
        let unwrapped = file == UNWRAPPED_PHASE.file;
        if !(unwrapped || have == patches.len()) {
            continue;
        }
        // The original makes its zeros as wide as there are interferograms.
        let variables = if have == 0 { &[UNWRAPPED_PHASE][..] } else { variables };
        let parts: Vec<ShiftedPatches<'_>> = variables
            .iter()
            .map(|variable| {
                let whole_cycles = unwrapped && network == Network::SingleMaster;
                ShiftedPatches::open(patches, appended, joined, variable, whole_cycles)
            })
            .collect::<Result<_>>()?;
        let columns: usize = parts.iter().map(|part| part.column_count).sum();
        let phase = progress.phase("joining results of patches", columns as u64, "columns");
        let mut sources: Vec<_> = parts.iter().map(|part| part.source(&phase)).collect();
        let mut streamed: Vec<Streamed<'_>> = parts
            .iter()
            .zip(&mut sources)
            .map(|(part, source)| Streamed {
                name: part.name,
                element: part.element,
                dims: vec![joined.len(), part.column_count],
                source: &mut **source,
            })
            .collect();
        write_streamed(staging, file, &mut streamed, &Variables::new())?;
    }
    Ok(())
}

/// One array of all patches, each shifted to those before.
struct ShiftedPatches<'a> {
    name: &'static str,
    element: ElementType,
    column_count: usize,
    /// The array of each patch; zeros where it has none.
    patches: Vec<Option<StoredArray>>,
    appended: &'a Appended,
    joined: &'a Joined,
    whole_cycles: bool,
}

impl<'a> ShiftedPatches<'a> {
    fn open(
        patches: &[PatchRows],
        appended: &'a Appended,
        joined: &'a Joined,
        variable: &Variable,
        whole_cycles: bool,
    ) -> Result<Self> {
        let arrays: Vec<Option<StoredArray>> = patches
            .iter()
            .map(|patch| {
                let there = patch.folder.join(variable.file).is_file();
                let lengths: AxisLengths = patch.stack.axis_lengths();
                there.then(|| StoredArray::open(&patch.folder, variable, &lengths)).transpose()
            })
            .collect::<Result<_>>()?;
        let element = arrays.iter().flatten().next().map_or(ElementType::F32, StoredArray::element);
        let column_count = patches[0].stack.axis_lengths().of(variable.axes[1]);
        let name = variable.name;
        Ok(Self { name, element, column_count, patches: arrays, appended, joined, whole_cycles })
    }

    fn source<'s>(&'s self, phase: &'s Phase<'s>) -> Box<dyn ElementSource + 's> {
        let rows = self.joined.len();
        if self.element == ElementType::F64 {
            return Box::new(Columns::new(rows, self.column_count, |k| self.column(k), phase));
        }
        #[expect(clippy::cast_possible_truncation, reason = "single precision as in the patches")]
        let single = move |index| {
            Ok(self.column(index)?.into_iter().map(|value| value as f32).collect::<Vec<_>>())
        };
        Box::new(Columns::new(rows, self.column_count, single, phase))
    }

    /// One merged column.
    fn column(&self, index: usize) -> Result<Vec<f64>> {
        let mut joined: Vec<f64> = Vec::with_capacity(self.appended.sources.len());
        let of_patches = self.appended.sources.chunk_by(|a, b| a[0] == b[0]);
        for sources in of_patches {
            let patch = sources[0][0] as usize;
            let Some(array) = &self.patches[patch] else {
                joined.resize(joined.len() + sources.len(), 0.0);
                continue;
            };
            let values = array.real_column::<f64>(index)?;
            let shift = self.shift(&values, &joined, &self.appended.common[patch]);
            joined.extend(sources.iter().map(|source| values[source[1] as usize] - shift));
        }
        Ok(self.joined.order.sources.iter().map(|&source| joined[source as usize]).collect())
    }

    /// How far a patch lies above what was joined before.
    fn shift(&self, values: &[f64], joined: &[f64], common: &[[u32; 2]]) -> f64 {
        if common.is_empty() {
            return 0.0;
        }
        let differences =
            common.iter().map(|&[row, place]| values[row as usize] - joined[place as usize]);
        let mean = differences.sum::<f64>() / common.len() as f64;
        let cycle = std::f64::consts::TAU;
        if self.whole_cycles { (mean / cycle).round() * cycle } else { mean }
    }
}
