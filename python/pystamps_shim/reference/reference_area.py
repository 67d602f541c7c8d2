"""The PS whose mean phase is the zero (stage7.md section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.geometry import local_km
from pystamps_shim.reference.inputs import Patch


def reference_ps(dataset: Patch) -> NDArray[np.intp]:
    """Return the PS of the reference area, from 0; all of them by default.

    Raises
    ------
    PystampsError
        The area holds no PS.

    Notes
    -----
    StaMPS compatibility: ``ps_setref``. A radius of minus infinity, which stands for no reference
    in plots, is refused: the original fails on it here.
    """
    parameters = dataset.parameters
    if "ref_x" in parameters.values:
        xy = dataset.variable("xy")[:, 1:]
        inside = _between(xy[:, 0], parameters.numbers("ref_x"))
        inside &= _between(xy[:, 1], parameters.numbers("ref_y"))
    else:
        inside = _around(dataset)
    found = np.flatnonzero(inside)
    if found.size == 0:
        cause = f"{parameters.path}: the reference area (ref_*) holds no PS"
        raise PystampsError(cause, "set ref_lon, ref_lat, ref_centre_lonlat and ref_radius anew")
    return found


def _around(dataset: Patch) -> NDArray[np.bool_]:
    parameters = dataset.parameters
    lonlat = dataset.variable("lonlat").astype(np.float64)
    inside = _between(lonlat[:, 0], parameters.numbers("ref_lon"))
    inside &= _between(lonlat[:, 1], parameters.numbers("ref_lat"))
    radius_m = parameters.number("ref_radius")
    if radius_m < np.inf:
        origin = dataset.variable("ll0").ravel().astype(np.float64)
        centre = parameters.numbers("ref_centre_lonlat")[None, :]
        away_m = (local_km(lonlat, origin) - local_km(centre, origin)) * 1000
        inside &= (away_m**2).sum(axis=1) <= np.copysign(radius_m**2, radius_m)
    return inside


def _between(values: NDArray[np.float64], limits: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((values > limits[0]) & (values < limits[1]))
