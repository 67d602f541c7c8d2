"""Atmosphere by kriging in time and in space (stage8.md 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.least_squares import basic_solver
from pystamps_shim.kernels.random_numbers import matlab_uniform
from pystamps_shim.reference.kriging import kriging_weights, nearest_within
from pystamps_shim.reference.spatial_noise import temporal_weights
from pystamps_shim.reference.triangulation import Edges
from pystamps_shim.reference.variogram import Variogram, fit_variogram

Array = NDArray[Any]
Doubles = NDArray[np.float64]

_DAYS_A_YEAR = 365.25
#: 2000-01-01, which the model of the motion counts years from.
_EPOCH_DAY = 730486.0
_SEED, _DRAWS, _FEW_DRAWN = 2005, 15000, 4000
_TEMPORAL_START = Variogram(0.25, 1.0, 2.0)
_TEMPORAL_LAGS, _TEMPORAL_FARTHEST_YEARS = 25, 1.5
_SPATIAL_START = Variogram(15000.0, 1.0, 1.0)
_SPATIAL_LAGS, _SPATIAL_FARTHEST_M = 30, 30000.0
_LEAST_PLAUSIBLE = 50
_REACH, _MOST_NEIGHBOURS = 4, 50


def kriged_high_pass(
    phase_rad: Array,
    xy_m: Array,
    edges: Edges,
    day: Array,
    *,
    window_days: float | None,
    weightless: int | None,
) -> Doubles:
    """Return what a series has beyond motion and what is smooth in time, relative to the first PS.

    Parameters
    ----------
    phase_rad
        [P, n] without planes.
    xy_m
        [P, 2]
    edges
        [E, 2] that connect all PS.
    day
        [n] MATLAB day numbers.
    window_days, weightless
        As for `temporal_weights`, where too few edges have a plausible variogram; without a
        window twice the mean range of the variograms.

    Returns
    -------
    [P, n] float64 rad.

    Notes
    -----
    StaMPS compatibility: ``ps_scn_filt_krig``. Its random edges are others every time; these are
    MATLAB's of one seed. The check of unwrapping errors, which nothing uses, is left out.
    """
    years = (day - _EPOCH_DAY) / _DAYS_A_YEAR
    values = phase_rad.astype(np.float64)
    difference = values[edges[:, 1]] - values[edges[:, 0]]
    motion = _motion(years)
    difference -= difference @ (motion @ basic_solver(motion)).T
    centre_m = (xy_m[edges[:, 0]] + xy_m[edges[:, 1]]).astype(np.float64) / 2
    variograms, drawn = _edge_variograms(difference, years, centre_m)
    if variograms is None:
        if window_days is None:
            window_days = 2 * float(np.mean([fit.reach for fit in drawn])) * _DAYS_A_YEAR
        smooth = difference @ temporal_weights(day, window_days, weightless).T
    else:
        smooth = np.stack(
            [
                _smooth_in_time(series, years, variogram)
                for series, variogram in zip(difference, variograms, strict=True)
            ]
        )
    return integrated(difference - smooth, edges, len(phase_rad))


def integrated(difference: Doubles, edges: Edges, count: int) -> Doubles:
    """Return the values whose differences along edges are nearest to those given.

    Parameters
    ----------
    difference
        [E, n] value of the second end less that of the first.
    edges
        [E, 2]
    count
        Number of ends.

    Returns
    -------
    [count, n], 0 for the first.
    """
    laplacian = np.zeros((count, count))
    np.add.at(laplacian, (edges, edges), 1.0)
    np.add.at(laplacian, (edges, edges[:, ::-1]), -1.0)
    divergence = np.zeros((count, difference.shape[1]))
    np.add.at(divergence, edges[:, 1], difference)
    np.add.at(divergence, edges[:, 0], -difference)
    found = np.zeros_like(divergence)
    found[1:] = np.linalg.lstsq(laplacian[1:, 1:], divergence[1:])[0]
    return found


def kriged_low_pass(rough_rad: Array, xy_m: Array) -> Doubles:
    """Return the trend and the kriged remainder of every column.

    Parameters
    ----------
    rough_rad
        [P, n]
    xy_m
        [P, 2]

    Returns
    -------
    [P, n] float64 rad. Neighbours are those within the first column's range for all columns.
    """
    place = xy_m.astype(np.float64)
    x, y = (place / _scale(place)).T
    terms = np.stack([x**2, x, y**2, y, np.ones_like(x)], axis=1)
    subset = random_subset(len(place))
    trend = terms @ basic_solver(terms[subset]) @ rough_rad[subset].astype(np.float64)
    rest = rough_rad - trend
    variograms = [
        fit_variogram(
            place[subset], column[subset], _SPATIAL_START, _SPATIAL_FARTHEST_M, _SPATIAL_LAGS
        )
        for column in rest.T
    ]
    smooth = np.empty(rest.shape)
    for row, own in enumerate(place):
        distance = np.sqrt(((place - own) ** 2).sum(axis=1))
        near = nearest_within(distance, _MOST_NEIGHBOURS, _REACH * variograms[0].reach)
        # A range of 0 leaves the PS itself.
        near = near if near.size else np.array([row])
        for column, variogram in enumerate(variograms):
            weights = kriging_weights(place[near], own, variogram)
            smooth[row, column] = weights @ rest[near, column]
    return trend + smooth


def random_subset(count: int) -> NDArray[np.intp]:
    """Return numbers below `count`, ascending: 15,000 draws, once more if too few differ."""
    draws = matlab_uniform(_SEED, 2 * _DRAWS)
    for part in (draws[:_DRAWS], draws[_DRAWS:]):
        found = np.unique(np.ceil(part * count).astype(np.intp)) - 1
        if len(found) >= _FEW_DRAWN:
            break
    return found


def _motion(years: Doubles) -> Doubles:
    """Return the model of the motion: acceleration, velocity, seasons, offset; [n, 5]."""
    turn = 2 * np.pi * years
    return np.stack([years**2, years, np.sin(turn), np.cos(turn) - 1, np.ones_like(years)], axis=1)


def _edge_variograms(
    difference: Doubles, years: Doubles, centre_m: Doubles
) -> tuple[list[Variogram] | None, list[Variogram]]:
    """Return a variogram in time for each edge, if it can be told, and those of random edges.

    Those of the random edges are fitted; over the scene they are a polynomial of second order.
    """
    subset = random_subset(len(difference))
    time = years[:, None]
    fitted = [
        fit_variogram(
            time, difference[edge], _TEMPORAL_START, _TEMPORAL_FARTHEST_YEARS, _TEMPORAL_LAGS
        )
        for edge in subset
    ]
    table = np.array([[fit.reach, fit.sill, fit.nugget] for fit in fitted])
    # Radians are compared with their squares here, as in the original.
    spread = float(np.std(difference, axis=0, ddof=1).mean())
    least = np.array([years.mean(), spread, spread]) / 50
    most = np.array([3 * years.mean(), 4 * spread, 4 * spread])
    plausible = ((table > least) & (table < most)).all(axis=1)
    if np.count_nonzero(plausible) <= _LEAST_PLAUSIBLE:
        return None, fitted
    x, y = (centre_m / _scale(centre_m)).T
    terms = np.stack([x**2, y**2, x, y, np.ones_like(x)], axis=1)
    surface = terms @ basic_solver(terms[subset[plausible]]) @ table[plausible]
    surface = np.where(surface < least, table[plausible].mean(axis=0), surface)
    return [Variogram(*row) for row in surface.tolist()], fitted


def _smooth_in_time(series: Doubles, years: Doubles, variogram: Variogram) -> Doubles:
    """Return the kriged value of a series at every date."""
    most = int(np.ceil(years.mean() + 2 * np.std(years, ddof=1)))
    smooth = np.empty_like(series)
    for index, date in enumerate(years):
        near = nearest_within(np.abs(years - date), most, _REACH * variogram.reach)
        weights = kriging_weights(years[near, None], years[[index]], variogram)
        smooth[index] = weights @ series[near]
    return smooth


def _scale(positions: Doubles) -> Doubles:
    """Return the mean coordinates that polynomials are scaled by, 1 for a mean of 0."""
    mean = positions.mean(axis=0)
    return np.where(mean == 0, 1.0, mean)
