"""Maps of the mean velocity and of its standard deviation."""

from __future__ import annotations

import numpy as np

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.figures.point_map import diverging, draw_point_map, sequential
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.velocity_map import LABEL

PRODUCT = "v-do"


def draw_velocity(plot: Plot) -> None:
    """Draw the velocities, on a scale around zero that ends where 99 % of them do."""
    chosen = plot.source.measurements(PRODUCT)
    velocity = chosen[0].velocity_mm_per_year()
    title = f"Mean {direction(chosen[0])} velocity"
    scale = diverging(velocity, velocity_label(chosen[0]))
    draw_point_map(plot, chosen, velocity, scale, title=title, notes=made_by(chosen[0]))


def draw_velocity_std(plot: Plot) -> None:
    """Draw the standard deviations of the velocities, uncertain PS on top."""
    chosen = plot.source.measurements(PRODUCT)
    deviation = chosen[0].velocity_std_mm_per_year()
    if not np.isfinite(deviation).any():
        cause = f"product {chosen[0].value_type} was made without standard deviations"
        raise PystampsError(cause, "leave out --bootstrap 0")
    label = f"standard deviation of the {direction(chosen[0])} velocity (mm/yr)"
    scale = sequential(deviation, label)
    title = f"Standard deviation of the mean {direction(chosen[0])} velocity"
    draw_point_map(plot, chosen, deviation, scale, title=title, notes=made_by(chosen[0]))


def direction(measurements: Measurements) -> str:
    """Return along what velocities and displacements are."""
    return "vertical" if measurements.vertical else "line-of-sight"


def velocity_label(measurements: Measurements) -> str:
    """Return name, unit and sign of the velocities."""
    return "vertical velocity (mm/yr), positive up" if measurements.vertical else LABEL


def made_by(measurements: Measurements) -> list[str]:
    """Return sentences on how velocities come about."""
    about = (measurements.velocity or measurements.layer).description
    notes = [f"Velocity: {about['definition']}."]
    if about.get("bootstrap"):
        draws = about["bootstrap"]["resamples"]
        notes.append(f"Standard deviation: bootstrap of the dates, {draws:,} resamples.")
    return [*notes, *assumed(measurements)]


def assumed(measurements: Measurements) -> list[str]:
    """Return the sentence on what vertical motion assumes; none along the line of sight."""
    if not measurements.vertical:
        return []
    return [
        (
            "Vertical: line of sight divided by the cosine of the incidence angle, "
            "as if nothing moved horizontally."
        )
    ]
