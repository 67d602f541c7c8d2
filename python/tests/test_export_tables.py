"""Tables of points, each read by what people read it with."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measurements_made import (
    DATES,
    KNOWN_LONLAT_DEG,
    MASTER,
    NO_DEVIATION,
    NO_DISPLACEMENT,
    NO_PLACE_VALUES,
    NO_VELOCITY,
    export_of,
    heights_only,
    limited,
    made,
    without_dates,
    written,
)
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products import point_table

pyarrow = pytest.importorskip("pyarrow")
pyogrio = pytest.importorskip("pyogrio")

DAYS = [f"D{date:%Y%m%d}" for date in DATES]
QUALITY = ["ps", "height", "coherence", "velocity", "velocity_std"]


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the sixty PS into blocks that do not divide them."""
    monkeypatch.setattr(point_table, "BLOCK_ROWS", 17)


def expected_columns() -> NDArray[np.float64]:
    """Return what tables hold after the place, [N, k], from the measurements themselves."""
    found = made()
    columns = (
        found.places.ps,
        found.places.height_m,
        found.places.coherence,
        found.velocity_mm_per_year(),
        found.velocity_std_mm_per_year(),
        *found.displacement_mm(0, len(found)).T,
    )
    return np.column_stack(columns).astype(np.float64)


def assert_values(columns: NDArray[np.float64]) -> None:
    """Compare with the product to the digits that tables have, and NaN with NaN."""
    expected = expected_columns()
    unknown = np.argwhere(np.isnan(expected))
    assert {(row, column) for row, column in unknown.tolist()} == {
        (NO_PLACE_VALUES, 1),
        (NO_PLACE_VALUES, 2),
        (NO_DEVIATION, 4),
        (NO_VELOCITY, 3),
        (NO_VELOCITY, 4),
        (NO_DISPLACEMENT, 5 + 3),
    }
    digits = np.array([0, 2, 4, 3, 3] + [3] * len(DATES))
    np.testing.assert_array_equal(np.isnan(columns), np.isnan(expected))
    difference = np.abs(columns - expected)
    assert np.all(np.isnan(difference) | (difference <= 0.51 * 10.0**-digits))


def read_points(path: Path) -> tuple[dict[str, Any], list[str], NDArray[Any], NDArray[Any]]:
    """Return metadata, field names, places and values as GDAL reads them."""
    shapely = pytest.importorskip("shapely")
    info, _, geometry, values = pyogrio.raw.read(path)
    points = shapely.get_coordinates(shapely.from_wkb(geometry))
    columns = np.column_stack([np.asarray(each, dtype=np.float64) for each in values])
    return info, list(info["fields"]), points, columns


def assert_places(lonlat_deg: NDArray[Any], decimals: float = 1e-7) -> None:
    assert lonlat_deg[0].tolist() == list(KNOWN_LONLAT_DEG)
    np.testing.assert_allclose(lonlat_deg, made().places.lonlat_deg, rtol=0, atol=decimals)


def test_csv(tmp_path: Path) -> None:
    """Titles with units, an empty cell for what is unknown, the description beside it."""
    path = written("csv", tmp_path)
    lines = path.read_text(encoding="ascii").splitlines()
    titles = ["lon_deg", "lat_deg", "ps", "height_m", "coherence"]
    titles += ["velocity_mm_per_year", "velocity_std_mm_per_year", *DAYS]
    assert lines[0].split(",") == titles
    rows = [[float(cell or "nan") for cell in line.split(",")] for line in lines[1:]]
    values = np.array(rows)
    assert_places(values[:, :2], 0.51e-7)
    assert_values(values[:, 2:])
    about = json.loads((tmp_path / "product.csv.json").read_text(encoding="utf-8"))
    assert about["ps_count"] == 60
    assert about["master_date"] == "20191206"
    assert "nan" not in path.read_text(encoding="ascii").lower()


def test_small_negative_numbers_are_zero_without_a_sign(tmp_path: Path) -> None:
    """In text, and in JSON."""
    found = made()
    found.layer.values[:, 0] = -1e-5
    day = DAYS[0]
    lines = written("csv", tmp_path, found).read_text("ascii").splitlines()
    assert lines[1].split(",")[lines[0].split(",").index(day)] == "0"
    text = written("geojson", tmp_path, found).read_text("ascii")
    assert f'"{day}": 0,' in text
    assert "-0," not in text
    _, fields, _, values = read_points(written("shp", tmp_path, found))
    assert not np.signbit(values[:, fields.index(day)]).any()


