"""Displacement time series at a few places, with what an unwrapping error would do to them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import wrong_usage
from pystamps_shim.products.drawing import INK
from pystamps_shim.products.figures.page import FAINT, page
from pystamps_shim.products.figures.plot import Plot
from pystamps_shim.products.figures.point_map import diverging, draw_points, map_size_inches
from pystamps_shim.products.figures.series_points import Shown, shown_points
from pystamps_shim.products.figures.velocity import assumed, direction, velocity_label
from pystamps_shim.products.figures.words import number, place_text, signed, subtitle_of
from pystamps_shim.products.measurements import Doubles, Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

PRODUCT = "ts-do"

# Apart for the colour-blind as well (Okabe and Ito).
_COLOURS = ("#d55e00", "#0072b2", "#222222", "#009e73", "#cc79a7", "#a66f00")
_MARKS = ("v", "^", "s", "o", "D", "P")
_LETTERS = "ABCDEF"
_REPLICA = "#8c8c8c"
_PANELS_INCHES = 7.4
_MAP_INCHES = (3.2, 5.2)
_BAR_INCHES = 1.5
_PANEL_INCHES, _LEAST_INCHES = 1.75, 5.6
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Series:
    """One series as it is drawn.

    Attributes
    ----------
    displacement_mm
        On the dates of the measurements, [D]: of a PS, or the mean of several.
    velocity_mm_per_year
        Likewise.
    std_mm_per_year
        Standard deviation of the velocity; of several PS the root of their mean square, as their
        errors are alike. NaN where unknown.
    replica_mm
        What half a wavelength of displacement is.
    coherence
        Mean of the PS.
    """

    displacement_mm: Doubles
    velocity_mm_per_year: float
    std_mm_per_year: float
    replica_mm: float
    coherence: float


def draw_series_page(plot: Plot) -> None:
    """Draw the series at the places asked for, or at three PS, beside a map."""
    measurements, steps = plot.source.measurements(PRODUCT)
    if not measurements.is_series:
        cause = f"product {measurements.value_type} has no displacements of dates"
        raise wrong_usage(cause, "choose --product ts-do, or leave it out")
    shown = shown_points(measurements, plot.options)
    series = [series_of(measurements, each) for each in shown]
    map_width, map_height = map_size_inches(measurements.places.lonlat_deg)
    left = float(np.clip(5.2 * map_width / map_height, *_MAP_INCHES)) + 1.0
    height = max(_PANEL_INCHES * len(shown) + 0.8, _LEAST_INCHES)
    title = f"{direction(measurements).capitalize()} displacement"
    with page(
        plot,
        (left + _PANELS_INCHES, height),
        title,
        subtitle_of(measurements, steps),
        _notes(measurements, plot),
    ) as drawn:
        places: NDArray[Any] = drawn.subfigures(
            1, 2, squeeze=False, width_ratios=(left, _PANELS_INCHES)
        )
        map_place = part_for_map(places[0, 0], left - 1.0, height, measurements)
        _draw_locator(map_place, measurements, shown)
        _draw_panels(places[0, 1], measurements, shown, series)


def series_of(measurements: Measurements, shown: Shown) -> Series:
    """Return the series of some PS, or their mean."""
    rows = shown.rows
    blocks = [measurements.displacement_mm(int(row), int(row) + 1)[0] for row in rows]
    stacked = np.array(blocks, dtype=np.float64)
    known = np.isfinite(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    velocity = measurements.velocity_mm_per_year()[rows]
    std = measurements.velocity_std_mm_per_year()[rows]
    wavelength_mm = float(measurements.layer.description["wavelength_m"]) * 1000
    return Series(
        displacement_mm=mean,
        velocity_mm_per_year=float(velocity.mean()),
        std_mm_per_year=float(np.sqrt(np.mean(std**2))),
        replica_mm=wavelength_mm / 2 * float(measurements.scale[rows].mean()),
        coherence=float(measurements.places.coherence[rows].mean()),
    )


def part_for_map(
    place: SubFigure, map_width_inches: float, height_inches: float, measurements: Measurements
) -> SubFigure:
    """Return the upper part of a column that a map and its colour bar need."""
    width, height = map_size_inches(measurements.places.lonlat_deg)
    needed = map_width_inches * height / width + _BAR_INCHES
    if needed >= height_inches:
        return place
    ratios = (needed, height_inches - needed)
    parts: NDArray[Any] = place.subfigures(2, 1, squeeze=False, height_ratios=ratios)
    upper: SubFigure = parts[0, 0]
    return upper


def _draw_locator(place: SubFigure, measurements: Measurements, shown: list[Shown]) -> None:
    axes = place.subplots()
    velocity = measurements.velocity_mm_per_year()
    scale = diverging(velocity, velocity_label(measurements))
    dots = draw_points(axes, measurements, velocity, scale, size=0.5)
    for row, each in enumerate(shown):
        axes.plot(
            *each.lonlat_deg,
            _MARKS[row],
            ms=11,
            mfc=_COLOURS[row],
            mec="white",
            mew=1.4,
            zorder=8,
            label=_LETTERS[row],
        )
        axes.annotate(
            _LETTERS[row],
            each.lonlat_deg,
            xytext=(9, 5),
            textcoords="offset points",
            fontsize=10,
            fontweight="bold",
            color=INK,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.2},
            zorder=9,
        )
    axes.locator_params(axis="x", nbins=3)
    bar = place.colorbar(dots, ax=axes, location="bottom", aspect=35)
    bar.set_label(scale.label, fontsize=9)
    bar.locator = few_ticks()
    bar.update_ticks()


def _draw_panels(
    place: SubFigure, measurements: Measurements, shown: list[Shown], series: list[Series]
) -> None:
    panels: NDArray[Any] = place.subplots(len(shown), 1, sharex=True, sharey=True, squeeze=False)
    days = _days(measurements.dates)
    for row, (each, values) in enumerate(zip(shown, series, strict=True)):
        axes: Axes = panels[row, 0]
        _draw_panel(axes, row, days, values)
        if measurements.master_date in measurements.dates:
            _mark_master(axes, measurements.master_date)
        _label_panel(axes, row, each, values)
    axes = panels[0, 0]
    _limit(axes, series)
    _date_axis(panels[-1, 0])
    unit = "mm, positive up" if measurements.vertical else "mm, positive towards the satellite"
    place.supylabel(f"displacement ({unit})", fontsize=10)
    words = {
        "_replica": f"± {series[0].replica_mm:.1f} mm: half a wavelength (one cycle of phase)",
        "_master": f"master {measurements.master_date:%Y-%m-%d}: zero",
    }
    lines = {str(line.get_label()): line for line in axes.lines}
    named = [name for name in words if name in lines]
    place.legend(
        [lines[name] for name in named],
        [words[name] for name in named],
        loc="outside lower center",
        ncols=2,
        fontsize=9,
        frameon=False,
    )


def _mark_master(axes: Axes, master: datetime.date) -> None:
    place = _days([master])[0]
    axes.axvline(place, color="#666666", lw=1.0, ls=":", zorder=1, label="_master")


def _draw_panel(axes: Axes, row: int, days: Doubles, series: Series) -> None:
    """Draw displacements, the fitted line, and the displacements one cycle off."""
    colour = _COLOURS[row]
    line = fitted_line(series, days)
    axes.axhline(0, color="#bbbbbb", lw=0.7, zorder=1)
    for sign in (-1, 1):
        axes.plot(
            days,
            series.displacement_mm + sign * series.replica_mm,
            _MARKS[row],
            ms=4,
            mfc="none",
            mec=_REPLICA,
            mew=0.6,
            alpha=0.7,
            zorder=2,
            label="_replica",
        )
    axes.plot(days, line, color=colour, lw=1.6, zorder=3, label=_velocity_text(series))
    axes.plot(
        days,
        series.displacement_mm,
        _MARKS[row],
        color=colour,
        ms=5.5,
        mec="white",
        mew=0.5,
        zorder=4,
        label="_displacement",
    )
    axes.grid(visible=True, color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def fitted_line(series: Series, days: Doubles) -> Doubles:
    """Return the line of the velocity through the middle of what is known, [D] mm."""
    known = np.isfinite(series.displacement_mm)
    if not known.any():
        return np.full(len(days), np.nan)
    years = (days - days[known].mean()) / _DAYS_PER_YEAR
    middle = series.displacement_mm[known].mean()
    return np.asarray(series.velocity_mm_per_year * years + middle)


def _label_panel(axes: Axes, row: int, shown: Shown, series: Series) -> None:
    """Name a panel above its left end, and its velocity above the right one."""
    where = (
        "" if "m of " in shown.reason or "m from " in shown.reason else place_text(shown.lonlat_deg)
    )
    known = f"coherence {number(series.coherence, 2)}" if np.isfinite(series.coherence) else ""
    text = " · ".join(part for part in (shown.reason, where, known) if part)
    axes.set_title(f"{_LETTERS[row]}  {text}", fontsize=9.5, fontweight="normal", color=INK)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.0,
        borderpad=0.2,
        fontsize=9.5,
        frameon=False,
        handlelength=1.4,
    )


def _velocity_text(series: Series) -> str:
    std = series.std_mm_per_year
    spread = f" ± {std:.1f}" if np.isfinite(std) else ""
    return f"{signed(series.velocity_mm_per_year)}{spread} mm/yr"


def _limit(axes: Axes, series: list[Series]) -> None:
    """Leave room for the replicas of what is shown, without those of outliers far off."""
    values = np.concatenate([each.displacement_mm for each in series])
    values = values[np.isfinite(values)]
    if not values.size:
        return
    replica = max(each.replica_mm for each in series)
    axes.set_ylim(values.min() - 1.15 * replica, values.max() + 1.15 * replica)


def _date_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlabel("date", color=FAINT)


def few_ticks() -> Any:
    """Return a locator of some five ticks."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(5, steps=[1, 2, 5, 10])


def _notes(measurements: Measurements, plot: Plot) -> list[str]:
    definition = str(measurements.layer.description["definition"])
    notes = [
        f"{definition[:1].upper()}{definition[1:]}.",
        "Line: mean velocity through the mean of the displacements; ± one standard deviation.",
        (
            "Pale marks: the same displacements one cycle off, where an unwrapping error would put "
            "them."
        ),
    ]
    if measurements.master_date not in measurements.dates:
        notes.append(
            f"Displacements are since the master {measurements.master_date:%Y-%m-%d}, which is not "
            "among these dates."
        )
    if plot.options.places_lonlat_deg and plot.options.radius_m > 0:
        notes.append("Of several PS the mean is shown, ± the root mean square of theirs.")
    return [*notes, *assumed(measurements)]


def _days(dates: list[datetime.date]) -> Doubles:
    """Return the dates as days, as matplotlib counts them."""
    first = datetime.date(1970, 1, 1)
    return np.array([(date - first).days for date in dates], dtype=np.float64)
