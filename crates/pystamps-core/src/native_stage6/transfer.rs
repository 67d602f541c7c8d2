//! Brings the unwrapped phase of the nodes to the PS and adds what was left out.

use std::path::Path;

use num_complex::Complex;
use pystamps_mat::{ElementType, Value, Variables};

use super::nodes::Nodes;
use super::phase::{WrappedPhase, angle};
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, write_streamed};
use crate::progress::Progress;
use crate::project::artifacts::{check_folder, stage6};
use crate::project::stack::{Network, Stack};

/// Unwrapped nodes of the interferograms.
pub(super) struct UnwrappedNodes<'a> {
    /// Interferograms that were unwrapped, by their column.
    pub(super) used: &'a [usize],
    /// Phase of the nodes in each, rad.
    pub(super) phase_rad: &'a [&'a [f32]],
    /// Roughness of each, rad^2.
    pub(super) roughness_rad2: &'a [f64],
}

/// Writes `phuw2.mat` (`phuw_sb2.mat` with small baselines) into `folder`.
///
/// # StaMPS compatibility
/// `uw_unwrap_from_grid` and the end of `ps_unwrap`, stage6.md 7. Columns that were not unwrapped, and
/// the master's, are 0. Unlike the original, which appends to the file, nothing of an earlier file stays.
///
/// # Errors
/// I/O errors.
pub(super) fn write_unwrapped(
    folder: &Path,
    stack: &Stack,
    wrapped: &WrappedPhase<'_>,
    nodes: &Nodes,
    unwrapped: &UnwrappedNodes<'_>,
    progress: &Progress,
) -> Result<()> {
    let variable = match stack.network {
        Network::SingleMaster => stage6::UNWRAPPED_PHASE,
        Network::SmallBaselines => stage6::UNWRAPPED_SMALL_BASELINES,
    };
    let (rows, columns) = (stack.row_count(), stack.interferogram_count());
    let phase = progress.phase("phase of the PS", columns as u64, "interferograms");
    let place = |column: usize| unwrapped.used.iter().position(|&used| used == column);
    let produce = |column: usize| {
        let Some(place) = place(column) else { return Ok(vec![0.0; rows]) };
        let mut phase_rad =
            at_ps(unwrapped.phase_rad[place], nodes.of_ps(), &wrapped.phasors(column)?);
        wrapped.add_back(column, &mut phase_rad)?;
        Ok(phase_rad)
    };
    let mut source = Columns::new(rows, columns, produce, &phase);
    let dims = vec![rows, columns];
    let element = ElementType::F32;
    let mut streamed = [Streamed { name: variable.name, element, dims, source: &mut source }];
    let mut roughness_rad2 = vec![0.0_f32; columns];
    for (&column, &value) in unwrapped.used.iter().zip(unwrapped.roughness_rad2) {
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        let value = value as f32;
        roughness_rad2[column] = value;
    }
    let roughness = stage6::roughness(stack.network);
    let variables: Variables =
        [(roughness.name, Value::column_f32(&roughness_rad2))].into_iter().collect();
    write_streamed(folder, variable.file, &mut streamed, &variables)?;
    check_folder(folder, &[variable, roughness], &stack.axis_lengths(), false)
}

/// The phase of every PS that is nearest to its node's and agrees with its own phasor.
pub(super) fn at_ps(node_rad: &[f32], of_ps: &[u32], phasors: &[Complex<f32>]) -> Vec<f32> {
    let of_ps = of_ps.iter().zip(phasors);
    of_ps
        .map(|(&node, &phasor)| {
            let node_rad = node_rad[node as usize];
            let (sin, cos) = f64::from(node_rad).sin_cos();
            #[expect(clippy::cast_possible_truncation, reason = "single precision by definition")]
            let turned = phasor * Complex::new(cos as f32, -sin as f32);
            node_rad + angle(turned)
        })
        .collect()
}
