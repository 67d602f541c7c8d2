"""A dataset in a few sentences: what the map shows, for whoever does not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.report.charts import pretty_label
from pystamps_shim.products.report.html_parts import number
from pystamps_shim.products.report.quality import Quality
from pystamps_shim.products.series_choice import Candidates, choose


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

    The same as figures of series show (`pystamps_shim.products.series_choice.choose`).
    """
    places = measurements.places
    velocity = measurements.velocity_mm_per_year()
    std = measurements.velocity_std_mm_per_year()
    down, up = ways(measurements)
    reasons = {"away": f"fastest {down}", "towards": f"fastest {up}"}
    chosen = choose(Candidates(places.lonlat_deg, places.coherence, velocity, std, None))
    return [Extreme(each.ps, reasons[each.role]) for each in chosen if each.role in reasons]


def ways(measurements: Measurements) -> tuple[str, str]:
    """Return the names of negative and positive motion."""
    return ("down", "up") if measurements.vertical else ("away", "towards the satellite")


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


def period_text(metadata: dict[str, Any]) -> str:
    """Return the dates of the series or, without series, those that velocities are fitted to.

    Empty where neither is known.
    """
    dates = metadata["dates"]
    if len(dates) > 1:
        return f"{len(dates)} dates from {_ends(dates)}"
    fitted = (metadata["velocity"] or {}).get("fitted_to") or []
    return fitted_text(fitted) if fitted else ""


def fitted_text(fitted_to: Sequence[str]) -> str:
    """Return what velocities are fitted to: dates, or pairs of dates."""
    pairs = any("_" in label for label in fitted_to)
    dates = sorted({date for label in fitted_to for date in label.split("_")})
    what = "interferograms" if pairs else "dates besides the master"
    return f"fitted to {len(fitted_to)} {what} from {_ends(dates)}"


def _ends(dates: Sequence[str]) -> str:
    return f"{pretty_label(dates[0])} to {pretty_label(dates[-1])}"


def _extent(measurements: Measurements, metadata: dict[str, Any]) -> str:
    west, south = measurements.places.lonlat_deg.min(axis=0)
    east, north = measurements.places.lonlat_deg.max(axis=0)
    text = (
        f"{len(measurements):,} PS between longitudes {number(west, 3)}° and {number(east, 3)}°, "
        f"latitudes {number(south, 3)}° and {number(north, 3)}°"
    )
    period = period_text(metadata)
    return f"{text}; {period}." if period else f"{text}."


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
