"""A faint hill shade from the heights of the PS, where they are dense enough to tell a slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.grid import geographic_grid
from pystamps_shim.products.measurements import Doubles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A cell holds about this many PS where there are any.
_PS_PER_CELL = 3.0
_CELLS = (12, 240)
# Of the 25 cells around one, and of the 9, those that have to hold PS for a slope there.
_WINDOW = 2
_LEAST_KNOWN, _LEAST_NEAR = 15, 6
# Cells with a slope that a shade needs at all.
_LEAST_CELLS = 800
# Light from the north-west, as maps have it.
_AZIMUTH_RAD, _ALTITUDE_RAD = np.deg2rad(315.0), np.deg2rad(45.0)
# Slopes are drawn steeper, so that the steep ones look like this, by at most that factor.
_STEEP, _MOST_STEEPENED = 0.7, 15.0
# How much black or white lies on the ground of maps where a slope is half as light again.
_STRENGTH, _MOST = 0.9, 0.4
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Shade:
    """A hill shade.

    Attributes
    ----------
    light
        0 dark to 1 light, [rows, columns] from the north-west; NaN without a slope.
    extent_deg
        West, east, south, north.
    """

    light: Doubles
    extent_deg: tuple[float, float, float, float]


def hill_shade(lonlat_deg: Doubles, height_m: Doubles) -> Shade | None:
    """Return the shade of the heights of PS; None where they are too few or too scattered.

    Parameters
    ----------
    lonlat_deg
        Places, [N, 2].
    height_m
        Heights, [N]; NaN where unknown.

    Notes
    -----
    Heights are averaged in cells of about 3 PS. A cell gets a slope, that of a plane fitted to the
    5 x 5 cells around it, if 15 of these 25 hold PS and 6 of the 9 nearest: gaps stay gaps.
    Without 800 such cells there is no shade.
    """
    known = np.isfinite(height_m)
    lonlat_deg, height_m = lonlat_deg[known], height_m[known]
    if known.sum() < _PS_PER_CELL * _LEAST_CELLS:
        return None
    cell_m = _cell_m(lonlat_deg)
    grid = geographic_grid(lonlat_deg, cell_m)
    north, east = _slopes(grid.mean(height_m), cell_m)
    if np.isfinite(north).sum() < _LEAST_CELLS:
        return None
    extent = (
        grid.left,
        grid.left + grid.width * grid.step_x,
        grid.top - grid.height * grid.step_y,
        grid.top,
    )
    return Shade(_light(north, east), extent)


def draw_hill_shade(axes: Axes, shade: Shade) -> None:
    """Lay a shade under everything else on a map."""
    # Level ground stays as it is, so that a shade has no edge where the PS thin out.
    difference = np.nan_to_num(shade.light - 0.5)
    grey = (difference > 0).astype(np.float64)
    veil = np.minimum(_STRENGTH * np.abs(difference), _MOST)
    image = np.dstack([grey, grey, grey, veil])
    axes.imshow(
        image,
        extent=shade.extent_deg,
        interpolation="bilinear",
        interpolation_stage="rgba",
        aspect=axes.get_aspect(),
        zorder=0,
    )


def _cell_m(lonlat_deg: Doubles) -> float:
    """Return the side of a cell that holds a few PS where there are any."""
    middle = lonlat_deg.mean(axis=0)
    metres = (lonlat_deg - middle) * (_METRES_PER_DEGREE * np.cos(np.deg2rad(middle[1])), 1)
    metres[:, 1] *= _METRES_PER_DEGREE
    side = float(np.ptp(metres, axis=0).max())
    cell_m = side / _CELLS[1]
    # Occupied cells are counted anew while cells grow: PS lie in towns and along roads.
    while cell_m < side / _CELLS[0]:
        cells = np.floor(metres / cell_m).astype(np.int64)
        if len(metres) >= _PS_PER_CELL * np.unique(cells, axis=0).shape[0]:
            break
        cell_m *= 1.15
    return max(cell_m, 1.0)


def _slopes(height_m: Doubles, cell_m: float) -> tuple[Doubles, Doubles]:
    """Return the slopes to the north and to the east of planes fitted around each cell."""
    known = np.isfinite(height_m)
    filled = np.where(known, height_m, 0.0)
    steps = range(-_WINDOW, _WINDOW + 1)
    near = sum(_moved(known, row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
    sums: dict[str, Doubles] = {}
    for row in steps:
        for column in steps:
            there, value = _moved(known, row, column), _moved(filled, row, column)
            x, y = column * cell_m, -row * cell_m
            for name, term in {
                "n": there,
                "x": there * x,
                "y": there * y,
                "xx": there * x * x,
                "xy": there * x * y,
                "yy": there * y * y,
                "h": value,
                "hx": value * x,
                "hy": value * y,
            }.items():
                sums[name] = sums.get(name, 0.0) + term
    count = np.maximum(sums["n"], 1)
    xx, yy = sums["xx"] - sums["x"] ** 2 / count, sums["yy"] - sums["y"] ** 2 / count
    xy = sums["xy"] - sums["x"] * sums["y"] / count
    hx, hy = sums["hx"] - sums["h"] * sums["x"] / count, sums["hy"] - sums["h"] * sums["y"] / count
    determinant = xx * yy - xy**2
    # Cells in one line tell no slope across it.
    tells = (sums["n"] >= _LEAST_KNOWN) & (near >= _LEAST_NEAR) & (determinant > 0.1 * xx * yy)
    divisor = np.where(tells, determinant, np.nan)
    return (hy * xx - hx * xy) / divisor, (hx * yy - hy * xy) / divisor


def _moved(values: NDArray[np.bool_] | Doubles, rows: int, columns: int) -> Doubles:
    """Return the values `rows` below and `columns` to the right, zero from outside."""
    height, width = values.shape
    padded = np.zeros((height + 2 * _WINDOW, width + 2 * _WINDOW))
    padded[_WINDOW : _WINDOW + height, _WINDOW : _WINDOW + width] = values
    top, left = _WINDOW + rows, _WINDOW + columns
    return np.asarray(padded[top : top + height, left : left + width])


def _light(north: Doubles, east: Doubles) -> Doubles:
    """Return how light slopes are, 0 to 1, level ground in the middle."""
    steep = float(np.nanquantile(np.hypot(north, east), 0.95))
    factor = min(_STEEP / steep, _MOST_STEEPENED) if steep > 0 else 1.0
    # The normal of the slope on the direction of the light.
    to_light = -(north * np.cos(_AZIMUTH_RAD) + east * np.sin(_AZIMUTH_RAD)) * factor
    normal = np.sqrt(1 + factor**2 * (north**2 + east**2))
    shine = (np.sin(_ALTITUDE_RAD) + np.cos(_ALTITUDE_RAD) * to_light) / normal
    return np.asarray(np.clip(shine / (2 * np.sin(_ALTITUDE_RAD)), 0.0, 1.0))
