"""An exact solver for the whole cycles between cells of a grid, small enough to read.

The wrapped difference d of neighbouring cells is known; the unwrapped one is d + 2 pi f with a
whole number f, the flow of the arc between them. Around a square of four cells the unwrapped
differences must add up to 0, so the flows must add up to minus the residue, which is what the
wrapped ones add up to. Seen from the squares this is a network: a unit of flow in an arc takes a
unit from the square on one side to the square on the other, arcs at the border have the outside
(the ground) on one side, and every square needs minus its residue. Costs are convex, so successive
shortest paths find the optimum: start from the flow that is cheapest arc by arc, which leaves
squares with too much or too little, and take unit after unit along the cheapest path from one to
the other. Potentials of the squares keep all costs of a further unit at 0 or above; at the end
they prove that there is no cheaper flow.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.unwrapping_costs import STEPS_PER_CYCLE

Integers = NDArray[np.int64]

#: Whole numbers around the minimum of the parabola that rounding down may make the least one.
_NEAR_MINIMUM = range(-3, 4)


@dataclass(frozen=True)
class FlowProblem:
    """Arcs of a grid with their costs; first those to the cell below, then to the next column.

    Attributes
    ----------
    shape
        Rows and columns of cells.
    wraps
        [A] int64, cycles between the difference of wrapped phases and its value in (-pi, pi].
    offset, variance
        [A] int64; a flow f costs (200 f + offset)^2 over variance, rounded down.
    unknown
        [A] bool, arcs without statistics: a flow costs its modulus.
    """

    shape: tuple[int, int]
    wraps: Integers
    offset: Integers
    variance: Integers
    unknown: NDArray[np.bool_]

    def cost(self, flow: Integers) -> Integers:
        """Return the cost of every arc."""
        quadratic = (STEPS_PER_CYCLE * flow + self.offset) ** 2 // self.variance
        return np.asarray(np.where(self.unknown, np.abs(flow), quadratic))

    def cheapest(self, slope: Integers) -> Integers:
        """Return the least of cost minus slope times flow, arc by arc.

        Arcs without statistics have no least value beyond a slope of 1; the result is then below
        0, which no optimal flow reaches.
        """
        middle = slope * self.variance / (2 * STEPS_PER_CYCLE**2) - self.offset / STEPS_PER_CYCLE
        middle = np.where(self.unknown, 0, middle)
        trials = [np.rint(middle).astype(np.int64) + step for step in _NEAR_MINIMUM]
        return np.asarray(np.min([self.cost(flow) - slope * flow for flow in trials], axis=0))

    def sides(self) -> tuple[Integers, Integers]:
        """Return the squares that a unit of flow leaves and enters, [A] each; the ground is last.

        The sense is that of a walk around a square: right along its upper side, down its right
        side, left and up along the others.
        """
        rows, columns = self.shape
        square = np.full((rows + 1, columns + 1), self.squares, dtype=np.int64)
        square[1:-1, 1:-1] = np.arange(self.squares).reshape(rows - 1, columns - 1)
        leaves = np.concatenate([square[1:-1, 1:].ravel(), square[:-1, 1:-1].ravel()])
        enters = np.concatenate([square[1:-1, :-1].ravel(), square[1:, 1:-1].ravel()])
        return leaves, enters

    @property
    def squares(self) -> int:
        """Return the number of squares of four cells."""
        return (self.shape[0] - 1) * (self.shape[1] - 1)

    def excess(self, flow: Integers) -> Integers:
        """Return what every square, and the ground, has too much."""
        leaves, enters = self.sides()
        total = np.zeros(self.squares + 1, dtype=np.int64)
        np.add.at(total, enters, flow + self.wraps)
        np.add.at(total, leaves, -(flow + self.wraps))
        return total

    def cycles(self, flow: Integers) -> Integers:
        """Return the whole cycles of every cell, [rows, columns], 0 for the first one."""
        rows, columns = self.shape
        steps = flow + self.wraps
        down = steps[: (rows - 1) * columns].reshape(rows - 1, columns)
        right = steps[(rows - 1) * columns :].reshape(rows, columns - 1)
        first = np.concatenate([[0], np.cumsum(right[0])])
        below = np.concatenate([np.zeros((1, columns), np.int64), np.cumsum(down, axis=0)])
        return np.asarray(first + below)


@dataclass(frozen=True)
class Certificate:
    """What proves a flow to be optimal.

    Attributes
    ----------
    objective
        Cost of the flow.
    lower_bound
        No flow costs less.
    unbalanced
        Squares with an excess.
    """

    objective: int
    lower_bound: int
    unbalanced: int

    @property
    def optimal(self) -> bool:
        """Tell whether no flow is cheaper."""
        return self.unbalanced == 0 and self.objective == self.lower_bound


def certificate(problem: FlowProblem, flow: Integers, potential: Integers) -> Certificate:
    """Check a flow without knowing how it was found.

    For any potentials the cost of a balanced flow is that of its arcs, each less the difference
    of potentials times its flow, plus a constant; every arc has a least value of that.

    Parameters
    ----------
    problem
        The problem.
    flow
        [A] flow to check.
    potential
        [squares + 1] potentials of the squares and the ground.
    """
    leaves, enters = problem.sides()
    slope = potential[enters] - potential[leaves]
    need = problem.excess(np.zeros_like(flow))
    bound = problem.cheapest(slope).sum() - (potential * need).sum()
    unbalanced = int(np.count_nonzero(problem.excess(flow)))
    return Certificate(int(problem.cost(flow).sum()), int(bound), unbalanced)


def cheapest_flow(problem: FlowProblem) -> tuple[Integers, Integers]:
    """Return the flow of least cost and the potentials that prove it, [A] and [squares + 1]."""
    start = -np.rint(problem.offset / STEPS_PER_CYCLE).astype(np.int64)
    flow = np.where(problem.unknown, 0, start)
    search = _Search(problem, flow)
    excess = problem.excess(flow).tolist()
    for source in np.flatnonzero(np.array(excess) > 0).tolist():
        while excess[source] > 0:
            excess[source] -= 1
            excess[search.move_unit(source, excess)] += 1
    return search.flow, np.array(search.potential, dtype=np.int64)


class _Search:
    """Moves units along cheapest paths; a path's cost counts with the potentials of its ends."""

    def __init__(self, problem: FlowProblem, flow: Integers) -> None:
        self.flow = flow
        # Python's integers: they are faster one by one, and exact at any size.
        self._offset, self._variance = problem.offset.tolist(), problem.variance.tolist()
        self._unknown = problem.unknown.tolist()
        # Cost of one unit more and of one less in every arc, kept up to date.
        self._more = (problem.cost(flow + 1) - problem.cost(flow)).tolist()
        self._less = (problem.cost(flow - 1) - problem.cost(flow)).tolist()
        self.potential = [0] * (problem.squares + 1)
        self._moves: list[list[tuple[int, int, int]]] = [[] for _ in self.potential]
        leaves, enters = problem.sides()
        for arc, (one, other) in enumerate(zip(leaves.tolist(), enters.tolist(), strict=True)):
            if one != other:
                self._moves[one].append((arc, 1, other))
                self._moves[other].append((arc, -1, one))

    def move_unit(self, source: int, excess: list[int]) -> int:
        """Take a unit to the nearest square that lacks one, and return that square."""
        distance = {source: 0}
        came: dict[int, tuple[int, int, int]] = {}
        settled: dict[int, int] = {}
        # Ties go to the smaller number of the square.
        heap = [(0, source)]
        while True:
            reached, square = heapq.heappop(heap)
            if square in settled:
                continue
            if excess[square] < 0:
                break
            settled[square] = reached
            for arc, sign, other in self._moves[square]:
                step = self._more[arc] if sign > 0 else self._less[arc]
                total = reached + step + self.potential[square] - self.potential[other]
                if other not in settled and total < distance.get(other, total + 1):
                    distance[other] = total
                    came[other] = (arc, sign, square)
                    heapq.heappush(heap, (total, other))
        for passed, cost in settled.items():
            self.potential[passed] += cost - reached
        end = square
        while square != source:
            arc, sign, square = came[square]
            self._add(arc, sign)
        return end

    def _add(self, arc: int, sign: int) -> None:
        self.flow[arc] += sign
        at, more, less = (self._cost(arc, int(self.flow[arc]) + step) for step in (0, 1, -1))
        self._more[arc], self._less[arc] = more - at, less - at

    def _cost(self, arc: int, flow: int) -> int:
        if self._unknown[arc]:
            return abs(flow)
        steps = STEPS_PER_CYCLE * flow + self._offset[arc]
        return int(steps * steps // self._variance[arc])
