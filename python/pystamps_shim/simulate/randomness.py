"""Random numbers: one independent stream for each purpose and image.

Streams do not share state, so that adding an image, or asking for faults, leaves every
other part of a scene as it was.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of random numbers is for; the values are part of the scene's identity."""

    TERRAIN = 1
    WATER = 2
    SCATTERERS = 3
    STRENGTH = 4
    TEXTURE = 5
    BASELINES = 6
    ORBITAL_RAMPS = 7
    ATMOSPHERE = 8
    DEM_ERROR = 9
    CALIBRATION = 10
    SPECKLE = 11
    SCATTERER_NOISE = 12
    FAULTS = 13
    CLUTTER_CANDIDATES = 14


def stream(seed: int, purpose: Purpose, image: int = 0) -> np.random.Generator:
    """Return the generator of one purpose (and image)."""
    return np.random.Generator(np.random.PCG64([seed, int(purpose), image]))
