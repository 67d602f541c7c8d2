"""What every figure shares: the plotting library, colours, maps in degrees, and the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError, wrong_usage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Doubles = NDArray[np.float64]
ClippedEnds = Literal["neither", "min", "max", "both"]

#: A grey on which both ends and the pale middle of the colour map stand out.
GROUND = "#aeb3ba"
INK = "#222222"

#: Kinds of files that figures are written as, told by the ending of their name.
SUFFIXES = (".png", ".svg")
#: Twice what screens show a figure at.
DOTS_PER_INCH = 200

_METRES_PER_DEGREE = 111_195.0
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "figure.facecolor": "white",
    # Text as outlines: a figure whose labels are known not to overlap looks the same on machines
    # without this font. Names of outlines come from this word instead of from chance.
    "svg.fonttype": "path",
    "svg.hashsalt": "pystamps",
}
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Creator": "pystamps", "Date": None},
}
# Steps at which people like scales to end.
_ROUND_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_SCALE_STEPS = (1.0, 2.0, 5.0, 10.0)
_SCALE_SHARE = 0.22
_CELLS = 48
_MARKER_AREA = (2.0, 42.0)


def missing_library() -> PystampsError | None:
    """Return the error that tells how to install what figures need, None if it is there."""
    try:
        import cmcrameri  # noqa: F401, PLC0415 - an extra: nothing else needs it
        import matplotlib as mpl  # noqa: F401, PLC0415
    except ImportError as error:
        cause = f"figures need matplotlib and cmcrameri ({error})"
        return PystampsError(cause, "pip install matplotlib cmcrameri, then run it again")
    return None


def suffix_of(path: Path) -> str:
    """Return the ending that decides what a figure is written as.

    Raises
    ------
    PystampsError
        It is none that figures are written as.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        cause = f"{path}: figures end in {' or '.join(SUFFIXES)}"
        raise wrong_usage(cause, f"for instance --out {path.stem or 'figure'}.png")
    return suffix


@contextmanager
def figure(
    path: Path,
    width_inches: float,
    height_inches: float,
    dots_per_inch: int = DOTS_PER_INCH,
    described: Callable[[], str] = str,
) -> Iterator[Figure]:
    """Yield an empty figure that is written to `path` in the end: same content, same bytes.

    The user's own matplotlib settings have no effect, and neither has the day.

    Parameters
    ----------
    path
        File to write, ``.png`` or ``.svg``.
    width_inches, height_inches
        Size of the figure.
    dots_per_inch
        Resolution of a PNG, and of the dots of maps in an SVG.
    described
        Gives the metadata of what is drawn, for the file's own (PNG text and SVG metadata
        ``Description``); asked in the end.

    Raises
    ------
    PystampsError
        The plotting library is missing, or the file has another ending.
    """
    suffix = suffix_of(path)
    missing = missing_library()
    if missing is not None:
        raise missing
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    style: Any = {**mpl.rcParamsDefault, "backend": "agg", **_STYLE}
    with mpl.rc_context(style):
        drawn = Figure(figsize=(width_inches, height_inches), layout="constrained")
        yield drawn
        metadata = {**_METADATA[suffix], "Description": described()}
        drawn.savefig(path, dpi=dots_per_inch, format=suffix[1:], metadata=metadata)


def velocity_colours(clipped: ClippedEnds) -> Colormap:
    """Return Crameri's vik, perceptually uniform and diverging, red away from the satellite.

    Colour bars get arrows at the ends where values are clipped.
    """
    from cmcrameri import cm  # noqa: PLC0415

    colours: Colormap = cm.vik_r.copy()
    # Declared as a flag; colour bars take the name of the ends.
    setattr(colours, "colorbar_extend", clipped)  # noqa: B010
    return colours


def symmetric_limit(values: Doubles) -> float:
    """Return a round limit that holds 99 % of the values' magnitudes.

    A scale around zero must not be stretched by a single outlier.
    """
    finite = np.abs(values[np.isfinite(values)])
    if finite.size == 0:
        return 1.0
    return round_up(max(float(np.quantile(finite, 0.99)), 1e-3))


def round_up(value: float) -> float:
    """Return the next number from `value` up at which a scale may end."""
    power: float = 10.0 ** np.floor(np.log10(value))
    return next(step * power for step in _ROUND_STEPS if step * power >= value * (1 - 1e-9))


