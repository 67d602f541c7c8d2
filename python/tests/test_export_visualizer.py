"""The table of StaMPS-Visualizer, also byte for byte beside one that StaMPS and MATLAB wrote."""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measurements_made import (
    DATES,
    MASTER,
    NO_DISPLACEMENT,
    NO_VELOCITY,
    limited,
    made,
    without_dates,
    written,
)

from pystamps_shim.errors import PystampsError
from pystamps_shim.products import point_table
from pystamps_shim.products.export.visualizer import day_number, write_head, write_rows


def date_of(number: float) -> datetime.date:
    """Return the day that the viewer shows: R counts a year zero of 366 days from its day 0."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(int(number) - 719528)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["PS", "SBAS"])
def test_real_tables_are_written_again_byte_for_byte(shared_dir: Path, name: str) -> None:
    """The numbers of a MATLAB table give its text."""
    path = shared_dir / "real" / "visualizer_maoxian" / f"Maoxian_{name}.csv"
    text = path.read_bytes()
    values = np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1)
    # The landslide's last image before it fell was taken on 19 June 2017.
    dates = [datetime.date.fromordinal(int(number) + 1 - 366) for number in values[0, 3:].tolist()]
    assert dates[-1] == datetime.date(2017, 6, 19)
    again = io.BytesIO()
    write_head(again, values[0, :2].tolist(), dates)
    write_rows(again, values[1:, :2], values[1:, 2], values[1:, 3:])
    assert again.getvalue() == text


def test_days_are_those_that_r_shows() -> None:
    """``as.Date`` of R takes the number as days since the first of January of a year zero."""
    date = datetime.date(2017, 6, 19)
    assert day_number(date) == 736864
    assert day_number(datetime.date(1970, 1, 1)) == 719528


def test_measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles of one width, the reference in the second line, every date but the master."""
    monkeypatch.setattr(point_table, "BLOCK_ROWS", 17)
    found = made()
    path = written("visualizer", tmp_path)
    lines = path.read_text(encoding="ascii").splitlines()
    titles = lines[0].split(",")
    count = 3 + len(DATES) - 1
    assert titles[0] == "export_res_ 1"
    assert titles[-1] == f"export_res_{count}"
    assert len(titles) == count
    second = [float(cell) for cell in lines[1].split(",")]
    np.testing.assert_allclose(
        second[:2], found.layer.description["reference"]["centre_lonlat_deg"], rtol=1e-6
    )
    assert np.isnan(second[2])
    kept = [number for number in range(len(DATES)) if number != MASTER]
    assert [date_of(number) for number in second[3:]] == [DATES[number] for number in kept]
    values = np.array([[float(cell) for cell in line.split(",")] for line in lines[2:]])
    np.testing.assert_allclose(values[:, :2], found.places.lonlat_deg, rtol=1e-6)
    np.testing.assert_allclose(values[:, 2], found.velocity_mm_per_year(), rtol=1e-6)
    expected = found.displacement_mm(0, len(found))[:, kept]
    np.testing.assert_allclose(values[:, 3:], expected, rtol=1e-6)
    assert lines[2 + NO_VELOCITY].split(",")[2] == "NaN"
    assert "NaN" in lines[2 + NO_DISPLACEMENT].split(",")[3:]
    told = json.loads((tmp_path / "product.csv.json").read_text(encoding="utf-8"))
    assert told["ps_count"] == 60
    assert told["visualizer"]["lon, lat"].endswith(
        "steps of up to 1e-05 degrees (1.1 m) at 50.0 degrees"
    )


def test_longitudes_of_three_figures_are_coarse(tmp_path: Path) -> None:
    """As in the real table of 103 degrees east: the description says by how much."""
    found = made()
    places = replace(found.places, lonlat_deg=found.places.lonlat_deg + np.array([98.0, 0.0]))
    written("visualizer", tmp_path, replace(found, places=places))
    told = json.loads((tmp_path / "product.csv.json").read_text(encoding="utf-8"))
    assert "steps of up to 0.0001 degrees (11 m) at 103.0" in told["visualizer"]["lon, lat"]


def test_dates_without_the_master(tmp_path: Path) -> None:
    """None is left out."""
    found = limited(made(), DATES[MASTER + 2], DATES[-1])
    path = written("visualizer", tmp_path, found)
    values = np.loadtxt(path, delimiter=",", skiprows=2)
    expected = found.displacement_mm(0, len(found))
    assert values.shape[1] == 3 + len(DATES) - MASTER - 2 == 3 + expected.shape[1]
    np.testing.assert_allclose(values[:, 3:], expected, rtol=1e-6)


def test_numbers_have_seven_digits() -> None:
    """As MATLAB's ``%.7g``: powers of ten where they are shorter, NaN for the unknown."""
    file = io.BytesIO()
    place, series = np.array([[1 / 3, -2e7 / 3]]), np.array([[np.nan, 1e-5 / 3, 123456789.0]])
    write_rows(file, place, np.array([2.5]), series)
    assert file.getvalue() == b"0.3333333,-6666667,2.5,NaN,3.333333e-06,1.234568e+08\n"


def test_velocities_alone_are_refused(tmp_path: Path) -> None:
    """The viewer draws series."""
    with pytest.raises(PystampsError, match="format visualizer is of time series, which v-do"):
        written("visualizer", tmp_path, without_dates(made()))
