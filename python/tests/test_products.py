"""Product tables, the choice of PS, and the figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import clipped_ends, map_axes, round_up, symmetric_limit
from pystamps_shim.products.series_choice import choose
from pystamps_shim.products.series_figure import candidates_of, draw_series
from pystamps_shim.products.tables import SeriesTable, VelocityTable
from pystamps_shim.products.velocity_map import draw_velocity_map

COUNT = 60
DATES = ("20200101", "20200301", "20200401")
PNG = b"\x89PNG"


@pytest.fixture
def tables(tmp_path: Path) -> Callable[..., tuple[VelocityTable, SeriesTable]]:
    """Return a maker of both tables, read from files as the native program writes them."""

    def make(reference_ps: int = COUNT) -> tuple[VelocityTable, SeriesTable]:
        rng = np.random.default_rng(7)
        place = np.column_stack(
            [
                11 + 0.1 * rng.random(COUNT),
                44 + 0.05 * rng.random(COUNT),
                rng.uniform(0, 90, COUNT),
                rng.uniform(0.6, 1, COUNT),
            ]
        )
        velocity = np.linspace(-20, 12, COUNT)
        for name, columns, values in (
            (
                "velocity",
                ["velocity_mm_per_year", "velocity_std_mm_per_year"],
                np.column_stack([velocity, np.full(COUNT, 0.5)]),
            ),
            ("timeseries", [f"D{d}" for d in DATES], np.outer(velocity, [-0.1, 0.1, 0.2])),
        ):
            header = ",".join(["lon_deg", "lat_deg", "height_m", "coherence", *columns])
            np.savetxt(
                tmp_path / f"{name}.csv",
                np.column_stack([place, values]),
                "%.6f",
                ",",
                header=header,
                comments="",
            )
            reference = {"ps_count": reference_ps, "centre_lonlat_deg": [11.02, 44.02]}
            about = {
                "value_type": "v-do" if name == "velocity" else "ts-do",
                "reference": reference,
                "ps_count": COUNT,
                "wavelength_m": 0.0555,
                "master_date": "20200201",
            }
            (tmp_path / f"{name}.csv.json").write_text(json.dumps(about), encoding="utf-8")
        return (
            VelocityTable.read(tmp_path / "velocity.csv"),
            SeriesTable.read(tmp_path / "timeseries.csv"),
        )

    return make


Tables = Callable[..., tuple[VelocityTable, SeriesTable]]


def test_tables_are_read_with_the_master_put_back(tables: Tables) -> None:
    """The master has no column, and its displacement is zero."""
    velocities, series = tables()
    assert len(velocities.places) == COUNT
    assert velocities.std_mm_per_year[3] == 0.5
    dates, columns = series.all_dates()
    assert [f"{date:%m%d}" for date in dates] == ["0101", "0201", "0301", "0401"]
    assert columns.tolist() == [0, 2, 3]
    whole = series.with_master()
    assert np.all(whole[:, 1] == 0)
    np.testing.assert_array_equal(whole[:, [0, 2, 3]], series.displacement_mm)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lon_deg", "longitude", "columns are longitude, lat_deg"),
        ("0.500000", "high", "could not convert string to float: 'high'"),
        ("velocity_std_mm_per_year", "velocity_std", "expected lon_deg, lat_deg"),
    ],
)
def test_a_foreign_table_is_refused(
    tables: Tables, tmp_path: Path, old: str, new: str, message: str
) -> None:
    """The file is named, and what was found in it."""
    tables()
    path = tmp_path / "velocity.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PystampsError, match=message) as caught:
        VelocityTable.read(path)
    assert str(path) in caught.value.cause


def test_a_table_without_rows_or_description_is_refused(tables: Tables, tmp_path: Path) -> None:
    """Neither can be drawn or compared."""
    tables()
    path = tmp_path / "velocity.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(PystampsError, match="has no row of 6 numbers"):
        VelocityTable.read(path)
    path.write_text(text, encoding="utf-8")
    (tmp_path / "velocity.csv.json").unlink()
    with pytest.raises(PystampsError, match="No such file"):
        VelocityTable.read(path)
    with pytest.raises(PystampsError, match="make the product first"):
        SeriesTable.read(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("value", "limit"), [(0.9, 1.0), (1.0, 1.0), (1.01, 1.5), (17.2, 20.0), (0.031, 0.04)]
)
def test_scales_end_at_round_numbers(value: float, limit: float) -> None:
    """The next one up, also below 1."""
    assert round_up(value) == pytest.approx(limit)


def test_scale_is_symmetric_and_ignores_an_outlier() -> None:
    """One wild value in a thousand is clipped, and its end gets an arrow."""
    values = np.append(np.linspace(-7.4, 3, 999), 500.0)
    limit = symmetric_limit(values)
    assert limit == 8.0
    assert clipped_ends(values, limit) == "max"
    assert clipped_ends(-values, limit) == "min"
    assert clipped_ends(values, 5.0) == "both"
    assert clipped_ends(values, 500.0) == "neither"
    assert symmetric_limit(np.full(3, np.nan)) == 1.0


def test_a_kilometre_is_as_long_in_both_directions() -> None:
    """The aspect of the axes makes up for meridians that meet."""
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    map_axes(axes, np.array([[10.0, 59.0], [10.4, 61.0]]))
    assert axes.get_aspect() == pytest.approx(2.0)


def test_choice_follows_the_rule(tables: Tables) -> None:
    """Fastest away, fastest towards, slowest; coherent ones only."""
    velocities, _ = tables()
    rows = [choice.ps for choice in choose(candidates_of(velocities))]
    coherent = np.flatnonzero(velocities.places.coherence > 0.7)
    speed = np.abs(velocities.velocity_mm_per_year[coherent])
    assert rows == [coherent[0], coherent[-1], coherent[np.argmin(speed)]]
    # The fastest loses its place when it is not sure of its velocity.
    velocities.std_mm_per_year[coherent[0]] = 30.0
    assert choose(candidates_of(velocities))[0].ps == coherent[1]
    near, _ = tables(5)
    stable = choose(candidates_of(near))[2]
    assert stable.role == "stable"
    offset = near.places.lonlat_deg[coherent] - (11.02, 44.02)
    offset[:, 0] *= np.cos(np.deg2rad(44.02))
    distance = np.hypot(*offset.T)
    assert distance[coherent == stable.ps] <= np.sort(distance)[len(coherent) // 10]


def test_figures_are_the_same_bytes_again(tables: Tables, tmp_path: Path) -> None:
    """And other bytes for other values; the truth is drawn where it is known."""
    velocities, series = tables(5)
    truth = series.with_master()
    truth[5:] = np.nan
    drawn = []
    for shown in (None, truth, truth):
        path = tmp_path / "series.png"
        draw_series(velocities, series, path, "title", shown)
        drawn.append(path.read_bytes())
    assert drawn[0][:4] == PNG
    assert drawn[1] == drawn[2] != drawn[0]
    maps = []
    for change in (0.0, 0.0, 5.0):
        velocities.velocity_mm_per_year[:10] += change
        path = tmp_path / "map.png"
        draw_velocity_map(velocities, series.all_dates()[0], path, "title")
        maps.append(path.read_bytes())
    assert maps[0] == maps[1] != maps[2]


def test_settings_of_the_user_do_not_show(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A matplotlibrc with large blue text changes nothing."""
    import matplotlib as mpl

    velocities, series = tables()
    path = tmp_path / "map.png"
    images: list[NDArray[np.uint8]] = []
    for size in (10.0, 31.0):
        monkeypatch.setitem(mpl.rcParams, "font.size", size)
        monkeypatch.setitem(mpl.rcParams, "text.color", "blue")
        draw_velocity_map(velocities, series.all_dates()[0], path, "title")
        images.append(np.frombuffer(path.read_bytes(), np.uint8))
    np.testing.assert_array_equal(images[0], images[1])