def clipped_ends(values: Doubles, limit: float) -> ClippedEnds:
    """Return at which ends of the scale values lie beyond it, as matplotlib calls them."""
    below, above = bool(np.any(values < -limit)), bool(np.any(values > limit))
    if below and above:
        return "both"
    return "min" if below else "max" if above else "neither"


def map_axes(axes: Axes, lonlat_deg: Doubles) -> None:
    """Lay out axes in degrees on which a kilometre is as long in both directions."""
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    aspect = 1 / np.cos(np.deg2rad((low[1] + high[1]) / 2))
    # A margin of 4 % of the longer side, the same number of metres all around.
    margin = 0.04 * max(high[1] - low[1], (high[0] - low[0]) / aspect, 1e-4)
    axes.set_xlim(low[0] - margin * aspect, high[0] + margin * aspect)
    axes.set_ylim(low[1] - margin, high[1] + margin)
    axes.set_aspect(aspect)
    axes.set_facecolor(GROUND)
    axes.ticklabel_format(useOffset=False)


def marker_area(axes: Axes, lonlat_deg: Doubles) -> float:
    """Return an area in square points with which neighbours just touch."""
    low, high = lonlat_deg.min(axis=0), lonlat_deg.max(axis=0)
    share = (lonlat_deg - low) / np.maximum(high - low, 1e-12)
    cells = np.minimum((share * _CELLS).astype(np.intp), _CELLS - 1)
    occupied = np.unique(cells, axis=0).shape[0] / _CELLS**2
    inches = axes.get_position().size * axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    area = float(np.prod(inches)) * 72**2
    return float(np.clip(0.6 * area * occupied / len(lonlat_deg), *_MARKER_AREA))


def scatter_points(
    axes: Axes,
    lonlat_deg: Doubles,
    values: Doubles,
    colours: Colormap,
    limits: tuple[float, float],
    *,
    size: float = 1.0,
    least_area: float = 0.0,
) -> PathCollection:
    """Draw a dot a PS on a map, coloured by its value.

    Parameters
    ----------
    axes
        A map (`map_axes`).
    lonlat_deg
        Places of the PS, [N, 2], those to lie on top last.
    values
        Their values, [N].
    colours
        Colours of the values.
    limits
        Values of the first and the last colour.
    size
        Factor on the area of the dots.
    least_area
        What a dot covers at least, square points.
    """
    return axes.scatter(
        lonlat_deg[:, 0],
        lonlat_deg[:, 1],
        c=values,
        s=max(size * marker_area(axes, lonlat_deg), least_area),
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        linewidths=0,
        rasterized=True,
    )


def mark_zero(
    axes: Axes, ps_count: int, centre_lonlat_deg: tuple[float, float] | None, font_size: float
) -> None:
    """Mark the middle of the reference area on a map, or say that all PS are the reference."""
    if centre_lonlat_deg is None:
        text = f"zero: mean of all {ps_count:,} PS"
    else:
        axes.plot(*centre_lonlat_deg, "*", ms=13, mfc="white", mec=INK, mew=1.0, zorder=6)
        text = f"★ reference: mean of {ps_count:,} PS"
    axes.annotate(
        text,
        (1, 0),
        xytext=(-6, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        fontsize=font_size,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 2.5},
        zorder=7,
    )


def scale_bar(axes: Axes) -> None:
    """Draw a bar of a round length into the lower left corner."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    metres_per_degree = _METRES_PER_DEGREE * np.cos(np.deg2rad((south + north) / 2))
    wanted_m = _SCALE_SHARE * (east - west) * metres_per_degree
    power: float = 10.0 ** np.floor(np.log10(wanted_m))
    length_m = max(step * power for step in _SCALE_STEPS if step * power <= wanted_m)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    length = length_m / metres_per_degree
    left, base = west + 0.035 * (east - west), south + 0.03 * (north - south)
    height = 0.008 * (north - south)
    for half, colour in ((0, INK), (1, "white")):
        corner = (left + half * length / 2, base)
        _rectangle(axes, corner, length / 2, height, colour)
    axes.annotate(
        text,
        (left + length / 2, base + height),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=9,
        color=INK,
        zorder=7,
    )


def _rectangle(
    axes: Axes, corner: tuple[float, float], width: float, height: float, colour: str
) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    box = Rectangle(corner, width, height, facecolor=colour, edgecolor=INK, linewidth=0.7, zorder=7)
    axes.add_patch(box)
