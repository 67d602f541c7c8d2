"""Square cells on the ground: how dense the PS are, and which ground is stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles

_METRES_PER_DEGREE = 111_195.0
_DENSITY_CELL_M = 1000.0
_STABLE_CELL_M = 500.0
_LEAST_LIMIT_MM_PER_YEAR = 1.0
_ROBUST_STDS = 3.0
# Median absolute deviation of a normal distribution, inverted.
_STD_OF_DEVIATION = 1.4826


@dataclass(frozen=True)
class Density:
    """PS per square kilometre, over the cells of one square kilometre that hold any.

    Attributes
    ----------
    mean, median, most
        PS per square kilometre.
    occupied_km2
        Area of these cells.
    """

    mean: float
    median: float
    most: int
    occupied_km2: int


@dataclass(frozen=True)
class Stable:
    """Ground that is taken to be stable.

    Attributes
    ----------
    flags
        [N]
    limit_mm_per_year
        By how much the median of a cell may differ from `middle_mm_per_year`.
    middle_mm_per_year
        Median of the cells' medians.
    """

    flags: NDArray[np.bool_]
    limit_mm_per_year: float
    middle_mm_per_year: float


def metres(lonlat_deg: Doubles) -> Doubles:
    """Return places in metres east and north of their middle, [N, 2]."""
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    middle = (low + high) / 2
    scale = np.array([np.cos(np.deg2rad(middle[1])), 1.0]) * _METRES_PER_DEGREE
    return np.asarray((lonlat_deg - middle) * scale)


def density(xy_m: Doubles) -> Density:
    """Return how dense places are, [N, 2] m."""
    counts = np.bincount(_cell_of_each(xy_m, _DENSITY_CELL_M))
    return Density(float(counts.mean()), float(np.median(counts)), int(counts.max()), counts.size)


def stable_ground(xy_m: Doubles, velocity_mm_per_year: Doubles) -> Stable:
    """Return the PS on ground that does not stand out.

    Cells of 500 m whose median velocity lies within three robust standard deviations of the
    cells' medians, or 1 mm/yr where that is more. Whole cells are judged, so the noise of single
    PS is not cut off.
    """
    known = np.isfinite(velocity_mm_per_year)
    flags = np.zeros(len(known), dtype=bool)
    if not known.any():
        return Stable(flags, _LEAST_LIMIT_MM_PER_YEAR, float("nan"))
    cell = _cell_of_each(xy_m[known], _STABLE_CELL_M)
    medians = _medians(cell, velocity_mm_per_year[known])
    middle = float(np.median(medians))
    deviation = float(np.median(np.abs(medians - middle)))
    limit = max(_LEAST_LIMIT_MM_PER_YEAR, _ROBUST_STDS * _STD_OF_DEVIATION * deviation)
    flags[known] = (np.abs(medians - middle) <= limit)[cell]
    return Stable(flags, limit, middle)


def _cell_of_each(xy_m: Doubles, cell_m: float) -> NDArray[np.intp]:
    """Return the number of each place's cell among those that are occupied, [N]."""
    corner = np.floor(xy_m / cell_m).astype(np.int64)
    corner -= corner.min(axis=0)
    number = corner[:, 0] * (int(corner[:, 1].max()) + 1) + corner[:, 1]
    return np.asarray(np.unique(number, return_inverse=True)[1], dtype=np.intp)


def _medians(cell: NDArray[np.intp], values: Doubles) -> Doubles:
    """Return the median of every cell's values, [cells]."""
    order = np.lexsort((values, cell))
    ordered = values[order]
    counts = np.bincount(cell)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.asarray((ordered[first + (counts - 1) // 2] + ordered[first + counts // 2]) / 2)
