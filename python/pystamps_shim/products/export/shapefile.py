"""A shapefile: points, their index, and a dBASE table, written block by block.

GDAL writes numbers of 24 letters, which fills the two gigabytes of the table with half of the
points, and takes a table that a full disk has cut short for a whole one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.products.metadata import metadata_text
from pystamps_shim.products.point_table import Field

# Limits of the table.
_MOST_FIELDS = 255
_MOST_BYTES = 2**31 - 1
_NAME_LENGTH = 10
# Letters of a whole number, and of another before and with its point.
_WHOLE_LETTERS, _LETTERS_TO_POINT = 9, 8
#: Fields of the PS Time Series Viewer for QGIS before the dates, in its order, and ours. It has two
#: that no dataset tells, see `_REMARKS`.
_VIEWER = {
    "CODE": "ps",
    "HEIGHT": "height",
    "H_STDEV": None,
    "VEL": "velocity",
    "V_STDEV": "velocity_std",
    "COHERENCE": "coherence",
    "EFF_AREA": None,
}
_OURS = {ours: name for name, ours in _VIEWER.items() if ours is not None}
_NO_DEVIATION = Field("H_STDEV", "H_STDEV", "m", 2, "standard deviation of the height")
_NO_AREA = Field("EFF_AREA", "EFF_AREA", "m2", 0, "effective area of a distributed scatterer")
_REMARKS = {
    "H_STDEV": "empty: deviations of heights are not known",
    "EFF_AREA": "0: all are persistent scatterers, which have no area",
}
_POINT, _VERSION, _FILE_CODE = 1, 1000, 9994
_HEAD_BYTES = 100
# Lengths count words of two bytes.
_WORD = 2
_RECORD = np.dtype(
    [("number", ">i4"), ("words", ">i4"), ("type", "<i4"), ("x", "<f8"), ("y", "<f8")]
)
_CONTENT_WORDS = (_RECORD.itemsize - 8) // _WORD
_INDEX = np.dtype([("offset", ">i4"), ("words", ">i4")])
_DBASE, _END_OF_FIELDS, _END_OF_FILE = 3, b"\r", b"\x1a"
# Year less 1900, month and day: always the same, so that the same points give the same bytes.
_DAY = (100, 1, 1)
_BLANK, _ZERO, _MINUS, _POINT_LETTER = b" 0-."
_SYSTEM = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


@dataclass(frozen=True)
class _Column:
    """A column: its name, what it is, its place in the table, or else its only value."""

    name: str
    field: Field
    place: int | None
    constant: float = np.nan


def write(export: Export, path: Path) -> None:
    """Write a shapefile with the fields of the PS Time Series Viewer, and its metadata beside it.

    Tables without the viewer's velocity keep the order that they have.

    Raises
    ------
    PystampsError
        It does not fit: 255 fields, 10 letters a name, 2 GiB a file, 9 letters a number; or its
        name has another ending, without which its files are not found.
    """
    layout = _layout(export.table.fields)
    fields = [column.field for column in layout]
    names = [column.name for column in layout]
    _refuse_what_does_not_fit(path, names, fields, len(export))
    path.with_suffix(".prj").write_text(_SYSTEM, encoding="ascii")
    path.with_suffix(".cpg").write_text("UTF-8", encoding="ascii")
    with ExitStack() as stack:
        points, index, table = (
            stack.enter_context(path.with_suffix(suffix).open("wb"))
            for suffix in (path.suffix, ".shx", ".dbf")
        )
        points.write(_head(export.table.lonlat_deg, _RECORD.itemsize))
        index.write(_head(export.table.lonlat_deg, _INDEX.itemsize))
        table.write(_table_head(names, fields, len(export)))
        for first, last in export.blocks():
            numbers = np.arange(first, last)
            points.write(_records(numbers, export.table.lonlat_deg[first:last]).tobytes())
            index.write(_index(numbers).tobytes())
            block = export.table.block(first, last)
            table.write(_rows(layout, block, last - first).tobytes())
        table.write(_END_OF_FILE)
    told = {name: _REMARKS[name] for name in names if name in _REMARKS}
    metadata = export.table.metadata | ({"shapefile": told} if told else {})
    path.with_name(f"{path.name}.json").write_text(metadata_text(metadata), encoding="utf-8")


def _layout(fields: Sequence[Field]) -> list[_Column]:
    """Return the columns in the viewer's order where it is one for the viewer."""
    own = [
        _Column(_OURS.get(field.short, field.short), field, place)
        for place, field in enumerate(fields)
    ]
    by_name = {column.name: column for column in own}
    if "VEL" not in by_name:
        return own
    by_name["H_STDEV"] = _Column("H_STDEV", _NO_DEVIATION, None, np.nan)
    by_name["EFF_AREA"] = _Column("EFF_AREA", _NO_AREA, None, 0.0)
    return [by_name[name] for name in _VIEWER] + [c for c in own if c.name not in _VIEWER]


