"""The formats by name: one table, in the order in which ``export --help`` tells them."""

from __future__ import annotations

from pystamps_shim.errors import nearest, wrong_usage
from pystamps_shim.products.export import (
    csv_text,
    egms,
    geojson,
    geopackage,
    geoparquet,
    geotiff,
    kmz,
    mintpy,
    shapefile,
    visualizer,
    zarr_store,
)
from pystamps_shim.products.export.job import Format

_TABLE = (
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
        geopackage.write,
        describes_itself=True,
        libraries=("pyarrow", "pyogrio"),
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
        geojson.write,
        describes_itself=False,
        libraries=("pyarrow",),
    ),
    Format(
        "shp",
        ".shp",
        "Shapefile for PS Time Series Viewer: 255 fields, 10 letters a name, 2 GB at most",
        shapefile.write,
        describes_itself=False,
        libraries=("pyarrow",),
    ),
    Format(
        "kmz",
        ".kmz",
        "Google Earth: points coloured by velocity, a pyramid for many of them",
        kmz.write,
        describes_itself=True,
    ),
    Format(
        "geotiff",
        ".tif",
        "GeoTIFF: velocities as means of cells (--cell-m) in the UTM zone, and counts",
        geotiff.write,
        describes_itself=True,
        libraries=("rasterio", "pyproj"),
    ),
    Format(
        "mintpy",
        "",
        "folder of MintPy's HDF5 files: velocity, time series, geometry on a grid (--cell-m)",
        mintpy.write,
        describes_itself=True,
        libraries=("h5py",),
    ),
    Format(
        "zarr",
        "",
        "Zarr store for xarray: space and time, attributes after CF",
        zarr_store.write,
        describes_itself=True,
        libraries=("numcodecs",),
    ),
    Format(
        "egms",
        ".csv",
        "columns of the European Ground Motion Service (L2b), ETRS89-LAEA",
        egms.write,
        describes_itself=True,
        libraries=("pyarrow", "pyproj"),
    ),
    Format(
        "visualizer",
        ".csv",
        "StaMPS-Visualizer: reference and dates in the second line",
        visualizer.write,
        describes_itself=False,
    ),
)

FORMATS: dict[str, Format] = {each.name: each for each in _TABLE}


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
