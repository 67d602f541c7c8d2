"""Orbits: perpendicular baselines as StaMPS derives them, and residual orbital ramps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.frame import Frame, as_written
from pystamps_shim.simulate.randomness import Purpose, stream

Doubles = NDArray[np.float64]

# Relative to the spread of the cross-track baseline.
_NORMAL_SPREAD = 0.5
_CROSS_RATE_M_S, _NORMAL_RATE_M_S = 0.6, 0.3


@dataclass(frozen=True)
class Baseline:
    """Baseline of an image to the master, every number as the ``.base`` file holds it."""

    cross_m: float
    normal_m: float
    cross_rate_m_s: float
    normal_rate_m_s: float

    def perpendicular_m(
        self, frame: Frame, line: NDArray[np.intp], sample: NDArray[np.intp]
    ) -> Doubles:
        """Return the perpendicular baseline of pixels (stage1.md B.5)."""
        seconds = (line - (frame.settings.length / 2 - 0.5)) / frame.line_rate_hz
        cross = self.cross_m + self.cross_rate_m_s * seconds
        normal = self.normal_m + self.normal_rate_m_s * seconds
        look = frame.look_rad
        return np.asarray(cross * np.cos(look)[sample] - normal * np.sin(look)[sample])


def draw_baselines(frame: Frame) -> list[Baseline]:
    """Draw one baseline an image; the master's is zero."""
    settings = frame.settings
    rng = stream(settings.seed, Purpose.BASELINES)
    spreads = (
        settings.baseline_spread_m,
        settings.baseline_spread_m * _NORMAL_SPREAD,
        _CROSS_RATE_M_S,
        _NORMAL_RATE_M_S,
    )
    draws = rng.standard_normal((settings.images, 4)) * np.array(spreads)
    draws[settings.master_index] = 0
    return [Baseline(*(as_written(value, ".7f") for value in row)) for row in draws.tolist()]


def draw_ramps_rad(frame: Frame) -> Doubles:
    """Draw the residual orbital ramps [images, 2]: rise along and across the scene."""
    settings = frame.settings
    rng = stream(settings.seed, Purpose.ORBITAL_RAMPS)
    return rng.standard_normal((settings.images, 2)) * settings.orbital_ramp_rad
