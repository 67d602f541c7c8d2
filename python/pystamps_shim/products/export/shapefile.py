"""A shapefile: points, their index, and a dBASE table, written block by block.

GDAL writes numbers of 24 letters, which fills the two gigabytes of the table with half of the
points, and takes a table that a full disk has cut short for a whole one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.products.point_table import Field, rounded

# Limits of the table.
_MOST_FIELDS = 255
_MOST_BYTES = 2**31 - 1
_NAME_LENGTH = 10
# Letters of a whole number, and of another before and with its point.
_WHOLE_LETTERS, _LETTERS_TO_POINT = 9, 8
#: Names of the PS Time Series Viewer for QGIS, where they differ from ours.
_VIEWER = {
    "ps": "CODE",
    "height": "HEIGHT",
    "coherence": "COHERENCE",
    "velocity": "VEL",
    "velocity_std": "V_STDEV",
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
_SYSTEM = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def write(export: Export, path: Path) -> None:
    """Write a shapefile with the field names of the PS Time Series Viewer.

    Raises
    ------
    PystampsError
        It does not fit: 255 fields, 10 letters a name, 2 GiB a file, 9 letters a number; or its
        name has another ending, without which its files are not found.
    """
    fields = export.table.fields
    names = [_VIEWER.get(field.short, field.short) for field in fields]
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
            table.write(_rows(names, fields, export.table.block(first, last)).tobytes())
        table.write(_END_OF_FILE)


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
    names: Sequence[str], fields: Sequence[Field], columns: Sequence[NDArray[Any]]
) -> NDArray[np.uint8]:
    """Return rows of letters, [n, row]; what is unknown is blank."""
    rows = np.full((len(columns[0]), _row_bytes(fields)), ord(" "), dtype=np.uint8)
    left = 1
    for name, field, values in zip(names, fields, columns, strict=True):
        width = _letters(field)
        rows[:, left : left + width] = _cells(name, values, field.decimals, width)
        left += width
    return rows


def _cells(name: str, values: NDArray[Any], decimals: int, width: int) -> NDArray[np.uint8]:
    """Return the letters of a column, at its right, [n, width]."""
    pyarrow = import_library("pyarrow")
    digits = rounded(values, decimals)
    # Adding zero turns a negative zero into zero.
    shown = digits + 0.0 if np.issubdtype(digits.dtype, np.floating) else digits
    texts = pyarrow.array(shown, from_pandas=True).cast(pyarrow.string())
    texts = pyarrow.compute.utf8_lpad(pyarrow.compute.fill_null(texts, ""), width)
    longest = pyarrow.compute.max(pyarrow.compute.binary_length(texts)).as_py()
    if longest > width:
        cause = f"field {name}: a number has {longest} letters, the shapefile's table {width}"
        raise PystampsError(cause, "choose --format gpkg")
    letters = np.frombuffer(texts.buffers()[2], dtype=np.uint8, count=width * len(texts))
    return letters.reshape(len(texts), width)
