"""Noise that is rough in time and smooth in space: the atmosphere (stage8.md 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

#: Reach of the spatial filter in standard deviations.
_REACH = 4


def temporal_weights(day: Doubles, window_days: float, weightless: int | None) -> Doubles:
    """Return the Gaussian weights that smooth a series in time.

    Parameters
    ----------
    day
        [n] days of the columns.
    window_days
        Standard deviation.
    weightless
        Column that contributes nothing, the master's; None for none.

    Returns
    -------
    [n, n] whose product with [n] values is their smooth part; rows sum to 1. A date that no other
    has weight at is its own smooth part.
    """
    exponent = -((day[:, None] - day[None, :]) ** 2) / (2 * window_days**2)
    if weightless is not None:
        exponent[:, weightless] = -np.inf
    greatest = exponent.max(axis=1, keepdims=True)
    lonely = ~np.isfinite(greatest.ravel())
    exponent[lonely, lonely] = greatest[lonely] = 0
    # The greatest exponent is taken out so that far dates do not all underflow.
    weights = np.exp(exponent - greatest)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def temporal_high_pass(
    phase_rad: Singles, day: Doubles, window_days: float, weightless: int | None
) -> Doubles:
    """Return what a series has beyond its smooth part, relative to the first PS.

    Parameters
    ----------
    phase_rad
        [P, n]
    day, window_days, weightless
        As for `temporal_weights`.

    Returns
    -------
    [P, n] float64 rad.

    Notes
    -----
    StaMPS compatibility: the original filters differences along the edges of a triangulation and
    integrates them again, which gives the same because the filter is linear.
    """
    values = phase_rad.astype(np.float64)
    rough = values - values @ temporal_weights(day, window_days, weightless).T
    return np.asarray(rough - rough[:1])


def spatial_low_pass(values: Singles, xy_m: Singles, sigma_m: float) -> Singles:
    """Return the Gaussian mean of each PS's surroundings, itself included.

    Parameters
    ----------
    values
        [P, n]
    xy_m
        [P, 2] float32 positions.
    sigma_m
        Standard deviation; PS at four times as much or farther do not count.

    Returns
    -------
    [P, n] float32, for each column.
    """
    order = np.argsort(xy_m[:, 1], kind="stable")
    x, y = xy_m[order].T
    sorted_values = values[order].astype(np.float64)
    reach = np.float32(_REACH * sigma_m)
    smooth = np.empty(values.shape, dtype=np.float32)
    first = np.searchsorted(y, y - reach, side="left")
    last = np.searchsorted(y, y + reach, side="right")
    for place, (begin, end) in enumerate(zip(first, last, strict=True)):
        squared = (x[begin:end] - x[place]) ** 2 + (y[begin:end] - y[place]) ** 2
        near = np.flatnonzero(squared < reach**2)
        weight = np.exp(-squared[near].astype(np.float64) / (2 * sigma_m**2))
        smooth[order[place]] = weight @ sorted_values[begin + near] / weight.sum()
    return smooth
