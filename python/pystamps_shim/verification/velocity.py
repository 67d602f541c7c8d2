"""Velocities of ``mean_v.mat`` in the unit in which users know them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pystamps_shim.verification.variables import MatVariable

#: Where they are.
FILE, VARIABLE = "mean_v.mat", "m"
_MM_PER_M = 1000.0
_DAYS_PER_YEAR = 365.25


def in_millimetres(phase: MatVariable, wavelength_m: float) -> MatVariable:
    """Turn straight lines through the phase into lines through the displacement.

    Parameters
    ----------
    phase
        [2, P], first row rad, second rad/day.
    wavelength_m
        Radar wavelength.

    Returns
    -------
    [2, P], first row mm, second mm/yr, positive towards the satellite.
    """
    mm_per_rad = -wavelength_m / (4 * np.pi) * _MM_PER_M
    scale = mm_per_rad * np.array([[1.0], [_DAYS_PER_YEAR]])
    return replace(phase, values=phase.values * scale)
