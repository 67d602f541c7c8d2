//! What a search needs to know of a network: the residual moves, one unit along or against an arc.

use crate::{ConvexCost, UnwrapError};

/// The number of a node or an arc; problems with more than 32 bits can number are refused before.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "checked where the problem came in")]
pub(crate) fn numbered(index: usize) -> u32 {
    debug_assert!(u32::try_from(index).is_ok(), "{index} exceeds 32 bits");
    index as u32
}

/// A way to move one unit out of a node.
pub(crate) struct Move<C> {
    /// Where the unit goes.
    pub(crate) to: u32,
    /// Arc and direction.
    pub(crate) step: Step,
    /// What the arc charges.
    pub(crate) cost: C,
    /// What it carries.
    pub(crate) flow: i16,
}

impl<C: ConvexCost> Move<C> {
    /// What the unit costs: `C(f + 1) - C(f)` along the arc, `C(f - 1) - C(f)` against it.
    ///
    /// Not a field: most moves lead to nodes that are reached already, and are never paid.
    #[inline]
    pub(crate) fn marginal(&self) -> i64 {
        let flow = i32::from(self.flow);
        let by = if self.step.is_against() { -1 } else { 1 };
        self.cost.cost(flow + by) - self.cost.cost(flow)
    }

    /// The unit back along the same arc, with `to` as it is.
    #[inline]
    pub(crate) fn reversed(self) -> Self {
        Self { step: self.step.reversed(), ..self }
    }
}

/// An arc and a direction in 32 bits: twice the number of the arc, plus 1 against it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    #[inline]
    pub(crate) fn along(arc: usize) -> Self {
        Self(numbered(arc) << 1)
    }

    #[inline]
    pub(crate) fn against(arc: usize) -> Self {
        Self((numbered(arc) << 1) | 1)
    }

    #[inline]
    pub(crate) fn arc(self) -> usize {
        (self.0 >> 1) as usize
    }

    #[inline]
    pub(crate) fn reversed(self) -> Self {
        Self(self.0 ^ 1)
    }

    #[inline]
    pub(crate) fn is_against(self) -> bool {
        self.0 & 1 == 1
    }
}

/// A network with a flow on it.
pub(crate) trait ResidualNetwork {
    /// What arcs charge.
    type Cost: ConvexCost;

    /// Calls `visit` for every way out of `node`, always in the same order.
    fn moves(&self, node: usize, visit: impl FnMut(Move<Self::Cost>));

    /// The move that a step is.
    fn step(&self, step: Step) -> Move<Self::Cost>;

    /// The node that a step leaves.
    fn origin(&self, step: Step) -> usize;

    /// The node that a step enters.
    #[inline]
    fn target(&self, step: Step) -> usize {
        self.origin(step.reversed())
    }

    /// Moves one unit.
    fn push(&mut self, step: Step) -> Result<(), UnwrapError>;
}
