"""Two datasets that look from both sides: east and up velocities on a common grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.grid import Grid, metric_grid
from pystamps_shim.products.line_of_sight import (
    required_heading,
    required_incidence,
    towards_satellite,
)
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.metadata import CRS
from pystamps_shim.products.point_table import Field

# Determinant of the two directions in east and up: below, they look nearly the same way.
_LEAST_DETERMINANT = 0.1

_REFERENCE_PARAMETERS = ("ref_lon", "ref_lat", "ref_centre_lonlat", "ref_radius", "ref_x", "ref_y")

_ASSUMPTION = (
    "two lines of sight hold two unknowns: east and up are solved for on the assumption that "
    "nothing moves north or south"
)
_UNCERTAINTY = (
    "of each cell and dataset the root mean square of the PS's standard deviations, since "
    "neighbours share their atmosphere; carried through the solution"
)
_FIELDS = (
    Field("velocity_east_mm_per_year", "vel_east", "mm/yr", 3, "velocity to the east"),
    Field("velocity_up_mm_per_year", "vel_up", "mm/yr", 3, "velocity up"),
    Field("velocity_east_std_mm_per_year", "std_east", "mm/yr", 3, "standard deviation of east"),
    Field("velocity_up_std_mm_per_year", "std_up", "mm/yr", 3, "standard deviation of up"),
    Field("ps_first", "ps_first", "", 0, "PS of the first dataset in the cell"),
    Field("ps_second", "ps_second", "", 0, "PS of the second dataset in the cell"),
)


@dataclass(frozen=True)
class EastUpTable:
    """East and up velocities, one row a cell that holds PS of known velocity of both datasets.

    Attributes
    ----------
    grid
        The common grid; its `cells` are those of the rows, [N].
    lonlat_deg
        Middles of the cells, [N, 2].
    columns
        Values of the fields, six arrays of [N].
    metadata
        What the table says of itself.
    """

    grid: Grid
    lonlat_deg: Doubles
    columns: tuple[NDArray[Any], ...]
    metadata: dict[str, Any]

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the columns."""
        return _FIELDS

    def block(self, first: int, last: int) -> list[NDArray[Any]]:
        """Return the columns of some cells."""
        return [values[first:last] for values in self.columns]


@dataclass(frozen=True)
class _Track:
    """One dataset on the common grid, in the cells that both have, [N] each."""

    count: NDArray[np.intp]
    velocity: Doubles
    std: Doubles
    east: Doubles
    up: Doubles


def east_and_up(
    first: Measurements,
    second: Measurements,
    cell_m: float,
    described: tuple[dict[str, Any], dict[str, Any]],
) -> EastUpTable:
    """Return east and up velocities of two datasets.

    Parameters
    ----------
    first, second
        Velocities along two lines of sight, with angles.
    cell_m
        Size of the cells of the common grid, in the UTM zone of both.
    described
        Metadata of both.

    Raises
    ------
    PystampsError
        Angles are not known, the satellites look the same way, or no cell holds PS of both.
    """
    both = (first, second)
    directions = [_directions(each) for each in both]
    middle = [np.nanmean(each, axis=0) for each in directions]
    if abs(middle[0][0] * middle[1][2] - middle[1][0] * middle[0][2]) < _LEAST_DETERMINANT:
        cause = "both datasets look nearly the same way: east and up cannot be told apart"
        raise wrong_usage(cause, "give an ascending and a descending dataset")
    lonlat_deg = np.vstack([each.places.lonlat_deg for each in both])
    whole = metric_grid(lonlat_deg, cell_m)
    cells = np.split(whole.cells, [len(first)])
    known = [_known(each, towards) for each, towards in zip(both, directions, strict=True)]
    shared = np.intersect1d(cells[0][known[0]], cells[1][known[1]])
    if not shared.size:
        cause = f"no cell of {cell_m:g} m holds PS of both datasets"
        raise PystampsError(cause, "choose larger cells (--cell-m), or datasets that overlap")
    tracks = [
        _on_cells(each, towards, np.where(used, own, -1), shared)
        for each, towards, own, used in zip(both, directions, cells, known, strict=True)
    ]
    columns = (*_solved(*tracks), tracks[0].count, tracks[1].count)
    grid = Grid(**{**vars(whole), "cells": shared})
    metadata = _metadata(both, described, grid)
    return EastUpTable(grid, grid.centres_lonlat_deg(shared), columns, metadata)


