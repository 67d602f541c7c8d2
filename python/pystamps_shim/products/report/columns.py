"""What the page knows of every PS at once: place, velocity, quality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.report.codec import codes_of


@dataclass(frozen=True)
class Column:
    """One number a PS.

    Attributes
    ----------
    name
        With its unit.
    per_unit
        Steps in one unit: the precision of the page.
    values
        [N]
    """

    name: str
    per_unit: int
    values: Doubles

    @property
    def known(self) -> bool:
        """Tell whether any value is known."""
        return bool(np.isfinite(self.values).any())

    def quantised(self) -> Doubles:
        """Return the values as the page has them, NaN where unknown."""
        codes = codes_of(self.values, self.per_unit)
        return np.where(np.isfinite(self.values), codes / self.per_unit, np.nan)


def columns_of(measurements: Measurements, rms_mm: Doubles | None) -> list[Column]:
    """Return the columns of some measurements; of quality only those of which anything is known.

    Parameters
    ----------
    measurements
        With velocities.
    rms_mm
        Root mean square of each series about its line, [N]; None without series.
    """
    quality = [column for column in _quality(measurements, rms_mm) if column.known]
    return [*_places(measurements), velocity_column(measurements), *quality]


def _places(measurements: Measurements) -> Iterator[Column]:
    places = measurements.places
    yield Column("longitude_deg", 1_000_000, places.lonlat_deg[:, 0])
    yield Column("latitude_deg", 1_000_000, places.lonlat_deg[:, 1])
    yield Column("ps", 1, places.ps.astype(np.float64))


def _quality(measurements: Measurements, rms_mm: Doubles | None) -> Iterator[Column]:
    places = measurements.places
    std = measurements.velocity_std_mm_per_year()
    yield Column("velocity_std_mm_per_year", 100, std)
    yield Column("coherence", 1000, places.coherence)
    yield Column("height_m", 10, places.height_m)
    if rms_mm is not None:
        yield Column("rms_mm", 10, rms_mm)
    if measurements.vertical and measurements.is_series:
        yield Column("half_wavelength_mm", 1000, half_wavelength_mm(measurements))


def half_wavelength_mm(measurements: Measurements) -> Doubles:
    """Return by how much the series of each PS moves with one cycle, [N]."""
    wavelength_mm = float(measurements.layer.description["wavelength_m"]) * 1000
    return wavelength_mm / 2 * measurements.scale


def velocity_column(measurements: Measurements) -> Column:
    """Return the velocities."""
    return Column("velocity_mm_per_year", 100, measurements.velocity_mm_per_year())
