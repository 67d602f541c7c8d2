"""Least sum of absolute residuals by a simplex search (stage7.md 4, step 12)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError

Doubles = NDArray[np.float64]

_TOLERANCE = 1e-4
_EVALUATIONS_PER_UNKNOWN = 200


def least_absolute_fit(design: Doubles, observations: Doubles, start: Doubles) -> Doubles:
    """Search from `start` for the least sum of absolute residuals of every row.

    Parameters
    ----------
    design
        [k, p]
    observations
        [n, k]
    start
        [n, p]

    Returns
    -------
    [n, p]; a row of `start` that is no number stays as it is.

    Raises
    ------
    PystampsError
        SciPy, which the reference searches with, is not installed.

    Notes
    -----
    StaMPS compatibility: MATLAB's ``fminsearch`` with its own settings, the method of Lagarias et
    al. (1998). The search ends near the minimum, not at it: the tolerance is coarse.
    """
    try:
        from scipy.optimize import minimize  # noqa: PLC0415 - of the test dependencies
    except ImportError as error:
        cause = "the reference of scla_method = 'L1' searches with SciPy, which is not installed"
        raise PystampsError(cause, "pip install scipy") from error
    limit = _EVALUATIONS_PER_UNKNOWN * design.shape[1]
    options = {"xatol": _TOLERANCE, "fatol": _TOLERANCE, "maxfev": limit, "maxiter": limit}
    found = start.copy()
    for row, values in enumerate(observations):
        if not (np.isfinite(values).all() and np.isfinite(start[row]).all()):
            continue

        def misfit(unknowns: Doubles, seen: Doubles = values) -> float:
            return float(np.abs(seen - design @ unknowns).sum())

        found[row] = minimize(misfit, start[row], method="Nelder-Mead", options=options).x
    return found
