"""GeoPackage through GDAL, streamed block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.export.arrow import record_batches
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.metadata import CRS, metadata_text

_DAY_OPTION, _DAY = "OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z"
_GEOMETRY = "geom"


def write(export: Export, path: Path) -> None:
    """Write a GeoPackage with the field names of InSAR Explorer: ``velocity``, ``DYYYYMMDD``.

    Raises
    ------
    PystampsError
        Its name has another ending, which GDAL does not like, or the disk does not take it.
    """
    if path.suffix.lower() != ".gpkg":
        cause = f"{path.name}: the name of a GeoPackage ends in .gpkg"
        raise wrong_usage(cause, f"choose --out {path.name}.gpkg")
    pyogrio = import_library("pyogrio")
    names = [field.short for field in export.table.fields]
    _, reader = record_batches(export, names, _GEOMETRY, singles=False)
    try:
        with _fixed_day(pyogrio):
            pyogrio.raw.write_arrow(
                reader,
                path,
                layer=path.stem,
                driver="GPKG",
                geometry_name=_GEOMETRY,
                geometry_type="Point",
                crs=CRS,
                dataset_metadata={"pystamps": metadata_text(export.table.metadata)},
                layer_metadata={"DESCRIPTION": export.table.metadata["title"]},
            )
        written = pyogrio.read_info(path)["features"]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        cause = f"{path.name}: {error}"
        raise PystampsError(cause, "check that the disk has room") from error
    if written != len(export):
        cause = f"{path.name}: {written:,} of {len(export):,} points were written"
        raise PystampsError(cause, "check that the disk has room")


@contextmanager
def _fixed_day(pyogrio: Any) -> Iterator[None]:
    """Have GDAL write always the same time into files, so that the same points give them again."""
    before = pyogrio.get_gdal_config_option(_DAY_OPTION)
    pyogrio.set_gdal_config_options({_DAY_OPTION: _DAY})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DAY_OPTION: before})
