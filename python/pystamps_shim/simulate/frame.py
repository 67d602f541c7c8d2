"""The radar frame: where a pixel lies, and at which angles it is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.scene import SceneSettings

Doubles = NDArray[np.float64]

_SPEED_OF_LIGHT_M_S = 299792458.0
_WAVELENGTH_M = 0.05546576
_EARTH_RADIUS_M = 6369500.0
_ORBIT_HEIGHT_M = 693500.0
_GROUND_SPEED_M_S = 6800.0
# Radii of curvature for degrees from metres; a flat local map is enough for a test scene.
_NORTH_RADIUS_M = 6367000.0
_EAST_RADIUS_M = 6388000.0


def as_written(value: float, form: str) -> float:
    """Return the number a reader gets back from its printed form."""
    return float(format(value, form))


@dataclass(frozen=True)
class Frame:
    """Geometry of the raster; every number is the one the parameter files hold."""

    settings: SceneSettings

    @property
    def shape(self) -> tuple[int, int]:
        """Return (lines, samples)."""
        return self.settings.length, self.settings.width

    @property
    def earth_radius_m(self) -> float:
        """Return the radius of the spherical Earth below the sensor."""
        return _EARTH_RADIUS_M

    @property
    def orbit_radius_m(self) -> float:
        """Return the distance of the sensor from the Earth's centre."""
        return _EARTH_RADIUS_M + _ORBIT_HEIGHT_M

    @property
    def radar_frequency_hz(self) -> float:
        """Return the carrier frequency as written."""
        return as_written(_SPEED_OF_LIGHT_M_S / _WAVELENGTH_M, ".7e")

    @property
    def wavelength_m(self) -> float:
        """Return the wavelength a reader derives from the written frequency."""
        return _SPEED_OF_LIGHT_M_S / self.radar_frequency_hz

    @property
    def line_rate_hz(self) -> float:
        """Return the pulse repetition frequency of the lines as written."""
        return as_written(_GROUND_SPEED_M_S / self.settings.azimuth_spacing_m, ".6f")

    @property
    def centre_range_m(self) -> float:
        """Return the slant range of the middle of the swath."""
        down = _EARTH_RADIUS_M * math.cos(math.radians(self.settings.incidence_deg))
        centre = -down + math.sqrt(down**2 + self.orbit_radius_m**2 - _EARTH_RADIUS_M**2)
        return as_written(centre, ".4f")

    @property
    def near_range_m(self) -> float:
        """Return the slant range of the first sample."""
        half_swath = self.settings.range_spacing_m * (self.settings.width / 2)
        return as_written(self.centre_range_m - half_swath, ".4f")

    @cached_property
    def slant_range_m(self) -> Doubles:
        """Return the slant range of each sample [samples]."""
        samples = np.arange(self.settings.width, dtype=np.float64)
        return self.near_range_m + samples * self.settings.range_spacing_m

    @cached_property
    def look_rad(self) -> Doubles:
        """Return the look angle of each sample [samples]."""
        r, orbit = self.slant_range_m, self.orbit_radius_m
        return np.arccos((orbit**2 + r**2 - _EARTH_RADIUS_M**2) / (2 * orbit * r))

    @cached_property
    def incidence_rad(self) -> Doubles:
        """Return the incidence angle of each sample [samples]."""
        r, orbit = self.slant_range_m, self.orbit_radius_m
        return np.arccos((orbit**2 - _EARTH_RADIUS_M**2 - r**2) / (2 * _EARTH_RADIUS_M * r))

    @cached_property
    def ground_range_m(self) -> Doubles:
        """Return the distance across track on the ground, from the first sample [samples]."""
        steps = self.settings.range_spacing_m / np.sin(self.incidence_rad[:-1])
        return np.concatenate([[0.0], np.cumsum(steps)])

    @cached_property
    def along_track_m(self) -> Doubles:
        """Return the distance along track, from the first line [lines]."""
        lines = np.arange(self.settings.length, dtype=np.float64)
        return lines * self.settings.azimuth_spacing_m

    @property
    def extent_m(self) -> tuple[float, float]:
        """Return the size of the scene (along, across) on the ground."""
        return float(self.along_track_m[-1]), float(self.ground_range_m[-1])

    def lonlat_deg(
        self, line: NDArray[np.intp], sample: NDArray[np.intp]
    ) -> tuple[Doubles, Doubles]:
        """Return longitude and latitude of pixels; the arguments broadcast."""
        across = self.ground_range_m[sample] - self.ground_range_m.mean()
        along = self.along_track_m[line] - self.along_track_m.mean()
        heading = np.deg2rad(self.settings.heading_deg)
        east = across * np.cos(heading) + along * np.sin(heading)
        north = -across * np.sin(heading) + along * np.cos(heading)
        parallel_m = _EAST_RADIUS_M * np.cos(np.deg2rad(self.settings.latitude_deg))
        return (
            self.settings.longitude_deg + np.rad2deg(east / parallel_m),
            self.settings.latitude_deg + np.rad2deg(north / _NORTH_RADIUS_M),
        )
