"""The table of the European Ground Motion Service: columns, system, codes and regressions."""

from __future__ import annotations

import csv
import datetime
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measurements_made import (
    DATES,
    MASTER,
    NO_DISPLACEMENT,
    NO_PLACE_VALUES,
    NO_VELOCITY,
    limited,
    made,
    written,
)
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products import point_table
from pystamps_shim.products.export.egms import point_codes
from pystamps_shim.products.export.egms_models import Models

pytest.importorskip("pyarrow")
pytest.importorskip("pyproj")

TITLES = [
    "pid mp_type latitude longitude easting northing height height_wgs84 line pixel rmse",
    "temporal_coherence amplitude_dispersion incidence_angle track_angle los_east los_north los_up",
    "mean_velocity mean_velocity_std acceleration acceleration_std seasonality seasonality_std",
]
#: ``YYYY-MM-DD`` every twelve days for five years.
MANY = tuple(datetime.date(2018, 1, 3) + datetime.timedelta(12 * number) for number in range(152))


def rows_of(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return titles and rows."""
    with path.open(encoding="ascii", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or []), list(reader)


def column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    """Return a column, NaN where it is empty."""
    return np.array([float(row[name] or "nan") for row in rows])


def test_columns_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles as the service has them, bare dates, and the product's numbers."""
    monkeypatch.setattr(point_table, "BLOCK_ROWS", 17)
    found = made()
    titles, rows = rows_of(written("egms", tmp_path))
    assert titles == [*" ".join(TITLES).split(), *(f"{date:%Y%m%d}" for date in DATES)]
    places = found.places
    np.testing.assert_allclose(column(rows, "latitude"), places.lonlat_deg[:, 1], atol=0.51e-6)
    np.testing.assert_allclose(column(rows, "longitude"), places.lonlat_deg[:, 0], atol=0.51e-6)
    np.testing.assert_array_equal(column(rows, "line"), places.line)
    np.testing.assert_array_equal(column(rows, "pixel"), places.sample)
    np.testing.assert_array_equal(column(rows, "mp_type"), 0)
    for name, expected, tolerance in (
        ("height", places.height_m, 0.051),
        ("temporal_coherence", places.coherence, 0.0051),
        ("incidence_angle", np.rad2deg(places.incidence_rad), 0.0051),
    ):
        np.testing.assert_allclose(column(rows, name), expected, rtol=0, atol=tolerance)
        assert rows[NO_PLACE_VALUES][name] == ""
    displacement = np.column_stack([column(rows, name) for name in titles[-len(DATES) :]])
    expected = found.displacement_mm(0, len(found))
    np.testing.assert_allclose(displacement, expected, rtol=0, atol=0.051)
    for name in ("rmse", "mean_velocity", "acceleration", "seasonality"):
        assert rows[NO_DISPLACEMENT][name] == ""
        # The regression does not need the product's own velocity.
        assert rows[NO_VELOCITY][name] != ""
    for name in ("height_wgs84", "amplitude_dispersion"):
        assert {row[name] for row in rows} == {""}


def test_place_of_the_worked_example(tmp_path: Path) -> None:
    """EPSG's guidance note 7-2 projects 50 north, 5 east to these metres."""
    _, rows = rows_of(written("egms", tmp_path))
    assert float(rows[0]["easting"]) == pytest.approx(3962799.45, abs=0.011)
    assert float(rows[0]["northing"]) == pytest.approx(2999718.85, abs=0.011)


def test_line_of_sight(tmp_path: Path) -> None:
    """A satellite that flies nearly south looks west, so that it stands in the east."""
    _, rows = rows_of(written("egms", tmp_path))
    incidence = np.deg2rad(column(rows, "incidence_angle"))
    np.testing.assert_array_equal(column(rows, "track_angle"), 193)
    np.testing.assert_allclose(column(rows, "los_up"), np.cos(incidence), atol=6e-4)
    east, north = column(rows, "los_east"), column(rows, "los_north")
    np.testing.assert_allclose(np.hypot(east, north), np.sin(incidence), atol=2e-3)
    np.testing.assert_allclose(
        np.rad2deg(np.arctan2(east, north))[np.isfinite(east)], 103, atol=0.1
    )


def test_sidecar_tells_what_is_empty(tmp_path: Path) -> None:
    """And why."""
    path = written("egms", tmp_path, replace(made(), heading_deg=None))
    about = json.loads(path.with_name("product.csv.json").read_text(encoding="utf-8"))
    assert about["crs_projected"] == "EPSG:3035"
    assert about["ps_count"] == 60
    told = about["egms"]
    assert told["height_wgs84"].startswith("empty: ")
    assert told["los_east"] == "empty: heading is not known"
    assert "los_up" not in told
    _, rows = rows_of(path)
    assert {row["track_angle"] + row["los_east"] + row["los_north"] for row in rows} == {""}
    assert rows[0]["los_up"]


def test_dates_without_the_master(tmp_path: Path) -> None:
    """Columns, models and description are of the dates that were asked for."""
    found = limited(made(), DATES[MASTER + 1], DATES[-1])
    path = written("egms", tmp_path, found)
    titles, rows = rows_of(path)
    dates = DATES[MASTER + 1 :]
    assert titles[-len(dates) - 1 :] == ["seasonality_std", *(f"{date:%Y%m%d}" for date in dates)]
    expected = Models(dates).fit(found.displacement_mm(0, len(found)))
    np.testing.assert_allclose(column(rows, "mean_velocity"), expected.velocity, atol=0.051)
    told = json.loads(path.with_name("product.csv.json").read_text(encoding="utf-8"))["egms"]
    assert told["mean_velocity"].endswith(f"fitted to {dates[0]:%Y%m%d} to {dates[-1]:%Y%m%d}")
    short = limited(made(), DATES[MASTER + 1], DATES[MASTER + 7])
    _, rows = rows_of(written("egms", tmp_path, short))
    assert {row["mean_velocity"] for row in rows} == {""}  # Less than a year.


def test_codes_are_unique_and_last() -> None:
    """Ten letters and figures, a letter first, the same for the same place."""
    line, sample = np.divmod(np.arange(40_000), 200)
    codes = point_codes(line, sample)
    assert np.unique(codes).size == 40_000
    words = [code.decode() for code in codes]
    assert all(len(word) == 10 and word.isalnum() and word[0].isalpha() for word in words)
    np.testing.assert_array_equal(codes[::7], point_codes(line[::7], sample[::7]))
    largest = np.array([2**29 - 1])
    assert point_codes(largest, largest)[0].decode()[0].isalpha()
    with pytest.raises(PystampsError, match="two PS have the same line and sample"):
        point_codes(np.array([3, 5, 3]), np.array([8, 8, 8]))
    with pytest.raises(PystampsError, match="no places in an image"):
        point_codes(np.array([3, -1]), np.array([8, 8]))


def simulated(
    dates: tuple[datetime.date, ...], noise_mm: float, count: int = 400
) -> dict[str, float]:
    """Return what the models find in series of known terms: means and spreads."""
    rng = np.random.default_rng(3)
    days = np.array([date.toordinal() for date in dates], dtype=np.float64)
    years = (days - days.mean()) / 365.25
    # Polynomials of the third order that a model of the first one must not take for a slope.
    series = 4 + 7.5 * years + 0.9 * years**2 + 3 * np.cos(2 * np.pi * (years - 0.3))
    fitted = Models(dates).fit(
        (series + noise_mm * rng.normal(size=(count, len(dates)))).astype("f4")
    )
    return {
        name: float(part(values))
        for field, values in vars(fitted).items()
        for name, part in ((field, np.mean), (f"{field}_spread", np.std))
    }


def test_regressions_find_what_was_put_in() -> None:
    """Slope, curvature and oscillation, and standard deviations that are those of the results."""
    found = simulated(MANY, 2.0)
    assert found["velocity"] == pytest.approx(7.5, abs=0.05)
    assert found["acceleration"] == pytest.approx(2 * 0.9, abs=0.05)
    assert found["seasonality"] == pytest.approx(3.0, abs=0.1)
    assert found["rmse_mm"] == pytest.approx(2.0 * np.sqrt(1 - 6 / 152), rel=0.01)
    assert found["acceleration_std"] == pytest.approx(found["acceleration_spread"], rel=0.15)
    assert found["seasonality_std"] == pytest.approx(found["seasonality_spread"], rel=0.15)
    exact = simulated(MANY, 0.0, 1)
    assert exact["rmse_mm"] == pytest.approx(0.0, abs=1e-5)
    assert exact["acceleration"] == pytest.approx(1.8, abs=1e-5)


def test_regressions_agree_with_least_squares_one_by_one() -> None:
    """The common basis gives what separate designs give."""
    series = made().displacement_mm(10, 20)
    days = np.array([date.toordinal() for date in DATES], dtype=np.float64)
    t = (days - (days[0] + days[-1]) / 2) / 365.25
    fitted = Models(DATES).fit(series)
    for order, coefficient, values, deviations, factor in (
        (1, 1, fitted.velocity, fitted.velocity_std, 1),
        (2, 2, fitted.acceleration, fitted.acceleration_std, 2),
    ):
        powers = [t**power for power in range(order + 1)]
        design = np.column_stack([*powers, np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)])
        solution, squares, *_ = np.linalg.lstsq(design, series.T.astype(float), rcond=None)
        inverse = np.linalg.inv(design.T @ design)
        variance = squares / (len(t) - design.shape[1]) * inverse[coefficient, coefficient]
        np.testing.assert_allclose(values, factor * solution[coefficient], rtol=1e-9)
        np.testing.assert_allclose(deviations, factor * np.sqrt(variance), rtol=1e-9)