def _directions(measurements: Measurements) -> Doubles:
    """Return the unit vectors towards the satellite, [N, 3]."""
    folder = measurements.dataset.folder
    incidence = required_incidence(measurements.places.incidence_rad, folder)
    return towards_satellite(incidence, required_heading(measurements.heading_deg, folder))


def _known(measurements: Measurements, towards: Doubles) -> NDArray[np.bool_]:
    """Tell which PS have a velocity and a direction, [N]."""
    velocity = measurements.velocity_mm_per_year()
    return np.asarray(np.isfinite(velocity) & np.isfinite(towards).all(axis=1))


def _on_cells(
    measurements: Measurements, towards: Doubles, cells: NDArray[np.intp], shared: NDArray[np.intp]
) -> _Track:
    """Return the means of a dataset in the shared cells; PS of cell -1 do not count."""
    velocity = measurements.velocity_mm_per_year()
    variance = measurements.velocity_std_mm_per_year() ** 2
    place = np.searchsorted(shared, cells)
    place[place == shared.size] = 0
    known = shared[place] == cells
    place = place[known]
    count = np.bincount(place, minlength=shared.size)

    def mean(values: Doubles) -> Doubles:
        total = np.bincount(place, weights=values[known], minlength=shared.size)
        return np.asarray(total / count)

    return _Track(
        count, mean(velocity), np.sqrt(mean(variance)), mean(towards[:, 0]), mean(towards[:, 2])
    )


def _solved(first: _Track, second: _Track) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Return east, up and their standard deviations: two equations a cell."""
    determinant = first.east * second.up - second.east * first.up
    # Rows of the inverse: how each line of sight enters east and up.
    of_east = (second.up / determinant, -first.up / determinant)
    of_up = (-second.east / determinant, first.east / determinant)
    east = of_east[0] * first.velocity + of_east[1] * second.velocity
    up = of_up[0] * first.velocity + of_up[1] * second.velocity
    return (
        east,
        up,
        np.hypot(of_east[0] * first.std, of_east[1] * second.std),
        np.hypot(of_up[0] * first.std, of_up[1] * second.std),
    )


def _metadata(
    both: tuple[Measurements, Measurements],
    described: tuple[dict[str, Any], dict[str, Any]],
    grid: Grid,
) -> dict[str, Any]:
    names = [each.dataset.folder.resolve().name for each in both]
    places = [each["reference"]["description"] for each in described]
    limits = [
        {name: each["parameters"].get(name) for name in _REFERENCE_PARAMETERS} for each in described
    ]
    all_of_each = any(
        each["reference"]["ps_count"] == each["ps_count_of_dataset"] for each in described
    )
    same = limits[0] == limits[1] and not all_of_each
    reference = (
        places[0] if same else f"two places: {names[0]}: {places[0]}; {names[1]}: {places[1]}"
    )
    return {
        "title": f"pystamps east and up velocities of {names[0]} and {names[1]}",
        "program": "pystamps",
        "program_version": described[0]["program_version"],
        "value_type": "east and up",
        "definition": _ASSUMPTION,
        "uncertainty": _UNCERTAINTY,
        "unit": "mm/yr",
        "sign_convention": "positive: to the east, up",
        "reference": {"description": reference},
        "crs": CRS,
        "grid": {"crs": grid.crs, "cell_m": grid.step_x},
        "first": described[0],
        "second": described[1],
    }
