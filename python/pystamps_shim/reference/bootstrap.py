"""How far velocities would differ with other interferograms: seeded bootstrap (products.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.kernels.least_squares import NotPositiveDefiniteError, basic_solver
from pystamps_shim.reference.mean_velocity import (
    millimetres_per_year,
    spanned_days,
    velocity_columns,
)
from pystamps_shim.reference.unwrapped_phase import UnwrappedPhase

Array = NDArray[Any]
Doubles = NDArray[np.float64]

_WORD = (1 << 64) - 1
_LEAST_RESAMPLES = 2


def slope_deviation(
    unwrapped: UnwrappedPhase, phase_rad: Array, resamples: int, seed: int
) -> Doubles:
    """Return the standard deviation of the velocity over resamples of the interferograms.

    Parameters
    ----------
    unwrapped
        Where the phase comes from.
    phase_rad
        [P, n] corrected and referenced.
    resamples
        Number of resamples, at least 2.
    seed
        Start of the generator, 0 to 2^64 - 1.

    Returns
    -------
    [P] mm/yr, divisor resamples - 1; NaN for PS with a gap.

    Raises
    ------
    PystampsError
        `resamples` or `seed` is out of range, all interferograms have the same date, or the noise
        cannot weigh them.

    Notes
    -----
    StaMPS compatibility: ``ps_mean_v``, in which the covariance stays that of the original order
    while rows are drawn anew. Its generator starts from the clock; here the draws are the same
    every time, and a resample of a single date, which has no slope, is drawn again.
    """
    if resamples < _LEAST_RESAMPLES or not 0 <= seed <= _WORD:
        cause = f"{resamples} resamples with seed {seed}, expected 2 or more, and 0 to 2^64 - 1"
        raise PystampsError(cause, "choose others", ExitCode.USAGE)
    columns = velocity_columns(unwrapped)
    days = spanned_days(unwrapped)
    covariance = unwrapped.covariance_rad2()[np.ix_(columns, columns)]
    functional = np.zeros((resamples, len(columns)))
    for row, drawn in enumerate(resample_table(days, resamples, seed)):
        design = np.stack([np.ones(len(days)), days[drawn]], axis=1)
        try:
            slope = basic_solver(design, covariance)[1]
        except NotPositiveDefiniteError as error:
            cause = f"{unwrapped.covariance_file()}: noise of 0, or no number, cannot weigh phases"
            raise PystampsError(cause, "drop that interferogram") from error
        np.add.at(functional[row], drawn, slope)
    slopes = phase_rad[:, columns].astype(np.float64) @ functional.T
    wavelength_m = unwrapped.dataset.parameters.number("lambda")
    return np.asarray(np.std(millimetres_per_year(slopes, wavelength_m), axis=1, ddof=1))


def resample_table(days: Doubles, resamples: int, seed: int) -> NDArray[np.intp]:
    """Draw interferograms with replacement, as often as there are, `resamples` times.

    Returns
    -------
    [resamples, k] from 0. A row whose days are all equal is drawn again.
    """
    stream = uniform_stream(seed)
    count = len(days)
    table = np.empty((resamples, count), dtype=np.intp)
    for row in range(resamples):
        drawn = [0]
        while len({days[index] for index in drawn}) < 2:
            drawn = [int(next(stream) * count) for _ in range(count)]
        table[row] = drawn
    return table


def uniform_stream(seed: int) -> Iterator[float]:
    """Yield the uniform numbers from [0, 1) of SplitMix64 (Steele et al. 2014)."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _WORD
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        yield ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53
