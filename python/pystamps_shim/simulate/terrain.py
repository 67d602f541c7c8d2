"""Heights, open water and the brightness of the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.fields import FieldGrid
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.randomness import Purpose, stream

Singles = NDArray[np.float32]

_LOWEST_M = 20.0
_RELIEF_EXPONENT = 3.6
_SHORE_EXPONENT = 3.0
_TEXTURE_EXPONENT = 2.2
_TEXTURE_SPREAD = 0.35
_WATER_BRIGHTNESS = 0.15
# Finer than this the fields hold no power worth drawing.
_NODES_PER_SIDE = 1500


@dataclass(frozen=True)
class Terrain:
    """Ground of the scene, rasters of [lines, samples].

    Attributes
    ----------
    height_m
        Height above the ellipsoid; 0 on water.
    water
        True on open water.
    brightness
        Amplitude of the ground's speckle, about 1; calibration factors multiply it.
    """

    height_m: Singles
    water: NDArray[np.bool_]
    brightness: Singles


def make_terrain(frame: Frame) -> Terrain:
    """Draw relief, a lake in one corner, and the texture of land cover."""
    settings = frame.settings
    pixel = min(settings.azimuth_spacing_m, float(np.diff(frame.ground_range_m).mean()))
    grid = FieldGrid(frame.extent_m, max(pixel, max(frame.extent_m) / _NODES_PER_SIDE))
    along, across = frame.along_track_m[:, None], frame.ground_range_m[None, :]
    reader = grid.reader(along, across)

    def field(purpose: Purpose, exponent: float, rms: float) -> Singles:
        return reader.read(grid.draw(stream(settings.seed, purpose), exponent, rms))

    height = field(Purpose.TERRAIN, _RELIEF_EXPONENT, settings.relief_m)
    height += np.float32(_LOWEST_M) - height.min()
    water = np.zeros(frame.shape, dtype=np.bool_)
    if settings.water:
        length, width = frame.extent_m
        shore = ((along - 0.05 * length) / (0.22 * length)) ** 2
        shore = shore + ((across - 0.95 * width) / (0.35 * width)) ** 2
        shore = shore + field(Purpose.WATER, _SHORE_EXPONENT, 0.15)
        water = shore < 1
        # The land rises gently from the shore instead of dropping off a cliff.
        height *= np.clip(shore - 1, 0, 1).astype(np.float32)
    brightness = np.exp(field(Purpose.TEXTURE, _TEXTURE_EXPONENT, _TEXTURE_SPREAD))
    brightness[water] *= np.float32(_WATER_BRIGHTNESS)
    return Terrain(height, water, brightness)
