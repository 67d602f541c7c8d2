"""A map of one value a PS: hill shade, dots, reference, scale bar, colour bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import (
    ClippedEnds,
    clipped_ends,
    map_axes,
    mark_zero,
    scale_bar,
    scatter_points,
    symmetric_limit,
    velocity_colours,
)
from pystamps_shim.products.figures.hill_shade import draw_hill_shade, hill_shade
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.figures.words import reference_centre, reference_text, subtitle_of
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.selection import Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap

SHADE_NOTE = "Grey relief: heights of the PS, where they are dense enough."

_METRES_PER_DEGREE = 111_195.0
# A single PS still lies on a map of some size.
_LEAST_SIDE_M = 600.0
_MAP_INCHES = (9.0, 6.2)
_LEAST_MAP_INCHES = (3.6, 2.4)
_BESIDE_INCHES, _BELOW_INCHES = 2.1, 0.6
_SECOND_SCALE_INCHES = 0.6
_TICK_INCHES = 1.0
# Dots leave some of the relief to be seen.
_SIZE_ON_SHADE = 0.6
# Up to so many PS, dots are at least so large.
_FEW_PS, _FEW_AREA = 60, 45.0


@dataclass(frozen=True)
class Scale:
    """Colours of the values of a map.

    Attributes
    ----------
    colours
        The colour map, its clipped ends declared.
    low, high
        Values at its ends.
    label
        Name and unit.
    order
        What puts a dot on top of others, [N]: the greater the later.
    """

    colours: Colormap
    low: float
    high: float
    label: str
    order: Doubles


def diverging(values: Doubles, label: str) -> Scale:
    """Return a scale around zero, large magnitudes on top."""
    limit = symmetric_limit(values)
    colours = velocity_colours(clipped_ends(values, limit))
    return Scale(colours, -limit, limit, label, np.abs(values))


def sequential(values: Doubles, label: str, *, small_on_top: bool = False) -> Scale:
    """Return a scale from dark to light over 99 % of the values.

    Parameters
    ----------
    values
        The values, [N].
    label
        Name and unit.
    small_on_top
        Draw small values over large ones.
    """
    from cmcrameri import cm  # noqa: PLC0415

    known = values[np.isfinite(values)]
    if not known.size:
        cause = f"no PS has a value of: {label}"
        raise PystampsError(cause, "choose other PS, or another figure")
    least = float(np.quantile(known, 0.005))
    most = max(float(np.quantile(known, 0.995)), least + 1e-6 * max(abs(least), 1.0))
    ends: ClippedEnds = "neither"
    below, above = bool(np.any(known < least)), bool(np.any(known > most))
    if below or above:
        ends = "both" if below and above else "min" if below else "max"
    colours: Colormap = cm.batlow.copy()
    # Declared as a flag; colour bars take the name of the ends.
    setattr(colours, "colorbar_extend", ends)  # noqa: B010
    return Scale(colours, least, most, label, -values if small_on_top else values)


def draw_point_map(
    plot: Plot,
    chosen: tuple[Measurements, tuple[Step, ...]],
    values: Doubles,
    scale: Scale,
    *,
    title: str,
    notes: Sequence[str] = (),
    finish: Callable[[Colorbar], None] | None = None,
) -> None:
    """Draw a map that fills a page.

    Parameters
    ----------
    plot
        Where to.
    chosen
        The PS, and what selected them.
    values
        One a PS, [N]; PS without one are left out.
    scale
        Colours.
    title
        What the values are.
    notes
        Sentences below the map.
    finish
        Adds to the colour bar, for which there is more room then.
    """
    measurements, steps = chosen
    size = map_size_inches(measurements.places.lonlat_deg)
    shade = hill_shade(measurements.places.lonlat_deg, measurements.places.height_m)
    unknown = int(np.sum(~np.isfinite(values)))
    said = [
        *notes,
        *([SHADE_NOTE] if shade else []),
        *([f"{unknown:,} PS have no value."] if unknown else []),
    ]
    beside = _BESIDE_INCHES + (_SECOND_SCALE_INCHES if finish else 0.0)
    whole = (size[0] + beside, size[1] + _BELOW_INCHES)
    with page(plot, whole, title, subtitle_of(measurements, steps), said) as drawn:
        axes = drawn.subplots()
        size_of_dots = _SIZE_ON_SHADE if shade else 1.0
        dots = draw_points(axes, measurements, values, scale, size=size_of_dots)
        if shade is not None:
            draw_hill_shade(axes, shade)
        bar = drawn.colorbar(dots, ax=axes, shrink=0.9, aspect=28, pad=0.02)
        bar.set_label(scale.label)
        if finish is not None:
            finish(bar)


def draw_points(
    axes: Axes, measurements: Measurements, values: Doubles, scale: Scale, *, size: float = 1.0
) -> PathCollection:
    """Draw the dots, reference and scale bar of a map; return the dots.

    Parameters
    ----------
    axes
        Where to draw; they become a map.
    measurements
        The PS.
    values
        One a PS, [N].
    scale
        Colours.
    size
        Factor on the area of the dots.
    """
    lonlat_deg = measurements.places.lonlat_deg
    map_axes(axes, extent_lonlat_deg(lonlat_deg))
    order = np.argsort(scale.order, kind="stable")
    order = order[np.isfinite(values[order])]
    dots = scatter_points(
        axes,
        lonlat_deg[order],
        values[order],
        scale.colours,
        (scale.low, scale.high),
        size=size,
        least_area=least_area(len(order), _FEW_AREA),
    )
    if reference_text(measurements):
        count = int(measurements.layer.description["reference"]["ps_count"])
        mark_zero(axes, count, reference_centre(measurements), 9)
    scale_bar(axes)
    axes.set(xlabel="Longitude (°E)", ylabel="Latitude (°N)")
    width, height = map_size_inches(lonlat_deg)
    axes.locator_params(axis="x", nbins=int(np.clip(width / _TICK_INCHES, 2, 7)))
    axes.locator_params(axis="y", nbins=int(np.clip(height / 0.5, 3, 8)))
    return dots


def least_area(count: int, most: float) -> float:
    """Return what a dot covers at least, square points: a few PS alone still have to be seen."""
    return float(np.clip(_FEW_PS / max(count, 1), 0.0, 1.0)) * most


def map_size_inches(lonlat_deg: Doubles) -> tuple[float, float]:
    """Return a width and height that fit the shape of a map."""
    low, high = extent_lonlat_deg(lonlat_deg)
    east, north = (high - low) * (np.cos(np.deg2rad((low[1] + high[1]) / 2)), 1)
    scale = min(_MAP_INCHES[0] / east, _MAP_INCHES[1] / north)
    return (
        max(float(east * scale), _LEAST_MAP_INCHES[0]),
        max(float(north * scale), _LEAST_MAP_INCHES[1]),
    )


def extent_lonlat_deg(lonlat_deg: Doubles) -> Doubles:
    """Return the south-western and north-eastern corner of a map of PS, [2, 2]."""
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    middle = (low + high) / 2
    metres = np.array([_METRES_PER_DEGREE * np.cos(np.deg2rad(middle[1])), _METRES_PER_DEGREE])
    half = np.maximum((high - low) / 2, _LEAST_SIDE_M / 2 / metres)
    return np.array([middle - half, middle + half])
