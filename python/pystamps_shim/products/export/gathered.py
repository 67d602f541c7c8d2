"""Whole columns of a table, for formats that cannot write it block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.point_table import Field, MeasurementTable, PointTable

VELOCITY_UNIT = "mm/yr"
DISPLACEMENT_UNIT = "mm"
_COUNTS = ("ps_first", "ps_second")


def columns_of(export: Export, fields: Sequence[Field]) -> list[NDArray[Any]]:
    """Return some columns of a table, [N] each, in the order of `fields`.

    Parameters
    ----------
    export
        The table.
    fields
        Fields of it.
    """
    table = _table_of(export, fields)
    places = [table.fields.index(field) for field in fields]
    parts: list[list[NDArray[Any]]] = [[] for _ in places]
    for first, last in export.blocks():
        block = table.block(first, last)
        for part, place in zip(parts, places, strict=True):
            part.append(np.array(block[place]))
    return [np.concatenate(part) for part in parts]


def _table_of(export: Export, fields: Sequence[Field]) -> PointTable:
    """Return a table that has the fields and, where none is a displacement, reads none."""
    found = export.measurements
    dated = any(field.unit == DISPLACEMENT_UNIT for field in fields)
    if dated or found is None or not found.is_series or found.velocity is None:
        return export.table
    return MeasurementTable(replace(found, layer=found.velocity), export.table.metadata)


def velocity_fields(fields: Sequence[Field]) -> list[Field]:
    """Return the fields that are velocities, not their standard deviations."""
    return [field for field in fields if field.unit == VELOCITY_UNIT and "_std" not in field.name]


def deviation_fields(fields: Sequence[Field]) -> list[Field]:
    """Return the fields that are standard deviations of velocities."""
    return [field for field in fields if field.unit == VELOCITY_UNIT and "_std" in field.name]


def count_fields(fields: Sequence[Field]) -> list[Field]:
    """Return the fields that tell of how many PS of either dataset a combination is the mean."""
    return [field for field in fields if field.name in _COUNTS]


def main_velocity(fields: Sequence[Field]) -> Field | None:
    """Return the velocity that a map shows: the vertical one of several, None without any."""
    found = velocity_fields(fields)
    return next((field for field in found if "_up" in field.name), next(iter(found), None))
