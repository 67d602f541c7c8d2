"""From costs to the unwrapped phase of a grid (stage6.md 6.4, 6.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.flow import (
    Certificate,
    FlowProblem,
    certificate,
    cheapest_flow,
)
from pystamps_shim.reference.unwrapping_costs import STEPS_PER_CYCLE, ArcCosts

Array = NDArray[Any]
Doubles = NDArray[np.float64]

_TURN = 2 * np.pi
#: SNAPHU takes this variance for an arc without cost, which a measured one is not.
_RESERVED_VARIANCE = 32000


@dataclass(frozen=True)
class UnwrappedGrid:
    """One interferogram.

    Attributes
    ----------
    phase_rad
        [n_i, n_j] float32; the first cell is in its first cycle, from 0 to 2 pi.
    proof
        What shows that no other solution costs less.
    """

    phase_rad: NDArray[np.float32]
    proof: Certificate

    def mean_square_difference(self) -> float:
        """Return the mean square of neighbours' differences that are not 0, rad^2.

        0 where all are.
        """
        steps = [np.diff(self.phase_rad, axis=axis).ravel() for axis in (0, 1)]
        different = np.concatenate(steps).astype(np.float64)
        different = different[different != 0]
        return float(np.mean(different**2)) if different.size else 0.0


def unwrap_grid(phase: Array, nearest: Array, down: ArcCosts, right: ArcCosts) -> UnwrappedGrid:
    """Find the whole cycles of least cost.

    Parameters
    ----------
    phase
        [g] complex64 of the nodes.
    nearest
        [n_i, n_j] node of every cell, from 0.
    down, right
        Costs of the arcs.

    Notes
    -----
    StaMPS compatibility: SNAPHU with these costs, but the optimum is exact and proven. Edges
    without statistics cost 1 for every cycle instead of 1 for any number of them, which no method
    can minimise exactly.
    """
    wrapped_rad = wrapped_phase_rad(phase)[nearest]
    problem = flow_problem(wrapped_rad, down, right)
    flow, potential = cheapest_flow(problem)
    phase_rad = (wrapped_rad + _TURN * problem.cycles(flow)).astype(np.float32)
    return UnwrappedGrid(phase_rad, certificate(problem, flow, potential))


def wrapped_phase_rad(phase: Array) -> Doubles:
    """Return the angle in float64, from 0 up to, not including, 2 pi."""
    angle = np.angle(phase.astype(np.complex128))
    angle = np.where(angle < 0, angle + _TURN, angle)
    return np.where(angle >= _TURN, 0.0, angle)


def flow_problem(wrapped_rad: Doubles, down: ArcCosts, right: ArcCosts) -> FlowProblem:
    """Pose the problem of one interferogram.

    Parameters
    ----------
    wrapped_rad
        [n_i, n_j] wrapped phase of the cells.
    down, right
        Costs of the arcs.

    Notes
    -----
    A difference within rounding of half a cycle may be wrapped to the other side here than where
    the costs were made; the cost then follows the difference.
    """
    offsets, wraps = [], []
    for axis, arcs in enumerate((down, right)):
        step = np.diff(wrapped_rad, axis=axis)
        wrap = (step <= -np.pi).astype(np.int64) - (step > np.pi).astype(np.int64)
        other_side = np.rint((arcs.wrapped_rad - (step + _TURN * wrap)) / _TURN)
        shift = np.where(arcs.unknown, 0, np.nan_to_num(other_side)).astype(np.int64)
        offsets.append((arcs.offset - STEPS_PER_CYCLE * shift).ravel())
        wraps.append(wrap.ravel())
    variance = np.concatenate([arcs.variance.ravel() for arcs in (down, right)]).astype(np.int64)
    variance[variance == _RESERVED_VARIANCE] -= 1
    return FlowProblem(
        (wrapped_rad.shape[0], wrapped_rad.shape[1]),
        np.concatenate(wraps),
        np.concatenate(offsets),
        variance,
        np.concatenate([arcs.unknown.ravel() for arcs in (down, right)]),
    )
