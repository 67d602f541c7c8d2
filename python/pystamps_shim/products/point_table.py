"""Measurements as one flat table: what every format of points writes, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles, Measurements

#: PS that are written at a time.
BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class Field:
    """One column.

    Attributes
    ----------
    name
        With its unit, as text formats have it.
    short
        As geographic information systems and InSAR Explorer expect it.
    unit
        Empty for numbers without.
    decimals
        Digits after the point that carry information; 0 for whole numbers.
    meaning
        In a few words.
    """

    name: str
    short: str
    unit: str
    decimals: int
    meaning: str


class PointTable(Protocol):
    """Points with numbers.

    Attributes
    ----------
    lonlat_deg
        [N, 2]
    fields
        The columns besides longitude and latitude, [k].
    metadata
        What the table says of itself.
    """

    @property
    def lonlat_deg(self) -> Doubles: ...  # noqa: D102
    @property
    def fields(self) -> tuple[Field, ...]: ...  # noqa: D102
    @property
    def metadata(self) -> dict[str, Any]: ...  # noqa: D102

    def block(self, first: int, last: int) -> list[NDArray[Any]]:
        """Return the columns of the points `first` to `last` (excluded), [k] arrays."""


def blocks(count: int) -> Iterator[tuple[int, int]]:
    """Yield first and last (excluded) point of every block."""
    for first in range(0, count, BLOCK_ROWS):
        yield first, min(first + BLOCK_ROWS, count)


@dataclass(frozen=True)
class MeasurementTable:
    """Measurements as a table: place, quality, velocity, then a column a date.

    Attributes
    ----------
    measurements
        Where the numbers come from.
    metadata
        What the table says of itself.
    """

    measurements: Measurements
    metadata: dict[str, Any]

    @property
    def lonlat_deg(self) -> Doubles:
        """Return longitude and latitude, [N, 2]."""
        return self.measurements.places.lonlat_deg

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the columns."""
        return (*_PLACE, *self._velocity_fields(), *self._dated_fields())

    def block(self, first: int, last: int) -> list[NDArray[Any]]:
        """Return the columns of some PS."""
        measurements, rows = self.measurements, slice(first, last)
        places = measurements.places
        columns: list[NDArray[Any]] = [places.ps[rows], places.height_m[rows]]
        columns.append(places.coherence[rows])
        if measurements.velocity is not None:
            columns += [values[rows] for values in self._velocities]
        if measurements.is_series:
            columns += list(measurements.displacement_mm(first, last).T)
        elif measurements.velocity is None:
            columns += list(measurements.layer_block(first, last).T)
        return columns

    @cached_property
    def _velocities(self) -> tuple[Doubles, Doubles]:
        found = self.measurements
        return found.velocity_mm_per_year(), found.velocity_std_mm_per_year()

    def _velocity_fields(self) -> tuple[Field, ...]:
        if self.measurements.velocity is None:
            return ()
        way = "up" if self.measurements.vertical else "towards the satellite"
        std = "its standard deviation by bootstrap"
        return (
            Field("velocity_mm_per_year", "velocity", "mm/yr", 3, f"mean velocity {way}"),
            Field("velocity_std_mm_per_year", "velocity_std", "mm/yr", 3, std),
        )

    def _dated_fields(self) -> tuple[Field, ...]:
        measurements = self.measurements
        if measurements.is_series:
            way = "up" if measurements.vertical else "towards the satellite"
            meaning = f"displacement {way} since {measurements.master_date}"
            return tuple(
                Field(f"D{date:%Y%m%d}", f"D{date:%Y%m%d}", "mm", 3, meaning)
                for date in measurements.dates
            )
        if measurements.velocity is not None:
            return ()
        layer = measurements.layer
        base = measurements.value_type.replace("-", "_")
        meaning = str(layer.description["definition"])
        decimals = 8 if layer.unit == "rad/m" else 5
        return tuple(
            Field(
                f"{base}_{label}".rstrip("_"),
                f"{base}_{label}".rstrip("_"),
                layer.unit,
                decimals,
                meaning,
            )
            for label in layer.labels
        )


_PLACE = (
    Field("ps", "ps", "", 0, "number of the PS in the dataset, from 1"),
    Field("height_m", "height", "m", 2, "height of the DEM"),
    Field("coherence", "coherence", "", 4, "temporal coherence, 0 to 1"),
)


def rounded(values: NDArray[Any], decimals: int) -> NDArray[Any]:
    """Return a column with the digits that carry information; whole numbers without any."""
    if decimals == 0:
        return values
    return np.round(values.astype(np.float64), decimals)