def test_geopackage(tmp_path: Path) -> None:
    """Field names of InSAR Explorer, WGS 84, metadata inside; numbers as they were rounded."""
    path = written("gpkg", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["product.gpkg"]
    info, fields, places, values = read_points(path)
    assert fields == [*QUALITY, *DAYS]
    assert info["crs"] == "EPSG:4326"
    assert_places(places)
    assert_values(values)
    assert np.all(values[:, 5] == np.round(values[:, 5], 3), where=~np.isnan(values[:, 5]))
    told = pyogrio.read_info(path)["dataset_metadata"]["pystamps"]
    assert json.loads(told)["reference"]["ps_count"] == 3
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT metadata FROM gpkg_metadata").fetchone()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("PRAGMA user_version = 0", "PRAGMA user_version gives other rows than it should"),
        ("PRAGMA application_id = 0", "PRAGMA application_id gives other rows than it should"),
        ("DROP TRIGGER gpkg_tile_matrix_zoom_level_insert", "sqlite_master gives other rows"),
        ("DROP TABLE rtree_product_geom", "no such table: rtree_product_geom_rowid"),
        (
            "DELETE FROM rtree_product_geom WHERE id = 5",
            "59 of 60 points are in rtree_product_geom",
        ),
        ("UPDATE gpkg_ogr_contents SET feature_count = 0", "0 of 60 points are in gpkg_ogr"),
        ("DELETE FROM gpkg_metadata", "gpkg_metadata"),
        ("UPDATE gpkg_contents SET min_x = NULL", "gpkg_contents has no bounds"),
        ("", "(Page 2: "),
    ],
)
def test_geopackage_of_which_something_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, told: str
) -> None:
    """GDAL goes on where a write fails; such a file is refused, and nothing is left of it."""
    write_arrow = pyogrio.raw.write_arrow

    def write_in_part(reader: Any, path: Any, **options: Any) -> None:
        write_arrow(reader, path, **options)
        if isinstance(path, Path) and statement:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.execute(statement)
        elif isinstance(path, Path):
            with path.open("rb+") as file:
                file.seek(4096)
                file.write(bytes(4096))

    monkeypatch.setattr(pyogrio.raw, "write_arrow", write_in_part)
    with pytest.raises(PystampsError, match="cannot be written") as refused:
        written("gpkg", tmp_path)
    assert told in refused.value.cause
    assert "room on the disk" in refused.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_geojson(tmp_path: Path) -> None:
    """Longitude before latitude, null for the unknown; GDAL and a JSON parser agree."""
    path = written("geojson", tmp_path)
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [5, 50]}
    assert features[NO_VELOCITY]["properties"]["velocity"] is None
    info, fields, places, values = read_points(path)
    assert fields == [*QUALITY, *DAYS]
    assert info["crs"] == "EPSG:4326"
    assert_places(places)
    assert_values(values)
    assert (tmp_path / "product.geojson.json").is_file()


def test_shapefile(tmp_path: Path) -> None:
    """Names and order of the PS Time Series Viewer (MintPy's ``save_qgis``)."""
    path = written("shp", tmp_path)
    info, fields, places, values = read_points(path)
    viewer = ["CODE", "HEIGHT", "H_STDEV", "VEL", "V_STDEV", "COHERENCE", "EFF_AREA"]
    assert fields == [*viewer, *DAYS]
    assert info["crs"] == "EPSG:4326"
    assert_places(places, 1e-12)
    whole = [name for name, kind in zip(fields, info["dtypes"], strict=True) if "int" in kind]
    assert whole == ["CODE", "EFF_AREA"]
    assert np.isnan(values[:, 2]).all()
    assert set(values[:, 6]) == {0}
    assert_values(np.column_stack([values[:, [0, 1, 5, 3, 4]], values[:, 7:]]))
    told = json.loads((tmp_path / "product.shp.json").read_text(encoding="utf-8"))
    assert told["ps_count"] == 60
    assert set(told["shapefile"]) == {"H_STDEV", "EFF_AREA"}
    suffixes = {"".join(file.suffixes) for file in tmp_path.iterdir()}
    assert suffixes == {".shp", ".shx", ".dbf", ".prj", ".cpg", ".shp.json"}


