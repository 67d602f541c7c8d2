"""The formats by name: one table, in the order in which ``export --help`` tells them."""

from __future__ import annotations

from pystamps_shim.errors import nearest, wrong_usage
from pystamps_shim.products.export import csv_text, geoparquet, vector
from pystamps_shim.products.export.job import Format

_GDAL = ("pyarrow", "pyogrio")

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            "csv",
            ".csv",
            "plain text, titles with units",
            csv_text.write,
            describes_itself=False,
            libraries=("pyarrow",),
        ),
        Format(
            "gpkg",
            ".gpkg",
            "GeoPackage for QGIS and ArcGIS, fields as InSAR Explorer expects them",
            vector.write_geopackage,
            describes_itself=True,
            libraries=_GDAL,
        ),
        Format(
            "geoparquet",
            ".parquet",
            "GeoParquet, for large data",
            geoparquet.write,
            describes_itself=True,
            libraries=("pyarrow",),
        ),
        Format(
            "geojson",
            ".geojson",
            "GeoJSON for web maps",
            vector.write_geojson,
            describes_itself=False,
            libraries=_GDAL,
        ),
        Format(
            "shp",
            ".shp",
            "Shapefile for PS Time Series Viewer: 255 fields, 10 letters a name, 2 GB at most",
            vector.write_shapefile,
            describes_itself=False,
            libraries=_GDAL,
        ),
    )
}


def format_named(name: str) -> Format:
    """Return a format.

    Raises
    ------
    PystampsError
        There is none of that name.
    """
    if name not in FORMATS:
        cause = f"there is no format '{name}'{nearest(name, FORMATS)}"
        raise wrong_usage(cause, f"choose one of {', '.join(FORMATS)}")
    return FORMATS[name]
