"""The edges along which PS are compared (stage4.md 5)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError

Array = NDArray[Any]
Edges = NDArray[np.intp]

_CORNERS = 3


def triangulation_edges(xy_m: Array) -> Edges:
    """Return the edges of a Delaunay triangulation.

    StaMPS compatibility: the triangulation of cocircular points is not unique, and the original
    fails for fewer than three points or points on a line. Those are joined to a chain, in the
    order of x, then y; a single point has no edge.

    Parameters
    ----------
    xy_m
        [n, 2] distinct positions.

    Returns
    -------
    [E, 2] rows from 0, sorted by the smaller. The smaller comes first, or the larger if their sum
    is odd: an edge's direction has a small effect on the noise, and if all went from south to
    north a gradient of the noise would come out as a mean.

    Raises
    ------
    PystampsError
        SciPy, which the reference triangulates with, is not installed.
    """
    points = np.asarray(xy_m, dtype=np.float64)
    if len(points) < _CORNERS or _on_a_line(points):
        return _chain(points)
    try:
        from scipy.spatial import Delaunay, QhullError  # noqa: PLC0415 - of the test dependencies
    except ImportError as error:
        cause = "the reference of stage 4 triangulates with SciPy, which is not installed"
        raise PystampsError(cause, "pip install scipy, or give edges") from error
    try:
        corners = Delaunay(points - points.min(axis=0)).simplices
    except QhullError:  # a line within rounding
        return _chain(points)
    sides = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return _canonical(sides)


def given_edges(edges: Array, count: int) -> Edges:
    """Return edges counted from 1 as edges counted from 0, their direction kept.

    Raises
    ------
    PystampsError
        The shape or a number is wrong.
    """
    numbers = np.asarray(edges)
    if numbers.ndim != 2 or numbers.shape[1] != 2:
        cause = f"edges have shape {numbers.shape}, expected (edges, 2)"
        raise PystampsError(cause, "give pairs of rows")
    if numbers.size and (numbers.min() < 1 or numbers.max() > count):
        cause = f"edges refer to rows {numbers.min()} to {numbers.max()}, expected 1 to {count}"
        raise PystampsError(cause, "number the PS left after adjacency and duplicates from 1")
    return numbers.astype(np.intp) - 1


def _on_a_line(points: Array) -> bool:
    """Decide exactly: floating-point coordinates are fractions."""
    first, second = (tuple(map(Fraction, points[row].tolist())) for row in (0, 1))
    across, along = second[0] - first[0], second[1] - first[1]
    return all(
        (Fraction(x) - first[0]) * along == (Fraction(y) - first[1]) * across
        for x, y in points[2:].tolist()
    )


def _chain(points: Array) -> Edges:
    order = np.lexsort((points[:, 1], points[:, 0]))
    return _canonical(np.stack([order[:-1], order[1:]], axis=1))


def _canonical(sides: Array) -> Edges:
    edges = np.unique(np.sort(sides, axis=1), axis=0).reshape(-1, 2)
    odd = edges.sum(axis=1) % 2 == 1
    edges[odd] = edges[odd, ::-1]
    return np.asarray(edges, dtype=np.intp)
