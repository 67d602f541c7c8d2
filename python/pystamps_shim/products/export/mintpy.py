"""A folder of HDF5 files as MintPy has them: velocity, time series and geometry on a grid.

The grid is one of longitude and latitude. A cell holds the mean of its PS, and nothing where there
are none. Displacements are in metres, positive towards the satellite, as MintPy's are, and zero at
MintPy's date of reference: the master, or the first date of a series that is limited to dates
without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.dated import displacements_by_date
from pystamps_shim.products.export.deferred_file import deferred
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.mintpy_geometry import (
    azimuth_deg,
    baselines_m,
    first_and_last,
    holds_master,
    orbit_direction,
    reference_date,
    slant_range_m,
)
from pystamps_shim.products.grid import Grid, geographic_grid
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.progress import tracked

_METRES = 1e-3
#: Sides of the pieces in which images are stored and read.
_CHUNK = 128

Attributes = dict[str, str]


def write(export: Export, path: Path) -> None:
    """Write ``velocity.h5``, ``timeseries.h5`` and ``geometryGeo.h5`` into a new folder.

    Raises
    ------
    PystampsError
        It is not a time series along the line of sight, or the grid is too large.
    """
    found = export.line_of_sight_series("mintpy")
    grid = geographic_grid(found.places.lonlat_deg, export.cell_m)
    told = export.table.metadata | {"mintpy": _remarks(found)}
    attributes = _attributes(found, grid) | {"PYSTAMPS": metadata_text(told)}
    path.mkdir()
    _velocity(path / "velocity.h5", found, grid, attributes)
    _geometry(path / "geometryGeo.h5", found, grid, attributes)
    _series(path / "timeseries.h5", export, found, grid, attributes)


def _velocity(path: Path, found: Measurements, grid: Grid, attributes: Attributes) -> None:
    """Write the mean velocity and, where it is known, its standard deviation, m/yr."""
    std = found.velocity_std_mm_per_year()
    first, last = first_and_last(found)
    own = {"START_DATE": first, "END_DATE": last, "DATA_TYPE": "float32"}
    with _file(path, "velocity", "m/year", attributes | own) as file:
        _image(file, "velocity", grid.mean(found.velocity_mm_per_year()) * _METRES)
        if np.isfinite(std).any():
            _image(file, "velocityStd", grid.mean(std) * _METRES)


def _series(
    path: Path, export: Export, found: Measurements, grid: Grid, attributes: Attributes
) -> None:
    """Write the displacements, m, an image a date, one after the other."""
    dates = [f"{date:%Y%m%d}" for date in found.dates]
    own = {"START_DATE": dates[0], "END_DATE": dates[-1], "DATA_TYPE": "float32"}
    with _file(path, "timeseries", "m", attributes | own) as file:
        _dataset(file, "date", np.array(dates, dtype="S8"))
        baselines = baselines_m(found)
        if baselines is not None:
            _dataset(file, "bperp", baselines.astype(np.float32))
        height, width = grid.shape
        stack = file.create_dataset(
            "timeseries",
            shape=(len(dates), height, width),
            dtype="float32",
            chunks=(1, min(_CHUNK, height), min(_CHUNK, width)),
            compression="gzip",
            fillvalue=np.nan,
            track_times=False,
        )
        images = tracked(displacements_by_date(found), export.label, len(dates))
        zero_mm: Doubles | float = 0.0
        for number, (_, displacement_mm) in enumerate(images):
            if number == 0 and not holds_master(found):
                zero_mm = displacement_mm
            stack[number] = grid.mean(displacement_mm - zero_mm) * _METRES


def _remarks(found: Measurements) -> dict[str, str]:
    """Return what is not as in the product itself."""
    if holds_master(found):
        return {}
    first, master = f"{reference_date(found):%Y%m%d}", f"{found.master_date:%Y%m%d}"
    since = f"since {first}, the first of the dates, which do not hold the master {master}"
    return {"timeseries": since, "bperp": f"relative to {first}"}


def _geometry(path: Path, found: Measurements, grid: Grid, attributes: Attributes) -> None:
    """Write place, height and, where they are known, angles and ranges."""
    places = found.places
    # MintPy tells the unit of each of these by its name.
    with _file(path, "geometry", "m", attributes | {"DATA_TYPE": "float32"}) as file:
        _image(file, "height", grid.mean(places.height_m))
        centres = grid.centres(np.arange(grid.height * grid.width))
        _image(file, "longitude", centres[:, 0].reshape(grid.shape))
        _image(file, "latitude", centres[:, 1].reshape(grid.shape))
        if np.isfinite(places.incidence_rad).any():
            _image(file, "incidenceAngle", grid.mean(np.rad2deg(places.incidence_rad)))
        has_ps = grid.count() > 0
        if found.heading_deg is not None:
            direction = azimuth_deg(found.heading_deg)
            _image(file, "azimuthAngle", np.where(has_ps, direction, np.nan))
        ranges_m = slant_range_m(found)
        if ranges_m is not None:
            _image(file, "slantRangeDistance", grid.mean(ranges_m))


def _attributes(found: Measurements, grid: Grid) -> Attributes:
    """Return the attributes of all three files; those that are not known are left out."""
    description = found.layer.description
    parameters = found.dataset.parameters.values
    told: dict[str, object] = {
        "LENGTH": grid.height,
        "WIDTH": grid.width,
        "X_FIRST": grid.left,
        "Y_FIRST": grid.top,
        "X_STEP": grid.step_x,
        "Y_STEP": -grid.step_y,
        "X_UNIT": "degrees",
        "Y_UNIT": "degrees",
        "EPSG": 4326,
        "WAVELENGTH": description["wavelength_m"],
        "REF_DATE": f"{reference_date(found):%Y%m%d}",
        "PROCESSOR": parameters.get("insar_processor", "pystamps"),
        "PLATFORM": parameters.get("platform", "unknown"),
        "ANTENNA_SIDE": -1,
        "ALOOKS": 1,
        "RLOOKS": 1,
        "NO_DATA_VALUE": "nan",
    }
    if found.heading_deg is not None:
        told |= {
            "HEADING": float(found.heading_deg),
            "ORBIT_DIRECTION": orbit_direction(found.heading_deg),
        }
    told |= _reference(found, grid)
    return {name: str(value) for name, value in told.items()}


def _reference(found: Measurements, grid: Grid) -> dict[str, object]:
    """Return the pixel of reference, which MintPy's tools need and take for one that is still.

    The cell in the middle of a reference area hardly moves. The middle of a whole dataset may,
    so that where all PS are the reference, the cell counts whose velocity is nearest to theirs.
    """
    description = found.layer.description
    occupied = np.unique(grid.cells)
    if description["reference"]["ps_count"] < description["ps_count"]:
        longitude, latitude = description["reference"]["centre_lonlat_deg"]
        away = grid.centres(occupied) - (longitude, latitude)
        distance = np.hypot(away[:, 0] * np.cos(np.deg2rad(latitude)), away[:, 1])
    else:
        speed = np.abs(grid.mean(found.velocity_mm_per_year())).ravel()[occupied]
        distance = np.where(np.isfinite(speed), speed, np.inf)
    nearest = int(occupied[np.argmin(distance)])
    row, column = divmod(nearest, grid.width)
    longitude, latitude = grid.centres(np.array([nearest]))[0].tolist()
    return {"REF_Y": row, "REF_X": column, "REF_LAT": latitude, "REF_LON": longitude}


@contextmanager
def _file(path: Path, kind: str, unit: str, attributes: Attributes) -> Iterator[Any]:
    """Yield a new file with its attributes."""
    h5py = import_library("h5py")
    with deferred(path) as target, h5py.File(target, "w", track_order=True) as file:
        for name, text in {"FILE_TYPE": kind, "UNIT": unit, **attributes}.items():
            file.attrs[name] = text
        yield file


def _image(file: Any, name: str, values: Doubles) -> None:
    height, width = values.shape
    chunks = min(_CHUNK, height), min(_CHUNK, width)
    _dataset(file, name, values.astype(np.float32), chunks=chunks, compression="gzip")


def _dataset(file: Any, name: str, values: NDArray[Any], **options: Any) -> None:
    file.create_dataset(name, data=values, track_times=False, **options)
