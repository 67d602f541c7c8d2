"""Points on grids: cells, means, coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.grid import geographic_grid, metric_grid, utm_zone

_LONLAT = np.array([[11.30, 44.15], [11.3001, 44.1501], [11.31, 44.15], [11.30, 44.16]])


def test_means_and_counts_and_nothing_invented() -> None:
    grid = metric_grid(_LONLAT, 100.0)
    count = grid.count()
    values = np.array([1.0, 3.0, np.nan, 7.0])
    mean = grid.mean(values)
    assert count.sum() == len(_LONLAT)
    assert np.isfinite(mean).sum() == 2
    assert set(mean[np.isfinite(mean)]) == {2.0, 7.0}
    assert np.isnan(mean[count == 0]).all()


def test_cells_are_square_metres_with_round_corners() -> None:
    grid = metric_grid(_LONLAT, 50.0)
    assert grid.crs == "EPSG:32632"
    assert (grid.step_x, grid.step_y) == (50.0, 50.0)
    assert grid.left % 50 == 0
    assert grid.top % 50 == 0
    # Krüger's series puts the first point at 683936.786, 4891105.452.
    row, column = divmod(int(grid.cells[0]), grid.width)
    assert grid.left + column * 50 <= 683_936.786 < grid.left + (column + 1) * 50
    assert grid.top - (row + 1) * 50 <= 4_891_105.452 < grid.top - row * 50


@pytest.mark.parametrize("cell_m", [30.0, 400.0])
def test_middles_lie_within_half_a_cell(cell_m: float) -> None:
    for grid in (metric_grid(_LONLAT, cell_m), geographic_grid(_LONLAT, cell_m)):
        away = grid.centres_lonlat_deg(grid.cells) - _LONLAT
        away_m = away * 111_195.0 * [np.cos(np.deg2rad(44.15)), 1]
        assert np.abs(away_m).max() < 0.75 * cell_m


def test_north_is_up() -> None:
    grid = geographic_grid(_LONLAT, 100.0)
    rows = grid.cells // grid.width
    assert rows[3] < rows[0]
    assert (grid.cells % grid.width)[2] > (grid.cells % grid.width)[0]


@pytest.mark.parametrize(
    ("lonlat_deg", "zone"),
    [((11.3, 44.1), "EPSG:32632"), ((-71.5, -33.4), "EPSG:32719"), ((179.9, 0.1), "EPSG:32660")],
)
def test_utm_zones(lonlat_deg: tuple[float, float], zone: str) -> None:
    assert utm_zone(np.array([lonlat_deg])) == zone


def test_too_many_cells_are_refused() -> None:
    far = np.array([[11.0, 44.0], [12.0, 45.0]])
    with pytest.raises(PystampsError, match="too large"):
        metric_grid(far, 1.0)
