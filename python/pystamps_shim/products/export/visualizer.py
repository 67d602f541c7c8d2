"""The table that StaMPS-Visualizer reads: a second line of reference and dates, then a line a PS.

Its layout is that of a MATLAB table of unnamed columns: titles ``export_res_ 1``, ``export_res_ 2``
and so on, padded to one width, and numbers of seven digits.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.metadata import metadata_text

#: Columns before the dates: longitude, latitude, mean velocity.
_BEFORE_DATES = 3
# MATLAB counts days from a year zero; Python counts from the year one.
_DAYS_OF_YEAR_ZERO = 366
_DIGITS = 7
_METRES_PER_DEGREE = 111_195.0
#: Rows that are turned into text at a time: what a row's text takes is far more than its numbers.
_ROWS_OF_TEXT = 2_048


def write(export: Export, path: Path) -> None:
    """Write velocity and displacements of all dates but the master, as StaMPS's ``ph_mm`` has them.

    The metadata are beside it, with what its digits do to places.

    Raises
    ------
    PystampsError
        It is not a time series.
    """
    found = export.series("visualizer")
    velocity = found.velocity_mm_per_year()
    series_dates = [date for date in found.dates if date != found.master_date]
    kept = np.array([date != found.master_date for date in found.dates], dtype=bool)
    with path.open("wb") as file:
        write_head(file, _reference_lonlat_deg(found), series_dates)
        for first, last in export.blocks():
            places = found.places.lonlat_deg[first:last]
            displacement_mm = found.displacement_mm(first, last)[:, kept]
            write_rows(file, places, velocity[first:last], displacement_mm)
    remarks = {"visualizer": {"lon, lat": _digits_of_places(found)}}
    metadata = export.table.metadata | remarks
    path.with_name(f"{path.name}.json").write_text(metadata_text(metadata), encoding="utf-8")


def write_head(
    file: BinaryIO, reference_lonlat_deg: Sequence[float], dates: Sequence[datetime.date]
) -> None:
    """Write the titles, and the line of the reference and the dates.

    Parameters
    ----------
    file
        Where to.
    reference_lonlat_deg
        Middle of the reference area.
    dates
        Dates of the columns.
    """
    count = _BEFORE_DATES + len(dates)
    width = len(str(count))
    titles = (f"export_res_{number:>{width}}" for number in range(1, count + 1))
    days = map(day_number, dates)
    told = _texts([*reference_lonlat_deg, np.nan, *days])
    file.write(f"{','.join(titles)}\n{told}\n".encode("ascii"))


def write_rows(
    file: BinaryIO,
    lonlat_deg: Doubles,
    velocity_mm_per_year: Doubles,
    displacement_mm: NDArray[Any],
) -> None:
    """Write a line a PS.

    Parameters
    ----------
    file
        Where to.
    lonlat_deg
        Places, [n, 2].
    velocity_mm_per_year
        Mean velocities, [n].
    displacement_mm
        Displacements of every date, [n, k].
    """
    for first in range(0, len(lonlat_deg), _ROWS_OF_TEXT):
        rows = slice(first, first + _ROWS_OF_TEXT)
        parts = (lonlat_deg[rows], velocity_mm_per_year[rows, None], displacement_mm[rows])
        values = np.hstack(parts).astype(np.float64)
        line = ",".join(["%.7g"] * values.shape[1]) + "\n"
        text = (line * len(values)) % tuple(values.ravel().tolist())
        file.write(text.replace("nan", "NaN").encode("ascii"))


def day_number(date: datetime.date) -> int:
    """Return the day as the viewer counts: MATLAB's number of the day less one."""
    return date.toordinal() + _DAYS_OF_YEAR_ZERO - 1


def _texts(values: Iterable[float]) -> str:
    """Return numbers as MATLAB writes them with seven digits."""
    return ",".join(f"{value:.7g}" for value in values).replace("nan", "NaN")


def _digits_of_places(found: Measurements) -> str:
    """Return how coarse places are in this file."""
    lonlat_deg = np.abs(found.places.lonlat_deg)
    largest = float(lonlat_deg.max())
    # Of seven digits, those before the point are not there behind it.
    step_deg = 10.0 ** (len(str(int(largest))) - _DIGITS)
    return (
        f"seven digits, as the viewer's own tables have: steps of up to {step_deg:g} degrees "
        f"({step_deg * _METRES_PER_DEGREE:.2g} m) at {largest:.1f} degrees"
    )


def _reference_lonlat_deg(found: Measurements) -> tuple[float, float]:
    """Return the middle of the reference area."""
    longitude, latitude = found.layer.description["reference"]["centre_lonlat_deg"]
    return float(longitude), float(latitude)
