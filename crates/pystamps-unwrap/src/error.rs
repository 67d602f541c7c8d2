//! What can be wrong with a problem.

use thiserror::Error;

/// Why a problem is not one, or has no solution that can be represented.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// An array has not the length that the shape asks for.
    #[error("{what}: {found} values, but the shape asks for {expected}")]
    Length {
        /// The array.
        what: &'static str,
        /// Values it must have.
        expected: usize,
        /// Values it has.
        found: usize,
    },
    /// A grid without pixels.
    #[error("a grid of {rows} x {columns} pixels has no pixel")]
    Empty {
        /// Rows of pixels.
        rows: usize,
        /// Columns of pixels.
        columns: usize,
    },
    /// More arcs or nodes than indices of 32 bits can tell apart.
    #[error("{what}: {count} are more than the {limit} that can be numbered")]
    TooLarge {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A phase that is no finite number.
    #[error("the wrapped phase at row {row}, column {column} (from 0) is {value}, not a phase")]
    PhaseNotFinite {
        /// Row of the pixel, from 0.
        row: usize,
        /// Column of the pixel, from 0.
        column: usize,
        /// Its value, as text.
        value: String,
    },
    /// Neighbouring phases that differ by more than a cycle and a half: they are not wrapped.
    #[error("the phase at row {row}, column {column} (from 0) is not wrapped into one cycle")]
    PhaseNotWrapped {
        /// Row of the pixel, from 0.
        row: usize,
        /// Column of the pixel, from 0.
        column: usize,
    },
    /// An unwrapped phase that differs from the wrapped one by something else than whole cycles.
    #[error(
        "the unwrapped phase at row {row}, column {column} (from 0) is not the wrapped one plus whole cycles"
    )]
    NotCongruent {
        /// Row of the pixel, from 0.
        row: usize,
        /// Column of the pixel, from 0.
        column: usize,
    },
    /// A flow beyond the range of the result.
    #[error("arc {arc} would carry a flow beyond -32768..32767 cycles")]
    FlowOverflow {
        /// Number of the arc.
        arc: usize,
    },
    /// Supplies that no flow can balance.
    #[error("the supply of node {node} cannot reach a demand: they are not connected")]
    Unbalanced {
        /// Node with the supply.
        node: usize,
    },
    /// Path costs beyond 63 bits.
    #[error("the costs are too large: a path exceeds 63 bits")]
    CostOverflow,
    /// An arc or a face that names a node which does not exist.
    #[error("{what} {index} names {node}, but there are only {count}")]
    NoSuchNode {
        /// Arc or face.
        what: &'static str,
        /// Its number.
        index: usize,
        /// The node it names.
        node: usize,
        /// How many there are.
        count: usize,
    },
    /// Faces that do not make a closed surface of the topology of the sphere.
    #[error("the faces are no planar mesh: {reason}")]
    NotPlanar {
        /// What contradicts it.
        reason: String,
    },
}
