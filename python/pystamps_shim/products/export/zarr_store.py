"""A Zarr store that xarray reads: points along ``space``, dates along ``time``, as CF has it.

Names follow what space-time matrices of points are called in the community: ``pnt_…`` for what
each point has one of. The store is of Zarr's second format, which every reader knows.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.point_table import BLOCK_ROWS, Field

_SPACE, _TIME = "space", "time"
_FIRST_DAY = datetime.date(1970, 1, 1)
_DIMENSIONS = "_ARRAY_DIMENSIONS"
_LEVEL = 3
_IDENTITY = "ps"
#: Single precision holds seven digits: enough for what has four after the point.
_SINGLE_DECIMALS = 4
_PLACED = {"coordinates": "lon lat", "grid_mapping": "crs"}
_EXTRA = (
    Field("line", "line", "", 0, "line in the radar image, from 0"),
    Field("sample", "sample", "", 0, "sample in the radar image, from 0"),
    Field("incidence_angle", "incidence_angle", "degree", 4, "incidence angle"),
)


@dataclass(frozen=True)
class _Variable:
    """One variable: name, type, attributes and dimensions."""

    name: str
    kind: str
    attributes: dict[str, Any]
    dimensions: tuple[str, ...] = (_SPACE,)

    def added(self, store: Any, shape: tuple[int, ...]) -> Any:
        """Add it to a store, empty; along space a block of points is a chunk."""
        numcodecs = import_library("numcodecs")
        limits = {_SPACE: BLOCK_ROWS}
        chunks = (
            max(min(limits.get(name, size), size), 1)
            for name, size in zip(self.dimensions, shape, strict=True)
        )
        array = store.create_array(
            self.name,
            shape=shape,
            chunks=tuple(chunks),
            dtype=self.kind,
            compressors=numcodecs.Zstd(level=_LEVEL) if shape else None,
            fill_value=np.nan if self.kind.startswith("float") else None,
        )
        array.attrs.update({_DIMENSIONS: list(self.dimensions), **self.attributes})
        return array


def write(export: Export, path: Path) -> None:
    """Write a store; blocks of points are chunks, so that it takes no more memory than one."""
    zarr = import_library("zarr")
    store = zarr.open_group(path, mode="w", zarr_format=2)
    found = export.measurements
    dates = found.dates if found is not None and found.is_series else []
    # The last fields of a table of displacements are its dates.
    fields = export.table.fields
    point_fields = fields[: len(fields) - len(dates)]
    arrays = _coordinates(store, export, dates)
    arrays += [_point_array(store, len(export), field) for field in point_fields]
    series = _series_array(store, export, dates) if dates and found is not None else None
    extra = [] if found is None else [_point_array(store, len(export), each) for each in _EXTRA]
    for first, last in export.blocks():
        block = export.table.block(first, last)
        columns = [*export.table.lonlat_deg[first:last].T, *block[: len(point_fields)]]
        for array, values in zip(arrays, columns, strict=True):
            array[first:last] = values
        if found is not None:
            for array, values in zip(extra, _extra(found, first, last), strict=True):
                array[first:last] = values
        if series is not None:
            series[first:last] = np.column_stack(block[len(point_fields) :])
    store.attrs.update(_about(export, has_series=bool(dates)))
    zarr.consolidate_metadata(path, zarr_format=2)


def _coordinates(store: Any, export: Export, dates: Sequence[datetime.date]) -> list[Any]:
    """Add the coordinates; return those that are filled block by block."""
    if dates:
        days = np.array([(date - _FIRST_DAY).days for date in dates], dtype=np.int32)
        told = {
            "units": f"days since {_FIRST_DAY}",
            "calendar": "proleptic_gregorian",
            "standard_name": "time",
            "long_name": "day of the acquisition",
            "axis": "T",
        }
        _Variable("time", "int32", told, (_TIME,)).added(store, days.shape)[:] = days
    crs = {
        "grid_mapping_name": "latitude_longitude",
        "semi_major_axis": 6378137.0,
        "inverse_flattening": 298.257223563,
        "longitude_of_prime_meridian": 0.0,
        "long_name": "WGS 84, EPSG:4326",
    }
    _Variable("crs", "int32", crs, ()).added(store, ())[...] = 4326
    added = []
    for name, units, word in (
        ("lon", "degrees_east", "longitude"),
        ("lat", "degrees_north", "latitude"),
    ):
        told = {"units": units, "standard_name": word, "long_name": word}
        added.append(_Variable(name, "float64", told).added(store, (len(export),)))
    return added


def _point_array(store: Any, count: int, field: Field) -> Any:
    """Add a variable that has one value a point."""
    kind = "float32" if field.decimals else "int32"
    if field.decimals > _SINGLE_DECIMALS:
        kind = "float64"
    told = {"long_name": field.meaning, "units": _unit(field), **_PLACED}
    if field.short != _IDENTITY:
        name = re.sub(r"\W", "_", f"pnt_{field.short}")
        return _Variable(name, kind, told).added(store, (count,))
    return _Variable("pnt_id", kind, told | {"cf_role": "timeseries_id"}).added(store, (count,))


def _series_array(store: Any, export: Export, dates: Sequence[datetime.date]) -> Any:
    """Add the displacements, which have one value a point and date."""
    told = {"long_name": export.table.fields[-1].meaning, "units": "mm", **_PLACED}
    variable = _Variable("displacement", "float32", told, (_SPACE, _TIME))
    return variable.added(store, (len(export), len(dates)))


def _extra(found: Measurements, first: int, last: int) -> list[NDArray[Any]]:
    places, rows = found.places, slice(first, last)
    return [places.line[rows], places.sample[rows], np.rad2deg(places.incidence_rad[rows])]


def _unit(field: Field) -> str:
    """Return the unit as CF writes it."""
    return {"mm/yr": "mm year-1", "": "1", "rad": "radian"}.get(field.unit, field.unit)


def _about(export: Export, *, has_series: bool) -> dict[str, Any]:
    metadata = export.table.metadata
    about = {
        "Conventions": "CF-1.11",
        "title": metadata["title"],
        "source": f"{metadata['program']} {metadata['program_version']}",
        "sign_convention": metadata["sign_convention"],
        "pystamps": metadata_text(metadata),
    }
    return about | ({"featureType": "timeSeries"} if has_series else {"featureType": "point"})
