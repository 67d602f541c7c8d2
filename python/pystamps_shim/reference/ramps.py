"""Ramps over the scene, one an interferogram (stage7.md section 3)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.least_squares import basic_solver
from pystamps_shim.reference.inputs import Patch, read_variable

Array = NDArray[Any]
Doubles = NDArray[np.float64]

#: An interferogram with no more PS than this has no ramp.
_TOO_FEW_PS = 5


class RampDegree(Enum):
    """What a ramp is made of, by the number StaMPS has for it."""

    PLANE = 1.0
    BILINEAR = 1.5
    QUADRATIC = 2.0
    CUBIC = 3.0


def ramp_degree(dataset: Patch) -> RampDegree:
    """Return ``degree`` of ``deramp_degree.mat`` in the dataset folder, a plane without it.

    Raises
    ------
    PystampsError
        The file holds another number.
    """
    path = dataset.folder / "deramp_degree.mat"
    if not path.exists():
        return RampDegree.PLANE
    values = read_variable(path, "degree", 7).ravel()
    known = [degree.value for degree in RampDegree]
    if values.size != 1 or float(values[0]) not in known:
        found = ", ".join(f"{value:g}" for value in values[:5]) or "empty"
        cause = f"{path}: variable degree is {found}, expected one of 1, 1.5, 2, 3"
        raise PystampsError(cause, "write one of them, or remove the file for a plane")
    return RampDegree(float(values[0]))


def deramp(phase_rad: Array, xy_m: Array, degree: RampDegree) -> tuple[Array, Doubles]:
    """Fit a ramp to every interferogram and subtract it.

    Parameters
    ----------
    phase_rad
        [P, F] unwrapped phase; NaN takes no part.
    xy_m
        [P, 2] float32 positions.
    degree
        Kind of ramp.

    Returns
    -------
    phase_rad
        [P, F] less the ramp, of the class it had; unchanged without a ramp.
    ramp_rad
        [P, F] float64, also where the phase is NaN; a column of NaN for an interferogram with no
        more than five values.

    Notes
    -----
    StaMPS compatibility: ``ps_deramp``. PS on a line leave terms undetermined: those are 0.
    """
    terms = ramp_terms(xy_m, degree)
    ramp = np.full(phase_rad.shape, np.nan)
    flat = phase_rad.copy()
    for column, values in enumerate(phase_rad.T):
        known = ~np.isnan(values)
        if np.count_nonzero(known) > _TOO_FEW_PS:
            coefficients = basic_solver(terms[known]) @ values[known].astype(np.float64)
            ramp[:, column] = terms @ coefficients
            flat[:, column] -= ramp[:, column]
    return flat, ramp


def ramp_terms(xy_m: Array, degree: RampDegree) -> Doubles:
    """Return [P, terms] of the ramp at each position, in kilometres."""
    # Divided in single precision, as the original's positions are.
    x, y = (xy_m.astype(np.float32) / np.float32(1000)).astype(np.float64).T
    one = np.ones_like(x)
    terms = {
        RampDegree.PLANE: (x, y, one),
        RampDegree.BILINEAR: (x, y, x * y, one),
        RampDegree.QUADRATIC: (x**2, y**2, x * y, one),
        RampDegree.CUBIC: (x**3, y**3, x**2 * y, y**2 * x, x**2, y**2, x * y, one),
    }
    return np.stack(terms[degree], axis=1)
