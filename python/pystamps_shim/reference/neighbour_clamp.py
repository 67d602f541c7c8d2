"""Outliers moved to the range of their neighbours (stage7.md 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.triangulation import Edges

Array = NDArray[Any]


def clamp_to_neighbours(values: Array, edges: Edges) -> Array:
    """Move each value into the range of those at the other ends of its edges.

    Parameters
    ----------
    values
        [P], any class of float.
    edges
        [E, 2] rows of the ends.

    Returns
    -------
    [P] of the same class, made from the neighbours' values as they were given.

    Notes
    -----
    StaMPS compatibility: ``ps_smooth_scla``, which despite its name does not smooth. The range is
    that of single-precision values, NaN takes no part, and a value that is NaN stays so. A PS
    without edges, or with neighbours of no value, keeps its own; the original makes it infinite.
    """
    single = values.astype(np.float32)
    least = np.full(len(values), np.inf, dtype=np.float32)
    greatest = -least
    for own, other in (edges.T, edges[:, ::-1].T):
        np.fmin.at(least, own, single[other])
        np.fmax.at(greatest, own, single[other])
    clamped = values.copy()
    bounded = least <= greatest
    above, below = bounded & (values > greatest), bounded & (values < least)
    clamped[above], clamped[below] = greatest[above], least[below]
    return clamped
