"""Longitudes on both sides of the date line, or of Greenwich where they count from 0 to 360."""

from __future__ import annotations

import numpy as np

from pystamps_shim.products.measurements import Doubles


def continuous(lonlat_deg: Doubles) -> Doubles:
    """Return longitudes without a jump: those west of the date line go beyond 180 where needed."""
    longitude = lonlat_deg[:, 0]
    if _span(longitude) > 180:
        turned = (
            longitude,
            np.where(longitude < 0, longitude + 360, longitude),
            np.where(longitude > 180, longitude - 360, longitude),
        )
        longitude = min(turned, key=_span)
    return np.column_stack([longitude, lonlat_deg[:, 1]])


def _span(longitude: Doubles) -> float:
    known = longitude[np.isfinite(longitude)]
    return float(known.max() - known.min()) if known.size else 0.0
