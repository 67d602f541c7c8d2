"""Problems as SNAPHU got them and what it made of them (``snaphu_keep/NNN`` of the oracle)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.flow import FlowProblem
from pystamps_shim.reference.grid_unwrapping import flow_problem, wrapped_phase_rad
from pystamps_shim.reference.unwrapping_costs import ArcCosts

Array = NDArray[Any]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PosedProblem:
    """One interferogram before it is solved.

    Attributes
    ----------
    wrapped_rad
        [n_i, n_j] wrapped phase of the cells.
    problem
        The problem with convex costs, posed from SNAPHU's input and cost file.
    """

    wrapped_rad: NDArray[np.float64]
    problem: FlowProblem

    @classmethod
    def read(cls, folder: Path, shape: tuple[int, int]) -> PosedProblem:
        """Read ``snaphu.in`` and ``snaphu.costinfile`` of a grid of `shape`."""
        down, right = read_costs(folder / "snaphu.costinfile", shape)
        phasors = np.fromfile(folder / "snaphu.in", np.complex64).reshape(shape)
        wrapped_rad = wrapped_phase_rad(phasors)
        return cls(wrapped_rad, flow_problem(wrapped_rad, down, right))

    def flow(self, unwrapped_rad: Array) -> Integers:
        """Return an unwrapped phase [n_i, n_j] as flow of the problem, [A]."""
        cycles = np.rint((unwrapped_rad - self.wrapped_rad) / (2 * np.pi)).astype(np.int64)
        steps = [np.diff(cycles, axis=axis).ravel() for axis in (0, 1)]
        return np.concatenate(steps) - self.problem.wraps


@dataclass(frozen=True)
class KeptProblem:
    """One interferogram.

    Attributes
    ----------
    problem
        The problem with convex costs, posed from SNAPHU's input and cost file.
    flow
        [A] SNAPHU's solution as flow of the same problem.
    logged_cost
        The cost that SNAPHU has printed; None where its log was not kept.
    """

    problem: FlowProblem
    flow: Integers
    logged_cost: int | None

    @classmethod
    def read(cls, folder: Path, shape: tuple[int, int]) -> KeptProblem:
        """Read a folder of a grid of `shape`."""
        posed = PosedProblem.read(folder, shape)
        unwrapped_rad = np.fromfile(folder / "snaphu.out", np.float32).reshape(shape)
        log = folder / "snaphu.log"
        text = log.read_text(encoding="ascii") if log.exists() else ""
        found = re.search(r"Total solution cost: (\d+)", text)
        return cls(posed.problem, posed.flow(unwrapped_rad), int(found[1]) if found else None)

    def counted_cost(self, flow: Integers) -> int:
        """Return SNAPHU's own cost of a flow: 1 for any flow in an arc without statistics."""
        cost = self.problem.cost(flow)
        return int(np.where(self.problem.unknown, flow != 0, cost).sum())


def read_costs(path: Path, shape: tuple[int, int]) -> tuple[ArcCosts, ArcCosts]:
    """Return the costs of a ``snaphu.costinfile``, to the cell below and to the next column.

    The wrapped difference behind the offsets is not in the file and is NaN, which
    leaves the offsets as they are.
    """
    rows, columns = shape
    records = np.fromfile(path, np.int16).reshape(-1, 4)
    split = (rows - 1) * columns
    parts = records[:split].reshape(rows - 1, columns, 4), records[split:].reshape(rows, -1, 4)
    return _arcs(parts[0], -1), _arcs(parts[1], 1)


def _arcs(records: Array, sign: int) -> ArcCosts:
    offset = (sign * records[..., 0].astype(np.int64)).astype(np.int16)
    nan = np.full(offset.shape, np.nan, dtype=np.float32)
    return ArcCosts(offset, records[..., 1], records[..., 3] == 1, nan)
