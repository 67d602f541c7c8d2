"""What the page's program has to know besides the numbers of the PS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from pystamps_shim.products.drawing import round_up, symmetric_limit
from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.report.codec import as_text, packed
from pystamps_shim.products.report.columns import Column
from pystamps_shim.products.report.series_blocks import BLOCK_PS, SeriesSource
from pystamps_shim.products.report.summary import extremes, ways

_KINDS = {
    "velocity_mm_per_year": ("velocity", "mm/yr"),
    "velocity_std_mm_per_year": ("standard deviation of velocity", "mm/yr"),
    "coherence": ("temporal coherence", ""),
    "height_m": ("height", "m"),
    "rms_mm": ("residual of the series (rms)", "mm"),
}


def about(
    measurements: Measurements,
    metadata: dict[str, Any],
    columns: Sequence[Column],
    source: SeriesSource | None,
    step_mm: float | None,
) -> dict[str, Any]:
    """Return it, ready for JSON.

    Parameters
    ----------
    measurements
        In the order of the page.
    metadata
        Of the product.
    columns
        What is known of every PS.
    source, step_mm
        The series and what they are rounded to; None without series.
    """
    down, up = ways(measurements)
    stands_out = extremes(measurements)
    return {
        "dataset": metadata["dataset"],
        "count": len(measurements),
        "columns": [{"name": each.name, "per_unit": each.per_unit} for each in columns],
        "shown": [_shown(each) for each in columns if each.name in _KINDS],
        "block_ps": BLOCK_PS,
        "blocks": 0 if source is None else source.blocks,
        "step_mm": step_mm,
        "first_row": stands_out[0].row if stands_out else -1,
        "days": [] if source is None else source.days.astype(int).tolist(),
        "dates": [] if source is None else [f"{date}" for date in measurements.dates],
        "master": f"{measurements.master_date}",
        "half_wavelength_mm": _half_wavelength_mm(measurements, columns),
        "direction": "vertical" if measurements.vertical else "line of sight",
        "negative": down,
        "positive": up,
        "reference": _reference(measurements, metadata),
        "about_csv": _csv_lines(metadata),
    }


def json_block(name: str, value: object) -> str:
    """Return a value as a page can hold it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>\n'


def data_block(name: str, data: bytes) -> str:
    """Return packed numbers as a page can hold them."""
    return f'<script type="application/octet-stream" id="{name}">{as_text(data)}</script>\n'


def column_blocks(columns: Sequence[Column], codes: Sequence[Any]) -> list[str]:
    """Return the columns as the page holds them."""
    return [
        data_block(f"column-{column.name}", packed(values))
        for column, values in zip(columns, codes, strict=True)
    ]


def _shown(column: Column) -> dict[str, Any]:
    """Return how a column is coloured: a scale around zero for velocities, else what is usual."""
    title, unit = _KINDS[column.name]
    values = column.values
    diverging = column.name == "velocity_mm_per_year"
    if diverging:
        high = symmetric_limit(values)
        low, most = -high, _magnitude(values)
    else:
        known = values[np.isfinite(values)]
        low, high = _round_ends(*(float(each) for each in np.quantile(known, (0.01, 0.99))))
        most = float(known.max())
    return {
        "name": column.name,
        "title": title,
        "unit": unit,
        "diverging": diverging,
        "low": low,
        "high": high,
        "most": max(most, high),
    }


def _magnitude(values: Any) -> float:
    known = np.abs(values[np.isfinite(values)])
    return round_up(max(float(known.max(initial=0.0)), 1e-3))


def _round_ends(low: float, high: float) -> tuple[float, float]:
    """Return ends that are whole numbers of about twentieths of their distance."""
    step: float = 10.0 ** np.floor(np.log10(max((high - low) / 2, 1e-3)))
    first, last = np.floor(low / step), np.ceil(high / step)
    # Rounded: 7 * 0.1 is no 0.7.
    return round(float(first * step), 6), round(float(max(last, first + 1) * step), 6)


def _half_wavelength_mm(measurements: Measurements, columns: Sequence[Column]) -> float | None:
    """Return that of all PS; None where a column tells it of each."""
    if any(each.name == "half_wavelength_mm" for each in columns):
        return None
    return float(measurements.layer.description["wavelength_m"]) * 500


def _reference(measurements: Measurements, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the reference; without a place where all PS are the reference."""
    reference = metadata["reference"]
    centre = reference.get("centre_lonlat_deg")
    whole = reference["ps_count"] >= metadata["ps_count_of_dataset"]
    if whole or not centre:
        return {"description": reference["description"], "lonlat_deg": None}
    longitude, latitude = (float(each) for each in centre)
    if measurements.places.lonlat_deg[:, 0].max() > 180 and longitude < 0:
        longitude += 360
    return {"description": reference["description"], "lonlat_deg": [longitude, latitude]}


def _csv_lines(metadata: dict[str, Any]) -> list[str]:
    """Return what a table that is made in the page says of itself."""
    program = f"{metadata['program']} {metadata['program_version']}"
    return [
        f"{program}: {metadata['value_type']} of {metadata['dataset']}",
        f"definition: {metadata['definition']}",
        f"sign: {metadata['sign_convention']}; projection: {metadata['projection']}",
        f"reference: {metadata['reference']['description']}; master: {metadata['master_date']}",
    ]
