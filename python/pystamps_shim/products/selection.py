"""Which PS a product shows: a box, a polygon, a mask, a least coherence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.libraries import import_library
from pystamps_shim.products.measurements import Doubles, Measurements

Flags = NDArray[np.bool_]

_LONLAT = "EPSG:4326"


@dataclass(frozen=True)
class Selection:
    """Conditions that all have to hold; None for no such condition.

    Attributes
    ----------
    bbox_deg
        West, south, east, north; west greater than east for a box across the date line.
    polygon
        File of polygons in any format that GDAL reads; a PS inside one of them stays.
    polygon_crs
        Their coordinate system, where the file does not tell.
    mask
        Georeferenced raster; a PS on a value that is neither 0 nor no-data stays.
    min_coherence
        Least temporal coherence.
    """

    bbox_deg: tuple[float, float, float, float] | None = None
    polygon: Path | None = None
    polygon_crs: str | None = None
    mask: Path | None = None
    min_coherence: float | None = None


@dataclass(frozen=True)
class Step:
    """What one condition did.

    Attributes
    ----------
    condition
        As a person would say it.
    before, left
        PS before and after.
    """

    condition: str
    before: int
    left: int


def select(
    measurements: Measurements, selection: Selection
) -> tuple[Measurements, tuple[Step, ...]]:
    """Return the PS for which every condition holds, and what each condition did.

    Raises
    ------
    PystampsError
        No PS is left; a file cannot be read, or does not tell its coordinate system.
    """
    steps: list[Step] = []
    for condition, holds in _conditions(selection):
        before = len(measurements)
        measurements = measurements.kept(holds(measurements))
        steps.append(Step(condition, before, len(measurements)))
        if not len(measurements):
            raise _nothing_left(steps)
    return measurements, tuple(steps)


def _conditions(selection: Selection) -> list[tuple[str, Callable[[Measurements], Flags]]]:
    """Return the conditions that are there, the cheap ones first."""
    found: list[tuple[str, Callable[[Measurements], Flags]]] = []
    least, bbox_deg = selection.min_coherence, selection.bbox_deg
    if least is not None:
        found.append((f"coherence of {least:g} or more", lambda m: m.places.coherence >= least))
    if bbox_deg is not None:
        text = f"box {' '.join(f'{edge:g}' for edge in bbox_deg)}"
        found.append((text, lambda m: in_box(m.places.lonlat_deg, bbox_deg)))
    polygon, mask = selection.polygon, selection.mask
    if polygon is not None:
        crs = selection.polygon_crs
        found.append(
            (
                f"polygons of {polygon.name}",
                lambda m: in_polygons(m.places.lonlat_deg, polygon, crs),
            )
        )
    if mask is not None:
        found.append((f"mask {mask.name}", lambda m: on_mask(m.places.lonlat_deg, mask)))
    return found


def _nothing_left(steps: list[Step]) -> PystampsError:
    counts = "; ".join(f"{step.condition}: {step.left} of {step.before} left" for step in steps)
    cause = f"no PS is left after the selection ({counts})"
    return PystampsError(cause, f"widen '{steps[-1].condition}'")


def in_box(lonlat_deg: Doubles, bbox_deg: tuple[float, float, float, float]) -> Flags:
    """Tell which places lie in a box, its edges included, [N]."""
    west, south, east, north = bbox_deg
    longitude, latitude = lonlat_deg[:, 0], lonlat_deg[:, 1]
    after, before = longitude >= west, longitude <= east
    across = after & before if west <= east else after | before
    return np.asarray(across & (latitude >= south) & (latitude <= north))


def in_polygons(lonlat_deg: Doubles, path: Path, crs: str | None) -> Flags:
    """Tell which places lie in a polygon of a file, [N]; they are brought into its system.

    Raises
    ------
    PystampsError
        The file cannot be read, has no polygon, or no coordinate system is known; a library is
        missing.
    """
    pyogrio, shapely = import_library("pyogrio"), import_library("shapely")
    if not path.exists():
        cause = f"{path}: no such file"
        raise wrong_usage(cause, "correct --polygon")
    try:
        info, _, geometry, _ = pyogrio.raw.read(path, columns=[])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        cause = f"{path}: cannot be read as polygons ({error})"
        raise wrong_usage(cause, "give GeoJSON, GeoPackage, Shapefile or KML") from error
    shapes = shapely.from_wkb([] if geometry is None else geometry)
    areas = shapes[np.isin(shapely.get_type_id(shapes), (3, 6))]
    if not areas.size:
        cause = f"{path}: has no polygon ({len(shapes)} other shapes)"
        raise wrong_usage(cause, "draw the area as a polygon")
    known = info.get("crs")
    if known is None and crs is None:
        cause = f"{path}: does not tell its coordinate system"
        raise wrong_usage(cause, "name it: --polygon-crs EPSG:…")
    if known is not None and crs is not None and not _same_system(known, crs):
        cause = f"{path} is in {known}, but --polygon-crs says {crs}"
        raise wrong_usage(cause, "drop --polygon-crs, or correct the file")
    system = known or crs or _LONLAT
    area = shapely.union_all(areas)
    _refuse_metres_as_degrees(path, system, shapely.bounds(area))
    xy = transformed(lonlat_deg, _LONLAT, system)
    shapely.prepare(area)
    return np.asarray(shapely.intersects_xy(area, xy[:, 0], xy[:, 1]))


def on_mask(lonlat_deg: Doubles, path: Path) -> Flags:
    """Tell which places lie on a raster's values other than 0 and no-data, [N].

    Raises
    ------
    PystampsError
        The file cannot be read or is not georeferenced; a library is missing.
    """
    rasterio = import_library("rasterio")
    if not path.exists():
        cause = f"{path}: no such file"
        raise wrong_usage(cause, "correct --mask")
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                cause = f"{path}: does not tell its coordinate system"
                raise wrong_usage(cause, "give a georeferenced raster")
            xy = transformed(lonlat_deg, _LONLAT, raster.crs.to_wkt())
            back = ~raster.transform
            columns = back.a * xy[:, 0] + back.b * xy[:, 1] + back.c
            lines = back.d * xy[:, 0] + back.e * xy[:, 1] + back.f
            values = raster.read(1, masked=True)
    except rasterio.errors.RasterioError as error:
        cause = f"{path}: cannot be read as a raster ({error})"
        raise wrong_usage(cause, "give a GeoTIFF or another raster that GDAL reads") from error
    # Comparisons are false for places that the projection cannot hold.
    inside = (columns >= 0) & (columns < values.shape[1]) & (lines >= 0) & (lines < values.shape[0])
    kept = np.zeros(len(lonlat_deg), dtype=bool)
    at = lines[inside].astype(np.intp), columns[inside].astype(np.intp)
    kept[inside] = np.ma.filled(values != 0, fill_value=False)[at]
    return kept


def transformed(xy: Doubles, source: str, target: str) -> Doubles:
    """Return coordinates in another system, x before y in both, [N, 2]."""
    pyproj = import_library("pyproj")
    change = pyproj.Transformer.from_crs(named_system(source), named_system(target), always_xy=True)
    return np.column_stack(change.transform(xy[:, 0], xy[:, 1]))


def named_system(text: str) -> Any:
    """Return a coordinate system (`pyproj.CRS`).

    Raises
    ------
    PystampsError
        There is none of that name.
    """
    pyproj = import_library("pyproj")
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        cause = f"'{text}': no such coordinate system"
        raise wrong_usage(cause, "name it as EPSG:…, for instance EPSG:32632") from error


def _same_system(first: str, second: str) -> bool:
    return bool(named_system(first).equals(named_system(second), ignore_axis_order=True))


def _refuse_metres_as_degrees(path: Path, system: str, bounds: Doubles) -> None:
    """Raise where a file says degrees and holds other numbers, as hand-made GeoJSON does."""
    if named_system(system).is_geographic and np.abs(bounds).max() > 360:
        extent = ", ".join(f"{edge:g}" for edge in bounds)
        cause = f"{path}: coordinates ({extent}) are no degrees, but it says {system}"
        raise wrong_usage(cause, "write the coordinate system into the file, or convert it")
