//! Convex integer minimum-cost flow on any directed graph.

use crate::balance::Balancing;
use crate::certificate::Tally;
use crate::residual::{Move, ResidualNetwork, Step, numbered};
use crate::{Certificate, ConvexCost, SolveStatistics, UnwrapError, Workspace};

/// A directed graph with a list of the arcs of every node. Parallel arcs and loops are allowed.
#[derive(Clone, Debug)]
pub struct FlowNetwork {
    nodes: usize,
    /// Tail and head of every arc.
    arcs: Vec<(u32, u32)>,
    /// Where the steps of every node begin in `steps`; one more than nodes.
    first_step: Vec<u32>,
    /// Steps out of the nodes, in the order of the arcs.
    steps: Vec<Step>,
}

impl FlowNetwork {
    /// A graph of `nodes` nodes and the arcs (tail, head).
    ///
    /// # Errors
    ///
    /// An arc from or to a node that does not exist; more than 2^31 - 2 nodes or 2^30 arcs.
    pub fn new(nodes: usize, arcs: Vec<(u32, u32)>) -> Result<Self, UnwrapError> {
        for (what, count, limit) in [
            ("nodes", nodes, (u32::MAX / 2 - 1) as usize),
            ("arcs", arcs.len(), (u32::MAX / 4) as usize),
        ] {
            if count > limit {
                return Err(UnwrapError::TooLarge { what, count, limit });
            }
        }
        let mut first_step = vec![0u32; nodes + 1];
        for (index, &(tail, head)) in arcs.iter().enumerate() {
            for node in [tail as usize, head as usize] {
                if node >= nodes {
                    return Err(UnwrapError::NoSuchNode { what: "arc", index, node, count: nodes });
                }
                first_step[node + 1] += 1;
            }
        }
        for node in 0..nodes {
            first_step[node + 1] += first_step[node];
        }
        let mut next = first_step.clone();
        let mut steps = vec![Step::along(0); 2 * arcs.len()];
        for (arc, &(tail, head)) in arcs.iter().enumerate() {
            for (node, step) in [(tail, Step::along(arc)), (head, Step::against(arc))] {
                steps[next[node as usize] as usize] = step;
                next[node as usize] += 1;
            }
        }
        Ok(Self { nodes, arcs, first_step, steps })
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Tail and head of every arc.
    pub fn arcs(&self) -> &[(u32, u32)] {
        &self.arcs
    }

    fn check<C>(&self, costs: &[C], supplies: &[i32]) -> Result<(), UnwrapError> {
        for (what, expected, found) in
            [("costs", self.arcs.len(), costs.len()), ("supplies", self.nodes, supplies.len())]
        {
            if expected != found {
                return Err(UnwrapError::Length { what, expected, found });
            }
        }
        Ok(())
    }
}

/// The cheapest flow on a graph, and the potentials that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSolution {
    /// Flow of every arc from its tail to its head.
    pub flow: Vec<i16>,
    /// Potential of every node; exactly 0 where no search came.
    pub potentials: Vec<i64>,
    /// What it took; residues are the nodes with a supply or a demand.
    pub statistics: SolveStatistics,
}

/// A graph with a flow on it.
struct Residual<'a, C> {
    graph: &'a FlowNetwork,
    costs: &'a [C],
    flow: &'a mut [i16],
}

impl<C: ConvexCost> ResidualNetwork for Residual<'_, C> {
    type Cost = C;

    fn moves(&self, node: usize, mut visit: impl FnMut(Move<C>)) {
        let graph = self.graph;
        let steps = graph.first_step[node] as usize..graph.first_step[node + 1] as usize;
        for &step in &graph.steps[steps] {
            visit(self.step(step));
        }
    }

    fn origin(&self, step: Step) -> usize {
        let (tail, head) = self.graph.arcs[step.arc()];
        (if step.is_against() { head } else { tail }) as usize
    }

    fn step(&self, step: Step) -> Move<C> {
        let arc = step.arc();
        let (tail, head) = self.graph.arcs[arc];
        let to = if step.is_against() { tail } else { head };
        Move { to, step, cost: self.costs[arc], flow: self.flow[arc] }
    }

    fn push(&mut self, step: Step) -> Result<(), UnwrapError> {
        let arc = step.arc();
        let by = if step.is_against() { -1 } else { 1 };
        let moved = self.flow[arc].checked_add(by);
        self.flow[arc] = moved.ok_or(UnwrapError::FlowOverflow { arc })?;
        Ok(())
    }
}

