//! Writes what stage 6 says of grid, edges and their series, under StaMPS's names (matfiles.md).

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::edge_series::{EdgeSeries, Method};
use pystamps_kernels::node_edges::NodeEdges;
use pystamps_mat::{Container, ElementType, NumericData, Sparse, SparseData, Value, Variables};

use super::edge_analysis::{ByGradients, EdgeAnalysis};
use super::node_phase::NodePhase;
use super::nodes::Nodes;
use super::phase::WrappedPhase;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{Streamed, count, flags, matrix, write_streamed, write_variables};
use crate::progress::Progress;
use crate::scratch::ScratchColumns;

/// Writes `uw_grid.mat`: phase of nodes and PS, and where they are.
///
/// # Errors
/// As for [`WrappedPhase::phasors`]; I/O errors.
pub(super) fn write_grid(
    folder: &Path,
    nodes: &Nodes,
    phase: &NodePhase,
    wrapped: &WrappedPhase<'_>,
    used: &[usize],
    progress: &Progress,
) -> Result<()> {
    // Real and imaginary parts of both arrays are written one after the other.
    let counted = progress.phase("uw_grid.mat", 4 * used.len() as u64, "columns");
    let of_nodes = |column: usize| Ok(phase.column(column).to_vec());
    let mut of_nodes = Columns::new(nodes.len(), used.len(), of_nodes, &counted);
    let rows = nodes.of_ps().len();
    let of_ps = |column: usize| wrapped.phasors(used[column]);
    let mut of_ps = Columns::new(rows, used.len(), of_ps, &counted);
    let element = ElementType::C32;
    let mut streamed = [
        Streamed {
            name: "ph",
            element,
            dims: vec![nodes.len(), used.len()],
            source: &mut of_nodes,
        },
        Streamed { name: "ph_in", element, dims: vec![rows, used.len()], source: &mut of_ps },
    ];
    let low_pass = |values: &Vec<Complex<f32>>| {
        matrix(nodes.len(), used.len(), NumericData::C32(values.clone()))
    };
    let low_pass = phase.low_pass.as_ref().map_or_else(Value::empty, low_pass);
    let empty = ["ph_uw_predef", "ph_in_predef"].map(|name| (name, Value::empty()));
    let variables = nodes.described().into_iter().chain(empty).chain([("ph_lowpass", low_pass)]);
    let variables: Variables = variables.chain([("n_ifg", count(used.len()))]).collect();
    write_streamed(folder, "uw_grid.mat", &mut streamed, &variables)
}

/// Writes `uw_interp.mat`: nearest nodes and edges between them.
///
/// # Errors
/// I/O errors.
pub(super) fn write_interpolation(
    folder: &Path,
    [rows, columns]: [usize; 2],
    nearest: &[u32],
    edges: &NodeEdges,
) -> Result<()> {
    let numbers = |values: &[i32]| values.iter().map(|&value| f64::from(value)).collect();
    let ends = &edges.ends;
    let edge_table: Vec<f64> = (1..=ends.len())
        .map(|edge| edge as f64)
        .chain([0, 1].into_iter().flat_map(|end| ends.iter().map(move |e| f64::from(e[end]) + 1.0)))
        .collect();
    let nearest = nearest.iter().map(|&node| f64::from(node) + 1.0).collect();
    let plane = |rows, columns, values| matrix(rows, columns, NumericData::F64(values));
    let variables: Variables = [
        ("edgs", plane(ends.len(), 3, edge_table)),
        ("n_edge", count(ends.len())),
        ("rowix", plane(rows - 1, columns, numbers(&edges.down))),
        ("colix", plane(rows, columns - 1, numbers(&edges.right))),
        ("Z", plane(rows, columns, nearest)),
    ]
    .into_iter()
    .collect();
    write_variables(folder, "uw_interp.mat", &variables)
}

