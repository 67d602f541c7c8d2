"""Velocities along a line, with running median and quartiles, and the heights below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.baselines import BLUE
from pystamps_shim.products.figures.distances import local_metres
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import LonLat, Plot
from pystamps_shim.products.figures.point_map import diverging, draw_points, map_size_inches
from pystamps_shim.products.figures.series import few_ticks, part_for_map
from pystamps_shim.products.figures.velocity import (
    PRODUCT,
    assumed,
    direction,
    made_by,
    velocity_label,
)
from pystamps_shim.products.figures.words import place_text, subtitle_of
from pystamps_shim.products.measurements import Doubles, Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

# Places at which the running values are formed, the length of line that each stands for, and how
# many PS they need.
_STEPS = 120
_WINDOW_SHARE = 1 / 25
_FEWEST = 5
_HEIGHT_INCHES = 5.4
_PANELS_INCHES = 7.2
_MAP_INCHES = (3.2, 5.2)


@dataclass(frozen=True)
class Strip:
    """The PS along a line.

    Attributes
    ----------
    rows
        Their rows in the measurements, [n].
    along_m
        Distance from the line's beginning, [n].
    length_m
        Length of the line.
    """

    rows: NDArray[np.intp]
    along_m: Doubles
    length_m: float


def draw_profile(plot: Plot) -> None:
    """Draw velocities and heights along the line asked for, beside a map of it."""
    line = plot.options.line_lonlat_deg
    if line is None:
        cause = "a profile needs both ends of its line"
        raise wrong_usage(cause, "give --from-point LON,LAT --to-point LON,LAT")
    measurements, steps = plot.source.measurements(PRODUCT)
    found = strip(measurements.places.lonlat_deg, line, plot.options.width_m)
    if not found.rows.size:
        cause = (
            f"no PS lies within {plot.options.width_m / 2:g} m of the line from "
            f"{place_text(line[0])} to {place_text(line[1])}"
        )
        raise PystampsError(cause, "move the line, or widen it: --width-m")
    map_width, map_height = map_size_inches(measurements.places.lonlat_deg)
    left = float(np.clip(5.0 * map_width / map_height, *_MAP_INCHES)) + 1.0
    title = f"Profile of the mean {direction(measurements)} velocity"
    notes = [
        (
            f"A: {place_text(line[0])}, B: {place_text(line[1])}; "
            f"{found.rows.size:,} PS within {plot.options.width_m / 2:g} m of the line."
        ),
        (
            f"Running median and quartiles of the PS on {found.length_m * _WINDOW_SHARE:,.0f} m of "
            f"line, where these are {_FEWEST} or more."
        ),
        *made_by(measurements)[:1],
        *assumed(measurements),
    ]
    subtitle = subtitle_of(measurements, steps)
    with page(plot, (left + _PANELS_INCHES, _HEIGHT_INCHES), title, subtitle, notes) as drawn:
        places: NDArray[Any] = drawn.subfigures(
            1, 2, squeeze=False, width_ratios=(left, _PANELS_INCHES)
        )
        map_place = part_for_map(places[0, 0], left - 1.0, _HEIGHT_INCHES, measurements)
        _draw_locator(map_place, measurements, line)
        panels = places[0, 1].subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
        _draw_velocities(panels[0], measurements, found)
        _draw_heights(panels[1], measurements, found)
        places[0, 1].legend(loc="outside lower center", ncols=3, fontsize=9, frameon=False)


def strip(lonlat_deg: Doubles, line: tuple[LonLat, LonLat], width_m: float) -> Strip:
    """Return the PS beside a line.

    Parameters
    ----------
    lonlat_deg
        Places, [N, 2].
    line
        Both ends.
    width_m
        Width of the strip; half of it lies on either side.

    Raises
    ------
    PystampsError
        Both ends are the same place.
    """
    middle = ((line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2)
    first, last = local_metres(np.array(line, dtype=np.float64), middle)
    length_m = float(np.hypot(*(last - first)))
    if length_m == 0:
        cause = "--from-point and --to-point are the same place"
        raise wrong_usage(cause, "give two places")
    direction_of_line = (last - first) / length_m
    offset = local_metres(lonlat_deg, middle) - first
    along = offset @ direction_of_line
    across = offset @ np.array([-direction_of_line[1], direction_of_line[0]])
    inside = (along >= 0) & (along <= length_m) & (np.abs(across) <= width_m / 2)
    rows = np.flatnonzero(inside)
    return Strip(rows, along[rows], length_m)


def running_quartiles(found: Strip, values: Doubles) -> tuple[Doubles, Doubles]:
    """Return places along a line and the quartiles of the values around them.

    Returns
    -------
    Distances, [S] m, and first quartile, median and third quartile, [S, 3]; NaN where fewer than
    five values are.
    """
    centres = np.linspace(0, found.length_m, _STEPS)
    half = found.length_m * _WINDOW_SHARE / 2
    quartiles = np.full((_STEPS, 3), np.nan)
    for i, centre in enumerate(centres):
        near = values[np.abs(found.along_m - centre) <= half]
        near = near[np.isfinite(near)]
        if near.size >= _FEWEST:
            quartiles[i] = np.quantile(near, [0.25, 0.5, 0.75])
    return centres, quartiles


def _draw_velocities(axes: Axes, measurements: Measurements, found: Strip) -> None:
    velocity = measurements.velocity_mm_per_year()[found.rows]
    scale = 1000.0
    axes.axhline(0, color="#999999", lw=0.8, zorder=1)
    axes.plot(
        found.along_m / scale, velocity, "o", ms=3, color="#8a94a3", mec="none", alpha=0.7,
        label="PS", zorder=2, rasterized=True,
    )  # fmt: skip
    centres, quartiles = running_quartiles(found, velocity)
    axes.fill_between(
        centres / scale, quartiles[:, 0], quartiles[:, 2], color=BLUE, alpha=0.25, lw=0,
        label="quartiles", zorder=3,
    )  # fmt: skip
    axes.plot(centres / scale, quartiles[:, 1], color=BLUE, lw=2, label="median", zorder=4)
    label = velocity_label(measurements)
    axes.set_ylabel(label.replace(", ", ",\n"))
    axes.set_xlim(0, found.length_m / scale)
    axes.grid(visible=True, color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    axes.set_title("A", loc="left", fontsize=11, color=INK)
    axes.set_title("B", loc="right", fontsize=11, color=INK)


def _draw_heights(axes: Axes, measurements: Measurements, found: Strip) -> None:
    height_m = measurements.places.height_m[found.rows]
    axes.plot(
        found.along_m / 1000, height_m, "o", ms=2.4, color="#7a6a52", mec="none", alpha=0.7,
        rasterized=True,
    )  # fmt: skip
    if not np.isfinite(height_m).any():
        axes.set_yticks([])
    axes.set(xlabel="distance from A (km)", ylabel="height (m)")
    axes.grid(visible=True, color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)


def _draw_locator(
    place: SubFigure, measurements: Measurements, line: tuple[LonLat, LonLat]
) -> None:
    axes = place.subplots()
    velocity = measurements.velocity_mm_per_year()
    scale = diverging(velocity, velocity_label(measurements))
    dots = draw_points(axes, measurements, velocity, scale, size=0.5)
    ends = np.array(line)
    axes.plot(ends[:, 0], ends[:, 1], color="white", lw=4, zorder=8)
    axes.plot(ends[:, 0], ends[:, 1], color=INK, lw=1.8, zorder=8)
    for name, end in zip("AB", line, strict=True):
        axes.annotate(
            name, end, ha="center", va="center", fontsize=10, fontweight="bold", color=INK,
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": INK},
            zorder=9, annotation_clip=True,
        )  # fmt: skip
    axes.locator_params(axis="x", nbins=3)
    bar = place.colorbar(dots, ax=axes, location="bottom", aspect=35)
    bar.set_label(scale.label, fontsize=9)
    bar.locator = few_ticks()
    bar.update_ticks()
