"""Points in a quadtree whose every node holds an even sample of what its children go on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pystamps_shim.products.measurements import Doubles, Rows

#: West, south, east, north.
Bounds = tuple[float, float, float, float]

_ROOT = "r"


@dataclass(frozen=True)
class Node:
    """One square of the tree.

    Attributes
    ----------
    name
        ``r`` for the root, then a figure a level: 0 south-west, 1 south-east, 2 north-west,
        3 north-east.
    bounds
        West, south, east, north.
    rows
        Points of this node, ascending; those of its children are others.
    children
        Names and bounds of the children that hold points.
    """

    name: str
    bounds: Bounds
    rows: Rows
    children: tuple[tuple[str, Bounds], ...]

    @property
    def is_root(self) -> bool:
        """Tell whether this is the first node."""
        return self.name == _ROOT


def nodes(xy: Doubles, most: int) -> Iterator[Node]:
    """Yield all nodes, parents before children; every point is in exactly one of them.

    Parameters
    ----------
    xy
        Points, [N, 2].
    most
        Points of a node at most.
    """
    (west, south), (east, north) = xy.min(axis=0), xy.max(axis=0)
    everything = np.arange(len(xy))
    waiting = [(_ROOT, (float(west), float(south), float(east), float(north)), everything)]
    while waiting:
        name, bounds, rows = waiting.pop()
        chosen = even_sample(xy[rows], bounds, most)
        left = np.delete(rows, chosen)
        quarters = _quarters(xy[left], bounds)
        below = [
            (f"{name}{number}", quarter, left[inside])
            for number, (quarter, inside) in enumerate(quarters)
            if inside.size
        ]
        yield Node(name, bounds, rows[chosen], tuple((n, b) for n, b, _ in below))
        waiting += reversed(below)


def even_sample(xy: Doubles, bounds: Bounds, most: int) -> Rows:
    """Return rows of `most` points that cover an area as evenly as they can, ascending.

    The area is cut into about as many cells; first one point of each counts, then the second ones,
    and so on.
    """
    if len(xy) <= most:
        return np.arange(len(xy))
    side = max(int(np.sqrt(most)), 1)
    low, size = np.array(bounds[:2]), np.array(bounds[2:]) - np.array(bounds[:2])
    share = (xy - low) / np.where(size > 0, size, 1.0)
    column, row = np.minimum((share * side).astype(np.intp), side - 1).T
    cell = row * side + column
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(starts, len(ordered)))
    turn = np.arange(len(ordered)) - np.repeat(starts, lengths)
    # Within a turn, cells in an order without a direction: not all of the south first.
    scattered = ordered * 2_654_435_761 % 2**32
    first = np.lexsort((scattered, turn))[:most]
    return np.sort(order[first])


def _quarters(xy: Doubles, bounds: Bounds) -> list[tuple[Bounds, Rows]]:
    west, south, east, north = bounds
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    is_east, is_north = xy[:, 0] >= middle_x, xy[:, 1] >= middle_y
    found = []
    for northern in (False, True):
        for eastern in (False, True):
            x = (middle_x, east) if eastern else (west, middle_x)
            y = (middle_y, north) if northern else (south, middle_y)
            inside = np.flatnonzero((is_east == eastern) & (is_north == northern))
            found.append(((x[0], y[0], x[1], y[1]), inside))
    return found
