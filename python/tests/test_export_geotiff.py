"""The GeoTIFF: cells, bands, system, and what it tells of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measurements_made import KNOWN_LONLAT_DEG, NO_VELOCITY, heights_only, made, written

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.east_up import east_and_up
from pystamps_shim.products.export import geotiff
from pystamps_shim.products.export.job import Export
from pystamps_shim.products.grid import _grid
from pystamps_shim.products.metadata import metadata_of

rasterio = pytest.importorskip("rasterio")
pytest.importorskip("pyproj")

CELL_M = 400.0


def utm_metres(lonlat_deg: tuple[float, float], central_meridian_deg: float) -> tuple[float, float]:
    """Return easting and northing on WGS 84 by Krueger's series, which hold to a millimetre."""
    axis, flattening = 6378137.0, 1 / 298.257223563
    n = flattening / (2 - flattening)
    radius = axis / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16,
        13 * n**2 / 48 - 3 * n**3 / 5,
        61 * n**3 / 240,
    )
    longitude = np.deg2rad(lonlat_deg[0] - central_meridian_deg)
    sine = np.sin(np.deg2rad(lonlat_deg[1]))
    root = 2 * np.sqrt(n) / (1 + n)
    t = np.sinh(np.arctanh(sine) - root * np.arctanh(root * sine))
    xi, eta = np.arctan2(t, np.cos(longitude)), np.arctanh(np.sin(longitude) / np.hypot(1, t))
    east, north = eta, xi
    for j, a in enumerate(alpha, start=1):
        east += a * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
        north += a * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
    return 500_000 + 0.9996 * radius * east, 0.9996 * radius * north


def test_cells_hold_the_means_of_their_points(tmp_path: Path) -> None:
    """Nothing where there is nothing, and counts of what the means are of."""
    found = made(300)
    with rasterio.open(written("geotiff", tmp_path, found, CELL_M)) as raster:
        assert raster.crs.to_epsg() == 32631
        assert raster.descriptions == ("velocity", "count", "velocity_std")
        assert raster.units == ("mm/yr", "1", "mm/yr")
        assert raster.dtypes == ("float32",) * 3
        assert np.isnan(raster.nodata)
        velocity, count, std = raster.read()
        meanings = [raster.tags(number)["meaning"] for number in (1, 2, 3)]
        places = [raster.index(*utm_metres(tuple(place), 3.0)) for place in found.places.lonlat_deg]
        step = raster.transform
        assert (step.a, step.b, step.d, step.e) == (CELL_M, 0, 0, -CELL_M)
        assert step.c % CELL_M == step.f % CELL_M == 0
    assert count.sum() == 300 - 1
    assert meanings[1] == "number of PS that the mean velocity is of"
    assert meanings[2].startswith("mean of the standard deviations of the PS, not the standard")
    for image, values in (
        (velocity, found.velocity_mm_per_year()),
        (std, found.velocity_std_mm_per_year()),
    ):
        expected = np.full(image.shape, np.nan)
        for cell in set(places):
            inside = [row for row, place in enumerate(places) if place == cell]
            known = values[inside][np.isfinite(values[inside])]
            expected[cell] = known.mean() if known.size else np.nan
        np.testing.assert_allclose(image, expected, rtol=1e-6)
    counted = np.zeros(count.shape)
    for row, cell in enumerate(places):
        counted[cell] += row != NO_VELOCITY
    np.testing.assert_array_equal(count, counted)
    assert np.isnan(velocity).sum() >= (count == 0).sum() > 0
    assert not np.isnan(values[NO_VELOCITY + 1])


