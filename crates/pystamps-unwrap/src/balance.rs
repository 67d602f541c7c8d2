//! Moving every excess to where something is missing, at least cost.
//!
//! Nearly all units have a short way to go and are served one by one, which touches a few nodes each.
//! In fields dense with residues the last per cent of them would each search a good part of the
//! network. They are served in rounds: one search back from all that is missing (it serves some sources
//! itself, and the potentials it leaves lead every other search towards its goal), then single searches
//! again, until they have wasted as much work as the round's first search took.
//!
//! The search from the sinks ends with the first source whose way is taken, because the units moved
//! since it began have made it wrong, and with the last source, lest it walk through the rest of the
//! network. How far the single searches look was chosen by `python -m parity.bench_unwrap`; the result
//! is equally exact with any limit.

use crate::residual::{ResidualNetwork, numbered};
use crate::{SolveStatistics, UnwrapError, Workspace};

/// Nodes that a first search may reach.
const FIRST_LIMIT: usize = 512;
/// Nodes that a search between rounds may always reach.
const LATER_LIMIT: usize = 4096;

/// A network on its way to balance.
pub(crate) struct Balancing<'a, N> {
    pub(crate) network: N,
    pub(crate) workspace: &'a mut Workspace,
    pub(crate) potentials: &'a mut [i64],
    pub(crate) statistics: &'a mut SolveStatistics,
}

impl<N: ResidualNetwork> Balancing<'_, N> {
    /// Moves every excess of `sources`, served in this order.
    ///
    /// Expects reduced costs `marginal - potential(from) + potential(to)` of at least 0 for every
    /// residual move, and keeps them so: then no cheaper flow exists, at any time.
    pub(crate) fn run(mut self, sources: &[u32]) -> Result<(), UnwrapError> {
        let result = self.balance(sources);
        if result.is_err() {
            self.workspace.clear();
        }
        result
    }

    fn balance(&mut self, sources: &[u32]) -> Result<(), UnwrapError> {
        let units =
            |&source: &u32| u64::from(self.workspace.excess[source as usize].unsigned_abs());
        self.statistics.imbalance = sources.iter().map(units).sum();
        let mut sources: Vec<u32> = sources.to_vec();
        let mut limit = FIRST_LIMIT;
        // Farther and farther, while that costs no more than a look at every fourth node.
        loop {
            for &source in &sources {
                self.serve_wholly(source, limit)?;
            }
            sources.retain(|&source| self.workspace.excess[source as usize] > 0);
            if sources.is_empty() {
                return Ok(());
            }
            limit *= 4;
            if sources.len().saturating_mul(limit) > self.potentials.len() / 4 {
                break;
            }
        }
        let missing = self.workspace.excess[..self.potentials.len()].iter().enumerate();
        let missing = missing.filter(|&(_, &excess)| excess < 0).map(|(node, _)| numbered(node));
        let mut sinks: Vec<u32> = missing.collect();
        while !sources.is_empty() {
            self.round(&mut sources, &sinks)?;
            sinks.retain(|&sink| self.workspace.excess[sink as usize] < 0);
        }
        Ok(())
    }

    /// One search back from the sinks, then searches from the sources while they pay.
    fn round(&mut self, sources: &mut Vec<u32>, sinks: &[u32]) -> Result<(), UnwrapError> {
        let (network, potentials) = (&mut self.network, &mut *self.potentials);
        let served = self.workspace.serve_sinks(network, sinks, sources.len(), potentials)?;
        if served == 0 {
            return Err(UnwrapError::Unbalanced { node: sources[0] as usize });
        }
        self.statistics.augmentations += served as u64;
        let work = self.count_search();
        let mut wasted = 0;
        let mut tried = 0;
        while wasted < work && tried < sources.len() {
            wasted += self.serve_wholly(sources[tried], work.max(LATER_LIMIT))?;
            tried += 1;
        }
        // Those not tried are the first of the next round.
        sources.rotate_left(tried);
        sources.retain(|&source| self.workspace.excess[source as usize] > 0);
        Ok(())
    }

    /// Moves units away from `source` until it has none too many or a search exceeds `limit`: returns
    /// what that one reached in vain.
    fn serve_wholly(&mut self, source: u32, limit: usize) -> Result<usize, UnwrapError> {
        while self.workspace.excess[source as usize] > 0 {
            let (network, workspace) = (&mut self.network, &mut *self.workspace);
            let served = workspace.serve_source(network, source, limit, self.potentials)?;
            let reached = self.count_search();
            if !served {
                return Ok(reached);
            }
            self.statistics.augmentations += 1;
        }
        Ok(0)
    }

    /// Ends a search and returns how many nodes it reached.
    fn count_search(&mut self) -> usize {
        let reached = self.workspace.reached();
        self.statistics.searches += 1;
        self.statistics.nodes_reached += reached as u64;
        self.workspace.forget();
        reached
    }
}
