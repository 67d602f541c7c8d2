"""GeoPackage through GDAL, streamed block by block."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.export.arrow import record_batches
from pystamps_shim.products.export.geopackage_check import damage
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.metadata import CRS, metadata_text

#: Always the same time, so that the same points give the same file; and nothing to roll back, as
#: nobody sees the file before it is whole.
_OPTIONS = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z", "OGR_SQLITE_JOURNAL": "OFF"}
_GEOMETRY = "geom"


def write(export: Export, path: Path) -> None:
    """Write a GeoPackage with the field names of InSAR Explorer: ``velocity``, ``DYYYYMMDD``.

    GDAL goes on after some writes that fail, so the file is compared with what it should be.

    Raises
    ------
    PystampsError
        Its name has another ending, which GDAL does not like.
    OSError
        The disk does not take it, in the words of GDAL, which keeps the system's own to itself.
    """
    if path.suffix.lower() != ".gpkg":
        cause = f"{path.name}: the name of a GeoPackage ends in .gpkg"
        raise wrong_usage(cause, f"choose --out {path.name}.gpkg")
    pyogrio = import_library("pyogrio")
    names = [field.short for field in export.table.fields]
    schema, reader = record_batches(export, names, _GEOMETRY, singles=False)
    write_table = partial(
        pyogrio.raw.write_arrow,
        layer=path.stem,
        driver="GPKG",
        geometry_name=_GEOMETRY,
        geometry_type="Point",
        crs=CRS,
        dataset_metadata={"pystamps": metadata_text(export.table.metadata)},
        layer_metadata={"DESCRIPTION": export.table.metadata["title"]},
    )
    empty = BytesIO()
    try:
        with _options(pyogrio):
            write_table(schema.empty_table().to_reader(), empty)
            write_table(reader, path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        raise OSError(errno.EIO, str(error), path) from error
    found = damage(path, empty.getvalue(), path.stem, _GEOMETRY, len(export))
    if found is not None:
        raise OSError(errno.EIO, found, path)


@contextmanager
def _options(pyogrio: Any) -> Iterator[None]:
    before = {name: pyogrio.get_gdal_config_option(name) for name in _OPTIONS}
    pyogrio.set_gdal_config_options(_OPTIONS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)
