"""Which PS stand for a dataset in a figure of time series: by rule, so always the same ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.tables import VelocityTable

# Coherent enough to be shown, unless hardly any PS is.
_COHERENCE = 0.7
_FEWEST = 20
# A stable PS is looked for among this share of the PS, those nearest to the reference.
_NEAR_SHARE = 0.1


@dataclass(frozen=True)
class Choice:
    """One PS and why it was chosen.

    Attributes
    ----------
    ps
        Its row, from 0.
    reason
        In a few words.
    """

    ps: int
    reason: str


def choose(table: VelocityTable) -> list[Choice]:
    """Return the PS that surely move fastest, away and towards, and a stable one.

    Surely: by their velocity less one standard deviation, among PS of coherence above 0.7 (among
    the better half, where there are fewer than 20). The stable one is the slowest of the tenth
    nearest to the centre of the reference area, or to the middle of all PS without one.
    """
    velocity = table.velocity_mm_per_year
    std = np.where(np.isfinite(table.std_mm_per_year), table.std_mm_per_year, 0.0)
    usable = _usable(table)
    away = usable[np.argmin(velocity[usable] + std[usable])]
    towards = usable[np.argmax(velocity[usable] - std[usable])]
    near = usable[np.argsort(_distance(table, usable), kind="stable")]
    near = near[: max(1, int(np.ceil(_NEAR_SHARE * near.size)))]
    stable = near[np.argmin(np.abs(velocity[near]) + std[near])]
    chosen = [
        Choice(int(away), "fastest away from the satellite"),
        Choice(int(towards), "fastest towards the satellite"),
        Choice(int(stable), "stable, near the reference"),
    ]
    # A dataset of one or two PS shows each of them once.
    return [choice for i, choice in enumerate(chosen) if choice.ps not in _rows(chosen[:i])]


def _rows(choices: list[Choice]) -> set[int]:
    return {choice.ps for choice in choices}


def _usable(table: VelocityTable) -> NDArray[np.intp]:
    known = np.isfinite(table.velocity_mm_per_year)
    coherence = table.places.coherence
    coherent = np.flatnonzero(known & (coherence > _COHERENCE))
    if coherent.size >= _FEWEST:
        return coherent
    half = np.median(coherence[known]) if known.any() else 0.0
    return np.flatnonzero(known & (coherence >= half))


def _distance(table: VelocityTable, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    lonlat_deg = table.places.lonlat_deg
    centre = table.description.reference_centre_lonlat_deg
    middle = np.median(lonlat_deg, axis=0) if centre is None else np.array(centre)
    offset = lonlat_deg[rows] - middle
    offset[:, 0] *= np.cos(np.deg2rad(middle[1]))
    return np.asarray(np.hypot(offset[:, 0], offset[:, 1]))
