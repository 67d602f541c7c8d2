"""Which PS a selection leaves, and what it refuses."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measurements_made import made, written
from numpy.typing import NDArray

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.selection import (
    Selection,
    Step,
    in_box,
    in_polygons,
    on_mask,
    select,
)

# A place in Tuscany, and others some hundred metres around it.
_LONLAT = np.array([[11.30, 44.15], [11.31, 44.15], [11.30, 44.16], [11.32, 44.17]])
# The same places in UTM zone 32 by Krüger's series of the third order, not by PROJ, m.
_UTM = np.array(
    [
        [683_936.786, 4_891_105.452],
        [684_736.524, 4_891_127.874],
        [683_905.709, 4_892_216.188],
        [685_473.563, 4_893_371.868],
    ]
)


def _geojson(path: Path, ring: list[list[float]], **members: object) -> Path:
    return _shape(path, {"type": "Polygon", "coordinates": [ring]}, **members)


def _shape(path: Path, geometry: dict[str, Any], **members: object) -> Path:
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    content = {"type": "FeatureCollection", "features": [feature], **members}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def test_a_box_holds_its_edges() -> None:
    found = in_box(_LONLAT, (11.30, 44.15, 11.31, 44.155))
    assert found.tolist() == [True, True, False, False]


def test_a_box_across_the_date_line() -> None:
    lonlat_deg = np.array([[179.9, 0.0], [-179.9, 0.0], [0.0, 0.0]])
    assert in_box(lonlat_deg, (179.0, -1.0, -179.0, 1.0)).tolist() == [True, True, False]


def test_polygons_of_degrees(tmp_path: Path) -> None:
    path = _geojson(tmp_path / "area.geojson", _ring(11.295, 44.145, 11.315, 44.155))
    assert in_polygons(_LONLAT, path, None).tolist() == [True, True, False, False]


def test_polygons_in_metres_select_the_same(tmp_path: Path) -> None:
    """Points are brought into the file's own system: a wrong axis order would select none."""
    low, high = _UTM[:2].min(axis=0) - 50, _UTM[:2].max(axis=0) + 50
    system = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    path = _geojson(tmp_path / "area.geojson", _ring(*low, *high), crs=system)
    assert in_polygons(_LONLAT, path, None).tolist() == [True, True, False, False]


def test_metres_that_are_called_degrees_are_refused(tmp_path: Path) -> None:
    low, high = _UTM.min(axis=0), _UTM.max(axis=0)
    path = _geojson(tmp_path / "area.geojson", _ring(*low, *high))
    with pytest.raises(PystampsError, match="are no degrees") as raised:
        in_polygons(_LONLAT, path, None)
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_file_that_does_not_tell_its_system(tmp_path: Path) -> None:
    """A shapefile without .prj: refused, or told by the user."""
    pyogrio = pytest.importorskip("pyogrio")
    shapely = pytest.importorskip("shapely")
    low, high = _UTM[:2].min(axis=0) - 50, _UTM[:2].max(axis=0) + 50
    path = tmp_path / "area.shp"
    with pytest.warns(UserWarning, match="crs"):
        pyogrio.raw.write(
            path,
            geometry=np.array([shapely.box(*low, *high).wkb], dtype=object),
            field_data=[],
            fields=[],
            geometry_type="Polygon",
            crs=None,
        )
    with pytest.raises(PystampsError, match="does not tell its coordinate system"):
        in_polygons(_LONLAT, path, None)
    assert in_polygons(_LONLAT, path, "EPSG:32632").tolist() == [True, True, False, False]
    with pytest.raises(PystampsError, match="no such coordinate system"):
        in_polygons(_LONLAT, path, "EPSG:1")


def test_a_file_that_contradicts_the_user(tmp_path: Path) -> None:
    path = _geojson(tmp_path / "area.geojson", _ring(11.295, 44.145, 11.315, 44.155))
    assert in_polygons(_LONLAT, path, "EPSG:4326").sum() == 2
    with pytest.raises(PystampsError, match="EPSG:32632"):
        in_polygons(_LONLAT, path, "EPSG:32632")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"type": "Point", "coordinates": [11.3, 44.15]}', "has no polygon"),
        ("no geography", "cannot be read"),
    ],
)
def test_files_without_polygons(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "area.geojson"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PystampsError, match=words):
        in_polygons(_LONLAT, path, None)
    with pytest.raises(PystampsError, match="no such file"):
        in_polygons(_LONLAT, tmp_path / "other.geojson", None)


