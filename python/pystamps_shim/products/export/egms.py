"""The table of the European Ground Motion Service, columns and digits as its products have them.

The columns are those of the calibrated product (L2b). The service's meaning of ``mp_type`` is the
effective area of a distributed scatterer in square metres, and 0 for a persistent scatterer, which
all of these are. Amplitudes of ``seasonality`` are half of peak to peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.export.egms_models import (
    CUBIC,
    LINEAR,
    QUADRATIC,
    Models,
    Regression,
)
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.table_text import Column, write_table
from pystamps_shim.products.line_of_sight import towards_satellite
from pystamps_shim.products.measurements import Doubles, Measurements, Rows
from pystamps_shim.products.metadata import CRS, metadata_text
from pystamps_shim.products.selection import transformed

#: ETRS89-LAEA of Europe.
PROJECTED = "EPSG:3035"

_ALPHABET = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype="S1"
)
_PID_LETTERS = 10
# Places in the image that a code has room for, and where codes begin: with a letter, so that no
# program takes one for a number.
_LINES = _SAMPLES = 2**29
_FIRST_CODE = 10 * 62 ** (_PID_LETTERS - 1)
_PERSISTENT = 0

_NAMES_AND_DECIMALS = (
    ("mp_type", 0),
    ("latitude", 6),
    ("longitude", 6),
    ("easting", 2),
    ("northing", 2),
    ("height", 1),
    ("height_wgs84", 1),
    ("line", 0),
    ("pixel", 0),
    ("rmse", 1),
    ("temporal_coherence", 2),
    ("amplitude_dispersion", 2),
    ("incidence_angle", 2),
    ("track_angle", 2),
    ("los_east", 3),
    ("los_north", 3),
    ("los_up", 3),
    ("mean_velocity", 1),
    ("mean_velocity_std", 1),
    ("acceleration", 2),
    ("acceleration_std", 2),
    ("seasonality", 1),
    ("seasonality_std", 1),
)
_DISPLACEMENT_DECIMALS = 1


def write(export: Export, path: Path) -> None:
    """Write the table, and beside it the metadata with what is empty and why.

    Raises
    ------
    PystampsError
        It is not a time series along the line of sight, or two PS have the same place in the image.
    """
    found = export.line_of_sight_series("egms")
    pids = point_codes(found.places.line, found.places.sample)
    models = Models(found.dates)
    columns = [Column("pid", None)]
    columns += [Column(name, decimals) for name, decimals in _NAMES_AND_DECIMALS]
    columns += [Column(f"{date:%Y%m%d}", _DISPLACEMENT_DECIMALS) for date in found.dates]
    with path.open("wb") as file:
        blocks = ([pids[a:b], *_block(found, models, a, b)] for a, b in export.blocks())
        write_table(file, columns, blocks)
    metadata = export.table.metadata | {"crs_projected": PROJECTED, "egms": _remarks(found, models)}
    path.with_name(f"{path.name}.json").write_text(metadata_text(metadata), encoding="utf-8")


def point_codes(line: Rows, sample: Rows) -> NDArray[np.bytes_]:
    """Return a code of ten letters and figures for every place in the image, [N].

    Raises
    ------
    PystampsError
        Two places are the same, or one is outside of what a code can tell.
    """
    if line.min() < 0 or sample.min() < 0 or line.max() >= _LINES or sample.max() >= _SAMPLES:
        found = f"lines {line.min()} to {line.max()}, samples {sample.min()} to {sample.max()}"
        cause = f"{found} are no places in an image"
        raise PystampsError(cause, "run stage 5 again")
    codes = _FIRST_CODE + line.astype(np.int64) * _SAMPLES + sample
    if np.unique(codes).size < codes.size:
        cause = "two PS have the same line and sample, so that a code does not tell them apart"
        raise PystampsError(cause, "run stage 5 again, or choose another format")
    letters = np.empty((len(codes), _PID_LETTERS), dtype="S1")
    for place in range(_PID_LETTERS - 1, -1, -1):
        codes, digit = np.divmod(codes, len(_ALPHABET))
        letters[:, place] = _ALPHABET[digit]
    return letters.view(f"S{_PID_LETTERS}").ravel()


def _block(found: Measurements, models: Models, first: int, last: int) -> Sequence[NDArray[Any]]:
    """Return all columns but the code, of the PS `first` to `last` (excluded)."""
    places, rows = found.places, slice(first, last)
    count = last - first
    lonlat_deg = places.lonlat_deg[rows]
    displacement_mm = found.displacement_mm(first, last)
    unknown = np.full(count, np.nan)
    incidence_rad = places.incidence_rad[rows]
    heading = np.nan if found.heading_deg is None else found.heading_deg
    return [
        np.full(count, _PERSISTENT),
        lonlat_deg[:, 1],
        lonlat_deg[:, 0],
        *transformed(lonlat_deg, CRS, PROJECTED).T,
        places.height_m[rows],
        unknown,
        places.line[rows],
        places.sample[rows],
        *_regressed(models.fit(displacement_mm), places.coherence[rows], incidence_rad, heading),
        *displacement_mm.T,
    ]


def _regressed(
    fitted: Regression, coherence: Doubles, incidence_rad: Doubles, heading_deg: float
) -> list[Doubles]:
    """Return the columns from ``rmse`` to ``seasonality_std``."""
    count = len(coherence)
    return [
        fitted.rmse_mm,
        coherence,
        np.full(count, np.nan),
        np.rad2deg(incidence_rad),
        np.full(count, heading_deg % 360),
        *towards_satellite(incidence_rad, heading_deg).T,
        fitted.velocity,
        fitted.velocity_std,
        fitted.acceleration,
        fitted.acceleration_std,
        fitted.seasonality,
        fitted.seasonality_std,
    ]


def _remarks(found: Measurements, models: Models) -> dict[str, str]:
    """Return what the columns mean here, and which of them are empty."""
    empty = {
        "height_wgs84": "the export does not tell which surface its heights are above",
        "amplitude_dispersion": "merged datasets do not keep it",
    }
    too_few = "too few dates, or less than a year of them, for its model"
    if models.terms < LINEAR:
        empty |= dict.fromkeys(("mean_velocity", "mean_velocity_std"), too_few)
    if models.terms < QUADRATIC:
        empty |= dict.fromkeys(("acceleration", "acceleration_std"), too_few)
    if models.terms < CUBIC:
        empty |= dict.fromkeys(("rmse", "seasonality", "seasonality_std"), too_few)
    if found.heading_deg is None:
        empty |= dict.fromkeys(("track_angle", "los_east", "los_north"), "heading is not known")
    if not np.isfinite(found.places.incidence_rad).any():
        names = ("incidence_angle", "los_east", "los_north", "los_up")
        empty |= dict.fromkeys(names, "incidence angles are not known")
    dates = f"{found.dates[0]:%Y%m%d} to {found.dates[-1]:%Y%m%d}"
    return {
        "height": "as in the DEM of the interferograms, which need not be EGM2008",
        "line, pixel": "place in the image of the dataset, from 0",
        "mean_velocity": f"slope of a line with an annual oscillation, fitted to {dates}",
        **{name: f"empty: {why}" for name, why in empty.items()},
    }
