"""Radiometric calibration factors: images of one scene differ in brightness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.randomness import Purpose, stream
from pystamps_shim.simulate.scene import SceneSettings


def draw_factors(settings: SceneSettings) -> NDArray[np.float32]:
    """Return the amplitude factor of every image, log-normal about 1."""
    rng = stream(settings.seed, Purpose.CALIBRATION)
    spread = rng.standard_normal(settings.images) * settings.calibration_spread
    return np.exp(spread).astype(np.float32)
