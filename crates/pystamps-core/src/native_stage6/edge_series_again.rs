//! Analyses the edges once more, without the look-angle error that stage 7 has estimated since.

use std::path::Path;

use pystamps_mat::Value;

use super::edge_analysis::analyse_edges;
use super::files;
use super::nearest::given_before;
use super::node_phase::node_phase;
use super::phase::WrappedPhase;
use super::rules::Rules;
use super::run::{Geometry, Unwrapping};
use super::series_network::SeriesNetwork;
use crate::error::Result;
use crate::progress::Progress;
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::scratch::Room;
use crate::stage::StageOptions;

/// Writes `uw_space_time.mat` of the project `root` into `staging`, with the deviation of every edge's
/// noise (`edge_noise_std`); returns the numbers of edges and of those without statistics.
///
/// # StaMPS compatibility
/// Stage8.md 4: what a second pass of step 6 after step 7 writes.
///
/// # Errors
/// Those of stage 6 before it solves anything.
pub(crate) fn write_edge_series(
    root: &Path,
    parameters: &Parameters,
    options: &StageOptions,
    staging: &Path,
    progress: &Progress,
) -> Result<[usize; 2]> {
    let rules = &Rules::of(parameters)?;
    let work = Unwrapping { root, parameters, rules, options, staging };
    let stack = Stack::load(root, 2, rules.network)?;
    let used = work.used(&stack)?;
    let method = rules.method(&stack, &used);
    let wrapped = WrappedPhase::open(root, &stack, rules)?;
    work.note_left_out(&wrapped, progress);
    // The edges of the unwrapping: it may have been handed its nearest nodes.
    let geometry = Geometry::of(root, &stack, rules, given_before(root)?.as_deref())?;
    let Geometry { nodes, edges, .. } = &geometry;
    let residence = work.residence(&stack, &used, &geometry, &wrapped, method)?;
    let network = SeriesNetwork::of(&stack, &used);
    let mut plan = network.plan(rules, method, work.trial_wraps(&stack)?)?;
    let phase = node_phase(&wrapped, nodes, &used, rules, method, progress)?;
    let room = Room { residence, folder: staging };
    let analysis = analyse_edges(&mut plan, method, edges, nodes, &phase, &room, progress)?;
    let deviation = match analysis.deviation_rad.as_slice() {
        [] => Value::empty(),
        deviation_rad => Value::column_f32(deviation_rad),
    };
    let more = Some(("edge_noise_std", deviation));
    files::write_series(staging, &analysis, &plan, method, &phase, more, progress)?;
    let without = analysis.variance_cycles2.iter().filter(|variance| variance.is_nan()).count();
    Ok([edges.ends.len(), without])
}
