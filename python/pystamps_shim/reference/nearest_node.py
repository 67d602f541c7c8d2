"""Empty cells filled from the nearest node, and the pairs of nodes that touch (stage6.md 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.stage1 import Array

#: Farther than any cell.
_FAR = 1 << 30


def nearest_nodes(occupied: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the number of the node nearest to each cell.

    Of nodes at the same distance the one with the smallest number: the leftmost, then the upper
    one. Exact, in whole numbers: the nearest node of a cell is also the nearest one in its own
    column at that height.

    Parameters
    ----------
    occupied
        [n_i, n_j] bool, at least one of them.

    Returns
    -------
    [n_i, n_j], counted from 0 column by column.
    """
    n_i, n_j = occupied.shape
    number = (np.cumsum(occupied.ravel(order="F")) - 1).reshape((n_i, n_j), order="F")
    rows = np.arange(n_i)[:, None]
    above = np.maximum.accumulate(np.where(occupied, rows, -_FAR), axis=0)
    below = np.minimum.accumulate(np.where(occupied, rows, _FAR)[::-1], axis=0)[::-1]
    upper = rows - above <= below - rows
    height = np.where(upper, rows - above, below - rows)
    nearest_row = np.clip(np.where(upper, above, below), 0, n_i - 1)
    columns = np.arange(n_j)
    across = (columns[:, None] - columns[None, :]) ** 2
    nearest = np.empty((n_i, n_j), dtype=np.intp)
    for row in range(n_i):
        # np.argmin takes the first, so the leftmost column.
        best = np.argmin(across + height[row] ** 2, axis=1)
        nearest[row] = number[nearest_row[row, best], best]
    return nearest


@dataclass(frozen=True)
class NodeEdges:
    """Pairs of nodes whose cells touch.

    Attributes
    ----------
    ends
        [E, 2] nodes from 0, the smaller first, sorted by the smaller.
    down
        [n_i - 1, n_j] edge between a cell and the one below it, counted from 1, negative where
        the edge points upwards, 0 where both have the same node.
    right
        [n_i, n_j - 1] the same to the next column.
    """

    ends: NDArray[np.intp]
    down: NDArray[np.intp]
    right: NDArray[np.intp]

    @classmethod
    def of(cls, nearest: NDArray[np.intp]) -> NodeEdges:
        """Find the edges of a filled grid.

        Notes
        -----
        StaMPS compatibility: ``uw_interp``. The original drops the first pair on the assumption
        that some neighbours have the same node. On a grid full of PS that loses an edge; here it
        stays.
        """
        pairs = [
            np.stack([nearest[:-1], nearest[1:]], axis=-1),
            np.stack([nearest[:, :-1], nearest[:, 1:]], axis=-1),
        ]
        flat = np.concatenate([pair.reshape(-1, 2) for pair in pairs])
        different = flat[:, 0] != flat[:, 1]
        ends, found = np.unique(np.sort(flat[different], axis=1), axis=0, return_inverse=True)
        signed = np.zeros(len(flat), dtype=np.intp)
        signed[different] = found.ravel() + 1
        signed[flat[:, 0] > flat[:, 1]] *= -1
        split = pairs[0].shape[0] * pairs[0].shape[1]
        down = signed[:split].reshape(pairs[0].shape[:2])
        return cls(ends, down, signed[split:].reshape(pairs[1].shape[:2]))

    def occurrences(self) -> NDArray[np.intp]:
        """Return how many pairs of cells each edge stands for, [E]."""
        arcs = np.abs(np.concatenate([self.down.ravel(), self.right.ravel()]))
        return np.bincount(arcs, minlength=len(self.ends) + 1)[1:]

    def variables(self, nearest: NDArray[np.intp]) -> dict[str, Array]:
        """Return ``uw_interp.mat``."""
        ids = np.arange(1.0, len(self.ends) + 1)
        return {
            "edgs": np.column_stack([ids, self.ends + 1.0]),
            "n_edge": np.full((1, 1), float(len(self.ends))),
            "rowix": self.down.astype(np.float64),
            "colix": self.right.astype(np.float64),
            "Z": nearest + 1.0,
        }
