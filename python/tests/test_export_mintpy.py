"""MintPy's files: every dataset and attribute, read by h5py and by MintPy where it is there."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measurements_made import (
    DATES,
    MASTER,
    NO_PLACE_VALUES,
    limited,
    made,
    without_dates,
    written,
)
from numpy.typing import NDArray
from parity.synthetic_measurements import WAVELENGTH_M

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.export.mintpy_geometry import (
    azimuth_deg,
    baselines_m,
    first_and_last,
    orbit_direction,
    slant_range_m,
)
from pystamps_shim.products.line_of_sight import towards_satellite
from pystamps_shim.products.measurements import Measurements

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyproj")

CELL_M = 300.0
COUNT = 200
WORDS = [f"{date:%Y%m%d}" for date in DATES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write once what the tests only read."""
    return written("mintpy", tmp_path_factory.mktemp("mintpy"), made(COUNT), CELL_M)


def content(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return datasets and attributes of a file."""
    with h5py.File(path) as file:
        return {name: each[()] for name, each in file.items()}, dict(file.attrs)


def cells_of(attributes: dict[str, str], found: Measurements) -> tuple[NDArray[Any], ...]:
    """Return row and column of every PS, from the attributes alone."""
    first = np.array([float(attributes["X_FIRST"]), float(attributes["Y_FIRST"])])
    step = np.array([float(attributes["X_STEP"]), float(attributes["Y_STEP"])])
    column, row = np.floor((found.places.lonlat_deg - first) / step).astype(int).T
    return row, column


def mean_in_cells(
    attributes: dict[str, str], found: Measurements, values: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the image that a file has to hold."""
    image = np.full((int(attributes["LENGTH"]), int(attributes["WIDTH"])), np.nan)
    row, column = cells_of(attributes, found)
    for cell in set(zip(row.tolist(), column.tolist(), strict=True)):
        inside = values[(row == cell[0]) & (column == cell[1])]
        known = inside[np.isfinite(inside)]
        image[cell] = known.mean() if known.size else np.nan
    return image


def test_velocity(folder: Path) -> None:
    """Metres a year, with the standard deviation beside it."""
    datasets, attributes = content(folder / "velocity.h5")
    assert set(datasets) == {"velocity", "velocityStd"}
    found = made(COUNT)
    for name, values in (
        ("velocity", found.velocity_mm_per_year()),
        ("velocityStd", found.velocity_std_mm_per_year()),
    ):
        assert datasets[name].dtype == np.float32
        expected = mean_in_cells(attributes, found, values / 1000)
        np.testing.assert_allclose(datasets[name], expected, rtol=1e-5)
        assert np.isnan(expected).any()
    assert attributes["FILE_TYPE"] == "velocity"
    assert attributes["UNIT"] == "m/year"
    assert attributes["START_DATE"] == WORDS[0]
    assert attributes["END_DATE"] == WORDS[-1]


def test_time_series(folder: Path) -> None:
    """Metres, zero at the master, dates as eight letters, baselines of the dates."""
    datasets, attributes = content(folder / "timeseries.h5")
    assert set(datasets) == {"date", "bperp", "timeseries"}
    assert datasets["date"].dtype == np.dtype("S8")
    assert [day.decode() for day in datasets["date"]] == WORDS
    found = made(COUNT)
    displacement_mm = found.displacement_mm(0, len(found)).astype(np.float64)
    for number, image in enumerate(datasets["timeseries"]):
        expected = mean_in_cells(attributes, found, displacement_mm[:, number] / 1000)
        np.testing.assert_allclose(image, expected, rtol=1e-4, atol=1e-9)
    assert np.nanmax(np.abs(datasets["timeseries"][MASTER])) == 0
    np.testing.assert_array_equal(datasets["bperp"], 10 * (np.arange(len(DATES)) - MASTER))
    assert attributes["FILE_TYPE"] == "timeseries"
    assert attributes["UNIT"] == "m"
    assert attributes["REF_DATE"] == WORDS[MASTER]


def test_geometry(folder: Path) -> None:
    """Heights and angles where there are PS; places everywhere."""
    datasets, attributes = content(folder / "geometryGeo.h5")
    assert set(datasets) == {"height", "longitude", "latitude", "incidenceAngle", "azimuthAngle"}
    found = made(COUNT)
    np.testing.assert_allclose(
        datasets["incidenceAngle"],
        mean_in_cells(attributes, found, np.rad2deg(found.places.incidence_rad)),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        datasets["height"], mean_in_cells(attributes, found, found.places.height_m), rtol=1e-6
    )
    # Flying at -167 degrees and looking right: the satellite is in the east-south-east.
    assert set(np.unique(datasets["azimuthAngle"][np.isfinite(datasets["azimuthAngle"])])) == {-103}
    row, column = cells_of(attributes, found)
    half = float(attributes["X_STEP"]) / 2
    away = datasets["longitude"][row, column] - found.places.lonlat_deg[:, 0]
    assert np.all(np.abs(away) <= half * 1.01)
    assert np.all(np.diff(datasets["latitude"], axis=0) < 0)
    assert np.isnan(found.places.height_m[NO_PLACE_VALUES])


def test_attributes(folder: Path) -> None:
    """All are text; the corner is that of the first pixel, latitude falls."""
    for name in ("velocity", "timeseries", "geometryGeo"):
        _, attributes = content(folder / f"{name}.h5")
        assert all(isinstance(value, str) for value in attributes.values())
        assert float(attributes["X_STEP"]) > 0 > float(attributes["Y_STEP"])
        assert float(attributes["WAVELENGTH"]) == WAVELENGTH_M
        expected = {
            "X_UNIT": "degrees",
            "Y_UNIT": "degrees",
            "EPSG": "4326",
            "HEADING": "-167.0",
            "ORBIT_DIRECTION": "DESCENDING",
            "PROCESSOR": "snap",
            "PLATFORM": "S1A",
            "ANTENNA_SIDE": "-1",
            "DATA_TYPE": "float32",
        }
        assert expected.items() <= attributes.items()
        assert json.loads(attributes["PYSTAMPS"])["master_date"] == WORDS[MASTER]
    assert json.loads((folder / "pystamps-product.json").read_text("utf-8"))["ps_count"] == COUNT


def test_pixel_of_reference_has_a_value(folder: Path) -> None:
    """It is the cell with PS that is nearest to the middle of the reference area."""
    datasets, attributes = content(folder / "velocity.h5")
    row, column = int(attributes["REF_Y"]), int(attributes["REF_X"])
    assert np.isfinite(datasets["velocityStd"][row, column])
    longitude = float(attributes["X_FIRST"]) + (column + 0.5) * float(attributes["X_STEP"])
    assert float(attributes["REF_LON"]) == pytest.approx(longitude)
    centre = made(COUNT).layer.description["reference"]["centre_lonlat_deg"]
    assert float(attributes["REF_LAT"]) == pytest.approx(centre[1], abs=0.01)
    assert float(attributes["REF_LON"]) == pytest.approx(centre[0], abs=0.01)


def test_all_ps_as_reference_are_told_by_the_stillest_pixel(tmp_path: Path) -> None:
    """The middle of everything may well move, and MintPy takes the pixel for still."""
    found = made()
    about = {
        **found.layer.description,
        "reference": {**found.layer.description["reference"], "ps_count": 120},
    }
    whole = replace(found, layer=replace(found.layer, description=about))
    datasets, attributes = content(written("mintpy", tmp_path, whole, CELL_M) / "velocity.h5")
    speed = np.abs(datasets["velocity"])
    assert speed[int(attributes["REF_Y"]), int(attributes["REF_X"])] == np.nanmin(speed)


def test_dates_without_the_master(tmp_path: Path) -> None:
    """MintPy finds its date of reference among them, where displacements are zero; we say so."""
    whole = made(COUNT)
    found = limited(whole, DATES[MASTER + 2], DATES[-1])
    path = written("mintpy", tmp_path, found, CELL_M)
    datasets, attributes = content(path / "timeseries.h5")
    words = WORDS[MASTER + 2 :]
    assert [day.decode() for day in datasets["date"]] == words
    assert attributes["REF_DATE"] == attributes["START_DATE"] == words[0]
    assert content(path / "velocity.h5")[1]["REF_DATE"] == words[0]
    displacement_mm = whole.displacement_mm(0, COUNT).astype(np.float64)[:, MASTER + 2 :]
    for number, image in enumerate(datasets["timeseries"]):
        since_mm = displacement_mm[:, number] - displacement_mm[:, 0]
        expected = mean_in_cells(attributes, found, since_mm / 1000)
        np.testing.assert_allclose(image, expected, rtol=1e-4, atol=1e-9)
    np.testing.assert_array_equal(datasets["bperp"], 10 * np.arange(len(words)))
    told = json.loads(attributes["PYSTAMPS"])["mintpy"]
    assert told["timeseries"].startswith(f"since {words[0]}, ")
    assert WORDS[MASTER] in told["timeseries"]


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    """Neither angles nor a standard deviation nor baselines are made up."""
    found = made()
    assert found.velocity is not None
    velocity = replace(found.velocity, values=found.velocity.values[:, :1])
    places = replace(found.places, incidence_rad=np.full(len(found), np.nan))
    dataset = replace(found.dataset, ps={})
    less = replace(found, velocity=velocity, places=places, dataset=dataset, heading_deg=None)
    path = written("mintpy", tmp_path, less, CELL_M)
    assert set(content(path / "velocity.h5")[0]) == {"velocity"}
    assert set(content(path / "geometryGeo.h5")[0]) == {"height", "longitude", "latitude"}
    datasets, attributes = content(path / "timeseries.h5")
    assert set(datasets) == {"date", "timeseries"}
    assert not {"HEADING", "ORBIT_DIRECTION"} & set(attributes)


@pytest.mark.parametrize("heading", [-167.0, -13.0, 347.0, 193.0, 90.0])
def test_azimuth_points_to_the_satellite(heading: float) -> None:
    """From north, anticlockwise: east is the negative sine, north the cosine."""
    east, north, _ = towards_satellite(np.array([0.6]), heading)[0]
    angle = np.deg2rad(azimuth_deg(heading))
    length = np.sin(0.6)
    assert -length * np.sin(angle) == pytest.approx(east)
    assert length * np.cos(angle) == pytest.approx(north)
    assert -180 <= azimuth_deg(heading) < 180
    assert orbit_direction(-13.0) == "ASCENDING"
    assert orbit_direction(193.0) == "DESCENDING"


def test_ranges_where_the_image_tells(tmp_path: Path) -> None:
    """From the parameter file that the dataset names; None without it."""
    found = made()
    assert slant_range_m(found) is None
    (tmp_path / "master.par").write_text(
        "range_pixel_spacing: 2.5 m\nnear_range_slc: 850000.5 m\n", encoding="utf-8"
    )
    (tmp_path / "rsc.txt").write_text("master.par\n", encoding="utf-8")
    ranges = slant_range_m(replace(found, dataset=replace(found.dataset, folder=tmp_path)))
    assert ranges is not None
    np.testing.assert_array_equal(ranges, 850000.5 + 2.5 * found.places.sample)


def test_baselines_of_small_baselines() -> None:
    """Those of the images follow from those of the pairs, relative to the master."""
    found = made()
    days = found.dataset.ps["day"]
    of_images = np.linspace(-80, 120, len(days)) ** 2 / 100
    pairs = np.array([(n, n + step) for n in range(len(days)) for step in (1, 2)])
    pairs = pairs[pairs[:, 1] < len(days)]
    ps = {
        **found.dataset.ps,
        "bperp": (of_images[pairs[:, 1]] - of_images[pairs[:, 0]])[:, None],
        "ifgday_ix": pairs + 1.0,
    }
    values = {**found.dataset.parameters.values, "small_baseline_flag": "y"}
    parameters = replace(found.dataset.parameters, values=values)
    dataset = replace(found.dataset, ps=ps, parameters=parameters)
    solved = baselines_m(replace(found, dataset=dataset))
    assert solved is not None
    np.testing.assert_allclose(solved, of_images - of_images[MASTER], atol=1e-9)


def test_baselines_that_not_all_dates_have() -> None:
    """Are none, as those of a dataset without days."""
    found = made()
    ps = {**found.dataset.ps, **{name: found.dataset.ps[name][1:] for name in ("day", "bperp")}}
    assert baselines_m(found) is not None
    assert baselines_m(replace(found, dataset=replace(found.dataset, ps=ps))) is None


def test_dates_of_a_velocity_of_pairs() -> None:
    """The first and the last of all dates in the pairs."""
    found = made()
    assert found.velocity is not None
    about = {
        **found.velocity.description,
        "fitted_to": ["20190301_20190401", "20190101_20190201"],
    }
    pairs = replace(found, velocity=replace(found.velocity, description=about))
    assert first_and_last(pairs) == ("20190101", "20190401")


def test_other_products_are_refused(tmp_path: Path) -> None:
    """Velocities alone, and vertical displacements: MintPy's are along the line of sight."""
    with pytest.raises(PystampsError, match="format mintpy is of time series"):
        written("mintpy", tmp_path, without_dates(made()))
    with pytest.raises(PystampsError, match="along the line of sight"):
        written("mintpy", tmp_path, replace(made(), vertical=True))
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def read() -> Callable[..., tuple[NDArray[Any], dict[str, str]]]:
    """Return MintPy's reader."""
    reader: Callable[..., tuple[NDArray[Any], dict[str, str]]] = mintpy("utils.readfile").read
    return reader


def mintpy(module: str) -> Any:
    """Return a module of MintPy's; without it tests are skipped, in CI they fail."""
    try:
        return importlib.import_module(f"mintpy.{module}")
    except ImportError as error:
        reason = f"needs MintPy: pip install --no-deps mintpy ({error})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def test_mintpy_reads_it(
    folder: Path, read: Callable[..., tuple[NDArray[Any], dict[str, str]]]
) -> None:
    """By its own names of slices, with the geometry's units."""
    velocity, attributes = read(str(folder / "velocity.h5"), datasetName="velocity")
    np.testing.assert_array_equal(velocity, content(folder / "velocity.h5")[0]["velocity"])
    assert attributes["UNIT"] == "m/year"
    image, attributes = read(
        str(folder / "timeseries.h5"), datasetName=f"timeseries-{WORDS[3]}", print_msg=False
    )
    expected = content(folder / "timeseries.h5")[0]["timeseries"][3]
    np.testing.assert_array_equal(image, expected)
    angle, attributes = read(str(folder / "geometryGeo.h5"), datasetName="incidenceAngle")
    assert attributes["UNIT"] == "degree"
    assert 30 < np.nanmean(angle) < 45
    series = mintpy("objects").timeseries(str(folder / "timeseries.h5"))
    series.open(print_msg=False)
    assert series.dateList == WORDS
    assert series.refIndex == MASTER


