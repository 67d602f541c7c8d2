"""Small charts as SVG: bars and lines with round ticks, each with its text alternative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from pystamps_shim.products.report.quality import Histogram

_WIDTH, _HEIGHT = 390, 205
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 22, 42
_TICK_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes
    ----------
    title
        With its unit.
    low, high
        Ends.
    ticks
        Where numbers stand.
    logarithmic
        Whether equal lengths are equal factors.
    """

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    @classmethod
    def around(cls, title: str, low: float, high: float, wanted: int = 5) -> Axis:
        """Return an axis that holds two values, with about `wanted` ticks at round numbers."""
        step = tick_step((high - low) / wanted) if high > low else 1.0
        first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
        return cls(title, low, high, tuple(k * step for k in range(first, last + 1)))

    def share(self, value: float) -> float:
        """Return where a value lies, 0 to 1."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = np.log([low, high, value])
        return float((value - low) / (high - low))


def tick_step(value: float) -> float:
    """Return the next round number from `value` up."""
    power: float = 10.0 ** np.floor(np.log10(value))
    return next(step * power for step in _TICK_STEPS if step * power >= value * (1 - 1e-9))


def histogram_chart(histogram: Histogram, title: str, unit: str) -> str:
    """Return the bars of a histogram, its median marked."""
    edges, counts = histogram.edges, histogram.counts
    x = Axis.around(f"{title}{f', {unit}' if unit else ''}", float(edges[0]), float(edges[-1]), 6)
    y = Axis.around("PS", 0.0, max(float(counts.max()) * 1.05, 1.0), 4)
    bars = "".join(
        _bar(x, y, float(edges[i]), float(edges[i + 1]), float(count))
        for i, count in enumerate(counts)
        if count
    )
    middle = ""
    if edges[0] <= histogram.median <= edges[-1]:
        at = _across(x, histogram.median)
        middle = f'<line class="mark" x1="{at}" x2="{at}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    text = f"Histogram of {title.lower()}: median {histogram.median:.4g} {unit}".strip()
    beyond = histogram.below + histogram.above
    if beyond:
        text += f"; {beyond:,} PS lie beyond its ends"
    return _chart(x, y, bars + middle, text)


def date_bars(
    labels: Sequence[str],
    values: Sequence[float],
    title: str,
    text: str,
    pale: Sequence[bool] = (),
) -> str:
    """Return one bar an interferogram; hovering tells its label and value.

    Parameters
    ----------
    labels
        Dates or pairs of dates, [M].
    values
        [M]; NaN for no bar.
    title
        Of the vertical axis, with its unit.
    text
        What the chart shows.
    pale
        Which bars do not count, [M]; none if empty.
    """
    kinds = ["bar pale" if each else "bar" for each in pale] or ["bar"] * len(values)
    known = [value for value in values if np.isfinite(value)]
    x = Axis("interferogram, in order of time", 0.5, len(values) + 0.5, _counting(len(values)))
    y = Axis.around(title, 0.0, max(max(known, default=1.0) * 1.05, 1e-9), 4)
    bars = "".join(
        _bar(x, y, i + 0.6, i + 1.4, value, title=f"{pretty_label(label)}: {value:.3g}", kind=kind)
        for i, (label, value, kind) in enumerate(zip(labels, values, kinds, strict=True))
        if np.isfinite(value)
    )
    return _chart(x, y, bars, text)


def line_chart(
    x: Axis, y: Axis, points: Sequence[tuple[float, float]], limit: float | None, text: str
) -> str:
    """Return points joined by a line, with a horizontal dashed limit if there is one."""
    places = [(_across(x, a), _up(y, b)) for a, b in points]
    path = " ".join(f"{a},{b}" for a, b in places)
    dots = "".join(f'<circle class="dot" cx="{a}" cy="{b}" r="3"/>' for a, b in places)
    body = f'<polyline class="curve" points="{path}"/>{dots}'
    if limit is not None:
        level, right = _up(y, limit), _WIDTH - _RIGHT
        line = f'<line class="limit" x1="{_LEFT}" x2="{right}" y1="{level}" y2="{level}"/>'
        body = line + body
    return _chart(x, y, body, text)


def pretty_label(label: str) -> str:
    """Return dates as people write them: 2020-01-31, or two with an arrow between them."""
    return " → ".join(
        f"{each[:4]}-{each[4:6]}-{each[6:]}" if len(each) == 8 else each
        for each in label.split("_")
    )


def _counting(count: int) -> tuple[float, ...]:
    step = max(1, int(np.ceil(tick_step(count / 8))))
    return (1.0, *(float(k) for k in range(step, count + 1, step) if k > 1))


def _across(axis: Axis, value: float) -> float:
    return round(_LEFT + axis.share(value) * (_WIDTH - _LEFT - _RIGHT), 2)


def _up(axis: Axis, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - axis.share(value) * (_HEIGHT - _BOTTOM - _TOP), 2)


def _bar(
    x: Axis,
    y: Axis,
    left: float,
    right: float,
    value: float,
    *,
    title: str = "",
    kind: str = "bar",
) -> str:
    a, b, top = _across(x, left), _across(x, right), _up(y, value)
    width, height = round(max(b - a - 0.6, 0.5), 2), round(_HEIGHT - _BOTTOM - top, 2)
    shape = f'<rect class="{kind}" x="{a}" y="{top}" width="{width}" height="{height}"'
    return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"


def _chart(x: Axis, y: Axis, body: str, text: str) -> str:
    base, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for tick in y.ticks:
        at = _up(y, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="up" x="{_LEFT - 7}" y="{at + 4}">{_number(tick)}</text>')
    for tick in x.ticks:
        at = _across(x, tick)
        parts.append(f'<line class="axis" x1="{at}" x2="{at}" y1="{base}" y2="{base + 4}"/>')
        parts.append(f'<text class="across" x="{at}" y="{base + 17}">{_number(tick)}</text>')
    parts.append(body)
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{base}" y2="{base}"/>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text class="across" x="{middle}" y="{_HEIGHT - 8}">{escape(x.title)}</text>')
    parts.append(f'<text class="name" x="6" y="12">{escape(y.title)}</text>')
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(text)}">{"".join(parts)}</svg>'
    )


def _number(value: float) -> str:
    text = f"{value:,.6g}" if abs(value) < 1e5 else f"{value:.0e}".replace("e+0", "e")
    return text.replace("-", "\N{MINUS SIGN}")
