"""Mean velocity of the unwrapped phase (products.md 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.least_squares import NotPositiveDefiniteError, basic_solver
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.unwrapped_phase import Singles, UnwrappedPhase

Doubles = NDArray[np.float64]
Columns = NDArray[np.intp]

#: What StaMPS divides by; it cancels because all interferograms share it.
_DAYS_A_YEAR = 365.25


def velocity_columns(unwrapped: UnwrappedPhase) -> Columns:
    """Return the columns that a velocity is fitted to: not the dropped ones, not the master's."""
    columns = unwrapped.columns
    return columns if unwrapped.pairs else columns[columns != unwrapped.master]


def spanned_days(unwrapped: UnwrappedPhase) -> Doubles:
    """Return the days of the velocity's columns, [k].

    Raises
    ------
    PystampsError
        There are no two that differ.
    """
    days = unwrapped.days()[velocity_columns(unwrapped)]
    if len(np.unique(days)) < 2:
        cause = f"{unwrapped.dataset.path('ps')}: the interferograms in use span no time"
        raise PystampsError(cause, "drop fewer interferograms")
    return np.asarray(days)


def line_solver(unwrapped: UnwrappedPhase) -> Doubles:
    """Return what makes a weighted straight line out of the velocity's columns.

    Returns
    -------
    [2, k]: offset in rad, and slope in rad/day.

    Raises
    ------
    PystampsError
        The interferograms span no time, or noise of 0, or no number, cannot weigh them.
    """
    columns = velocity_columns(unwrapped)
    days = spanned_days(unwrapped)
    design = np.stack([np.ones_like(days), days], axis=1)
    covariance = unwrapped.covariance_rad2()[np.ix_(columns, columns)]
    try:
        return basic_solver(design, covariance)
    except NotPositiveDefiniteError as error:
        cause = f"{unwrapped.covariance_file()}: noise of 0, or no number, cannot weigh phases"
        raise PystampsError(cause, "drop that interferogram") from error


def fitted_line(unwrapped: UnwrappedPhase, phase_rad: Singles) -> Doubles:
    """Fit a straight line in time to every PS.

    Parameters
    ----------
    unwrapped
        Where the phase comes from.
    phase_rad
        [P, n] corrected and referenced phase of its columns.

    Returns
    -------
    [2, P]: ``m``, offset in rad and slope in rad/day.
    """
    columns = velocity_columns(unwrapped)
    return np.asarray(line_solver(unwrapped) @ phase_rad[:, columns].astype(np.float64).T)


def velocity_class(dataset: Patch) -> np.dtype[Any]:
    """Return the class of what is fitted: that of the noise it is weighted by.

    StaMPS compatibility: single where ``ifgstd2.mat`` is, as stage 5 writes it, else double.
    """
    path = dataset.path("ifgstd")
    if dataset.small_baseline or not path.exists():
        return np.dtype(np.float64)
    return read_variable(path, "ifg_std", 5).dtype


def millimetres(phase_rad: Doubles, wavelength_m: float) -> Doubles:
    """Convert phase to displacement towards the satellite, mm.

    Phase grows with the distance from the satellite.
    """
    return np.asarray(-phase_rad * wavelength_m * 1000 / (4 * np.pi))


def millimetres_per_year(slope_rad_per_day: Doubles, wavelength_m: float) -> Doubles:
    """Convert a slope of the phase to a velocity towards the satellite, mm/yr."""
    return millimetres(slope_rad_per_day * _DAYS_A_YEAR, wavelength_m)
