"""Which PS a figure of time series shows: those at given places, or three by rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.figures.distances import distance_text, local_metres
from pystamps_shim.products.figures.plot import LonLat, Options
from pystamps_shim.products.figures.words import place_text, reference_centre
from pystamps_shim.products.measurements import Measurements, Rows
from pystamps_shim.products.series_choice import Candidates, Role, choose

#: Farther from a place than this, no PS stands for it.
FARTHEST_M = 5000.0
#: Places that one figure shows.
MOST = 6


@dataclass(frozen=True)
class Shown:
    """PS that are shown as one series.

    Attributes
    ----------
    rows
        Their rows in the measurements, [n], ascending.
    lonlat_deg
        Middle of what is shown.
    reason
        Why, in a few words.
    """

    rows: Rows
    lonlat_deg: LonLat
    reason: str


def shown_points(measurements: Measurements, options: Options) -> list[Shown]:
    """Return what is shown, at most six series.

    Raises
    ------
    PystampsError
        No PS lies near a place, or more than six are asked for.
    """
    places = options.places_lonlat_deg
    if not places:
        return _by_rule(measurements)
    if len(places) > MOST:
        cause = f"--at is given {len(places)} times, a figure shows {MOST} places"
        raise wrong_usage(cause, "draw two figures")
    return [_at(measurements, place, options.radius_m) for place in places]


def _at(measurements: Measurements, place: LonLat, radius_m: float) -> Shown:
    lonlat_deg = measurements.places.lonlat_deg
    distance_m = np.hypot(*local_metres(lonlat_deg, place).T)
    nearest = int(np.argmin(distance_m))
    found = lonlat_deg[nearest]
    text = place_text(place)
    limit_m = radius_m if radius_m > 0 else FARTHEST_M
    if distance_m[nearest] > limit_m:
        longitude, latitude = found
        cause = (
            f"no PS within {limit_m:,.0f} m of {text}; the nearest is at {place_text(found)}, "
            f"{distance_text(float(distance_m[nearest]))} away"
        )
        raise wrong_usage(cause, f"--at={longitude:.5f},{latitude:.5f}")
    if radius_m == 0:
        reason = f"PS {distance_m[nearest]:,.0f} m from {text}"
        return Shown(np.array([nearest]), (float(found[0]), float(found[1])), reason)
    rows = np.flatnonzero(distance_m <= radius_m)
    return Shown(rows, place, f"mean of {rows.size:,} PS within {radius_m:,.0f} m of {text}")


def _by_rule(measurements: Measurements) -> list[Shown]:
    """Return the PS that surely move fastest, away and towards, and a stable one."""
    places, centre = measurements.places, reference_centre(measurements)
    velocity = measurements.velocity_mm_per_year()
    std = measurements.velocity_std_mm_per_year()
    found = choose(Candidates(places.lonlat_deg, places.coherence, velocity, std, centre))
    if not found:
        cause = "no PS has a velocity, so that none can be chosen"
        raise wrong_usage(cause, "name places: --at LON,LAT")
    away, towards = ("down", "up") if measurements.vertical else ("away", "towards")
    reasons: dict[Role, str] = {
        "away": f"fastest {away}",
        "towards": f"fastest {towards}",
        "stable": "stable" if centre is None else "stable, near the reference",
    }
    return [
        Shown(np.array([each.ps]), _place(measurements, each.ps), reasons[each.role])
        for each in found
    ]


def _place(measurements: Measurements, row: int) -> LonLat:
    longitude, latitude = measurements.places.lonlat_deg[row]
    return float(longitude), float(latitude)
