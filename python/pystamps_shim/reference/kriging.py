"""The best linear guess from values around, given their variogram (stage8.md 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.variogram import Variogram

Array = NDArray[Any]
Doubles = NDArray[np.float64]


def nearest_within(distance: Doubles, most: int, farthest: float) -> NDArray[np.intp]:
    """Return the nearest of `distance` [n] below `farthest`, at most `most`, nearest first."""
    order = np.argsort(distance, kind="stable")[:most]
    return np.asarray(order[distance[order] < farthest])


def kriging_weights(positions: Array, place: Array, variogram: Variogram) -> Doubles:
    """Return the weights of values at `positions` in the guess of the smooth value at a place.

    Parameters
    ----------
    positions
        [n, d]
    place
        [d]; it may be one of the positions.
    variogram
        Its nugget is noise of the values, which the guess is without.

    Returns
    -------
    [n] weights of sum 1.

    Notes
    -----
    StaMPS compatibility: ``ps_kriging`` with method 2, ordinary kriging: the mean is unknown.
    """
    count = len(positions)
    system = np.ones((count + 1, count + 1))
    between = np.sqrt(((positions[:, None] - positions[None]) ** 2).sum(axis=2))
    system[:count, :count] = variogram.covariance(between) + variogram.nugget * np.eye(count)
    system[count, count] = 0
    right = np.ones(count + 1)
    right[:count] = variogram.covariance(np.sqrt(((positions - place) ** 2).sum(axis=1)))
    # Values at one place without a nugget share their weight.
    return np.asarray(np.linalg.lstsq(system, right)[0][:count])
