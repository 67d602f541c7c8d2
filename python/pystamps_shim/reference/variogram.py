"""How much values differ with their distance (stage8.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: Share of the bins that is used: the far ones are of few and dependent pairs.
_BINS_OVER_USED = 1.75
# Ranges tried, from a part of the nearest bin's distance to a multiple of the farthest's, and how
# often the best is narrowed down.
_SHORTEST, _LONGEST, _TRIED, _NARROWED = 0.05, 1e3, 64, 50
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Variogram:
    """Exponential variogram: ``sill (1 - exp(-h / range)) + nugget``.

    Attributes
    ----------
    reach
        Range, of the unit of the positions.
    sill, nugget
        Of the square of the values' unit.
    """

    reach: float
    sill: float
    nugget: float

    def covariance(self, distance: Array) -> Doubles:
        """Return the covariance at distances, without the nugget."""
        if self.reach <= 0:
            return np.where(distance == 0, self.sill, 0.0)
        return np.asarray(self.sill * np.exp(-distance / self.reach))


def fit_variogram(
    positions: Array, values: Array, start: Variogram, farthest: float, lags: int
) -> Variogram:
    """Fit an exponential variogram to the pairs of values.

    Parameters
    ----------
    positions
        [n, d]
    values
        [n]
    start
        Where the search begins.
    farthest
        Distance from which on pairs do not count.
    lags
        Edges of the bins, equally spaced from 0 to the longest distance.

    Returns
    -------
    The variogram of least squares over the bins, no parameter below 0; `start` where no bin is
    left.

    Notes
    -----
    StaMPS compatibility: ``ps_fit_vario`` with model 2. All bins weigh the same. The original
    searches from `start` and may stop in another minimum; this is the least of all: for a given
    range sill and nugget follow from a linear fit; ranges are tried in geometric steps, the best
    is narrowed down.
    """
    centre, mean = empirical_variogram(positions, values, lags)
    used = centre < farthest
    if not used.any():
        return start
    centre, mean = centre[used], mean[used]
    shortest = _SHORTEST * centre.min()
    ratio = _LONGEST * centre.max() / shortest

    def fit(part: float) -> tuple[float, Variogram]:
        return _with_range(shortest * ratio**part, centre, mean)

    parts = np.linspace(0, 1, _TRIED)
    tried = [fit(part) for part in parts]
    best = min(range(_TRIED), key=lambda number: tried[number][0])
    low, high = parts[max(best - 1, 0)], parts[min(best + 1, _TRIED - 1)]
    for _ in range(_NARROWED):
        width = _GOLDEN * (high - low)
        if fit(high - width)[0] <= fit(low + width)[0]:
            high = low + width
        else:
            low = high - width
    return min(fit((low + high) / 2), tried[best], key=lambda found: found[0])[1]


def _with_range(reach: float, centre: Doubles, mean: Doubles) -> tuple[float, Variogram]:
    """Return the least sum of squares with this range, and the variogram that leaves it."""
    shape = 1 - np.exp(-centre / reach)
    count = len(centre)
    determinant = count * (shape @ shape) - shape.sum() ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        sill = (count * (shape @ mean) - shape.sum() * mean.sum()) / determinant
        nugget = (mean.sum() - sill * shape.sum()) / count
    pairs = [(sill, nugget), (shape @ mean / (shape @ shape), 0.0), (0.0, mean.mean())]
    fits = [
        (float(((sill * shape + nugget - mean) ** 2).sum()), Variogram(reach, sill, nugget))
        for sill, nugget in ((float(sill), float(nugget)) for sill, nugget in pairs)
        if sill >= 0 and nugget >= 0
    ]
    return min(fits, key=lambda found: found[0])


def empirical_variogram(positions: Array, values: Array, lags: int) -> tuple[Doubles, Doubles]:
    """Return centre and mean half squared difference of the bins, those without pairs left out.

    Parameters
    ----------
    positions, values, lags
        As for `fit_variogram`.

    Returns
    -------
    [k] each, the nearest bins alone. The farthest pair is in none.
    """
    first, second = np.triu_indices(len(values), 1)
    distance = np.sqrt(((positions[first] - positions[second]) ** 2).sum(axis=1))
    single = values.astype(np.float32)
    half = 0.5 * ((single[first] - single[second]) ** 2).astype(np.float64)
    edges = np.linspace(0, distance.max(initial=0), lags)
    bins = np.searchsorted(edges, distance, side="right") - 1
    inside = bins < lags - 1
    count = np.bincount(bins[inside], minlength=lags - 1)
    total = np.bincount(bins[inside], weights=half[inside], minlength=lags - 1)
    filled = np.flatnonzero(count)[: int((lags - 1) / _BINS_OVER_USED + 0.5)]
    centre = (edges[:-1] + edges[1:]) / 2
    return centre[filled], total[filled] / count[filled]
