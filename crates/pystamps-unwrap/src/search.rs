//! Shortest paths over any network that can list its residual moves.
//!
//! The state of a search is kept for the whole network, but only entries that a search has touched
//! are ever written, and they are cleared after it: a search costs what it visits.

use crate::UnwrapError;
use crate::queue::RadixQueue;
use crate::residual::{Move, ResidualNetwork, Step};

/// Longest path: sums of a distance and a reduced cost stay within 63 bits.
const MAX_DISTANCE: u64 = i64::MAX as u64 / 2;

/// Arrival of a node where a search began.
const BEGINNING: u32 = u32::MAX;

/// Buffers of the solver, kept between problems so that they need not be made anew.
///
/// Results do not depend on what it was used for before.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Units that a node has too many of (too few, if negative).
    pub(crate) excess: Vec<i32>,
    /// Distance plus 1; 0 for a node that the search has not reached.
    label: Vec<u64>,
    /// Last (of a backward search: first) step of the path, where the label is not 0.
    arrival: Vec<u32>,
    /// Nodes with a label, in the order of their discovery.
    reached: Vec<u32>,
    /// Nodes yet to be visited, and again those to which a shorter way was found meanwhile.
    queue: RadixQueue,
}

/// How far searches look: from a source for sinks, or from the sinks for sources.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
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

    /// Number of nodes that the search has reached.
    pub(crate) fn reached(&self) -> usize {
        self.reached.len()
    }

    /// Forgets a search.
    pub(crate) fn forget(&mut self) {
        for &node in &self.reached {
            self.label[node as usize] = 0;
        }
        self.reached.clear();
        self.queue.clear();
    }

    /// After a failure, whatever is left of it.
    pub(crate) fn clear(&mut self) {
        self.forget();
        self.excess.fill(0);
    }

    /// Looks from `source` for the nearest sink and moves one unit there.
    ///
    /// Nothing changes, and the answer is no, if more than `limit` nodes are reached before.
    pub(crate) fn serve_source<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        source: u32,
        limit: usize,
        potentials: &mut [i64],
    ) -> Result<bool, UnwrapError> {
        self.begin(source);
        while let Some((distance, node)) = self.queue.pop() {
            if self.label[node as usize] != distance + 1 {
                continue; // reached on a shorter way meanwhile
            }
            if self.excess[node as usize] < 0 {
                // What the search has passed by is raised until the path costs nothing.
                self.for_nearer(distance, |node, by| potentials[node] += by);
                self.augment(network, source, node)?;
                return Ok(true);
            }
            if self.reached.len() > limit {
                return Ok(false);
            }
            self.expand(Direction::Forward, network, node, distance, potentials)?;
        }
        Err(UnwrapError::Unbalanced { node: source as usize })
    }

    /// Looks back from all `sinks` at once and moves a unit from every source that comes up to the
    /// sink from which it was found, until all `sources` have come up, or one whose way is no longer
    /// open: what the search knows is then outdated there. Returns the number of units moved.
    pub(crate) fn serve_sinks<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        sinks: &[u32],
        sources: usize,
        potentials: &mut [i64],
    ) -> Result<usize, UnwrapError> {
        for &sink in sinks {
            self.begin(sink);
        }
        let (mut served, mut last) = (0, 0);
        while let Some((distance, node)) = self.queue.pop() {
            if self.label[node as usize] != distance + 1 {
                continue;
            }
            last = distance;
            if self.excess[node as usize] > 0 {
                if !self.augment_back(network, node, potentials)? {
                    break;
                }
                served += 1;
                if served == sources {
                    break;
                }
            }
            self.expand(Direction::Backward, network, node, distance, potentials)?;
        }
        self.for_nearer(last, |node, by| potentials[node] -= by);
        Ok(served)
    }

    fn begin(&mut self, node: u32) {
        self.label[node as usize] = 1;
        self.arrival[node as usize] = BEGINNING;
        self.reached.push(node);
        self.queue.push(0, node);
    }

    /// Calls `change` with every node nearer than `distance` and by how much it is.
    fn for_nearer(&self, distance: u64, mut change: impl FnMut(usize, i64)) {
        for &node in &self.reached {
            let here = self.label[node as usize] - 1;
            if here < distance {
                change(node as usize, (distance - here).cast_signed());
            }
        }
    }

    /// Labels the nodes to which the way over `node`, at its final distance, is shorter.
    #[inline]
    fn expand<N: ResidualNetwork>(
        &mut self,
        direction: Direction,
        network: &N,
        node: u32,
        distance: u64,
        potentials: &[i64],
    ) -> Result<(), UnwrapError> {
        let here = potentials[node as usize];
        let Self { label: labels, arrival, reached, queue, .. } = self;
        let mut too_long = false;
        network.moves(node as usize, |outward: Move<N::Cost>| {
            let to = outward.to;
            let (label, there) = (labels[to as usize], potentials[to as usize]);
            if label != 0 && label <= distance + 1 {
                return;
            }
            let (taken, rise) = match direction {
                Direction::Forward => (outward, there - here),
                Direction::Backward => (outward.reversed(), here - there),
            };
            let reduced = taken.marginal() + rise;
            debug_assert!(reduced >= 0, "reduced cost {reduced} of {:?}", taken.step);
            let length = distance + reduced.cast_unsigned();
            too_long |= length > MAX_DISTANCE;
            if label == 0 {
                reached.push(to);
            } else if label <= length + 1 {
                return;
            }
            labels[to as usize] = length + 1;
            arrival[to as usize] = taken.step.0;
            queue.push(length, to);
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
        while self.arrival[node] != BEGINNING {
            let step = Step(self.arrival[node]);
            network.push(step)?;
            node = network.origin(step);
        }
        self.excess[source as usize] -= 1;
        self.excess[sink as usize] += 1;
        Ok(())
    }

    /// Moves one unit from `source` along the path to the sink that a backward search found it from,
    /// if that still wants one and the path is still a shortest one after what was moved meanwhile.
    ///
    /// Both ends of every step are labelled for good, so that the search does not come to pay the
    /// costs that change here.
    fn augment_back<N: ResidualNetwork>(
        &mut self,
        network: &mut N,
        source: u32,
        potentials: &[i64],
    ) -> Result<bool, UnwrapError> {
        let mut node = source as usize;
        while self.arrival[node] != BEGINNING {
            let step = Step(self.arrival[node]);
            let next = network.target(step);
            let reduced = network.step(step).marginal() + potentials[next] - potentials[node];
            if self.label[next].cast_signed() + reduced != self.label[node].cast_signed() {
                return Ok(false);
            }
            node = next;
        }
        let sink = node;
        if self.excess[sink] >= 0 {
            return Ok(false);
        }
        node = source as usize;
        while node != sink {
            let step = Step(self.arrival[node]);
            network.push(step)?;
            node = network.target(step);
        }
        self.excess[source as usize] -= 1;
        self.excess[sink] += 1;
        Ok(true)
    }
}
