"""A Zarr store that xarray reads: points along ``space``, dates along ``time``, as CF has it.

Names follow what space-time matrices of points are called in the community: ``pnt_…`` for what
each point has one of. The store is of Zarr's second format, which every reader knows.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products import point_table
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.zarr_files import ZarrStore, ZarrVariable
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.point_table import Field

_SPACE, _TIME = "space", "time"
_FIRST_DAY = datetime.date(1970, 1, 1)
_IDENTITY = "ps"
#: Single precision holds seven digits: enough for what has four after the point.
_SINGLE_DECIMALS = 4
_PLACED = {"coordinates": "lon lat", "grid_mapping": "crs"}
_FURTHER = (
    Field("line", "line", "", 0, "line in the radar image, from 0"),
    Field("sample", "sample", "", 0, "sample in the radar image, from 0"),
    Field("incidence_angle", "incidence_angle", "degree", 4, "incidence angle"),
)


def write(export: Export, path: Path) -> None:
    """Write a store; blocks of points are chunks, so that it takes no more memory than one."""
    found = export.measurements
    dates = found.dates if found is not None and found.is_series else []
    # The last fields of a table of displacements are its dates.
    fields = export.table.fields
    count = len(fields) - len(dates)
    store = ZarrStore(path, _about(export, has_series=bool(dates)))
    variables = _coordinates(store, export, dates)
    variables += [_point_variable(store, export, field) for field in fields[:count]]
    series = _series_variable(store, export, dates) if dates else None
    further = [] if found is None else [_point_variable(store, export, each) for each in _FURTHER]
    for number, (first, last) in enumerate(export.blocks()):
        block = export.table.block(first, last)
        columns = [*export.table.lonlat_deg[first:last].T, *block[:count]]
        if found is not None:
            columns += _further(found, first, last)
        for variable, values in zip([*variables, *further], columns, strict=True):
            variable.write(number, values)
        if series is not None:
            series.write(number, np.column_stack(block[count:]))
    store.consolidate()


def _coordinates(
    store: ZarrStore, export: Export, dates: Sequence[datetime.date]
) -> list[ZarrVariable]:
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
        along = {"dimensions": [_TIME], "shape": days.shape, "chunks": days.shape}
        ZarrVariable(store, "time", "int32", told, **along).write(0, days)
    crs = {
        "grid_mapping_name": "latitude_longitude",
        "semi_major_axis": 6378137.0,
        "inverse_flattening": 298.257223563,
        "longitude_of_prime_meridian": 0.0,
        "long_name": "WGS 84, EPSG:4326",
    }
    ZarrVariable(store, "crs", "int32", crs).write(0, np.array(4326))
    added = []
    for name, unit, word in (
        ("lon", "degrees_east", "longitude"),
        ("lat", "degrees_north", "latitude"),
    ):
        told = {"units": unit, "standard_name": word, "long_name": word}
        added.append(_along_space(store, export, name, "float64", told))
    return added


def _point_variable(store: ZarrStore, export: Export, field: Field) -> ZarrVariable:
    """Add a variable that has one value a point."""
    kind = "float32" if field.decimals else "int32"
    if field.decimals > _SINGLE_DECIMALS:
        kind = "float64"
    told = {"long_name": field.meaning, "units": _unit(field), **_PLACED}
    if field.short == _IDENTITY:
        return _along_space(store, export, "pnt_id", kind, told | {"cf_role": "timeseries_id"})
    return _along_space(store, export, re.sub(r"\W", "_", f"pnt_{field.short}"), kind, told)


def _along_space(
    store: ZarrStore, export: Export, name: str, kind: str, told: dict[str, str]
) -> ZarrVariable:
    shape = (len(export),)
    return ZarrVariable(
        store, name, kind, told, dimensions=[_SPACE], shape=shape, chunks=_chunk(export)
    )


def _series_variable(
    store: ZarrStore, export: Export, dates: Sequence[datetime.date]
) -> ZarrVariable:
    """Add the displacements, which have one value a point and date."""
    told = {"long_name": export.table.fields[-1].meaning, "units": "mm", **_PLACED}
    shape, chunks = (len(export), len(dates)), (*_chunk(export), len(dates))
    return ZarrVariable(
        store,
        "displacement",
        "float32",
        told,
        dimensions=[_SPACE, _TIME],
        shape=shape,
        chunks=chunks,
    )


def _chunk(export: Export) -> tuple[int]:
    """Return the points of a chunk: those of a block."""
    return (min(point_table.BLOCK_ROWS, len(export)),)


def _further(found: Measurements, first: int, last: int) -> list[NDArray[Any]]:
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
