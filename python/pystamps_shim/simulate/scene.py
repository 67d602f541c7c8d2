"""What a scene is made of: settings, presets and their checks."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, fields, replace

from pystamps_shim.errors import ExitCode, PystampsError

#: Headings of a Sentinel-1 like orbit, degrees clockwise from north.
HEADINGS_DEG = {"ascending": -12.8, "descending": -167.0}
DEFAULT_SEED = 20240711

_SMALLEST_SIDE = 16


@dataclass(frozen=True)
class SceneSettings:
    """Every choice that defines a scene; the same settings give the same bytes.

    Rates and displacements are towards the satellite. Counts of scatterers are aims: two
    that fall on one pixel count once, and water holds none.
    """

    name: str
    seed: int = DEFAULT_SEED
    # Raster and viewing geometry.
    width: int = 400
    length: int = 700
    range_spacing_m: float = 13.2
    azimuth_spacing_m: float = 14.0
    incidence_deg: float = 38.2
    heading_deg: float = HEADINGS_DEG["descending"]
    longitude_deg: float = 11.30
    latitude_deg: float = 44.20
    relief_m: float = 80.0
    # Acquisitions.
    images: int = 25
    master: int | None = None
    start: str = "20210107"
    repeat_days: int = 36
    baseline_spread_m: float = 75.0
    # Deformation.
    bowl_m_per_year: float = -0.025
    bowl_radius_m: float = 1500.0
    ramp_m_per_year: float = 0.004
    step_m: float = 0.0
    seasonal_m: float = 0.0
    # Nuisances.
    dem_error_m: float = 4.0
    atmosphere_rad: float = 0.8
    orbital_ramp_rad: float = 0.8
    calibration_spread: float = 0.25
    clutter_modulation: float = 0.36
    # Ground cover.
    towns: int = 14
    roads: int = 6
    scatterers: int = 14_000
    scattered: int = 1800
    water: bool = True
    # Faults on request: how many scatterers get one.
    zero_phases: int = 0
    nan_phases: int = 0
    zero_amplitudes: int = 0

    @property
    def master_index(self) -> int:
        """Return the 0-based position of the master among the images."""
        return self.images // 2 if self.master is None else self.master

    @property
    def dates(self) -> list[datetime.date]:
        """Return the acquisition dates."""
        first = datetime.date.fromisoformat(f"{self.start[:4]}-{self.start[4:6]}-{self.start[6:]}")
        step = datetime.timedelta(days=self.repeat_days)
        return [first + index * step for index in range(self.images)]

    def checked(self) -> SceneSettings:
        """Return the settings, or raise with the first that makes no sense."""
        for field in fields(self):
            value = getattr(self, field.name)
            finite = not isinstance(value, float) or math.isfinite(value)
            _require(finite, field.name, value, "a finite number")
        _require(self.seed >= 0, "--seed", self.seed, "a number from 0 up")
        for option, size in (("--width", self.width), ("--length", self.length)):
            _require(size >= _SMALLEST_SIDE, option, size, f"at least {_SMALLEST_SIDE} pixels")
        _require(self.images >= 2, "--images", self.images, "at least 2")
        inside = 0 <= self.master_index < self.images
        _require(inside, "--master", self.master_index, f"0 to {self.images - 1}")
        _require(self.repeat_days >= 1, "--repeat-days", self.repeat_days, "at least 1")
        try:
            last = self.dates[-1]
        except (ValueError, OverflowError):
            last = None
        _require(last is not None, "--start", self.start, "a date YYYYMMDD well before year 9999")
        _require(self.towns >= 1, "--towns", self.towns, "at least 1")
        _require(self.scatterers >= 1, "--scatterers", self.scatterers, "at least 1")
        limit = self.width * self.length // 2
        _require(self.scatterers <= limit, "--scatterers", self.scatterers, f"at most {limit}")
        _require(
            20 <= self.incidence_deg <= 50, "--incidence", self.incidence_deg, "20 to 50 degrees"
        )
        for option, value in (
            ("--roads", self.roads),
            ("--scattered", self.scattered),
            ("--atmosphere", self.atmosphere_rad),
            ("--dem-error", self.dem_error_m),
            ("--baseline-spread", self.baseline_spread_m),
            ("--orbital-ramp", self.orbital_ramp_rad),
            ("--calibration-spread", self.calibration_spread),
            ("--zero-phases", self.zero_phases),
            ("--nan-phases", self.nan_phases),
            ("--zero-amplitudes", self.zero_amplitudes),
        ):
            _require(value >= 0, option, value, "a number from 0 up")
        return self


def _require(condition: bool, option: str, found: object, expected: str) -> None:
    if not condition:
        cause = f"{option} is {found}, expected {expected}"
        raise PystampsError(cause, f"change {option}", ExitCode.USAGE)


_DEMO = SceneSettings(name="demo", seasonal_m=0.006)

PRESETS = {
    "tiny": replace(
        _DEMO,
        name="tiny",
        width=120,
        length=160,
        images=8,
        repeat_days=12,
        towns=4,
        roads=2,
        scatterers=900,
        scattered=60,
        bowl_radius_m=500.0,
    ),
    "demo": _DEMO,
    "large": replace(
        _DEMO,
        name="large",
        width=1500,
        length=3000,
        images=60,
        repeat_days=12,
        towns=80,
        roads=30,
        scatterers=150_000,
        scattered=12_000,
        bowl_radius_m=4000.0,
        step_m=0.01,
    ),
}
#: One sentence a preset, for the help text.
PRESET_SUMMARIES = {
    "tiny": "120 x 160 pixels, 8 images: a test scene, well under a second",
    "demo": "400 x 700 pixels, 25 images over 2.4 years: subsiding bowl, tilt, seasonal swing",
    "large": "1500 x 3000 pixels, 60 images, about 4.6 GB on disk",
}


def scene_for_candidates(settings: SceneSettings, candidates: int) -> SceneSettings:
    """Return a scene sized for a number of candidates: 5 % of the pixels, 40 % coherent."""
    width = max(64, round((candidates / 0.05 / 2) ** 0.5))
    length = max(64, -(-round(candidates / 0.05) // width))
    coherent = max(1, round(0.4 * candidates))
    return replace(
        settings,
        name=f"{candidates} candidates",
        width=width,
        length=length,
        scatterers=coherent,
        scattered=coherent // 10,
        towns=max(4, coherent // 1500),
        roads=max(2, coherent // 4000),
        bowl_radius_m=length * settings.azimuth_spacing_m / 7,
    )