def test_known_place_and_layout(tmp_path: Path) -> None:
    """Five degrees east, fifty north is where the projection's formulas say; tiles, metadata."""
    found = made(5, spread_deg=0.0)
    with rasterio.open(written("geotiff", tmp_path, found, 10.0)) as raster:
        assert raster.shape == (1, 1)
        easting, northing = utm_metres(KNOWN_LONLAT_DEG, 3.0)
        left, bottom, right, top = raster.bounds
        assert left <= easting < right
        assert bottom < northing <= top
        assert right - left == top - bottom == 10
        assert raster.profile["compress"] == "deflate"
        assert raster.profile["blockxsize"] == 512
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        told = json.loads(raster.tags()["pystamps"])
        assert told["reference"]["description"] == "mean of the PS within 300 m"
        assert raster.tags()["AREA_OR_POINT"] == "Area"
    assert [path.name for path in tmp_path.iterdir()] == ["product.tif"]


def test_unknown_deviations_make_no_band(tmp_path: Path) -> None:
    """Without a bootstrap there are two bands."""
    found = made()
    assert found.velocity is not None
    alone = replace(found.velocity, values=found.velocity.values[:, :1])
    path = written("geotiff", tmp_path, replace(found, velocity=alone), CELL_M)
    with rasterio.open(path) as raster:
        assert raster.descriptions == ("velocity", "count")


def test_overviews_invent_nothing(tmp_path: Path) -> None:
    """A reduced image has only values of the full one."""
    with rasterio.open(written("geotiff", tmp_path, made(500), 4.0)) as raster:
        assert raster.overviews(1)
        full = raster.read(1)
        small = raster.read(1, out_shape=(raster.height // 2, raster.width // 2))
    assert set(small[np.isfinite(small)].tolist()) <= set(full[np.isfinite(full)].tolist())


def test_combination_of_two_datasets(tmp_path: Path) -> None:
    """East and up keep the grid that they were solved on."""
    ascending, descending = replace(made(300), heading_deg=-13.0), made(300)
    both = (metadata_of(ascending), metadata_of(descending))
    table = east_and_up(ascending, descending, CELL_M, both)
    path = tmp_path / "both.tif"
    geotiff.write(Export(table, None, 7.0), path)
    with rasterio.open(path) as raster:
        bands = ("vel_east", "vel_up", "ps_first", "ps_second", "std_east", "std_up")
        assert raster.descriptions == bands
        assert raster.units == ("mm/yr", "mm/yr", "1", "1", "mm/yr", "mm/yr")
        assert raster.tags(5)["meaning"] == "standard deviation of east"
        counts = [raster.read(band).ravel()[table.grid.cells] for band in (3, 4)]
        assert np.isnan(np.delete(raster.read(3).ravel(), table.grid.cells)).all()
        assert raster.transform.a == CELL_M
        assert raster.shape == table.grid.shape
        up = raster.read(2).ravel()[table.grid.cells]
    np.testing.assert_allclose(up, table.columns[1], rtol=1e-6)
    np.testing.assert_array_equal(counts, table.columns[4:])
    assert np.max(counts) > 1


def test_points_on_the_edges_of_cells_are_in_the_grid() -> None:
    """Multiples of a step that no binary number is: each in its own cell, none beside it all."""
    for step in (0.1, 0.3, 1e-3, 7.7):
        for begin in range(-300, 300, 7):
            x = step * np.arange(begin, begin + 5)
            for shifted in (x, np.nextafter(x, -np.inf), np.nextafter(x, np.inf)):
                grid = _grid(np.column_stack([shifted, -shifted]), "EPSG:32631", step, step)
                assert grid.cells.min() >= 0
                assert grid.cells.max() < grid.width * grid.height
                away = np.abs(grid.centres(grid.cells) - np.column_stack([shifted, -shifted]))
                assert away.max() <= step / 2 * (1 + 1e-9)


def test_products_without_velocity_are_refused(tmp_path: Path) -> None:
    """Heights are no velocities, and a grid may be too fine."""
    with pytest.raises(PystampsError, match="format geotiff is of velocities"):
        written("geotiff", tmp_path, heights_only(made()))
    with pytest.raises(PystampsError, match="is too large"):
        written("geotiff", tmp_path, made(), 0.1)
    assert not list(tmp_path.iterdir())
