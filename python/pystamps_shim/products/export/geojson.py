"""GeoJSON as RFC 7946 asks for: a feature a line, longitude before latitude, WGS 84."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.point_table import rounded

_POSITION_DECIMALS = 7


def write(export: Export, path: Path) -> None:
    """Write a collection of points; what is unknown is null."""
    table, lonlat_deg = export.table, export.table.lonlat_deg
    titles = [f"{json.dumps(field.short)}: " for field in table.fields]
    decimals = [field.decimals for field in table.fields]
    with path.open("wb") as file:
        file.write(b'{"type": "FeatureCollection", "features": [\n')
        for first, last in export.blocks():
            pieces: list[Any] = ['{"type": "Feature", "properties": {']
            for title, values, count in zip(
                titles, table.block(first, last), decimals, strict=True
            ):
                pieces += [title, _numbers(values, count), ", "]
            # Of the last property, a bracket takes the comma's place.
            pieces[-1] = '}, "geometry": {"type": "Point", "coordinates": ['
            longitude, latitude = lonlat_deg[first:last].T
            pieces += [_numbers(longitude, _POSITION_DECIMALS), ", "]
            pieces += [_numbers(latitude, _POSITION_DECIMALS), "]}}"]
            file.write(_joined(pieces).encode("utf-8"))
            file.write(b",\n" if last < len(export) else b"\n")
        file.write(b"]}\n")


def _numbers(values: NDArray[Any], decimals: int) -> Any:
    """Return numbers as an Arrow array of their text in JSON."""
    pyarrow = import_library("pyarrow")
    digits = rounded(values, decimals)
    # Adding zero turns a negative zero into zero; infinities have no text in JSON.
    if np.issubdtype(digits.dtype, np.floating):
        digits = np.where(np.isfinite(digits), digits + 0.0, np.nan)
    texts = pyarrow.array(digits, from_pandas=True).cast(pyarrow.string())
    return pyarrow.compute.fill_null(texts, "null")


def _joined(pieces: list[Any]) -> str:
    """Return rows of pieces, each an array or the same text for all, a comma after each row."""
    pyarrow = import_library("pyarrow")
    rows = pyarrow.compute.binary_join_element_wise(*pieces, "")
    lines = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(rows)], pyarrow.int32()), rows)
    return str(pyarrow.compute.binary_join(lines, ",\n")[0].as_py())
