"""Which PS stand for a dataset in a figure of time series: by rule, so always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]
Role = Literal["away", "towards", "stable"]

# Coherent enough to be shown, unless hardly any PS is.
_COHERENCE = 0.7
_FEWEST = 20
# A stable PS is looked for among this share of the PS, those nearest to the reference.
_NEAR_SHARE = 0.1


@dataclass(frozen=True)
class Candidates:
    """The PS to choose from.

    Attributes
    ----------
    lonlat_deg
        Longitude and latitude, [N, 2].
    coherence
        Temporal coherence, [N]; NaN where unknown.
    velocity, std
        Mean velocity and its standard deviation, [N] mm/yr; NaN where unknown.
    centre_lonlat_deg
        Middle of the reference area; None where all PS are the reference.
    """

    lonlat_deg: Doubles
    coherence: Doubles
    velocity: Doubles
    std: Doubles
    centre_lonlat_deg: tuple[float, float] | None


@dataclass(frozen=True)
class Choice:
    """One PS and what it was chosen as.

    Attributes
    ----------
    ps
        Its row, from 0.
    role
        Fastest away from the satellite, fastest towards it, or stable.
    """

    ps: int
    role: Role


def choose(candidates: Candidates) -> list[Choice]:
    """Return the PS that surely move fastest, away and towards, and a stable one.

    Surely: by their velocity less one standard deviation, among PS of coherence above 0.7 (among
    the better half, where there are fewer than 20). The stable one is the slowest of the tenth
    nearest to the centre of the reference area; where all PS are the reference, of all. A dataset
    of one or two PS shows each of them once, one without velocities none.
    """
    velocity = candidates.velocity
    std = np.where(np.isfinite(candidates.std), candidates.std, 0.0)
    usable = _usable(candidates)
    if not usable.size:
        return []
    near = usable if candidates.centre_lonlat_deg is None else _nearest(candidates, usable)
    chosen: dict[int, Role] = {}
    chosen.setdefault(int(usable[np.argmin(velocity[usable] + std[usable])]), "away")
    chosen.setdefault(int(usable[np.argmax(velocity[usable] - std[usable])]), "towards")
    chosen.setdefault(int(near[np.argmin(np.abs(velocity[near]) + std[near])]), "stable")
    return [Choice(ps, role) for ps, role in chosen.items()]


def _usable(candidates: Candidates) -> Rows:
    known = np.isfinite(candidates.velocity)
    coherence = candidates.coherence
    # A dataset without coherence, all NaN, leaves the choice among all.
    coherent = np.flatnonzero(known & ~(coherence <= _COHERENCE))
    if coherent.size >= _FEWEST:
        return coherent
    half = np.median(coherence[known]) if known.any() else 0.0
    return np.flatnonzero(known & ~(coherence < half))


def _nearest(candidates: Candidates, rows: Rows) -> Rows:
    centre = np.asarray(candidates.centre_lonlat_deg)
    offset = candidates.lonlat_deg[rows] - centre
    offset[:, 0] *= np.cos(np.deg2rad(centre[1]))
    order = np.argsort(np.hypot(offset[:, 0], offset[:, 1]), kind="stable")
    return rows[order[: max(1, int(np.ceil(_NEAR_SHARE * rows.size)))]]