def _refuse_what_does_not_fit(
    path: Path, names: Sequence[str], fields: Sequence[Field], count: int
) -> None:
    size = _row_bytes(fields) * count
    too_long = next((name for name in names if len(name.encode()) > _NAME_LENGTH), "")
    limits = (
        (len(names) > _MOST_FIELDS, f"{len(names)} fields, a shapefile holds {_MOST_FIELDS}"),
        (size > _MOST_BYTES, f"a table of {size / 1e9:.1f} GB, a shapefile holds 2.1 GB"),
        (bool(too_long), f"field '{too_long}' has more than {_NAME_LENGTH} letters"),
    )
    for exceeded, words in limits:
        if exceeded:
            cause = f"{path.name}: {words}"
            raise wrong_usage(cause, "choose --format gpkg, or fewer dates: --from, --to")
    if path.suffix.lower() != ".shp":
        cause = f"{path.name}: the name of a shapefile ends in .shp"
        raise wrong_usage(cause, f"choose --out {path.name}.shp")


def _letters(field: Field) -> int:
    """Return the width of a column."""
    return _LETTERS_TO_POINT + field.decimals if field.decimals else _WHOLE_LETTERS


def _row_bytes(fields: Sequence[Field]) -> int:
    """Return the length of a row, whose first letter tells whether it is deleted."""
    return 1 + sum(map(_letters, fields))


def _head(lonlat_deg: Doubles, record_bytes: int) -> bytes:
    """Return the head of the points or of their index."""
    words = (_HEAD_BYTES + record_bytes * len(lonlat_deg)) // _WORD
    box = (*lonlat_deg.min(axis=0), *lonlat_deg.max(axis=0))
    begin = struct.pack(">7i", _FILE_CODE, 0, 0, 0, 0, 0, words)
    return begin + struct.pack("<2i8d", _VERSION, _POINT, *box, 0, 0, 0, 0)


def _records(numbers: NDArray[np.intp], lonlat_deg: Doubles) -> NDArray[Any]:
    records = np.empty(len(numbers), dtype=_RECORD)
    records["number"], records["words"], records["type"] = numbers + 1, _CONTENT_WORDS, _POINT
    records["x"], records["y"] = lonlat_deg.T
    return records


def _index(numbers: NDArray[np.intp]) -> NDArray[Any]:
    index = np.empty(len(numbers), dtype=_INDEX)
    index["offset"] = (_HEAD_BYTES + _RECORD.itemsize * numbers) // _WORD
    index["words"] = _CONTENT_WORDS
    return index


def _table_head(names: Sequence[str], fields: Sequence[Field], count: int) -> bytes:
    """Return the head of the table: its size, then name, type and width of every column."""
    head_bytes = 32 + 32 * len(fields) + len(_END_OF_FIELDS)
    head = struct.pack("<4BIHH20x", _DBASE, *_DAY, count, head_bytes, _row_bytes(fields))
    for name, field in zip(names, fields, strict=True):
        head += struct.pack("<11sc4xBB14x", name.encode(), b"N", _letters(field), field.decimals)
    return head + _END_OF_FIELDS


def _rows(
    layout: Sequence[_Column], block: Sequence[NDArray[Any]], count: int
) -> NDArray[np.uint8]:
    """Return rows of letters, [count, row]; what is unknown is blank."""
    fields = [column.field for column in layout]
    rows = np.full((count, _row_bytes(fields)), _BLANK, dtype=np.uint8)
    left = 1
    for column in layout:
        width, decimals = _letters(column.field), column.field.decimals
        place, constant = column.place, column.constant
        values = np.full(count, constant) if place is None else block[place]
        rows[:, left : left + width] = _cells(column.name, values, decimals, width)
        left += width
    return rows


def _cells(name: str, values: NDArray[Any], decimals: int, width: int) -> NDArray[np.uint8]:
    """Return the letters of a column, at its right, [n, width], all decimals and no exponents."""
    known = np.isfinite(values)
    scaled = np.rint(np.where(known, values, 0).astype(np.float64) * 10.0**decimals)
    size, negative = np.abs(scaled), scaled < 0
    # Letters for figures and a minus.
    room = width - (1 if decimals else 0)
    if np.any(size >= 10.0 ** (room - negative)):
        longest = max((f"{value:.{decimals}f}" for value in values[known].tolist()), key=len)
        cause = f"field {name}: {longest} has {len(longest)} letters, the shapefile's table {width}"
        raise PystampsError(cause, "choose --format gpkg")
    return _figures(size.astype(np.int64), negative, known, decimals, width)


def _figures(
    size: NDArray[np.int64],
    negative: NDArray[np.bool_],
    known: NDArray[np.bool_],
    decimals: int,
    width: int,
) -> NDArray[np.uint8]:
    """Return numbers of so many units of their last decimal as letters, [n, width]."""
    letters = np.full((len(size), width), _BLANK, dtype=np.uint8)
    point = width - 1 - decimals if decimals else width
    left, sign = size, negative.copy()
    for place in range(width - 1, -1, -1):
        if place == point:
            letters[known, place] = _POINT_LETTER
            continue
        # Zeros are shown up to the last figure before the point.
        shown = known & ((left > 0) | (place >= point - 1))
        rest, figure = np.divmod(left, 10)
        letters[:, place] = np.where(shown, _ZERO + figure, _BLANK)
        here = sign & ~shown
        letters[here, place] = _MINUS
        sign &= shown
        left = rest
    return letters