def test_numbers_of_a_shapefile(tmp_path: Path) -> None:
    """All decimals, no exponents, no sign of zero: programs that read dBASE know nothing else."""
    numbers = [5.9e-7, -5.9e-7, 1e-9, -1e-9, 0.0, 1234567.5, -123.25, 9.999999996, np.nan, 1e-5]
    shown = ["0.00000059", "-0.00000059", "0.00000000", "0.00000000", "0.00000000"]
    shown += ["1234567.50000000", "-123.25000000", "10.00000000", "", "0.00001000"]
    found = heights_only(made(len(numbers)))
    layer = replace(found.layer, description={**found.layer.description, "unit": "rad/m"})
    layer.values[::2, 0] = numbers
    path = written("shp", tmp_path, replace(found, layer=layer))
    content = path.with_suffix(".dbf").read_bytes()
    head, row = (int.from_bytes(content[at : at + 2], "little") for at in (8, 10))
    cells = [
        content[head + row * n :][row - 16 : row].decode().strip() for n in range(len(numbers))
    ]
    assert cells == shown
    assert read_points(path)[1] == ["CODE", "HEIGHT", "COHERENCE", "hgt"]
    layer.values[2, 0] = -1234567.5
    with pytest.raises(PystampsError, match=r"-1234567\.50000000 has 17 letters"):
        written("shp", tmp_path, replace(found, layer=layer))


@pytest.mark.parametrize("name", ["csv", "gpkg", "geoparquet", "geojson", "shp"])
def test_dates_without_the_master(tmp_path: Path, name: str) -> None:
    """There is no column of zeros for it."""
    found = limited(made(), DATES[MASTER + 2], DATES[-1])
    assert [field.short for field in export_of(found).table.fields][5:] == DAYS[MASTER + 2 :]
    path = written(name, tmp_path, found)
    content = path.with_suffix(".dbf").read_bytes() if name == "shp" else path.read_bytes()
    assert DAYS[MASTER + 2].encode() in content
    assert DAYS[MASTER].encode() not in content


def test_geoparquet(tmp_path: Path) -> None:
    """The standard's metadata, units and meanings of the columns, nulls."""
    shapely = pytest.importorskip("shapely")
    path = written("geoparquet", tmp_path)
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == [*QUALITY, *DAYS, "geometry"]
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Point"]
    lonlat_deg = made().places.lonlat_deg
    assert column["bbox"] == [*lonlat_deg.min(axis=0), *lonlat_deg.max(axis=0)]
    assert "crs" not in column  # Longitude and latitude on WGS 84, says the standard.
    points = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    np.testing.assert_array_equal(shapely.get_coordinates(points), lonlat_deg)
    columns = [table[name].to_numpy(zero_copy_only=False) for name in table.column_names[:-1]]
    assert_values(np.column_stack(columns).astype(np.float64))
    assert table["velocity"].null_count == 1
    assert table.schema.field("velocity").metadata[b"unit"] == b"mm/yr"
    assert json.loads(table.schema.metadata[b"pystamps"])["ps_count"] == 60


def test_geoparquet_is_read_by_gdal(tmp_path: Path) -> None:
    """GDAL finds points on WGS 84 in it."""
    if "Parquet" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no driver of Parquet")
    info, fields, places, values = read_points(written("geoparquet", tmp_path))
    assert fields == [*QUALITY, *DAYS]
    assert info["crs"] in ("OGC:CRS84", "EPSG:4326")
    assert_places(places)
    assert_values(values)


def test_velocities_alone_and_other_products(tmp_path: Path) -> None:
    """A table has the columns that its product has."""
    head = written("csv", tmp_path, without_dates(made())).read_text("ascii").splitlines()[0]
    assert head.endswith("coherence,velocity_mm_per_year,velocity_std_mm_per_year")
    lines = written("csv", tmp_path, heights_only(made())).read_text("ascii").splitlines()
    assert lines[0] == "lon_deg,lat_deg,ps,height_m,coherence,hgt"
    # Every second row of a hundred and twenty.
    assert float(lines[2].split(",")[-1]) == pytest.approx(2 / 119, abs=6e-6)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (260, "267 fields, a shapefile holds 255"),
        (18, "a table of 2.6 GB, a shapefile holds 2.1 GB"),
    ],
)
def test_shapefile_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dates: int, message: str
) -> None:
    """Before anything is written, with a format that would hold it."""
    import datetime

    from pystamps_shim.errors import ExitCode
    from pystamps_shim.products.export import shapefile
    from pystamps_shim.products.export.job import Export

    days = tuple(datetime.date(2019, 1, 4) + datetime.timedelta(6 * n) for n in range(dates))
    if dates == 18:
        monkeypatch.setattr(Export, "__len__", lambda _: 9_700_000)
    with pytest.raises(PystampsError, match=message) as caught:
        shapefile.write(export_of(made(dates=days)), tmp_path / "a.shp")
    assert "--format gpkg" in caught.value.remedy
    assert caught.value.exit_code == ExitCode.USAGE
    assert not list(tmp_path.iterdir())
