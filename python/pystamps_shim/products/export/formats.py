"""The formats by name: one table, in the order in which ``export --help`` tells them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pystamps_shim.errors import nearest, wrong_usage

if TYPE_CHECKING:
    from pystamps_shim.products.export.job import Export


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    name
        As typed.
    suffix
        Ending of the file; empty for a folder.
    meaning
        What it is for, in a line.
    module
        The module here whose function ``write(export, path)`` writes a path that does not exist
        yet; further files beside it belong to it. Loaded when needed: help is to be quick.
    describes_itself
        Whether the writer sees to the metadata; else they go to a file beside it.
    libraries
        What it needs beyond NumPy, to be asked for before any work.
    """

    name: str
    suffix: str
    meaning: str
    module: str
    describes_itself: bool
    libraries: tuple[str, ...] = ()

    def write(self, export: Export, path: Path) -> None:
        """Write an export."""
        import_module(f"{__package__}.{self.module}").write(export, path)

    def file_name(self, product: str) -> str:
        """Return what a file of a product is called where nobody says."""
        if self.suffix == f".{self.name}":
            return f"{product}{self.suffix}"
        unlike = all(each.suffix != self.suffix for each in _TABLE if each is not self)
        return f"{product}{self.suffix}" if unlike else f"{product}-{self.name}{self.suffix}"


_TABLE = (
    Format(
        "csv",
        ".csv",
        "plain text, titles with units",
        "csv_text",
        describes_itself=False,
        libraries=("pyarrow",),
    ),
    Format(
        "gpkg",
        ".gpkg",
        "GeoPackage for QGIS and ArcGIS, fields as InSAR Explorer expects them",
        "geopackage",
        describes_itself=True,
        libraries=("pyarrow", "pyogrio"),
    ),
    Format(
        "geoparquet",
        ".parquet",
        "GeoParquet, for large data",
        "geoparquet",
        describes_itself=True,
        libraries=("pyarrow",),
    ),
    Format(
        "geojson",
        ".geojson",
        "GeoJSON for web maps",
        "geojson",
        describes_itself=False,
        libraries=("pyarrow",),
    ),
    Format(
        "shp",
        ".shp",
        "Shapefile for PS Time Series Viewer: 255 fields, 10 letters a name, 2 GB at most",
        "shapefile",
        describes_itself=True,
    ),
    Format(
        "kmz",
        ".kmz",
        "Google Earth: points coloured by velocity, a pyramid for many of them",
        "kmz",
        describes_itself=True,
    ),
    Format(
        "geotiff",
        ".tif",
        "GeoTIFF: velocities as means of cells (--cell-m) in the UTM zone, and counts",
        "geotiff",
        describes_itself=True,
        libraries=("rasterio", "pyproj"),
    ),
    Format(
        "mintpy",
        "",
        "folder of MintPy's HDF5 files: velocity, time series, geometry on a grid (--cell-m)",
        "mintpy",
        describes_itself=True,
        libraries=("h5py",),
    ),
    Format(
        "zarr",
        "",
        "Zarr store for xarray: space and time, attributes after CF",
        "zarr_store",
        describes_itself=True,
        libraries=("numcodecs",),
    ),
    Format(
        "egms",
        ".csv",
        "columns of the European Ground Motion Service (L2b), ETRS89-LAEA",
        "egms",
        describes_itself=True,
        libraries=("pyarrow", "pyproj"),
    ),
    Format(
        "visualizer",
        ".csv",
        "StaMPS-Visualizer: reference and dates in the second line",
        "visualizer",
        describes_itself=True,
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
