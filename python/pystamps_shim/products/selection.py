"""Which PS a product shows: a box, a polygon, a mask, a least coherence."""

from __future__ import annotations

import warnings
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
#: What GEOS calls a polygon, several of them, and a collection of anything.
_POLYGONS, _COLLECTION = (3, 6), 7
#: Longitudes of the same place.
_TURNS_DEG = (0.0, 360.0, -360.0)


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
        Georeferenced raster; a PS on a value that is neither 0 nor no-data nor NaN stays.
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

    PS without a position go first: no format has a place for them. MATLAB's loader of small
    baselines keeps such.

    Raises
    ------
    PystampsError
        No PS is left; a file cannot be read, or does not tell its coordinate system.
    """
    steps: list[Step] = []
    known = np.asarray(np.isfinite(measurements.places.lonlat_deg).all(axis=1))
    if not known.all():
        steps.append(Step("a known position", len(measurements), int(known.sum())))
        measurements = measurements.kept(known)
        if not len(measurements):
            cause = (
                f"{measurements.dataset.folder}: no PS has a known position "
                f"(0 of {known.size} left)"
            )
            raise PystampsError(cause, "run the preparation again")
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
        found.append((f"coherence of {least:g} or more", lambda m: coherent(m, least)))
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


def coherent(measurements: Measurements, least: float) -> Flags:
    """Tell which PS have at least a coherence, [N].

    Raises
    ------
    PystampsError
        The dataset does not tell any.
    """
    coherence = measurements.places.coherence
    if np.isnan(coherence).all():
        cause = f"{measurements.dataset.path('pm')}: coh_ps, the coherence of the PS, is not known"
        raise PystampsError(cause, "drop --min-coherence")
    return np.asarray(coherence >= least)


def in_box(lonlat_deg: Doubles, bbox_deg: tuple[float, float, float, float]) -> Flags:
    """Tell which places lie in a box, its edges included, [N]."""
    west, south, east, north = bbox_deg
    longitude, latitude = lonlat_deg[:, 0], lonlat_deg[:, 1]
    after, before = longitude >= west, longitude <= east
    across = after & before if west <= east else after | before
    return np.asarray(across & (latitude >= south) & (latitude <= north))


def in_polygons(lonlat_deg: Doubles, path: Path, crs: str | None) -> Flags:
    """Tell which places lie in a polygon of any layer of a file, [N].

    Places are brought into each layer's system. Longitudes may lie in -180..180 or in 0..360, in
    the file as in the dataset. Polygons that cross themselves are repaired.

    Raises
    ------
    PystampsError
        The file cannot be read, has no polygon, or no coordinate system is known; a library is
        missing.
    """
    shapely = import_library("shapely")
    kept = np.zeros(len(lonlat_deg), dtype=bool)
    found, others = False, 0
    for known, shapes in _layers(path):
        areas = _areas(shapes)
        others += len(shapes)
        if not areas.size:
            continue
        found = True
        system = _system_of(path, known, crs)
        area = shapely.union_all(areas)
        _refuse_metres_as_degrees(path, system, shapely.bounds(area))
        shapely.prepare(area)
        for x, y in _wherever(lonlat_deg, system):
            kept |= shapely.intersects_xy(area, x, y)
    if not found:
        cause = f"{path}: has no polygon ({others} other shapes)"
        raise wrong_usage(cause, "draw the area as a polygon")
    return kept


def _layers(path: Path) -> list[tuple[str | None, NDArray[Any]]]:
    """Return coordinate system and shapes of every layer; tables without shapes are left out."""
    pyogrio, shapely = import_library("pyogrio"), import_library("shapely")
    if not path.exists():
        cause = f"{path}: no such file"
        raise wrong_usage(cause, "correct --polygon")
    found: list[tuple[str | None, NDArray[Any]]] = []
    try:
        with warnings.catch_warnings():
            # GDAL's of rings that are not closed, for instance, which are repaired here.
            warnings.simplefilter("ignore")
            # By number: folders of KML may have the same name.
            for number in range(len(pyogrio.list_layers(path))):
                info, _, geometry, _ = pyogrio.raw.read(path, layer=number, columns=[])
                if geometry is not None:
                    shapes = shapely.from_wkb(geometry, on_invalid="fix")
                    found.append((info.get("crs"), shapes))
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        shapely.errors.ShapelyError,
    ) as error:
        cause = f"{path}: cannot be read as polygons ({error})"
        raise wrong_usage(cause, "give GeoJSON, GeoPackage, Shapefile or KML") from error
    return found


def _areas(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return the polygons among shapes and in collections of them, repaired."""
    shapely = import_library("shapely")
    for repair in (False, True):
        # What is no area any more after the repair, a line for instance, is left out.
        shapes = shapely.make_valid(shapes) if repair else shapes
        while np.any(shapely.get_type_id(shapes) == _COLLECTION):
            shapes = shapely.get_parts(shapes)
        shapes = shapes[np.isin(shapely.get_type_id(shapes), _POLYGONS)]
    return np.asarray(shapes[~shapely.is_empty(shapes)])


