"""Geometry of stage 1: local coordinates, look and incidence angles, rotation, rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

_SEMI_MAJOR_AXIS_M = 6378137.0
# Not WGS84's 0.0818191908: StaMPS carries this value, and parity needs it.
_ECCENTRICITY = 0.08209443794970


def _meridian_arc_m(latitude_rad: Doubles) -> Doubles:
    """Return the meridian distance from the equator to each latitude."""
    e2 = _ECCENTRICITY**2
    e4, e6 = _ECCENTRICITY**4, _ECCENTRICITY**6
    return _SEMI_MAJOR_AXIS_M * (
        (1 - e2 / 4 - 3 * e4 / 64 - 5 * e6 / 256) * latitude_rad
        - (3 * e2 / 8 + 3 * e4 / 32 + 45 * e6 / 1024) * np.sin(2 * latitude_rad)
        + (15 * e4 / 256 + 45 * e6 / 1024) * np.sin(4 * latitude_rad)
        - (35 * e6 / 3072) * np.sin(6 * latitude_rad)
    )


def local_km(lonlat_deg: Doubles, origin_deg: Doubles) -> Doubles:
    """Project longitude and latitude to local kilometres (llh2local, stage1.md E).

    Parameters
    ----------
    lonlat_deg
        N x 2, degrees.
    origin_deg
        Longitude and latitude of the origin, degrees.

    Returns
    -------
    N x 2 array, east and north of the origin in km (polyconic projection).
    """
    longitude, latitude = (lonlat_deg * np.pi / 180).T
    longitude0, latitude0 = origin_deg * np.pi / 180
    arc0 = _meridian_arc_m(np.asarray(latitude0))
    on_equator = latitude == 0
    safe = np.where(on_equator, 1.0, latitude)
    normal = _SEMI_MAJOR_AXIS_M / np.sqrt(1 - _ECCENTRICITY**2 * np.sin(safe) ** 2)
    angle = (longitude - longitude0) * np.sin(safe)
    cotangent = 1 / np.tan(safe)
    east = normal * cotangent * np.sin(angle)
    north = _meridian_arc_m(safe) - arc0 + normal * cotangent * (1 - np.cos(angle))
    east = np.where(on_equator, _SEMI_MAJOR_AXIS_M * (longitude - longitude0), east)
    north = np.where(on_equator, -arc0, north)
    return np.stack([east, north], axis=1) / 1000


def look_angle_rad(range_m: Doubles, orbit_radius_m: float, earth_radius_m: float) -> Doubles:
    """Return the angle at the satellite between nadir and the line of sight."""
    return np.arccos(
        (orbit_radius_m**2 + range_m**2 - earth_radius_m**2) / (2 * orbit_radius_m * range_m)
    )


def incidence_angle_rad(range_m: Doubles, orbit_radius_m: float, earth_radius_m: float) -> Doubles:
    """Return the angle at the ground between the vertical and the line of sight."""
    return np.arccos(
        (orbit_radius_m**2 - earth_radius_m**2 - range_m**2) / (2 * earth_radius_m * range_m)
    )


def rotate_if_both_extents_shrink(xy_m: Doubles, heading_deg: float) -> Doubles:
    """Align the local frame with the track where that makes the scene box smaller (B.8)."""
    theta = (180 - heading_deg) * np.pi / 180
    if theta > np.pi:
        theta -= 2 * np.pi
    x, y = xy_m.T
    rotated = np.stack(
        [np.cos(theta) * x + np.sin(theta) * y, -np.sin(theta) * x + np.cos(theta) * y], axis=1
    )
    shrinks = _extent(rotated) < _extent(xy_m)
    return rotated if bool(shrinks.all()) else xy_m


def _extent(xy_m: Doubles) -> Doubles:
    highest = np.fmax.reduce(xy_m, axis=0, initial=-np.inf)
    lowest = np.fmin.reduce(xy_m, axis=0, initial=np.inf)
    return np.asarray(highest - lowest)


def round_to_millimetres(metres: Singles) -> Singles:
    """Round to mm in single precision, halves away from zero as MATLAB does.

    The sign of a zero result is kept: MATLAB and Octave store -0 there.
    """
    scaled = metres * np.float32(1000)
    truncated = np.trunc(scaled)
    step = np.copysign(np.float32(1), scaled)
    away = truncated + np.where(np.abs(scaled - truncated) >= np.float32(0.5), step, np.float32(0))
    return np.asarray(np.copysign(away, scaled) / np.float32(1000), dtype=np.float32)
