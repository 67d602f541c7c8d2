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
    nearest to the centre of the reference area; where all PS are the reference, of all.
    """
    velocity = table.velocity_mm_per_year
    std = np.where(np.isfinite(table.std_mm_per_year), table.std_mm_per_year, 0.0)
    usable = _usable(table)
    away = usable[np.argmin(velocity[usable] + std[usable])]
    towards = usable[np.argmax(velocity[usable] - std[usable])]
    centre = table.description.reference_centre_lonlat_deg
    near = usable if centre is None else _nearest(table, usable, centre)
    stable = near[np.argmin(np.abs(velocity[near]) + std[near])]
    chosen = [
        Choice(int(away), "fastest away from the satellite"),
        Choice(int(towards), "fastest towards the satellite"),
        Choice(int(stable), "stable" if centre is None else "stable, near the reference"),
    ]
    # A dataset of one or two PS shows each of them once.
    return [choice for i, choice in enumerate(chosen) if choice.ps not in _rows(chosen[:i])]


def _rows(choices: list[Choice]) -> set[int]:
    return {choice.ps for choice in choices}


def _usable(table: VelocityTable) -> NDArray[np.intp]:
    known = np.isfinite(table.velocity_mm_per_year)
    coherence = table.places.coherence
    # A dataset without coherence, all NaN, leaves the choice among all.
    coherent = np.flatnonzero(known & ~(coherence <= _COHERENCE))
    if coherent.size >= _FEWEST:
        return coherent
    half = np.median(coherence[known]) if known.any() else 0.0
    return np.flatnonzero(known & ~(coherence < half))


def _nearest(
    table: VelocityTable, rows: NDArray[np.intp], centre_lonlat_deg: tuple[float, float]
) -> NDArray[np.intp]:
    offset = table.places.lonlat_deg[rows] - centre_lonlat_deg
    offset[:, 0] *= np.cos(np.deg2rad(centre_lonlat_deg[1]))
    order = np.argsort(np.hypot(offset[:, 0], offset[:, 1]), kind="stable")
    return rows[order[: max(1, int(np.ceil(_NEAR_SHARE * rows.size)))]]
