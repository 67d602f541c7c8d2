"""Square cells on the ground: how dense the PS are, and which ground is stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles

_METRES_PER_DEGREE = 111_195.0
_DENSITY_CELL_M = 1000.0
_STABLE_CELL_M = 500.0

#: Stable ground: how far cells may be from the most common velocity, and how many have to be.
ROBUST_STDS = 3.0
LEAST_LIMIT_MM_PER_YEAR = 1.0
MOST_LIMIT_MM_PER_YEAR = 2.5
LEAST_SHARE = 0.1

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
        Most common velocity of the cells; NaN where no velocity is known.
    share_of_cells
        How many of the cells that hold any known velocity are stable, 0 to 1.
    """

    flags: NDArray[np.bool_]
    limit_mm_per_year: float
    middle_mm_per_year: float
    share_of_cells: float

    @property
    def told(self) -> bool:
        """Tell whether enough cells agree for ground to be called stable at all."""
        return self.share_of_cells >= LEAST_SHARE


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
    """Return the PS on ground that moves as most of the ground does.

    Cells of 500 m whose median velocity lies within three robust standard deviations of the most
    common velocity, 1 mm/yr at least and 2.5 mm/yr at most: where half of a scene moves, deviations
    measure the motion, and without a ceiling all of it would be stable. Whole cells are judged, so
    that the noise of single PS is not cut off.
    """
    known = np.isfinite(velocity_mm_per_year)
    flags = np.zeros(len(known), dtype=bool)
    if not known.any():
        return Stable(flags, LEAST_LIMIT_MM_PER_YEAR, float("nan"), 0.0)
    cell = _cell_of_each(xy_m[known], _STABLE_CELL_M)
    medians = _medians(cell, velocity_mm_per_year[known])
    middle = _most_common(medians, 2 * LEAST_LIMIT_MM_PER_YEAR)
    deviation = float(np.median(np.abs(medians - middle)))
    limit = ROBUST_STDS * _STD_OF_DEVIATION * deviation
    limit = min(max(limit, LEAST_LIMIT_MM_PER_YEAR), MOST_LIMIT_MM_PER_YEAR)
    stable = np.abs(medians - middle) <= limit
    flags[known] = stable[cell]
    return Stable(flags, limit, middle, float(stable.mean()))


def _most_common(values: Doubles, width: float) -> float:
    """Return the median of the values in the window of a width that holds most of them.

    Of several such windows that of the closest values; then the nearest to the median of all, so
    that the sign of motion decides nothing.
    """
    ordered = np.sort(values)
    first = np.arange(ordered.size)
    end = np.searchsorted(ordered, ordered + width, side="right")
    middle = (ordered[(first + end - 1) // 2] + ordered[(first + end) // 2]) / 2
    away = np.abs(middle - np.median(ordered))
    return float(middle[np.lexsort((away, ordered[end - 1] - ordered, first - end))[0]])


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
