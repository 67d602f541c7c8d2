"""One PS out of adjacent ones, and one out of those at the same place (stage4.md 2 and 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Mask = NDArray[np.bool_]


def best_of_adjacent(pixels: Array, coherence: Array) -> Mask:
    """Keep the most coherent PS of each group of adjacent pixels.

    StaMPS compatibility: not quite connected components. Each pixel belongs to the first PS
    beside it; a group is what can be reached along these claims from a PS that still has some.

    Parameters
    ----------
    pixels
        [n, 2] azimuth line and range sample, whole numbers.
    coherence
        [n]; the first of equals is kept, NaN is below everything.

    Returns
    -------
    [n] bool.
    """
    places = [(int(line), int(sample)) for line, sample in pixels]
    claimant: dict[tuple[int, int], int] = {}
    around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    for number, (line, sample) in enumerate(places):
        for i, j in around:
            claimant.setdefault((line + i, sample + j), number)
    claimed: list[list[int]] = [[] for _ in places]
    for number, place in enumerate(places):
        if place in claimant:
            claimed[claimant[place]].append(number)
    keep = np.ones(len(places), dtype=bool)
    for number in range(len(places)):
        if not claimed[number]:
            continue
        group = [number]
        for member in group:  # grows while it is walked
            group += claimed[member]
            claimed[member] = []
        _keep_best(keep, np.unique(group), coherence)
    return keep


def best_of_coincident(positions: Array, coherence: Array) -> Mask:
    """Keep the most coherent PS of those at exactly the same position.

    Parameters
    ----------
    positions
        [n, 2] in any unit.
    coherence
        [n]; the first of equals is kept, NaN is below everything.

    Returns
    -------
    [n] bool.
    """
    keep = np.ones(len(positions), dtype=bool)
    if not len(positions):
        return keep
    _, group, size = np.unique(positions, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    for number in np.flatnonzero(size > 1):
        _keep_best(keep, np.flatnonzero(group == number), coherence)
    return keep


def _keep_best(keep: Mask, members: NDArray[np.intp], coherence: Array) -> None:
    values = np.where(np.isnan(coherence[members]), -np.inf, coherence[members])
    best = members[np.argmax(values)]
    keep[members[members != best]] = False