def test_a_mask_in_metres(tmp_path: Path) -> None:
    """Values other than 0 and no-data stay; what lies outside does not."""
    rasterio = pytest.importorskip("rasterio")
    corner = _UTM[0] + [-550, 1550]
    profile = {
        "driver": "GTiff",
        "width": 20,
        "height": 20,
        "count": 1,
        "dtype": "uint8",
        "nodata": 255,
        "crs": "EPSG:32632",
        "transform": rasterio.Affine(100, 0, corner[0], 0, -100, corner[1]),
    }
    values = np.zeros((20, 20), dtype=np.uint8)
    offset = ((_UTM - corner) * [1, -1] // 100).astype(int)
    for (column, row), value in zip(offset[:3], (1, 255, 7), strict=True):
        values[row, column] = value
    path = tmp_path / "mask.tif"
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(values, 1)
    assert on_mask(_LONLAT, path).tolist() == [True, False, True, False]
    with pytest.raises(PystampsError, match="no such file"):
        on_mask(_LONLAT, tmp_path / "other.tif")


def _raster(path: Path, values: NDArray[Any], corner: tuple[float, float], **further: Any) -> Path:
    """Write a raster of cells of 0.01 degrees, without a no-data value."""
    rasterio = pytest.importorskip("rasterio")
    profile = {
        "driver": "GTiff",
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": values.dtype,
        "crs": "EPSG:4326",
        "transform": rasterio.Affine(0.01, 0, corner[0], 0, -0.01, corner[1]),
        **further,
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(values, 1)
    return path


def test_a_mask_that_holds_no_number(tmp_path: Path) -> None:
    """NaN in a raster without a no-data value is nothing, not something other than 0."""
    values = np.array([[np.nan, 1.0], [0.0, np.inf]], dtype=np.float32)
    path = _raster(tmp_path / "mask.tif", values, (11.0, 44.0))
    places = np.array([[11.005, 43.995], [11.015, 43.995], [11.005, 43.985], [11.015, 43.985]])
    assert on_mask(places, path).tolist() == [False, True, False, False]


def test_a_mask_whose_system_cannot_hold_a_place(tmp_path: Path) -> None:
    """Not even as a warning of invalid numbers."""
    rasterio = pytest.importorskip("rasterio")
    corner = rasterio.Affine(1e6, 0, 0, 0, -1e6, 6e6)
    ones = np.ones((6, 6), dtype=np.uint8)
    path = _raster(tmp_path / "mask.tif", ones, (0, 0), crs="EPSG:32632", transform=corner)
    assert on_mask(np.array([[10.0, 40.0], [99.0, 0.0]]), path).tolist() == [True, False]


def test_of_a_large_mask_only_the_part_around_the_places_is_read(tmp_path: Path) -> None:
    values = np.zeros((6_000, 6_000), dtype=np.uint8)
    values[3_000, 2_000] = 1
    path = _raster(tmp_path / "mask.tif", values, (0.0, 60.0), compress="deflate", tiled=True)
    places = np.array([[20.005, 29.995], [20.015, 29.995], [200.0, 30.0], [np.nan, np.nan]])
    del values
    on_mask(places, path)  # loads the libraries
    tracemalloc.start()
    kept = on_mask(places, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept.tolist() == [True, False, False, False]
    assert peak < 5_000_000


def test_every_layer_counts(tmp_path: Path) -> None:
    """Each in its own system; folders of KML are layers, even of the same name."""
    pyogrio = pytest.importorskip("pyogrio")
    shapely = pytest.importorskip("shapely")
    path = tmp_path / "areas.gpkg"
    low, high = _UTM[2] - 50, _UTM[2] + 50
    layers = {
        "degrees": (shapely.box(11.295, 44.145, 11.305, 44.155), "EPSG:4326"),
        "metres": (shapely.box(*low, *high), "EPSG:32632"),
    }
    for name, (area, system) in layers.items():
        pyogrio.raw.write(
            path,
            geometry=np.array([area.wkb], dtype=object),
            field_data=[],
            fields=[],
            geometry_type="Polygon",
            crs=system,
            layer=name,
            append=path.exists(),
        )
    assert in_polygons(_LONLAT, path, None).tolist() == [True, False, True, False]
    ring = "<Polygon><outerBoundaryIs><LinearRing><coordinates>{}</coordinates></LinearRing>"
    folder = "<Folder><name>a</name><Placemark>{}</outerBoundaryIs></Polygon></Placemark></Folder>"
    folders = [
        folder.format(ring.format(" ".join(f"{x},{y}" for x, y in _ring(*box))))
        for box in ((11.295, 44.145, 11.305, 44.155), (11.315, 44.165, 11.325, 44.175))
    ]
    path = tmp_path / "areas.kml"
    head = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    path.write_text(f"{head}{''.join(folders)}</Document></kml>", encoding="utf-8")
    assert in_polygons(_LONLAT, path, None).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("ring", "kept"),
    [
        # A bow tie: the places lie in its left and in its right half.
        (
            [[11.295, 44.14], [11.315, 44.16], [11.315, 44.14], [11.295, 44.16], [11.295, 44.14]],
            [True, True, False, False],
        ),
        # Not closed.
        (
            [[11.295, 44.145], [11.305, 44.145], [11.305, 44.155], [11.295, 44.155]],
            [True, False, False, False],
        ),
    ],
)
def test_rings_are_repaired(tmp_path: Path, ring: list[list[float]], kept: list[bool]) -> None:
    path = _geojson(tmp_path / "area.geojson", ring)
    assert in_polygons(_LONLAT, path, None).tolist() == kept


def test_a_ring_without_an_area_is_no_polygon(tmp_path: Path) -> None:
    path = _geojson(tmp_path / "area.geojson", [[11.3, 44.1], [11.3, 44.2], [11.3, 44.1]])
    with pytest.raises(PystampsError, match="has no polygon"):
        in_polygons(_LONLAT, path, None)


def test_polygons_in_collections_count(tmp_path: Path) -> None:
    polygon = {"type": "Polygon", "coordinates": [_ring(11.295, 44.145, 11.305, 44.155)]}
    point = {"type": "Point", "coordinates": [11.32, 44.17]}
    inner = {"type": "GeometryCollection", "geometries": [point, polygon]}
    shape = {"type": "GeometryCollection", "geometries": [point, inner]}
    path = _shape(tmp_path / "area.geojson", shape)
    assert in_polygons(_LONLAT, path, None).tolist() == [True, False, False, False]


def test_longitudes_of_either_convention(tmp_path: Path) -> None:
    """From -180 to 180 or from 0 to 360, in the file as in the dataset."""
    west = _geojson(tmp_path / "west.geojson", _ring(-70.1, -33.1, -69.9, -32.9))
    east = _geojson(tmp_path / "east.geojson", _ring(289.9, -33.1, 290.1, -32.9))
    places = np.array([[-70.0, -33.0], [290.0, -33.0], [70.0, -33.0]])
    for path in (west, east):
        assert in_polygons(places, path, None).tolist() == [True, True, False]


def _without_positions(*rows: int) -> Measurements:
    """Return measurements of which some PS have no position."""
    found = made()
    lonlat_deg = found.places.lonlat_deg.copy()
    lonlat_deg[list(rows), 0] = np.nan
    return replace(found, places=replace(found.places, lonlat_deg=lonlat_deg))


def test_what_has_no_position_is_left_out_and_told() -> None:
    least = Selection(min_coherence=0.0)
    found, steps = select(_without_positions(0, 7), least)
    assert steps[0] == Step("a known position", 60, 58)
    assert [step.condition for step in steps[1:]] == ["coherence of 0 or more"]
    assert np.isfinite(found.places.lonlat_deg).all()
    assert 1 not in found.places.ps
    assert [step.condition for step in select(made(), least)[1]] == ["coherence of 0 or more"]
    with pytest.raises(PystampsError, match=r"no PS has a known position \(0 of 60 left\)"):
        select(_without_positions(*range(60)), Selection())


@pytest.mark.parametrize("name", ["geotiff", "mintpy", "geojson", "geoparquet"])
def test_formats_hold_what_is_left(tmp_path: Path, name: str) -> None:
    """Grids fail on PS without a position."""
    for library in ("pyarrow", "rasterio", "h5py"):
        pytest.importorskip(library)
    found, _ = select(_without_positions(0, 7), Selection())
    assert written(name, tmp_path, found).exists()
