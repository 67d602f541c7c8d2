"""The phase of the scatterers: the sum of every known term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.atmosphere import Atmosphere
from pystamps_shim.simulate.deformation import Motion, motion_at, time_factors
from pystamps_shim.simulate.fields import FieldGrid
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.orbits import draw_baselines, draw_ramps_rad
from pystamps_shim.simulate.randomness import Purpose, stream
from pystamps_shim.simulate.scatterers import Scatterers

Singles = NDArray[np.float32]

_SMOOTH_SHARE = 0.375
_SMOOTH_EXPONENT = 3.0
_SMOOTH_NODES = 300


@dataclass(frozen=True)
class ImagePhase:
    """Phase of one image relative to a perfect master, at the scatterers (rad).

    Attributes
    ----------
    total_rad
        The sum of all terms: an interferogram's phase is slave minus master.
    atmosphere_rad
        The turbulent part of it.
    """

    total_rad: Singles
    atmosphere_rad: Singles


class PhaseModel:
    """Phase of every image at the scatterers, noise-free.

    An interferogram (master times conjugate slave) has the phase
    ``-4 pi / wavelength * displacement + (aps_s - aps_m) + (ramp_s - ramp_m) + K * bperp``
    with the displacement towards the satellite since the master, and
    ``K = 4 pi / (wavelength * R * sin(incidence)) * DEM error``.
    """

    def __init__(self, frame: Frame, scatterers: Scatterers) -> None:
        self.frame = frame
        self._line, self._sample = scatterers.line, scatterers.sample
        along = frame.along_track_m[self._line]
        across = frame.ground_range_m[self._sample]
        self.motion: Motion = motion_at(frame, along, across)
        self.time_factors = time_factors(frame.settings)
        self.baselines = draw_baselines(frame)
        self.ramps_rad = draw_ramps_rad(frame)
        self._atmosphere = Atmosphere(frame, along, across)
        self._tilt = np.stack([along, across]) / np.array(frame.extent_m)[:, None] - 0.5
        self.dem_error_m = _dem_error_m(frame, along, across)
        sensitivity = frame.wavelength_m * frame.slant_range_m * np.sin(frame.incidence_rad)
        self.topographic_rad_per_m = (4 * np.pi / sensitivity)[self._sample] * self.dem_error_m

    def image(self, index: int) -> ImagePhase:
        """Return the phase of one image."""
        displacement = self.motion.displacement_m(self.time_factors[index])
        atmosphere = self._atmosphere.phase_rad(index)
        baseline = self.baselines[index].perpendicular_m(self.frame, self._line, self._sample)
        slow = self.ramps_rad[index] @ self._tilt + self.topographic_rad_per_m * baseline
        total = displacement * np.float32(-4 * np.pi / self.frame.wavelength_m) + atmosphere
        return ImagePhase(total + slow.astype(np.float32), atmosphere)


def _dem_error_m(
    frame: Frame, along_m: NDArray[np.float64], across_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a height error: one part of its own a scatterer, one smooth over the scene."""
    settings = frame.settings
    rng = stream(settings.seed, Purpose.DEM_ERROR)
    grid = FieldGrid(frame.extent_m, max(frame.extent_m) / _SMOOTH_NODES)
    smooth = grid.draw(rng, _SMOOTH_EXPONENT, _SMOOTH_SHARE * settings.dem_error_m)
    own = rng.standard_normal(len(along_m)) * settings.dem_error_m
    return np.asarray(own + grid.reader(along_m, across_m).read(smooth), dtype=np.float64)
