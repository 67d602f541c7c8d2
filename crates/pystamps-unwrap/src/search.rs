//! Successive shortest paths over any network that can list its residual moves.
//!
//! The state of a search is kept for the whole network, but only entries that a search has touched
//! are ever written, and they are cleared after it: a search costs what it visits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{ConvexCost, SolveStatistics, UnwrapError};

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
    fn marginal(&self) -> i64 {
        let flow = i32::from(self.flow);
        let by = if self.step.is_against() { -1 } else { 1 };
        self.cost.cost(flow + by) - self.cost.cost(flow)
    }
}

/// An arc and a direction in 32 bits: twice the number of the arc, plus 1 against it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step(pub(crate) u32);

impl Step {
    /// Greatest number of arcs.
    pub(crate) const MAX_ARCS: usize = (u32::MAX / 2) as usize;

    #[inline]
    pub(crate) fn along(arc: usize) -> Self {
        Self((arc as u32) << 1)
    }

    #[inline]
    pub(crate) fn against(arc: usize) -> Self {
        Self((arc as u32) << 1 | 1)
    }

    #[inline]
    pub(crate) fn arc(self) -> usize {
        (self.0 >> 1) as usize
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

    /// Moves one unit.
    fn push(&mut self, step: Step) -> Result<(), UnwrapError>;
}

/// Buffers of the solver, kept between problems so that they need not be made anew.
///
/// Results do not depend on what it was used for before.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Units that a node has too many of (too few, if negative).
    pub(crate) excess: Vec<i32>,
    /// Distance from the source plus 1; 0 for a node that the search has not reached.
    label: Vec<u64>,
    /// Last step of the path to the node, where the label is greater than 1.
    arrival: Vec<u32>,
    /// Nodes with a label.
    reached: Vec<u32>,
    queue: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Workspace {
    /// Empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `nodes` nodes, all of them without excess.
    pub(crate) fn prepare(&mut self, nodes: usize) {
        // Between problems all entries are 0 (`clear`): only the length can be wrong. New buffers come
        // from the system as zero pages that cost nothing until they are used.
        if self.label.len() < nodes {
            self.excess = vec![0; nodes];
            self.label = vec![0; nodes];
            self.arrival = vec![0; nodes];
        }
    }

    /// Forgets a search.
    fn forget(&mut self) {
        for &node in &self.reached {
            self.label[node as usize] = 0;
        }
        self.reached.clear();
        self.queue.clear();
    }

    /// After a failure, whatever is left of it.
    fn clear(&mut self) {
        self.forget();
        self.excess.fill(0);
    }

    /// Moves every excess of `sources` to where there is too little, at least cost.
    ///
    /// Expects reduced costs `marginal - potential(from) + potential(to)` of at least 0 for every
    /// residual move, and keeps them so.
    pub(crate) fn balance<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        sources: &[u32],
        potentials: &mut [i64],
        statistics: &mut SolveStatistics,
    ) -> Result<(), UnwrapError> {
        let result = self.balance_all(network, sources, potentials, statistics);
        if result.is_err() {
            self.clear();
        }
        result
    }

    fn balance_all<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        sources: &[u32],
        potentials: &mut [i64],
        statistics: &mut SolveStatistics,
    ) -> Result<(), UnwrapError> {
        for &source in sources {
            while self.excess[source as usize] > 0 {
                let (sink, distance) = self.search(network, source, potentials)?;
                statistics.searches += 1;
                statistics.nodes_reached += self.reached.len() as u64;
                for &node in &self.reached {
                    let here = self.label[node as usize] - 1;
                    if here < distance {
                        potentials[node as usize] += (distance - here) as i64;
                    }
                }
                self.augment(network, source, sink)?;
                statistics.augmentations += 1;
                self.forget();
            }
        }
        Ok(())
    }

    /// Shortest paths from `source` until one ends where something is missing; that node and its
    /// distance. Of nodes at one distance, the one of the smallest number comes first.
    fn search<N: ResidualNetwork>(
        &mut self,
        network: &N,
        source: u32,
        potentials: &[i64],
    ) -> Result<(u32, u64), UnwrapError> {
        self.label[source as usize] = 1;
        self.reached.push(source);
        self.queue.push(Reverse((0, source)));
        while let Some(Reverse((distance, from))) = self.queue.pop() {
            if self.label[from as usize] != distance + 1 {
                continue; // reached on a shorter way meanwhile
            }
            if self.excess[from as usize] < 0 {
                return Ok((from, distance));
            }
            self.expand(network, from, distance, potentials)?;
        }
        Err(UnwrapError::Unbalanced { node: source as usize })
    }

    /// Labels the nodes that `from`, at its final distance, has a shorter way to.
    #[inline]
    fn expand<N: ResidualNetwork>(
        &mut self,
        network: &N,
        from: u32,
        distance: u64,
        potentials: &[i64],
    ) -> Result<(), UnwrapError> {
        let potential = potentials[from as usize];
        let Self { label: labels, arrival, reached, queue, .. } = self;
        let mut too_long = false;
        network.moves(from as usize, |step| {
            let to = step.to as usize;
            let label = labels[to];
            if label != 0 && label <= distance + 1 {
                return;
            }
            let reduced = step.marginal() - potential + potentials[to];
            debug_assert!(reduced >= 0, "reduced cost {reduced} of {:?}", step.step);
            let length = distance + reduced as u64;
            too_long |= length > i64::MAX as u64 / 2;
            if label == 0 {
                reached.push(step.to);
            } else if label <= length + 1 {
                return;
            }
            labels[to] = length + 1;
            arrival[to] = step.step.0;
            queue.push(Reverse((length, step.to)));
        });
        if too_long { Err(UnwrapError::CostOverflow) } else { Ok(()) }
    }

    /// Moves one unit from `source` to `sink` along the path found.
    fn augment<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        source: u32,
        sink: u32,
    ) -> Result<(), UnwrapError> {
        let mut node = sink as usize;
        while node != source as usize {
            let step = Step(self.arrival[node]);
            network.push(step)?;
            node = network.origin(step);
        }
        self.excess[source as usize] -= 1;
        self.excess[sink as usize] += 1;
        Ok(())
    }
}