@pytest.mark.usefixtures("read")
def test_mintpy_opens_dates_without_the_master(tmp_path: Path) -> None:
    """Its class looks the date of reference up in the list of dates."""
    found = limited(made(COUNT), DATES[MASTER + 2], DATES[-1])
    path = written("mintpy", tmp_path, found, CELL_M)
    series = mintpy("objects").timeseries(str(path / "timeseries.h5"))
    series.open(print_msg=False)
    assert series.refIndex == 0
    assert series.numDate == len(DATES) - MASTER - 2


def test_mintpy_looks_the_same_way(
    folder: Path, read: Callable[..., tuple[NDArray[Any], dict[str, str]]]
) -> None:
    """MintPy turns uplift into a positive displacement, and motion to the east as we do."""
    utils0 = mintpy("utils.utils0")
    incidence, _ = read(str(folder / "geometryGeo.h5"), datasetName="incidenceAngle")
    azimuth, _ = read(str(folder / "geometryGeo.h5"), datasetName="azimuthAngle")
    ours = towards_satellite(np.deg2rad(incidence.ravel().astype(np.float64)), -167.0)
    for motion in np.eye(3):
        theirs = utils0.enu2los(*motion, inc_angle=incidence, az_angle=azimuth)
        np.testing.assert_allclose(theirs.ravel(), ours @ motion, atol=1e-5)
