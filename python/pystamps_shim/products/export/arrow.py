"""Points as Arrow record batches: the form in which the writers of GDAL and Parquet take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.products.point_table import Field, rounded

# Well-known binary of a point: byte order, type, x, y.
_WKB = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
_LITTLE_ENDIAN, _POINT = 1, 1
#: Single precision holds seven digits: enough for what has three after the point.
_SINGLE_DECIMALS = 4


def record_batches(
    export: Export, names: Sequence[str], geometry: str, *, singles: bool
) -> tuple[Any, Any]:
    """Return the Arrow schema of a table and a reader of its batches, which streams.

    Parameters
    ----------
    export
        The table.
    names
        Names of its fields, [k].
    geometry
        Name of the column of points in well-known binary, the last one.
    singles
        Whether single precision is enough where it holds all digits. Formats that store doubles or
        text would show the digits behind them: 1.23399996757507.
    """
    pyarrow = import_library("pyarrow")
    types = [_type(field, singles=singles) for field in export.table.fields]
    columns = [
        pyarrow.field(name, kind, metadata={"unit": field.unit, "description": field.meaning})
        for name, kind, field in zip(names, types, export.table.fields, strict=True)
    ]
    known = {b"ARROW:extension:name": b"geoarrow.wkb"}
    schema = pyarrow.schema([*columns, pyarrow.field(geometry, pyarrow.binary(), metadata=known)])
    return schema, pyarrow.RecordBatchReader.from_batches(schema, _batches(export, schema))


def _batches(export: Export, schema: Any) -> Iterator[Any]:
    pyarrow = import_library("pyarrow")
    fields, lonlat_deg = export.table.fields, export.table.lonlat_deg
    for first, last in export.blocks():
        columns = export.table.block(first, last)
        arrays = [
            pyarrow.array(
                rounded(values, field.decimals).astype(kind.to_pandas_dtype()), from_pandas=True
            )
            for values, field, kind in zip(columns, fields, schema.types[:-1], strict=True)
        ]
        points = _points(lonlat_deg[first:last])
        yield pyarrow.record_batch([*arrays, points], schema=schema)


def _type(field: Field, *, singles: bool) -> Any:
    pyarrow = import_library("pyarrow")
    if field.decimals == 0:
        return pyarrow.int32()
    short = singles and field.decimals <= _SINGLE_DECIMALS
    return pyarrow.float32() if short else pyarrow.float64()


def _points(lonlat_deg: Doubles) -> Any:
    """Return points as an Arrow array of well-known binary, without copying them one by one."""
    pyarrow = import_library("pyarrow")
    points: NDArray[Any] = np.empty(len(lonlat_deg), dtype=_WKB)
    points["order"], points["type"] = _LITTLE_ENDIAN, _POINT
    points["x"], points["y"] = lonlat_deg.T
    offsets = np.arange(len(lonlat_deg) + 1, dtype=np.int32) * _WKB.itemsize
    buffers = [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(points)]
    return pyarrow.Array.from_buffers(pyarrow.binary(), len(lonlat_deg), buffers)
