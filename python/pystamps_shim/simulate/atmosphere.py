"""Turbulent delay: one screen an image with the -8/3 spectrum of the lower atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.fields import FieldGrid, GridReader
from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.randomness import Purpose, stream

_EXPONENT = 8 / 3
# Turbulence has little power at short scales: the screen may be coarser than the pixels.
_FINEST_POSTING_M = 30.0
_NODES_PER_SIDE = 400


class Atmosphere:
    """Screens of all images, read at fixed places."""

    def __init__(
        self, frame: Frame, along_m: NDArray[np.float64], across_m: NDArray[np.float64]
    ) -> None:
        posting = max(_FINEST_POSTING_M, max(frame.extent_m) / _NODES_PER_SIDE)
        self._settings = frame.settings
        self._grid = FieldGrid(frame.extent_m, posting)
        self._reader: GridReader = self._grid.reader(along_m, across_m)

    def phase_rad(self, image: int) -> NDArray[np.float32]:
        """Return the delay phase of one image at the places."""
        rng = stream(self._settings.seed, Purpose.ATMOSPHERE, image)
        return self._reader.read(self._grid.draw(rng, _EXPONENT, self._settings.atmosphere_rad))
