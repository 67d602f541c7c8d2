"""What figures say of their product: PS, dates, reference, selection."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from pystamps_shim.products.measurements import Measurements, parsed_date
from pystamps_shim.products.selection import Step

_DATENUM_OF_ORDINAL = 366

MINUS = "\N{MINUS SIGN}"


def subtitle_of(measurements: Measurements, steps: Sequence[Step]) -> str:
    """Return product, number of PS, dates and reference in one line."""
    parts = [
        f"product {measurements.value_type}" if measurements.value_type else "",
        ps_text(measurements),
        dates_text(measurements),
        reference_text(measurements),
        *(f"only {step.condition}" for step in steps),
    ]
    return " · ".join(part for part in parts if part)


def ps_text(measurements: Measurements) -> str:
    """Return the number of PS, and of how many where not all are shown."""
    shown, whole = len(measurements), measurements.dataset.n_ps
    return f"{shown:,} PS" if shown == whole else f"{shown:,} of {whole:,} PS"


def dates_text(measurements: Measurements) -> str:
    """Return how many images or interferograms of which dates a product is made of."""
    dates = dates_of(measurements)
    span = f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
    pairs = [label for label in _labels(measurements) if "_" in label]
    if pairs:
        return f"{len(pairs)} interferograms of {len(dates)} images, {span}"
    return f"{len(dates)} images, {span}"


def dates_of(measurements: Measurements) -> list[datetime.date]:
    """Return the dates of the images that a product is made of, the master's included.

    Those of the dataset for values of no date. A master beyond the dates that a product is limited
    to is not one of them.
    """
    labels = _labels(measurements)
    days = measurements.dataset.variable("day").ravel()
    images = sorted(date_of_datenum(float(day)) for day in days)
    if not labels:
        return images
    dates = sorted({parsed_date(date) for label in labels for date in label.split("_")})
    # Pairs need no master: their images are all there are.
    if any("_" in label for label in labels):
        return dates
    if measurements.is_series:
        return measurements.dates
    master = measurements.master_date
    first, last = min(dates[0], master), max(dates[-1], master)
    beyond = [date for date in images if first < date < dates[0] or dates[-1] < date < last]
    return dates if beyond else sorted({*dates, master})


def date_of_datenum(days: float) -> datetime.date:
    """Return the date that MATLAB counts as `days`."""
    return datetime.date.fromordinal(round(days) - _DATENUM_OF_ORDINAL)


def reference_text(measurements: Measurements) -> str:
    """Return what the values are relative to; nothing where they are absolute."""
    reference = measurements.layer.description.get("reference")
    if reference is None or reference["description"].startswith("none"):
        return ""
    centre = reference_centre(measurements)
    if centre is None:
        return "relative to: mean of all PS"
    return f"relative to: mean of {reference['ps_count']:,} PS around {place_text(centre)}"


def reference_centre(measurements: Measurements) -> tuple[float, float] | None:
    """Return the middle of the reference area; None where all PS are the reference."""
    about = measurements.layer.description
    reference = about["reference"]
    if reference["ps_count"] == about["ps_count"]:
        return None
    longitude, latitude = reference["centre_lonlat_deg"]
    return float(longitude), float(latitude)


def place_text(lonlat_deg: Sequence[float]) -> str:
    """Return a longitude and a latitude with their hemispheres."""
    longitude, latitude = (float(each) for each in lonlat_deg)
    east, north = "E" if longitude >= 0 else "W", "N" if latitude >= 0 else "S"
    return f"{abs(longitude):.4f}°{east} {abs(latitude):.4f}°{north}"


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign, the minus as wide as the plus."""
    return f"{_without_minus_zero(value, digits):+.{digits}f}".replace("-", MINUS)


def number(value: float, digits: int = 1) -> str:
    """Return a number with a minus sign where it is negative."""
    return f"{_without_minus_zero(value, digits):.{digits}f}".replace("-", MINUS)


def _without_minus_zero(value: float, digits: int) -> float:
    return round(value, digits) + 0.0


def _labels(measurements: Measurements) -> list[str]:
    about = (measurements.velocity or measurements.layer).description
    return [label for label in about.get("fitted_to") or measurements.layer.labels if label]
