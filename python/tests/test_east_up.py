"""East and up of two lines of sight: motion, uncertainty, and which cells there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measurements_made import made

from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.products.east_up import EastUpTable, east_and_up
from pystamps_shim.products.measurements import Doubles, Layer, Measurements
from pystamps_shim.products.metadata import metadata_of
from pystamps_shim.products.selection import transformed

pytest.importorskip("pyproj")

_CELL_M = 100.0
_ASCENDING_DEG, _DESCENDING_DEG = -13.0, -167.0
# Corner of a cell on the central meridian of zone 32.
_CORNER = np.array([500_000.0, 4_983_000.0])


def _line_of_sight(heading_deg: float, incidence_rad: Doubles) -> Doubles:
    """Return how much of east, north and up is seen, [N, 3], of a satellite that looks right.

    The ground track goes to (sin h, cos h); the satellite stands left of what it looks at.
    """
    heading = np.deg2rad(heading_deg)
    level = np.sin(incidence_rad)
    left_east, left_north = -np.cos(heading), np.sin(heading)
    return np.column_stack([level * left_east, level * left_north, np.cos(incidence_rad)])


def _cells_of(numbers: list[int]) -> Doubles:
    """Return places, one a number: within the cell of that number in rows of ten, [N, 2] m."""
    rng = np.random.default_rng(5)
    row, column = np.divmod(numbers, 10)
    middle = _CORNER + _CELL_M * (np.column_stack([column, row]) + 0.5)
    return np.asarray(middle + rng.uniform(-40, 40, middle.shape))


def _seen(
    heading_deg: float,
    cells: list[int],
    motion: Doubles,
    std: Doubles | float = 1.0,
    noise: Doubles | float = 0.0,
) -> Measurements:
    """Return what a satellite sees of PS in `cells` that move by `motion`, east, north, up."""
    count = len(cells)
    base = made(max(count, 6))
    base = base.kept(np.arange(len(base)) < count)
    incidence = np.random.default_rng(count).uniform(0.55, 0.75, count)
    lonlat_deg = transformed(_cells_of(cells), "EPSG:32632", "EPSG:4326")
    seen = (_line_of_sight(heading_deg, incidence) * motion).sum(axis=1)
    assert base.velocity is not None
    values = np.zeros((len(base.velocity.values), 2))
    values[base.rows, 0] = seen + noise
    values[base.rows, 1] = std
    velocity = Layer(values, ("",), base.velocity.description)
    places = replace(base.places, lonlat_deg=lonlat_deg, incidence_rad=incidence)
    return replace(base, places=places, velocity=velocity, heading_deg=heading_deg)


def _solved(first: Measurements, second: Measurements) -> EastUpTable:
    return east_and_up(first, second, _CELL_M, (metadata_of(first), metadata_of(second)))


def _numbers(table: EastUpTable) -> list[int]:
    """Return the numbers of the cells of a table."""
    xy = transformed(table.lonlat_deg, "EPSG:4326", "EPSG:32632")
    column, row = np.floor((xy - _CORNER) / _CELL_M).astype(int).T
    return [int(number) for number in 10 * row + column]


def _motion_of(cells: list[int]) -> Doubles:
    """Return east, north and up of every cell: nothing to the north."""
    number = np.array(cells, dtype=float)
    return np.column_stack([3 - number, 0 * number, 0.5 * number - 7])


def test_motion_comes_back() -> None:
    """From different PS in each cell, which see it under different angles."""
    ascending, descending = [0, 0, 0, 7, 7, 12], [12, 12, 7, 0, 0]
    table = _solved(
        _seen(_ASCENDING_DEG, ascending, _motion_of(ascending)),
        _seen(_DESCENDING_DEG, descending, _motion_of(descending)),
    )
    assert sorted(_numbers(table)) == [0, 7, 12]
    want = _motion_of(_numbers(table))
    np.testing.assert_allclose(table.columns[0], want[:, 0], atol=1e-9)
    np.testing.assert_allclose(table.columns[1], want[:, 2], atol=1e-9)
    counts = dict(zip(_numbers(table), zip(*table.columns[4:], strict=True), strict=True))
    assert counts == {0: (3, 2), 7: (2, 1), 12: (1, 2)}
    assert [field.short for field in table.fields[:2]] == ["vel_east", "vel_up"]


def test_deviations_follow_from_the_covariance() -> None:
    """Of each track the root mean square of its PS: more PS do not make it less."""
    stds = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7])
    tracks = [
        _seen(heading, [3] * len(std), np.zeros((len(std), 3)), std)
        for heading, std in zip((_ASCENDING_DEG, _DESCENDING_DEG), stds, strict=True)
    ]
    table = _solved(*tracks)
    rows = [
        _line_of_sight(float(track.heading_deg or 0), track.places.incidence_rad).mean(axis=0)
        for track in tracks
    ]
    inverse = np.linalg.inv(np.array(rows)[:, [0, 2]])
    variances = np.diag([(1 + 4 + 9) / 3, (0.25 + 0.49) / 2])
    want = np.sqrt(np.diag(inverse @ variances @ inverse.T))
    assert [float(column[0]) for column in table.columns[2:4]] == pytest.approx(want.tolist())
    # Of two lines of sight that mirror each other, by hand: e = v / (2 sin i), u = v / (2 cos i).
    mirrored = [
        replace(each, places=replace(each.places, incidence_rad=np.full(len(each), 0.65)))
        for each in (_seen(heading, [3, 3], np.zeros((2, 3)), 2.0) for heading in (0.0, 180.0))
    ]
    table = _solved(*mirrored)
    assert table.columns[2] == pytest.approx([2 * np.sqrt(2) / (2 * np.sin(0.65))])
    assert table.columns[3] == pytest.approx([2 * np.sqrt(2) / (2 * np.cos(0.65))])


def test_deviations_are_those_of_noisy_measurements() -> None:
    """Drawn two thousand times: a cell each, whose two PS share their noise."""
    rng = np.random.default_rng(17)
    cells = [cell for cell in range(2_000) for _ in range(2)]
    motion = np.tile([4.0, 0.0, -9.0], (len(cells), 1))
    tracks = [
        _seen(heading, cells, motion, std, np.repeat(rng.normal(0, std, 2_000), 2))
        for heading, std in ((_ASCENDING_DEG, 1.5), (_DESCENDING_DEG, 0.8))
    ]
    east, up, std_east, std_up, *_ = _solved(*tracks).columns
    assert len(east) == 2_000
    for values, true, told in ((east, 4.0, std_east), (up, -9.0, std_up)):
        # One over the root of 4,000 is the deviation of such an estimate: three of them.
        assert np.std((values - true) / told) == pytest.approx(1.0, abs=0.047)
        assert abs(np.mean(values) - true) < 4 * np.mean(told) / np.sqrt(2_000)


def test_cells_of_one_track_are_left_out() -> None:
    """Those where only one of them has a known velocity, too; unknown ones do not count."""
    ascending, descending = [1, 2, 2, 3, 4], [2, 3, 3, 5, 4]
    noise = np.array([0, 0, np.nan, 0, np.nan])
    table = _solved(
        _seen(_ASCENDING_DEG, ascending, _motion_of(ascending), noise=noise),
        _seen(_DESCENDING_DEG, descending, _motion_of(descending)),
    )
    assert _numbers(table) == [2, 3]
    assert [column.tolist() for column in table.columns[4:]] == [[1, 1], [1, 2]]
    want = _motion_of([2, 3])
    np.testing.assert_allclose(table.columns[0], want[:, 0], atol=1e-9)
    np.testing.assert_allclose(table.columns[1], want[:, 2], atol=1e-9)


def test_tracks_that_share_no_cell_are_refused() -> None:
    first = _seen(_ASCENDING_DEG, [1, 2], _motion_of([1, 2]))
    with pytest.raises(PystampsError, match="no cell of 100 m holds PS of both"):
        _solved(first, _seen(_DESCENDING_DEG, [3, 4], _motion_of([3, 4])))
    unknown = _seen(_DESCENDING_DEG, [1, 2], _motion_of([1, 2]), noise=np.nan)
    with pytest.raises(PystampsError, match="no cell of 100 m holds PS of both"):
        _solved(first, unknown)


@pytest.mark.parametrize("heading_deg", [_ASCENDING_DEG, _ASCENDING_DEG + 4])
def test_tracks_that_look_the_same_way_are_refused(heading_deg: float) -> None:
    """Their difference would be noise, blown up."""
    tracks = [
        _seen(heading, [1, 2], _motion_of([1, 2])) for heading in (_ASCENDING_DEG, heading_deg)
    ]
    with pytest.raises(PystampsError, match="look nearly the same way") as raised:
        _solved(*tracks)
    assert raised.value.exit_code is ExitCode.USAGE
