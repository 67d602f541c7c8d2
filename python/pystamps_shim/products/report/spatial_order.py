"""PS in an order in which neighbours on the ground are neighbours in the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.date_line import continuous
from pystamps_shim.products.measurements import Doubles, Measurements, Rows

_CELLS = 65_535


def in_spatial_order(measurements: Measurements) -> Measurements:
    """Return the PS whose place is known along a Morton curve; ties in the order of the dataset.

    Raises
    ------
    PystampsError
        No place is known.
    """
    lonlat_deg = continuous(measurements.places.lonlat_deg)
    known = np.isfinite(lonlat_deg).all(axis=1)
    if not known.any():
        cause = f"{measurements.dataset.folder}: no PS has a longitude and a latitude"
        raise PystampsError(cause, "run the preparation again")
    rows = np.flatnonzero(known)
    order = rows[morton_order(lonlat_deg[rows])]
    places = replace(measurements.places, lonlat_deg=lonlat_deg).kept(order)
    return replace(
        measurements, places=places, rows=measurements.rows[order], scale=measurements.scale[order]
    )


def morton_order(lonlat_deg: Doubles) -> Rows:
    """Return the rows along the curve, [N]."""
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    # The same scale in both directions: square cells.
    share = (lonlat_deg - low) / max(float((high - low).max()), 1e-12)
    cells = (share * _CELLS).astype(np.uint64)
    key = _spread(cells[:, 0]) | (_spread(cells[:, 1]) << np.uint64(1))
    return np.argsort(key, kind="stable")


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 16 bits with a gap after each."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | (values << np.uint64(shift))) & np.uint64(mask)
    return values
