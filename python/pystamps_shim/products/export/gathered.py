"""Whole columns of a table, for formats that cannot write it block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.point_table import Field

VELOCITY_UNIT = "mm/yr"


def columns_of(export: Export, fields: Sequence[Field]) -> list[NDArray[Any]]:
    """Return some columns of a table, [N] each, in the order of `fields`.

    Parameters
    ----------
    export
        The table.
    fields
        Fields of it.
    """
    places = [export.table.fields.index(field) for field in fields]
    parts: list[list[NDArray[Any]]] = [[] for _ in places]
    for first, last in export.blocks():
        block = export.table.block(first, last)
        for part, place in zip(parts, places, strict=True):
            part.append(np.array(block[place]))
    return [np.concatenate(part) for part in parts]


def velocity_fields(fields: Sequence[Field]) -> list[Field]:
    """Return the fields that are velocities, not their standard deviations."""
    return [field for field in fields if field.unit == VELOCITY_UNIT and "_std" not in field.name]


def deviation_fields(fields: Sequence[Field]) -> list[Field]:
    """Return the fields that are standard deviations of velocities."""
    return [field for field in fields if field.unit == VELOCITY_UNIT and "_std" in field.name]


def main_velocity(fields: Sequence[Field]) -> Field | None:
    """Return the velocity that a map shows: the vertical one of several, None without any."""
    found = velocity_fields(fields)
    return next((field for field in found if "_up" in field.name), next(iter(found), None))