/// Writes `uw_space_time.mat`: the series of the edges, and `more` about them.
///
/// # StaMPS compatibility
/// `spread` is sparse; where the series need a file of version 7.3 it is a full matrix there.
///
/// # Errors
/// I/O errors.
pub(super) fn write_series(
    folder: &Path,
    analysis: &EdgeAnalysis,
    plan: &EdgeSeries,
    method: Method,
    phase: &NodePhase,
    more: Option<(&'static str, Value)>,
    progress: &Progress,
) -> Result<()> {
    let edge_count = analysis.variance_cycles2.len();
    let used = analysis.difference_rad.column_count();
    let counted = progress.phase("uw_space_time.mat", 2 * used as u64, "columns");
    let source = |series: &'_ ScratchColumns, column: usize| series.column(column);
    let mut difference =
        Columns::new(edge_count, used, |column| source(&analysis.difference_rad, column), &counted);
    let mut noise = analysis
        .noise_rad
        .as_ref()
        .map(|noise| Columns::new(edge_count, used, move |column| source(noise, column), &counted));
    let full_spread = |column: usize| Ok(spread_column(analysis, column, edge_count));
    let mut spread = Columns::new(edge_count, used, full_spread, &counted);
    let dims = || vec![edge_count, used];
    let series = |name, source| Streamed { name, element: ElementType::F32, dims: dims(), source };
    let mut streamed = vec![series("dph_space_uw", &mut difference)];
    if let Some(noise) = &mut noise {
        streamed.push(series("dph_noise", noise));
    }
    let mut variables: Vec<(&'static str, Value)> = more.into_iter().collect();
    let entries = |chosen: &ByGradients| chosen.spread.iter().map(Vec::len).sum::<usize>();
    let sparse_bytes = 16 * analysis.by_gradients.as_ref().map_or(0, entries);
    let largest = (4 * edge_count * used).max(sparse_bytes) as u64;
    if Container::for_largest_variable(largest) == Container::Level5 {
        variables.push(("spread", sparse_spread(analysis, edge_count)));
    } else {
        let element = ElementType::F64;
        streamed.push(Streamed { name: "spread", element, dims: dims(), source: &mut spread });
    }
    if analysis.noise_rad.is_none() {
        variables.push(("dph_noise", Value::empty()));
    }
    if !matches!(method, Method::Spatial2D | Method::NoDeformation) {
        let (design, used, images) = plan.design();
        variables.push(("G", matrix(used, images, NumericData::F64(design.to_vec()))));
        variables.extend(gradient_variables(analysis, phase));
        variables.push(("predef_ix", Value::empty()));
    }
    let variables: Variables = variables.into_iter().collect();
    write_streamed(folder, "uw_space_time.mat", &mut streamed, &variables)
}

/// Local gradients of the nodes and the edges they decide; empty where they were not asked for.
fn gradient_variables(analysis: &EdgeAnalysis, phase: &NodePhase) -> [(&'static str, Value); 3] {
    let (Some([row_rad, column_rad]), Some(chosen)) =
        (&phase.gradients_rad, &analysis.by_gradients)
    else {
        return ["ifreq_ij", "jfreq_ij", "shaky_ix"].map(|name| (name, Value::empty()));
    };
    let used = analysis.difference_rad.column_count();
    let plane =
        |values: &[f32]| matrix(values.len() / used, used, NumericData::F32(values.to_vec()));
    [
        ("ifreq_ij", plane(row_rad)),
        ("jfreq_ij", plane(column_rad)),
        ("shaky_ix", flags(&chosen.shaky)),
    ]
}

fn spread_column(analysis: &EdgeAnalysis, column: usize, edge_count: usize) -> Vec<f64> {
    let chosen = analysis.by_gradients.as_ref();
    chosen.map_or_else(|| vec![0.0; edge_count], |chosen| chosen.spread_column(column, edge_count))
}

fn sparse_spread(analysis: &EdgeAnalysis, edge_count: usize) -> Value {
    let used = analysis.difference_rad.column_count();
    let none = vec![Vec::new(); used];
    let columns = analysis.by_gradients.as_ref().map_or(&none, |chosen| &chosen.spread);
    let mut starts = vec![0];
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for column in columns {
        rows.extend(column.iter().map(|&(edge, _)| edge as usize));
        values.extend(column.iter().map(|&(_, value)| value));
        starts.push(rows.len());
    }
    let sparse = Sparse::new([edge_count, used], rows, starts, SparseData::F64(values));
    Value::Sparse(sparse.expect("invariant: edges of every column ascend"))
}

/// Writes `uw_phaseuw.mat`: unwrapped phase of the nodes and roughness of the grid.
///
/// # Errors
/// I/O errors.
pub(super) fn write_unwrapped_nodes(
    folder: &Path,
    phase_rad: &[&[f32]],
    roughness_rad2: &[f64],
    progress: &Progress,
) -> Result<()> {
    let counted = progress.phase("uw_phaseuw.mat", phase_rad.len() as u64, "columns");
    let nodes = phase_rad.first().map_or(0, |phase_rad| phase_rad.len());
    let column = |column: usize| Ok(phase_rad[column].to_vec());
    let mut source = Columns::new(nodes, phase_rad.len(), column, &counted);
    let (element, dims) = (ElementType::F32, vec![nodes, phase_rad.len()]);
    let mut streamed = [Streamed { name: "ph_uw", element, dims, source: &mut source }];
    let variables: Variables = [("msd", Value::column_f64(roughness_rad2))].into_iter().collect();
    write_streamed(folder, "uw_phaseuw.mat", &mut streamed, &variables)
}
