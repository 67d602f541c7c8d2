"""A dataset in a few sentences: what the map shows, for whoever does not see it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.products.report.charts import pretty_label
from pystamps_shim.products.report.html_parts import number
from pystamps_shim.products.report.quality import Quality

_COHERENCE = 0.7
_FEWEST = 20


@dataclass(frozen=True)
class Extreme:
    """A PS that stands out.

    Attributes
    ----------
    row
        In the order of the page.
    reason
        In a few words.
    """

    row: int
    reason: str


def extremes(measurements: Measurements) -> list[Extreme]:
    """Return the PS that surely move fastest, each way.

    By velocity less one standard deviation, among PS of coherence above 0.7 where 20 or more are.
    """
    velocity = measurements.velocity_mm_per_year()
    usable = _usable(measurements, velocity)
    if not usable.size:
        return []
    std = np.nan_to_num(measurements.velocity_std_mm_per_year())
    low = int(usable[np.argmin(velocity[usable] + std[usable])])
    high = int(usable[np.argmax(velocity[usable] - std[usable])])
    down, up = ways(measurements)
    found = [Extreme(low, f"fastest {down}")]
    return found if low == high else [*found, Extreme(high, f"fastest {up}")]


def ways(measurements: Measurements) -> tuple[str, str]:
    """Return the names of negative and positive motion."""
    return ("down", "up") if measurements.vertical else ("away", "towards the satellite")


def _usable(measurements: Measurements, velocity: Doubles) -> NDArray[np.intp]:
    known = np.isfinite(velocity)
    coherent = np.flatnonzero(known & (measurements.places.coherence > _COHERENCE))
    return coherent if coherent.size >= _FEWEST else np.flatnonzero(known)


def summary_html(measurements: Measurements, metadata: dict[str, Any], quality: Quality) -> str:
    """Return the sentences, with a button for each PS that stands out."""
    velocity = measurements.velocity_mm_per_year()
    known = velocity[np.isfinite(velocity)]
    lines = [_extent(measurements, metadata)]
    if known.size:
        low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
        lines.append(
            f"The median velocity is {number(middle, 1)} mm/yr; nine in ten PS lie between "
            f"{number(low, 1)} and {number(high, 1)} mm/yr "
            f"({metadata['sign_convention']})."
        )
    density = quality.density
    lines.append(f"Everything is relative to the reference: {reference_text(metadata)}.")
    lines.append(
        f"There are {density.median:,.0f} PS/km² (median of the {density.occupied_km2:,} cells of "
        "1 km² that hold any)."
    )
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return (
        f"<ul>{items}{''.join(_item(measurements, each) for each in extremes(measurements))}</ul>"
    )


def reference_text(metadata: dict[str, Any]) -> str:
    """Return the reference in a few words; the parameters that chose it are told elsewhere."""
    reference = metadata["reference"]
    centre = reference.get("centre_lonlat_deg")
    if reference["ps_count"] >= metadata["ps_count_of_dataset"] or not centre:
        return str(reference["description"])
    longitude, latitude = (number(each, 4) for each in centre)
    return f"{reference['ps_count']:,} PS around latitude {latitude}°, longitude {longitude}°"


def _extent(measurements: Measurements, metadata: dict[str, Any]) -> str:
    west, south = measurements.places.lonlat_deg.min(axis=0)
    east, north = measurements.places.lonlat_deg.max(axis=0)
    text = (
        f"{len(measurements):,} PS between longitudes {number(west, 3)}° and {number(east, 3)}°, "
        f"latitudes {number(south, 3)}° and {number(north, 3)}°"
    )
    dates = metadata["dates"]
    if len(dates) > 1:
        ends = f"{pretty_label(dates[0])} to {pretty_label(dates[-1])}"
        text += f"; {len(dates)} dates, {ends}"
    return f"{text}."


def _item(measurements: Measurements, extreme: Extreme) -> str:
    places, row = measurements.places, extreme.row
    longitude, latitude = places.lonlat_deg[row]
    velocity = number(float(measurements.velocity_mm_per_year()[row]), 1)
    text = (
        f"{extreme.reason.capitalize()}: PS {int(places.ps[row])} at longitude "
        f"{number(longitude, 5)}°, latitude {number(latitude, 5)}°, {velocity} mm/yr"
    )
    button = f'<button type="button" class="show" data-row="{row}">Show</button>'
    return f"<li>{escape(text)} {button}</li>"
