"""GeoParquet 1.1: one row a PS, points in well-known binary."""

from __future__ import annotations

import json
from pathlib import Path

from pystamps_shim.products.export.arrow import record_batches
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.metadata import metadata_text

_GEOMETRY = "geometry"


def write(export: Export, path: Path) -> None:
    """Write a file whose key ``geo`` follows the standard, and ``pystamps`` holds the metadata."""
    parquet = import_library("pyarrow").parquet
    names = [field.short for field in export.table.fields]
    schema, reader = record_batches(export, names, _GEOMETRY, singles=True)
    described = {"geo": _geo(export), "pystamps": metadata_text(export.table.metadata)}
    schema = schema.with_metadata(described)
    # Digits of noise: a dictionary of them would only cost time.
    with parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for batch in reader:
            writer.write_batch(batch.replace_schema_metadata(described))


def _geo(export: Export) -> str:
    """Return the standard's metadata; no system there means longitude and latitude on WGS 84."""
    low, high = export.table.lonlat_deg.min(axis=0), export.table.lonlat_deg.max(axis=0)
    column = {"encoding": "WKB", "geometry_types": ["Point"], "bbox": [*low, *high]}
    return json.dumps(
        {"version": "1.1.0", "primary_column": _GEOMETRY, "columns": {_GEOMETRY: column}}
    )
