"""The map of mean velocities."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pystamps_shim.products.drawing import (
    clipped_ends,
    figure,
    map_axes,
    mark_zero,
    scale_bar,
    scatter_points,
    symmetric_limit,
    velocity_colours,
)
from pystamps_shim.products.tables import VelocityTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

LABEL = "LOS velocity (mm/yr), positive towards the satellite"

_HEIGHT_INCHES = 7.0
_COLOUR_BAR_INCHES, _FRAME_INCHES = 1.5, 1.0
_WIDTH_INCHES = (5.6, 11.0)
_SMALL_FONT = 8.5


def draw_velocity_map(
    table: VelocityTable, dates: Sequence[datetime.date], path: Path, title: str
) -> None:
    """Draw the velocities of a dataset.

    Parameters
    ----------
    table
        The velocities.
    dates
        Dates of all images, master included.
    path
        PNG file to write.
    title
        First line of the title.
    """
    described = table.description.as_text
    with figure(path, _width_inches(table), _HEIGHT_INCHES, described=described) as drawn:
        axes = drawn.subplots()
        bar = drawn.colorbar(scatter_velocities(axes, table), ax=axes, shrink=0.9)
        bar.set_label(LABEL)
        axes.set_title(title, pad=26)
        axes.annotate(
            _subtitle(table, dates),
            (0, 1),
            xytext=(0, 6),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color="#444444",
            linespacing=1.3,
        )


def scatter_velocities(axes: Axes, table: VelocityTable, size: float = 1.0) -> PathCollection:
    """Draw a dot a PS, coloured by its velocity on a scale around zero.

    Parameters
    ----------
    axes
        Where to draw; they become a map.
    table
        The velocities.
    size
        Factor on the area of the dots.
    """
    lonlat_deg, velocity = table.places.lonlat_deg, table.velocity_mm_per_year
    limit = symmetric_limit(velocity)
    map_axes(axes, lonlat_deg)
    # Fast movers last, so that slow neighbours do not hide them.
    order = np.argsort(np.abs(velocity), kind="stable")
    colours = velocity_colours(clipped_ends(velocity, limit))
    points = scatter_points(
        axes, lonlat_deg[order], velocity[order], colours, (-limit, limit), size=size
    )
    about = table.description
    mark_zero(axes, about.reference_ps_count, about.reference_centre_lonlat_deg, _SMALL_FONT)
    scale_bar(axes)
    axes.set(xlabel="Longitude (°E)", ylabel="Latitude (°N)")
    return points


def _subtitle(table: VelocityTable, dates: Sequence[datetime.date]) -> str:
    product = table.description.text("value_type")
    return (
        f"{len(table.places):,} PS, {len(dates)} images, {dates[0]:%Y-%m-%d} to "
        f"{dates[-1]:%Y-%m-%d}, product {product}"
    )


def _width_inches(table: VelocityTable) -> float:
    """Return a width that leaves little white beside a map of this shape."""
    size = np.ptp(table.places.lonlat_deg, axis=0)
    latitude_rad = np.deg2rad(table.places.lonlat_deg[:, 1].mean())
    shape = size[0] * np.cos(latitude_rad) / max(size[1], 1e-9)
    width = shape * (_HEIGHT_INCHES - _FRAME_INCHES) + _COLOUR_BAR_INCHES + _FRAME_INCHES
    return float(np.clip(width, *_WIDTH_INCHES))
