"""How much values differ with their distance (stage8.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: Share of the bins that is used: the far ones are of few and dependent pairs.
_BINS_OVER_USED = 1.75


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

    Raises
    ------
    PystampsError
        SciPy, which the reference searches with, is not installed.

    Notes
    -----
    StaMPS compatibility: ``ps_fit_vario`` with model 2. All bins weigh the same. The bounded search
    is SciPy's, whose minimum MATLAB's need not share to the last digit.
    """
    centre, mean = empirical_variogram(positions, values, lags)
    used = centre < farthest
    if not used.any():
        return start
    try:
        from scipy.optimize import least_squares  # noqa: PLC0415 - of the test dependencies
    except ImportError as error:
        cause = "the reference of scn_kriging_flag = 'y' needs SciPy, which is not installed"
        raise PystampsError(cause, "pip install 'pystamps[test]'") from error

    def misfit(unknowns: Doubles) -> Doubles:
        reach, sill, nugget = unknowns
        fitted = sill * (1 - np.exp(-centre[used] / max(reach, 1e-300))) + nugget
        return np.asarray(fitted - mean[used])

    found = least_squares(misfit, [start.reach, start.sill, start.nugget], bounds=(0, np.inf))
    return Variogram(*(float(value) for value in found.x))


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
