"""The figure of displacement time series at a few PS."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.drawing import INK, figure
from pystamps_shim.products.series_choice import Candidates, Choice, Role, choose
from pystamps_shim.products.tables import SeriesTable, VelocityTable
from pystamps_shim.products.velocity_map import LABEL, scatter_velocities

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

Doubles = NDArray[np.float64]

# Apart for the colour-blind as well, and away from the ends of the velocity colours.
_COLOURS = ("#d55e00", "#0072b2", "#222222")
_MARKS = ("v", "^", "s")
_FAINT = "#555555"
_REASONS: dict[Role, str] = {
    "away": "fastest away from the satellite",
    "towards": "fastest towards the satellite",
    "stable": "stable, near the reference",
}
_SIZE_INCHES = (12.0, 6.6)
_DAYS_PER_YEAR = 365.25


def draw_series(
    velocities: VelocityTable,
    series: SeriesTable,
    path: Path,
    title: str,
    truth_mm: Doubles | None = None,
) -> None:
    """Draw the series of three PS beside a map that shows where they are.

    Parameters
    ----------
    velocities
        Mean velocities: which PS are shown, and the fitted lines.
    series
        Displacements of the same PS.
    path
        PNG file to write.
    title
        First line of the title.
    truth_mm
        True displacements with the reference removed, [N, M + 1] on `SeriesTable.all_dates`,
        NaN where unknown.
    """
    chosen = choose(candidates_of(velocities))
    with figure(path, *_SIZE_INCHES, described=series.description.as_text) as drawn:
        places: NDArray[Any] = drawn.subfigures(1, 2, squeeze=False, width_ratios=(1.0, 1.45))
        left, right = places[0]
        _draw_locator(left, velocities, chosen)
        panels: NDArray[Any] = right.subplots(
            len(chosen), 1, sharex=True, sharey=True, squeeze=False
        )[:, 0]
        for row, choice in enumerate(chosen):
            _draw_panel(
                panels[row], row, choice, velocities=velocities, series=series, truth_mm=truth_mm
            )
        _finish_panels(list(panels), series)
        drawn.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")


def candidates_of(velocities: VelocityTable) -> Candidates:
    """Return the PS of a table to choose from."""
    places = velocities.places
    return Candidates(
        places.lonlat_deg,
        places.coherence,
        velocities.velocity_mm_per_year,
        velocities.std_mm_per_year,
        velocities.description.reference_centre_lonlat_deg,
    )


def _draw_locator(place: SubFigure, velocities: VelocityTable, chosen: list[Choice]) -> None:
    axes = place.subplots()
    points = scatter_velocities(axes, velocities, size=0.5)
    lonlat_deg = velocities.places.lonlat_deg
    for row, choice in enumerate(chosen):
        axes.plot(
            *lonlat_deg[choice.ps],
            _MARKS[row],
            ms=11,
            mfc=_COLOURS[row],
            mec="white",
            mew=1.4,
            zorder=8,
        )
    axes.set_anchor("N")
    axes.locator_params(nbins=5)
    bar = place.colorbar(points, ax=axes, location="bottom", aspect=35)
    bar.set_label(LABEL, fontsize=9)


def _draw_panel(
    axes: Axes,
    row: int,
    choice: Choice,
    *,
    velocities: VelocityTable,
    series: SeriesTable,
    truth_mm: Doubles | None,
) -> None:
    """Draw one PS: its displacements, the fitted line, and the truth where it is known."""
    dates, _ = series.all_dates()
    displacement = series.with_master()[choice.ps]
    velocity = float(velocities.velocity_mm_per_year[choice.ps])
    std = float(velocities.std_mm_per_year[choice.ps])
    days = _days(dates)
    line = velocity * (days - days.mean()) / _DAYS_PER_YEAR + np.nanmean(displacement)
    colour = _COLOURS[row]
    spread = f" ± {std:.1f}" if np.isfinite(std) else ""
    axes.axhline(0, color="#999999", lw=0.7, zorder=1)
    text = f"{_signed(velocity)}{spread} mm/yr"
    axes.plot(days, line, color=colour, lw=1.6, label=text, zorder=3)
    if truth_mm is not None and np.isfinite(truth_mm[choice.ps]).any():
        truth = truth_mm[choice.ps]
        axes.plot(days, truth, color="#009e73", lw=1.4, ls=(0, (4, 2)), label="truth", zorder=2)
    axes.plot(days, displacement, _MARKS[row], color=colour, ms=5.5, mec="white", mew=0.5, zorder=4)
    coherence = velocities.places.coherence[choice.ps]
    lon, lat = velocities.places.lonlat_deg[choice.ps]
    reason = _REASONS[choice.role]
    if velocities.description.reference_centre_lonlat_deg is None:
        reason = reason.removesuffix(", near the reference")
    axes.set_title(
        f"{reason}:  {lon:.4f}°E {lat:.4f}°N, coherence {coherence:.2f}",
        fontsize=9.5,
        fontweight="normal",
        color=INK,
    )
    axes.legend(loc="best", fontsize=9, frameon=False, ncols=2)
    axes.grid(visible=True, color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _finish_panels(panels: list[Axes], series: SeriesTable) -> None:
    """Label the shared axes, and show how much half a wavelength is."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    cycle_mm = float(series.description.text("wavelength_m")) * 500
    low, high = panels[0].get_ylim()
    middle = (low + high) / 2
    # Room for one cycle even where nothing moves.
    half = max((high - low) * 0.56, cycle_mm * 0.6)
    panels[0].set_ylim(middle - half, middle + half)
    locator = AutoDateLocator(minticks=4, maxticks=9)
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))
    panels[len(panels) // 2].set_ylabel("LOS displacement (mm), positive towards the satellite")
    for panel in panels:
        panel.annotate(
            "",
            (1.012, middle - cycle_mm / 2),
            xytext=(1.012, middle + cycle_mm / 2),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            arrowprops={"arrowstyle": "|-|,widthA=0.25,widthB=0.25", "lw": 1.0, "color": _FAINT},
            annotation_clip=False,
        )
        panel.annotate(
            f"one cycle: λ/2\n= {cycle_mm:.1f} mm",
            (1.022, middle),
            xycoords=("axes fraction", "data"),
            rotation=90,
            va="center",
            ha="left",
            fontsize=7.5,
            color=_FAINT,
            linespacing=1.1,
            annotation_clip=False,
        )


def _days(dates: list[datetime.date]) -> Doubles:
    """Return the dates as days, as matplotlib counts them."""
    first = datetime.date(1970, 1, 1)
    return np.array([(date - first).days for date in dates], dtype=np.float64)


def _signed(value: float) -> str:
    # A minus sign as wide as the plus sign, as in the labels of the axes.
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
