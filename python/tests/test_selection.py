"""Which PS a selection leaves, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products.selection import in_box, in_polygons, on_mask

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
    geometry = {"type": "Polygon", "coordinates": [ring]}
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