@pytest.mark.parametrize(
    ("dates", "empty"),
    [
        (MANY[:7], {"rmse", "velocity", "acceleration", "seasonality"}),  # Two months.
        (MANY[:150:30], {"rmse", "acceleration", "seasonality"}),  # Five dates.
        (MANY[:150:25], {"rmse", "seasonality"}),
        (MANY[:152:21], set()),
        (
            tuple(datetime.date(2010 + year, 3, 1) for year in range(9)),
            {"rmse", "velocity", "acceleration", "seasonality"},  # The same day every year.
        ),
    ],
)
def test_too_few_dates_leave_cells_empty(dates: tuple[datetime.date, ...], empty: set[str]) -> None:
    """No term is told that the dates do not determine."""
    fitted = Models(dates).fit(np.ones((2, len(dates)), dtype=np.float32))
    values = {name.removesuffix("_mm"): each for name, each in vars(fitted).items()}
    assert {name for name, each in values.items() if np.isnan(each).all()} - {
        "seasonality_std"
    } == empty | {f"{name}_std" for name in empty & {"velocity", "acceleration"}}


def test_vertical_is_refused(tmp_path: Path) -> None:
    """The columns of the line of sight would be of something else."""
    with pytest.raises(PystampsError, match="along the line of sight") as caught:
        written("egms", tmp_path, replace(made(), vertical=True))
    assert "--vertical" in caught.value.remedy
