"""Distances between places a few kilometres apart."""

from __future__ import annotations

import numpy as np

from pystamps_shim.products.measurements import Doubles

_METRES_PER_DEGREE = 111_195.0


def local_metres(lonlat_deg: Doubles, origin_lonlat_deg: tuple[float, float]) -> Doubles:
    """Return east and north of a place on the plane that touches the earth there, [N, 2] m.

    Parameters
    ----------
    lonlat_deg
        Places, [N, 2].
    origin_lonlat_deg
        Where both are 0; the shorter way round the earth counts.
    """
    longitude, latitude = origin_lonlat_deg
    east_deg = (lonlat_deg[:, 0] - longitude + 180) % 360 - 180
    north_deg = lonlat_deg[:, 1] - latitude
    metres_per_degree = _METRES_PER_DEGREE * np.cos(np.deg2rad(latitude))
    return np.column_stack([east_deg * metres_per_degree, north_deg * _METRES_PER_DEGREE])


def distance_text(metres: float) -> str:
    """Return a distance as a person would say it."""
    return f"{metres / 1000:,.1f} km" if metres >= 1000 else f"{metres:,.0f} m"
