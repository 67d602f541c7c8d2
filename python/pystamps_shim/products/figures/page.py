"""The page of a figure: its title, what it shows, and what has to be said below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pystamps_shim.products.drawing import INK, figure, missing_library
from pystamps_shim.products.figures.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

FAINT = "#444444"

_SEPARATOR = " · "
_TITLE_POINTS, _TEXT_POINTS = 13.0, 9.5
_LINE_INCHES = 0.175
_TITLE_INCHES = 0.27
_MARGIN_INCHES = 0.14
_PAD_INCHES = 0.06


@contextmanager
def page(
    plot: Plot,
    size_inches: tuple[float, float],
    title: str,
    subtitle: str,
    notes: Sequence[str] = (),
) -> Iterator[SubFigure]:
    """Yield the middle of a page, between its words.

    Parameters
    ----------
    plot
        What is drawn, and where to.
    size_inches
        Width of the page, and height of what is between its words.
    title
        What the figure is.
    subtitle
        Product, PS, dates, reference; parts are separated by `" · "`.
    notes
        Sentences below the figure.
    """
    missing = missing_library()
    if missing is not None:
        raise missing
    width, height = size_inches
    # Coarse dots widen letters a little.
    room = 0.97 * (width - 2 * _MARGIN_INCHES)
    titles = wrapped(title, room, _TITLE_POINTS, bold=True)
    above = wrapped(subtitle, room, _TEXT_POINTS)
    below = wrapped(" ".join(notes), room, _TEXT_POINTS) if notes else []
    head = _MARGIN_INCHES + len(titles) * _TITLE_INCHES + len(above) * _LINE_INCHES + 0.06
    foot = _MARGIN_INCHES + len(below) * _LINE_INCHES + 0.06 if below else 0.06
    whole = head + height + foot
    described = plot.source.metadata_text
    with figure(plot.path, width, whole, plot.dots_per_inch, described) as drawn:
        engine = drawn.get_layout_engine()
        if engine is not None:
            rect = (0, foot / whole, 1, height / whole)
            engine.set(rect=rect, w_pad=_PAD_INCHES, h_pad=_PAD_INCHES)  # type: ignore[call-arg]
        top = whole - _MARGIN_INCHES
        for line in titles:
            _write(drawn, line, top / whole, _TITLE_POINTS, bold=True)
            top -= _TITLE_INCHES
        for line in above:
            _write(drawn, line, top / whole, _TEXT_POINTS)
            top -= _LINE_INCHES
        top = foot - 0.08
        for line in below:
            _write(drawn, line, top / whole, _TEXT_POINTS)
            top -= _LINE_INCHES
        # Of all that lies outside axes, only what is in a part of a figure keeps to `rect`.
        middle: Any = drawn.subfigures()
        yield middle


def wrapped(text: str, room_inches: float, points: float, *, bold: bool = False) -> list[str]:
    """Return a text in lines of which each fits into a width.

    Lines are broken at separating dots, and between words only where a part is longer than a line.
    """

    def fits(line: str) -> bool:
        return text_width_inches(line, points, bold=bold) <= room_inches

    lines: list[str] = []
    for part in text.split(_SEPARATOR):
        if lines and fits(lines[-1] + _SEPARATOR + part):
            lines[-1] += _SEPARATOR + part
            continue
        first, *others = [part] if fits(part) else part.split(" ")
        lines.append(first)
        for word in others:
            if fits(f"{lines[-1]} {word}"):
                lines[-1] += f" {word}"
            else:
                lines.append(word)
    return lines


def text_width_inches(text: str, points: float, *, bold: bool = False) -> float:
    """Return how wide a line of text is drawn."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415
    from matplotlib.textpath import text_to_path  # noqa: PLC0415

    weight = "bold" if bold else "normal"
    font = FontProperties(family="DejaVu Sans", weight=weight, size=points)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def _write(drawn: Figure, line: str, top: float, points: float, *, bold: bool = False) -> None:
    left = _MARGIN_INCHES / drawn.get_size_inches()[0]
    drawn.text(
        left,
        top,
        line,
        fontsize=points,
        fontweight="bold" if bold else "normal",
        color=INK if bold else FAINT,
        va="top",
        parse_math=False,
    )
