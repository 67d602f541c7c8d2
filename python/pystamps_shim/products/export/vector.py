"""GeoPackage and Shapefile through GDAL, streamed block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.export.arrow import record_batches
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.metadata import CRS, metadata_text

# Limits of the dBASE table inside a shapefile.
_MOST_FIELDS = 255
_MOST_BYTES = 2**31 - 1
_NAME_LENGTH = 10
# GDAL's widths of a number in that table: of whole numbers, of others.
_WHOLE_BYTES, _REAL_BYTES = 9, 24
_DAY_OPTION, _DAY = "OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z"
#: Names of the PS Time Series Viewer for QGIS, where they differ from ours.
_VIEWER = {
    "ps": "CODE",
    "height": "HEIGHT",
    "coherence": "COHERENCE",
    "velocity": "VEL",
    "velocity_std": "V_STDEV",
}


def write_geopackage(export: Export, path: Path) -> None:
    """Write a GeoPackage with the field names of InSAR Explorer: ``velocity``, ``DYYYYMMDD``."""
    metadata = {"DESCRIPTION": export.table.metadata["title"]}
    told = {"pystamps": metadata_text(export.table.metadata)}
    names = [field.short for field in export.table.fields]
    _write(export, path, "GPKG", names, "geom", dataset_metadata=told, layer_metadata=metadata)


def write_shapefile(export: Export, path: Path) -> None:
    """Write a shapefile with the field names of the PS Time Series Viewer.

    Raises
    ------
    PystampsError
        It does not fit: 255 fields, 10 letters a name, 2 GiB a file.
    """
    names = [_VIEWER.get(field.short, field.short) for field in export.table.fields]
    fields = export.table.fields
    width = 1 + sum(_REAL_BYTES if field.decimals else _WHOLE_BYTES for field in fields)
    size = width * len(export)
    too_long = [name for name in names if len(name) > _NAME_LENGTH]
    limits = (
        (len(names) > _MOST_FIELDS, f"{len(names)} fields, a shapefile holds {_MOST_FIELDS}"),
        (size > _MOST_BYTES, f"a table of {size / 1e9:.1f} GB, a shapefile holds 2.1 GB"),
        (
            bool(too_long),
            f"field '{next(iter(too_long), '')}' has more than {_NAME_LENGTH} letters",
        ),
    )
    for exceeded, words in limits:
        if exceeded:
            cause = f"{path.name}: {words}"
            raise wrong_usage(cause, "choose --format gpkg, or fewer dates: --from, --to")
    _write(export, path, "ESRI Shapefile", names, "geometry", ENCODING="UTF-8")


def _write(
    export: Export, path: Path, driver: str, names: Sequence[str], geometry: str, **options: Any
) -> None:
    pyogrio = import_library("pyogrio")
    _, reader = record_batches(export, names, geometry, singles=False)
    try:
        with _fixed_day(pyogrio):
            pyogrio.raw.write_arrow(
                reader,
                path,
                layer=path.stem,
                driver=driver,
                geometry_name=geometry,
                geometry_type="Point",
                crs=CRS,
                **options,
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