def _system_of(path: Path, known: str | None, crs: str | None) -> str:
    """Return the coordinate system of a layer: its own, or else the one that the user names."""
    if known is not None and crs is not None and not _same_system(known, crs):
        cause = f"{path} is in {known}, but --polygon-crs says {crs}"
        raise wrong_usage(cause, "drop --polygon-crs, or correct the file")
    system = known or crs
    if system is None:
        cause = f"{path}: does not tell its coordinate system"
        raise wrong_usage(cause, "name it: --polygon-crs EPSG:…")
    return system


def _wherever(lonlat_deg: Doubles, system: str) -> list[tuple[Doubles, Doubles]]:
    """Return x and y of places in a system: where these are degrees, in every turn of longitude."""
    x, y = transformed(lonlat_deg, _LONLAT, system).T
    turns = _TURNS_DEG if named_system(system).is_geographic else (0.0,)
    return [(x + turn, y) for turn in turns]


def on_mask(lonlat_deg: Doubles, path: Path) -> Flags:
    """Tell which places lie on a raster's values other than 0, no-data and NaN, [N].

    Only the part of the raster that holds the places is read.

    Raises
    ------
    PystampsError
        The file cannot be read or is not georeferenced; a library is missing.
    """
    rasterio = import_library("rasterio")
    if not path.exists():
        cause = f"{path}: no such file"
        raise wrong_usage(cause, "correct --mask")
    kept = np.zeros(len(lonlat_deg), dtype=bool)
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                cause = f"{path}: does not tell its coordinate system"
                raise wrong_usage(cause, "give a georeferenced raster")
            back = ~raster.transform
            for x, y in _wherever(lonlat_deg, raster.crs.to_wkt()):
                # No number for places that the projection cannot hold: comparisons are false.
                with np.errstate(invalid="ignore"):
                    columns = back.a * x + back.b * y + back.c
                    lines = back.d * x + back.e * y + back.f
                inside = (columns >= 0) & (columns < raster.width)
                inside &= (lines >= 0) & (lines < raster.height)
                kept[inside] |= _shown(raster, lines[inside], columns[inside])
    except rasterio.errors.RasterioError as error:
        cause = f"{path}: cannot be read as a raster ({error})"
        raise wrong_usage(cause, "give a GeoTIFF or another raster that GDAL reads") from error
    return kept


def _shown(raster: Any, lines: Doubles, columns: Doubles) -> Flags:
    """Tell which cells of a raster hold a number other than 0, [n]."""
    if not lines.size:
        return np.zeros(0, dtype=bool)
    line, column = lines.astype(np.intp), columns.astype(np.intp)
    window = (
        (int(line.min()), int(line.max()) + 1),
        (int(column.min()), int(column.max()) + 1),
    )
    values = raster.read(1, masked=True, window=window)[line - line.min(), column - column.min()]
    return np.asarray(np.ma.filled(values != 0, fill_value=False) & np.isfinite(values.data))


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
