"""Small maps of wrapped or unwrapped phase, one an interferogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.drawing import (
    clipped_ends,
    map_axes,
    scatter_points,
    symmetric_limit,
    velocity_colours,
)
from pystamps_shim.products.figures.distances import distance_text, local_metres
from pystamps_shim.products.figures.network import Network
from pystamps_shim.products.figures.page import page
from pystamps_shim.products.figures.plot import Plot, refuse_other_products
from pystamps_shim.products.figures.point_map import extent_lonlat_deg, least_area, map_size_inches
from pystamps_shim.products.figures.words import (
    MINUS,
    reference_centre,
    reference_text,
    subtitle_of,
)
from pystamps_shim.products.measurements import Doubles, Measurements, parsed_date

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import SubFigure

#: Panels on a page; of more interferograms a part is shown.
MOST_PANELS = 42

_PANEL_INCHES = 1.62
_PANEL_HEIGHT_INCHES = (0.8, 2.6)
_TITLE_INCHES = 0.42
_BESIDE_INCHES = 1.1
_COLUMNS = 7
_FEW_AREA = 18.0
# Dots of a small map that could be told apart at the usual resolution.
_MANY_PS, _PIXELS = 20_000, 240


@dataclass(frozen=True)
class Colours:
    """What the panels of a page have in common.

    Attributes
    ----------
    map
        Colour map.
    limit
        Magnitude at its ends.
    label
        Name and unit.
    """

    map: Colormap
    limit: float
    label: str


def draw_wrapped(plot: Plot) -> None:
    """Draw the wrapped phase of the interferograms in cyclic colours."""
    from cmcrameri import cm  # noqa: PLC0415

    measurements, steps = plot.source.measurements("w")
    refuse_other_products(measurements.value_type, ("w", "p"), "choose w, w-dm or p")
    colours = Colours(cm.romaO, float(np.pi), "wrapped phase (rad)")
    shown = shown_columns(plot, measurements)

    def phase(column: int) -> Doubles:
        values = np.angle(measurements.layer.values[measurements.rows, column])
        return np.asarray(values, dtype=np.float64)

    said = measurements, subtitle_of(measurements, steps)
    _draw(plot, said, "Wrapped phase of the interferograms", shown, (colours, phase))


def draw_unwrapped(plot: Plot) -> None:
    """Draw the unwrapped phase of the interferograms on one scale around zero."""
    measurements, steps = plot.source.measurements(unwrapped_product(plot))
    bases = ("u", "usb", "rsb", "a", "asb", "s", "m", "o")
    refuse_other_products(measurements.value_type, bases, "choose u, u-dm or usb")
    shown = shown_columns(plot, measurements)
    rows = measurements.rows
    known = np.asarray(measurements.layer.values[:, shown.columns][rows], dtype=np.float64)
    limit = symmetric_limit(known)
    colour_map = velocity_colours(clipped_ends(known, limit)).reversed()
    # A reversed copy does not take the clipped ends along.
    setattr(colour_map, "colorbar_extend", clipped_ends(known, limit))  # noqa: B010
    unit = measurements.layer.unit
    colours = Colours(colour_map, limit, f"unwrapped phase ({unit})")

    def phase(column: int) -> Doubles:
        return np.asarray(measurements.layer.values[rows, column], dtype=np.float64)

    said = measurements, subtitle_of(measurements, steps)
    _draw(plot, said, "Unwrapped phase of the interferograms", shown, (colours, phase))


def unwrapped_product(plot: Plot) -> str:
    """Return the unwrapped phase of the interferograms by its name as a product."""
    return "usb" if plot.source.patch.small_baseline else "u"


@dataclass(frozen=True)
class Shown:
    """The panels of a page.

    Attributes
    ----------
    columns
        Columns of the product, [K].
    titles
        Title of each, [K].
    whole
        How many interferograms there are.
    """

    columns: NDArray[np.intp]
    titles: list[str]
    whole: int


def shown_columns(plot: Plot, measurements: Measurements) -> Shown:
    """Return which columns of a product are shown, without the master, evenly spread if many."""
    labels = measurements.layer.labels
    if labels in {(), ("",)}:
        cause = f"product {measurements.value_type} is not of interferograms"
        raise PystampsError(cause, "choose w or u, or leave out --product")
    network = Network.of(plot.source.patch)
    master = f"{network.dates[network.master]:%Y%m%d}"
    own = np.array([i for i, label in enumerate(labels) if label != master], dtype=np.intp)
    if own.size > MOST_PANELS:
        own = own[np.round(np.linspace(0, own.size - 1, MOST_PANELS)).astype(np.intp)]
    baselines = _baselines(network)
    titles = [_panel_title(labels[i], baselines.get(labels[i])) for i in own]
    return Shown(own, titles, sum(label != master for label in labels))


def _draw(
    plot: Plot,
    said: tuple[Measurements, str],
    title: str,
    shown: Shown,
    drawing: tuple[Colours, Any],
) -> None:
    measurements, subtitle = said
    colours, phase = drawing
    count = len(shown.columns)
    columns = min(plot.options.columns or _COLUMNS, count)
    lines = -(-count // columns)
    width, height = map_size_inches(measurements.places.lonlat_deg)
    panel = float(np.clip(_PANEL_INCHES * height / width, *_PANEL_HEIGHT_INCHES)) + _TITLE_INCHES
    size = (max(columns * _PANEL_INCHES, 4.4) + _BESIDE_INCHES, max(lines * panel, 2.2) + 0.1)
    about = measurements.layer.description
    notes = [f"Phase: {about['definition']}; {about['sign_convention']}."]
    notes.append(f"Each map is {map_width_text(measurements.places.lonlat_deg)} wide.")
    visible = one_a_pixel(measurements.places.lonlat_deg)
    if visible.size < len(measurements):
        notes.append("Of PS that would cover each other one is drawn.")
    if shown.whole > count:
        notes.append(f"{count} of {shown.whole} interferograms are shown, evenly spread.")
    with page(plot, size, title, subtitle, notes) as drawn:
        panels: NDArray[Any] = drawn.subplots(lines, columns, squeeze=False)
        for i, axes in enumerate(panels.ravel()):
            if i >= count:
                axes.set_visible(False)
                continue
            values = phase(int(shown.columns[i]))[visible]
            _draw_panel(axes, measurements.places.lonlat_deg[visible], values, colours)
            axes.set_title(
                shown.titles[i], fontsize=9, fontweight="normal", loc="center", linespacing=1.1
            )
        if reference_text(measurements) and (centre := reference_centre(measurements)):
            panels[0, 0].plot(*centre, "*", ms=9, mfc="white", mec="#222222", mew=0.8, zorder=6)
        _colour_bar(drawn, panels, colours)


def one_a_pixel(lonlat_deg: Doubles) -> NDArray[np.intp]:
    """Return the PS that a small map needs: all of few, of many one in each of its pixels."""
    if len(lonlat_deg) <= _MANY_PS:
        return np.arange(len(lonlat_deg))
    low, high = extent_lonlat_deg(lonlat_deg)
    cells = np.minimum((lonlat_deg - low) / (high - low) * _PIXELS, _PIXELS - 1).astype(np.intp)
    _, first = np.unique(cells[:, 0] * _PIXELS + cells[:, 1], return_index=True)
    return np.sort(first)


def _draw_panel(axes: Axes, lonlat_deg: Doubles, values: Doubles, colours: Colours) -> None:
    known = np.isfinite(values)
    map_axes(axes, extent_lonlat_deg(lonlat_deg))
    limits = (-colours.limit, colours.limit)
    if known.any():
        least = least_area(int(known.sum()), _FEW_AREA)
        scatter_points(
            axes, lonlat_deg[known], values[known], colours.map, limits, size=0.8, least_area=least
        )
    axes.set(xticks=[], yticks=[])


def map_width_text(lonlat_deg: Doubles) -> str:
    """Return how wide the ground is that a map of PS shows."""
    (west, _), (east, _) = extent_lonlat_deg(lonlat_deg)
    middle = float(lonlat_deg[:, 1].mean())
    width_m = local_metres(np.array([[east, middle]]), (float(west), middle))[0, 0]
    return distance_text(float(width_m))


def _colour_bar(drawn: SubFigure, panels: NDArray[Any], colours: Colours) -> None:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415
    from matplotlib.colors import Normalize  # noqa: PLC0415

    scale = ScalarMappable(Normalize(-colours.limit, colours.limit), colours.map)
    bar = drawn.colorbar(scale, ax=panels, shrink=0.9, aspect=32, pad=0.015)
    bar.set_label(colours.label)
    if colours.limit == float(np.pi):
        ticks = [-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi]
        bar.set_ticks(ticks, labels=[f"{MINUS}π", f"{MINUS}π/2", "0", "π/2", "π"])


def _baselines(network: Network) -> dict[str, tuple[float, bool]]:
    """Return baseline and whether it is dropped of each interferogram, by its label."""
    found: dict[str, tuple[float, bool]] = {}
    for (first, second), dropped in zip(network.pairs, network.dropped, strict=True):
        one, other = (f"{network.dates[image]:%Y%m%d}" for image in (first, second))
        label = f"{one}_{other}" if network.small_baseline else other
        baseline = network.baseline_m[second] - network.baseline_m[first]
        found[label] = float(baseline), bool(dropped)
    return found


def _panel_title(label: str, known: tuple[float, bool] | None) -> str:
    dates = [parsed_date(date) for date in label.split("_")]
    text = "\n".join(f"{date:%Y-%m-%d}" for date in dates)
    if known is None:
        return text
    baseline, dropped = known
    metres = f"{baseline:.0f} m".replace("-", MINUS)
    if len(dates) > 1:
        text = f"{dates[0]:%Y-%m-%d}\nto {dates[1]:%Y-%m-%d}"
        return f"{text}, dropped" if dropped else text
    return f"{text}\n{metres}, dropped" if dropped else f"{text}\n{metres}"
