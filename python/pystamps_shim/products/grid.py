"""Points on a regular grid: the mean of those in each cell, and nothing where there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.date_line import continuous
from pystamps_shim.products.measurements import Doubles
from pystamps_shim.products.selection import transformed

_LONLAT = "EPSG:4326"
#: Cells that a grid may have: a mean needs 32 bytes each for a moment, which makes a gigabyte, and
#: the coordinates of all cells twice as many.
_MOST_CELLS = 30_000_000
_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Grid:
    """A north-up grid and the cell of every point.

    Attributes
    ----------
    crs
        Coordinate system.
    left, top
        Corner of the first cell.
    step_x, step_y
        Size of a cell, both positive, in the units of the system.
    width, height
        Cells along x and y.
    cells
        Cell of every point, row by row from the north-west, [N].
    """

    crs: str
    left: float
    top: float
    step_x: float
    step_y: float
    width: int
    height: int
    cells: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return self.height, self.width

    def count(self) -> NDArray[np.int32]:
        """Return the number of points in every cell, [height, width]."""
        counted = np.bincount(self.cells, minlength=self.height * self.width)
        return counted.astype(np.int32).reshape(self.shape)

    def mean(self, values: NDArray[Any]) -> Doubles:
        """Return the mean of the known values in every cell, NaN where there is none.

        Parameters
        ----------
        values
            One a point, [N].
        """
        known = np.isfinite(values)
        cells, size = self.cells[known], self.height * self.width
        total = np.bincount(cells, weights=values[known].astype(np.float64), minlength=size)
        number = np.bincount(cells, minlength=size)
        with np.errstate(invalid="ignore"):
            return np.asarray((total / np.where(number, number, np.nan)).reshape(self.shape))

    def centres(self, cells: NDArray[np.intp]) -> Doubles:
        """Return x and y of the middles of cells, [n, 2]."""
        row, column = np.divmod(cells, self.width)
        x = self.left + (column + 0.5) * self.step_x
        y = self.top - (row + 0.5) * self.step_y
        return np.column_stack([x, y])

    def centres_lonlat_deg(self, cells: NDArray[np.intp]) -> Doubles:
        """Return longitude and latitude of the middles of cells, [n, 2]."""
        return transformed(self.centres(cells), self.crs, _LONLAT)


def metric_grid(lonlat_deg: Doubles, cell_m: float) -> Grid:
    """Return a grid of square cells in metres, whose corners are multiples of the cell size.

    Parameters
    ----------
    lonlat_deg
        The points, [N, 2]; their middle tells the UTM zone.
    cell_m
        Length of a cell's side.
    """
    system = utm_zone(lonlat_deg)
    return _grid(transformed(lonlat_deg, _LONLAT, system), system, cell_m, cell_m)


def geographic_grid(lonlat_deg: Doubles, cell_m: float) -> Grid:
    """Return a grid of longitude and latitude whose cells are about `cell_m` on each side.

    Longitudes of points on both sides of the date line go on beyond 180.
    """
    lonlat_deg = continuous(lonlat_deg)
    step_lat = cell_m / _METRES_PER_DEGREE
    step_lon = step_lat / np.cos(np.deg2rad(lonlat_deg[:, 1].mean()))
    return _grid(lonlat_deg, _LONLAT, float(step_lon), step_lat)


def utm_zone(lonlat_deg: Doubles) -> str:
    """Return the UTM zone on WGS 84 that holds the middle of the points."""
    whole = continuous(lonlat_deg)
    longitude, latitude = (whole.min(axis=0) + whole.max(axis=0)) / 2
    zone = int((longitude + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def _grid(xy: Doubles, crs: str, step_x: float, step_y: float) -> Grid:
    left = np.floor(xy[:, 0].min() / step_x) * step_x
    top = np.ceil(xy[:, 1].max() / step_y) * step_y
    # A point on the very edge may lie beyond it by a rounding.
    column = np.maximum((xy[:, 0] - left) // step_x, 0).astype(np.intp)
    row = np.maximum((top - xy[:, 1]) // step_y, 0).astype(np.intp)
    width, height = int(column.max()) + 1, int(row.max()) + 1
    if width * height > _MOST_CELLS:
        cause = f"a grid of {width:,} x {height:,} cells is too large"
        raise wrong_usage(cause, "choose larger cells: --cell-m")
    return Grid(crs, float(left), float(top), step_x, step_y, width, height, row * width + column)