/// Finds the cheapest flow that leaves `supplies[v]` more out of every node v than into it.
///
/// # Errors
///
/// Arrays of other lengths than the graph has arcs and nodes; supplies that do not add up to 0 or
/// cannot reach a demand; flows beyond 16 bits; paths beyond 63.
pub fn solve_network<C: ConvexCost>(
    graph: &FlowNetwork,
    costs: &[C],
    supplies: &[i32],
    workspace: &mut Workspace,
) -> Result<NetworkSolution, UnwrapError> {
    graph.check(costs, supplies)?;
    let mut flow = Vec::with_capacity(costs.len());
    let mut excess: Vec<i64> = supplies.iter().map(|&supply| supply.into()).collect();
    for (arc, (cost, &(tail, head))) in costs.iter().zip(&graph.arcs).enumerate() {
        let least = cost.minimiser();
        flow.push(i16::try_from(least).map_err(|_| UnwrapError::FlowOverflow { arc })?);
        excess[tail as usize] -= i64::from(least);
        excess[head as usize] += i64::from(least);
    }
    let in_range: Result<Vec<i32>, _> = excess.iter().map(|&units| i32::try_from(units)).collect();
    let in_range = in_range.map_err(|_| UnwrapError::FlowOverflow { arc: 0 })?;
    let sources = || (0..numbered(graph.nodes)).filter(|&node| excess[node as usize] > 0);
    if excess.iter().sum::<i64>() != 0 {
        let node = excess.iter().position(|&units| units != 0).unwrap_or(0);
        return Err(UnwrapError::Unbalanced { node });
    }
    let residues = supplies.iter().filter(|&&supply| supply != 0).count() as u64;
    let mut statistics = SolveStatistics { residues, ..SolveStatistics::default() };
    let mut potentials = vec![0; graph.nodes];
    workspace.prepare(graph.nodes);
    workspace.excess[..graph.nodes].copy_from_slice(&in_range);
    let sources: Vec<u32> = sources().collect();
    Balancing {
        network: Residual { graph, costs, flow: &mut flow },
        workspace,
        potentials: &mut potentials,
        statistics: &mut statistics,
    }
    .run(&sources)?;
    Ok(NetworkSolution { flow, potentials, statistics })
}

/// Checks a flow on a graph like [`verify_grid`](crate::verify_grid): nodes with a supply count as
/// residues, nodes out of balance as unbalanced cells.
///
/// # Errors
///
/// Arrays of other lengths than the graph has arcs and nodes.
pub fn verify_network<C: ConvexCost>(
    graph: &FlowNetwork,
    costs: &[C],
    supplies: &[i32],
    flow: &[i16],
    potentials: &[i64],
) -> Result<Certificate, UnwrapError> {
    graph.check(costs, supplies)?;
    for (what, expected, found) in
        [("flow", graph.arcs.len(), flow.len()), ("potentials", graph.nodes, potentials.len())]
    {
        if expected != found {
            return Err(UnwrapError::Length { what, expected, found });
        }
    }
    let mut tally = Tally::default();
    let mut outflow = vec![0i64; graph.nodes];
    for ((&(tail, head), &cost), &flow) in graph.arcs.iter().zip(costs).zip(flow) {
        let (tail, head) = (tail as usize, head as usize);
        outflow[tail] += i64::from(flow);
        outflow[head] -= i64::from(flow);
        tally.arc(cost, flow, potentials[tail], potentials[head]);
    }
    for ((&supply, &outflow), &potential) in supplies.iter().zip(&outflow).zip(potentials) {
        tally.node(-i64::from(supply), outflow, potential);
    }
    Ok(tally.certificate())
}
