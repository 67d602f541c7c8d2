"""Comma-separated text: a line of titles with units, then a line a PS."""

from __future__ import annotations

from pathlib import Path

from pystamps_shim.products.export.job import Export
from pystamps_shim.products.export.table_text import Column, write_table

_POSITION_DECIMALS = 7


def write(export: Export, path: Path) -> None:
    """Write ``lon_deg,lat_deg,…``; unknown values are empty, decimals those that carry meaning."""
    table, lonlat_deg = export.table, export.table.lonlat_deg
    columns = [Column(name, _POSITION_DECIMALS) for name in ("lon_deg", "lat_deg")]
    columns += [Column(field.name, field.decimals) for field in table.fields]
    with path.open("wb") as file:
        blocks = ([*lonlat_deg[a:b].T, *table.block(a, b)] for a, b in export.blocks())
        write_table(file, columns, blocks)
