"""The product tables that ``pystamps-native product`` writes: a CSV file and its description."""

from __future__ import annotations

import csv
import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError

Doubles = NDArray[np.float64]

_PLACE = ("lon_deg", "lat_deg", "height_m", "coherence")
_VELOCITY = ("velocity_mm_per_year", "velocity_std_mm_per_year")


@dataclass(frozen=True)
class Description:
    """What a table's numbers are: the file ``<table>.json`` beside it.

    Attributes
    ----------
    path
        The description itself, for messages.
    fields
        Its content as it stands.
    """

    path: Path
    fields: dict[str, Any]

    @classmethod
    def read(cls, table: Path) -> Description:
        """Read the description of a table.

        Raises
        ------
        PystampsError
            It is missing or no JSON object.
        """
        path = table.with_name(f"{table.name}.json")
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            cause = f"{path}: cannot be read ({error.strerror})"
            raise PystampsError(cause, "make the product again, it writes both files") from error
        except ValueError as error:
            cause = f"{path}: is no JSON ({error})"
            raise PystampsError(cause, "make the product again") from error
        if not isinstance(fields, dict):
            cause = f"{path}: holds {type(fields).__name__}, expected an object"
            raise PystampsError(cause, "make the product again")
        return cls(path, fields)

    def as_text(self) -> str:
        """Return all of it, as it stands in the file."""
        return json.dumps(self.fields, indent=2, ensure_ascii=False)

    def text(self, name: str) -> str:
        """Return an entry that is a word or a sentence."""
        return str(self._entry(name))

    @property
    def master_date(self) -> datetime.date:
        """Return the date at which every displacement is zero."""
        return _date(self.text("master_date"), self.path)

    @property
    def reference_ps_count(self) -> int:
        """Return how many PS the reference area holds."""
        return int(self._reference("ps_count"))

    @property
    def reference_centre_lonlat_deg(self) -> tuple[float, float] | None:
        """Return the middle of the reference area, None where all PS are the reference."""
        if self.reference_ps_count == int(self._entry("ps_count")):
            return None
        longitude, latitude = self._reference("centre_lonlat_deg")
        return float(longitude), float(latitude)

    def _reference(self, name: str) -> Any:
        reference = self._entry("reference")
        if name not in reference:
            entry = f"reference.{name}"
            raise self._missing(entry)
        return reference[name]

    def _entry(self, name: str) -> Any:
        if name not in self.fields:
            raise self._missing(name)
        return self.fields[name]

    def _missing(self, name: str) -> PystampsError:
        cause = f"{self.path}: entry '{name}' not found"
        return PystampsError(cause, "make the product again with this version")


@dataclass(frozen=True)
class Places:
    """Where the PS of a table are and how good they are, one row a PS.

    Attributes
    ----------
    lonlat_deg
        Longitude and latitude, [N, 2].
    height_m
        Height, [N].
    coherence
        Temporal coherence of stage 2 as merged, [N].
    """

    lonlat_deg: Doubles
    height_m: Doubles
    coherence: Doubles

    def __len__(self) -> int:
        """Return the number of PS."""
        return len(self.height_m)


@dataclass(frozen=True)
class VelocityTable:
    """Mean velocities towards the satellite.

    Attributes
    ----------
    places
        The PS.
    velocity_mm_per_year, std_mm_per_year
        Mean velocity and its standard deviation by bootstrap, [N]; NaN where unknown.
    description
        What the numbers are.
    """

    places: Places
    velocity_mm_per_year: Doubles
    std_mm_per_year: Doubles
    description: Description

    @classmethod
    def read(cls, path: Path) -> VelocityTable:
        """Read ``velocity.csv`` and its description.

        Raises
        ------
        PystampsError
            A file or column is missing, a cell is no number, or there is no row.
        """
        header, values = read_numbers(path)
        _expect(path, header[: len(_PLACE) + 2], [*_PLACE, *_VELOCITY])
        velocity, std = values[:, len(_PLACE)], values[:, len(_PLACE) + 1]
        return cls(_places(values), velocity, std, Description.read(path))


@dataclass(frozen=True)
class SeriesTable:
    """Displacements towards the satellite since the master date.

    Attributes
    ----------
    places
        The PS.
    dates
        The dates of the columns, without the master, [M].
    displacement_mm
        Displacements, [N, M]; NaN where unknown.
    description
        What the numbers are.
    """

    places: Places
    dates: list[datetime.date]
    displacement_mm: Doubles
    description: Description

    @classmethod
    def read(cls, path: Path) -> SeriesTable:
        """Read ``timeseries.csv`` and its description.

        Raises
        ------
        PystampsError
            A file or column is missing, a cell is no number, or there is no row.
        """
        header, values = read_numbers(path)
        _expect(path, header[: len(_PLACE)], list(_PLACE))
        dates = [_date(name.removeprefix("D"), path) for name in header[len(_PLACE) :]]
        return cls(_places(values), dates, values[:, len(_PLACE) :], Description.read(path))

    def all_dates(self) -> tuple[list[datetime.date], NDArray[np.intp]]:
        """Return the dates with the master put in, and where each column stands among them."""
        master = self.description.master_date
        dates = sorted({*self.dates, master})
        return dates, np.array([dates.index(date) for date in self.dates], dtype=np.intp)

    def with_master(self) -> Doubles:
        """Return the displacements on `all_dates`, zero at the master, [N, M + 1]."""
        dates, columns = self.all_dates()
        values = np.zeros((len(self.places), len(dates)))
        values[:, columns] = self.displacement_mm
        return values


def _places(values: Doubles) -> Places:
    return Places(values[:, :2], values[:, 2], values[:, 3])


def read_numbers(path: Path) -> tuple[list[str], Doubles]:
    """Read a table of numbers with a line of titles.

    Returns
    -------
    The titles, [k], and the values, [N, k]; NaN where a cell is empty.

    Raises
    ------
    PystampsError
        It cannot be read, a cell is no number, rows differ in length, or there is no row.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            values = np.array([[_number(cell) for cell in row] for row in rows], dtype=np.float64)
    except OSError as error:
        cause = f"{path}: cannot be read ({error.strerror})"
        raise PystampsError(cause, "make the product first") from error
    except ValueError as error:
        cause = f"{path}: {error}"
        raise PystampsError(cause, "make the product again") from error
    if values.ndim != 2 or values.shape[1] != len(header):
        cause = f"{path}: has no row of {len(header)} numbers"
        raise PystampsError(cause, "make the product again")
    return header, values


def _number(cell: str) -> float:
    """Return a cell; an empty one stands for a value that is not known."""
    return float(cell) if cell else np.nan


def _expect(path: Path, found: list[str], expected: list[str]) -> None:
    if found != expected:
        cause = f"{path}: columns are {', '.join(found)}, expected {', '.join(expected)}"
        raise PystampsError(cause, "make the product again with this version")


def _date(text: str, path: Path) -> datetime.date:
    digits = text.replace("-", "")
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d").date()
    except ValueError as error:
        cause = f"{path}: '{text}' is no date, expected YYYYMMDD"
        raise PystampsError(cause, "make the product again") from error
