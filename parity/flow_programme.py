"""The unwrapping problem as a linear programme, solved by HiGHS: independent of the native solver.

Variables are the flows themselves, expanded into units: a convex cost charges each further unit at
least as much as the one before, so a linear programme fills them in order. The constraints are the
sums round the cells (a totally unimodular matrix: its vertices are integer).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

#: Variance that stands for a cost of the number of units.
ABSOLUTE = 0
#: Variance that stands for no cost.
FREE = -1


def arc_cost(records: NDArray[np.int16], flow: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what arcs charge.

    Parameters
    ----------
    records
        Offset and variance, [..., 2] int16.
    flow
        Whole cycles, [...].

    Returns
    -------
    floor((200 flow + offset)^2 / variance), or the number of units, or 0, [...] int64.
    """
    offset = records[..., 0].astype(np.int64)
    variance = records[..., 1].astype(np.int64)
    quadratic = (200 * flow + offset) ** 2 // np.maximum(variance, 1)
    return np.where(variance > 0, quadratic, np.where(variance == ABSOLUTE, np.abs(flow), 0))


def wraps(phase_rad: NDArray[np.float32], axis: int) -> NDArray[np.int64]:
    """Return the whole cycles that bring differences along an axis into (-pi, pi]."""
    difference = np.diff(phase_rad.astype(np.float64), axis=axis)
    return np.asarray((difference <= -np.pi).astype(np.int64) - (difference > np.pi))


@dataclass(frozen=True)
class GridProgramme:
    """A grid problem.

    Attributes
    ----------
    phase_rad
        Wrapped phase, [rows, columns] float32.
    down, right
        Offset and variance of the arcs, [rows - 1, columns, 2] and [rows, columns - 1, 2] int16.
    """

    phase_rad: NDArray[np.float32]
    down: NDArray[np.int16]
    right: NDArray[np.int16]

    def least_objective(self, reach: int) -> int:
        """Return the least sum of costs over flows of at most `reach` cycles."""
        rows, columns = self.phase_rad.shape
        records = np.concatenate([self.down.reshape(-1, 2), self.right.reshape(-1, 2)])
        whole = np.concatenate([wraps(self.phase_rad, 0).ravel(), wraps(self.phase_rad, 1).ravel()])
        around = _around(rows, columns)
        lowest = np.full(len(records), -reach)
        units = np.arange(2 * reach)
        levels = lowest[:, None] + np.arange(2 * reach + 1)
        charges = np.diff(arc_cost(records[:, None, :], levels), axis=1)
        # Flows are the lowest plus the units taken.
        matrix = csr_array(np.repeat(around, len(units), axis=1))
        wanted = -around @ (whole + lowest)
        base = int(arc_cost(records, lowest).sum())
        if len(wanted) == 0:
            return base + int(np.minimum(charges, 0).sum())
        result: Any = linprog(charges.ravel(), A_eq=matrix, b_eq=wanted, bounds=(0, 1))
        if result.status != 0:
            raise ValueError(result.message)
        return base + int(np.rint(result.fun))


def _around(rows: int, columns: int) -> NDArray[np.int64]:
    """Return the matrix of sums clockwise round every cell, [cells, arcs down, then right]."""
    down = np.arange((rows - 1) * columns).reshape(rows - 1, columns)
    right = down.size + np.arange(rows * (columns - 1)).reshape(rows, columns - 1)
    matrix = np.zeros(((rows - 1) * (columns - 1), down.size + right.size), dtype=np.int64)
    cells = np.arange(len(matrix))
    matrix[cells, right[:-1].ravel()] = 1
    matrix[cells, down[:, 1:].ravel()] = 1
    matrix[cells, right[1:].ravel()] = -1
    matrix[cells, down[:, :-1].ravel()] = -1
    return matrix
