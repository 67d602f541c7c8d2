"""Comma-separated text: a line of titles with units, then a line a PS."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.point_table import rounded

_POSITION_DECIMALS = 7


def write(export: Export, path: Path) -> None:
    """Write ``lon_deg,lat_deg,…``; unknown values are empty, decimals those that carry meaning."""
    pyarrow = import_library("pyarrow")
    fields, lonlat_deg = export.table.fields, export.table.lonlat_deg
    titles = ["lon_deg", "lat_deg", *(field.name for field in fields)]
    decimals = [_POSITION_DECIMALS, _POSITION_DECIMALS, *(field.decimals for field in fields)]
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        file.write((",".join(titles) + "\n").encode())
        for first, last in export.blocks():
            columns = [*lonlat_deg[first:last].T, *export.table.block(first, last)]
            arrays = [
                pyarrow.array(rounded(values, count), from_pandas=True)
                for values, count in zip(columns, decimals, strict=True)
            ]
            batch = pyarrow.record_batch(arrays, names=titles)
            pyarrow.csv.write_csv(batch, file, options)
