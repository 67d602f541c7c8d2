"""Ground motion: a subsiding bowl, a tilt, a sudden step and a seasonal swing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.simulate.frame import Frame
from pystamps_shim.simulate.scene import SceneSettings

Singles = NDArray[np.float32]
Floats = NDArray[np.floating]

DAYS_PER_YEAR = 365.25

# Centres as fractions of the scene (along, across), radii in bowl radii.
_BOWL_CENTRE = (0.42, 0.55)
_STEP_CENTRE, _STEP_RADIUS = (0.78, 0.70), 0.8
_SEASONAL_CENTRE, _SEASONAL_RADIUS = (0.72, 0.28), 1.2


@dataclass(frozen=True)
class TimeFactors:
    """How far each term has gone in one image, relative to the master.

    Attributes
    ----------
    years
        Time since the master.
    step
        1 after the step if the master lies before it, -1 the other way round, else 0.
    season
        Difference of the yearly sine.
    """

    years: float
    step: float
    season: float


@dataclass(frozen=True)
class Motion:
    """Spatial patterns of the terms at some places, towards the satellite.

    Attributes
    ----------
    rate_m_per_year
        Steady velocity: bowl and tilt.
    step_m
        Sudden displacement.
    seasonal_m
        Amplitude of the yearly sine.
    """

    rate_m_per_year: Singles
    step_m: Singles
    seasonal_m: Singles

    def displacement_m(self, factors: TimeFactors) -> Singles:
        """Return the displacement since the master image."""
        moved: Singles = self.rate_m_per_year * np.float32(factors.years)
        moved += self.step_m * np.float32(factors.step)
        moved += self.seasonal_m * np.float32(factors.season)
        return moved


def motion_at(frame: Frame, along_m: Floats, across_m: Floats) -> Motion:
    """Evaluate the patterns; the arguments broadcast."""
    settings = frame.settings
    length, width = frame.extent_m

    def lens(centre: tuple[float, float], radius_m: float) -> Floats:
        squared = (along_m - centre[0] * length) ** 2 + (across_m - centre[1] * width) ** 2
        return np.exp(-squared / (2 * radius_m**2))

    radius = settings.bowl_radius_m
    tilt = (along_m / length - 0.5) + 0.5 * (across_m / width - 0.5)
    rate = settings.bowl_m_per_year * lens(_BOWL_CENTRE, radius) + settings.ramp_m_per_year * tilt
    return Motion(
        rate.astype(np.float32),
        (settings.step_m * lens(_STEP_CENTRE, _STEP_RADIUS * radius)).astype(np.float32),
        (settings.seasonal_m * lens(_SEASONAL_CENTRE, _SEASONAL_RADIUS * radius)).astype(
            np.float32
        ),
    )


def step_date(settings: SceneSettings) -> datetime.date:
    """Return the first date after the step: 60 % into the series."""
    return settings.dates[(6 * settings.images) // 10]


def time_factors(settings: SceneSettings) -> list[TimeFactors]:
    """Return the factors of every image."""
    dates = settings.dates
    master = dates[settings.master_index]
    jump = step_date(settings)

    def season(date: datetime.date) -> float:
        return float(np.sin(2 * np.pi * date.toordinal() / DAYS_PER_YEAR))

    return [
        TimeFactors(
            years=(date - master).days / DAYS_PER_YEAR,
            step=float(date >= jump) - float(master >= jump),
            season=season(date) - season(master),
        )
        for date in dates
    ]
