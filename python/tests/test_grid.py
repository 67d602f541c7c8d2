"""Points on grids: cells, means, coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.date_line import continuous
from pystamps_shim.products.grid import geographic_grid, metric_grid, utm_zone
from pystamps_shim.products.measurements import Doubles

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


def test_the_most_cells_are_those_that_a_gigabyte_holds() -> None:
    """A mean needs 32 bytes a cell for a moment."""
    apart = 5_600 / 111_195.0
    corners = np.array([[0.0, 0.0], [apart, apart]])
    with pytest.raises(PystampsError, match="too large"):
        geographic_grid(corners, 1.0)
    assert np.prod(geographic_grid(corners, 1.1).shape) < 30_000_000


# Half a kilometre on both sides of the date line, in each convention.
_FIJI = np.array([[179.995, -16.5], [-179.995, -16.5], [179.999, -16.503]])


@pytest.mark.parametrize("lonlat_deg", [_FIJI, _FIJI % [360, -360]])
def test_a_grid_across_the_date_line(lonlat_deg: Doubles) -> None:
    """The middle lies at the line, not at Greenwich on the other side of the earth."""
    grid = metric_grid(lonlat_deg, 50.0)
    assert grid.crs in ("EPSG:32760", "EPSG:32701")
    for each in (grid, geographic_grid(lonlat_deg, 50.0)):
        height, width = each.shape
        assert 6 <= height <= 9
        assert 20 <= width <= 24
        rows, columns = np.divmod(each.cells, each.width)
        assert columns[0] < columns[2] < columns[1]
        assert rows[0] < rows[2]
        away = each.centres_lonlat_deg(each.cells) - lonlat_deg
        away[:, 0] = (away[:, 0] + 180) % 360 - 180
        assert np.abs(away).max() * 111_195.0 < 40


def test_utm_zones_of_points_on_both_sides_of_the_date_line() -> None:
    lonlat_deg = np.array([[179.9, -17.0], [-178.0, -17.0]])
    assert utm_zone(lonlat_deg) == "EPSG:32701"
    assert utm_zone(lonlat_deg - [2.0, 0.0]) == "EPSG:32760"
    assert utm_zone(np.array([[359.9, 51.0], [0.3, 51.0]])) == "EPSG:32631"


def test_longitudes_without_a_jump() -> None:
    """Those of one side stay as they are."""
    places = np.array([[-10.0, 1.0], [20.0, 2.0], [np.nan, np.nan]])
    assert np.array_equal(continuous(places), places, equal_nan=True)
    assert continuous(_FIJI)[:, 0].tolist() == pytest.approx([179.995, 180.005, 179.999])
    greenwich = np.array([[359.5, 51.0], [0.5, 51.0]])
    assert continuous(greenwich)[:, 0].tolist() == [-0.5, 0.5]
