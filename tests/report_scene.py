"""Measurements in memory for tests of the page: known velocities, known series, any size."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np

from pystamps_shim.products.measurements import Layer, Measurements, Places
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.parameters import Parameters

CENTRE_LONLAT_DEG = (14.25, 40.85)
FIRST_DATE = datetime.date(2019, 1, 3)
DAYS_BETWEEN = 12

_PARAMETERS = {"small_baseline_flag": "n", "heading": "-168", "note": "<b>&amp;</b>"}


def scene(
    count: int,
    dates: int,
    seed: int = 3,
    noise_mm: float = 4.0,
    *,
    first_date: datetime.date = FIRST_DATE,
    days_between: int = DAYS_BETWEEN,
    **changes: Any,
) -> Measurements:
    """Return a bowl that sinks at 25 mm/yr in the middle of 30 km, with noise.

    Parameters
    ----------
    count
        PS.
    dates
        Dates, the master in their middle included.
    seed
        Of everything random.
    noise_mm
        Standard deviation of the series about their lines.
    first_date, days_between
        The dates, equally spaced.
    changes
        Other values of the product's description.
    """
    rng = np.random.default_rng(seed)
    offset = rng.uniform(-1, 1, (count, 2))
    lonlat_deg = offset * (0.18, 0.135) + CENTRE_LONLAT_DEG
    velocity = -25 * np.exp(-(offset**2).sum(axis=1) / 0.08) + rng.normal(0, 0.6, count)
    days = [first_date + datetime.timedelta(days=days_between * k) for k in range(dates)]
    master = days[dates // 2]
    others = [day for day in days if day != master]
    years = np.array([(day - master).days for day in others], dtype=np.float32) / 365.25
    series = rng.standard_normal((count, len(others)), dtype=np.float32) * np.float32(noise_mm)
    series += velocity[:, None].astype(np.float32) * years
    description = {
        "value_type": "ts-do",
        "definition": "displacement of a made-up scene",
        "corrections": ["none at all"],
        "unit": "mm",
        "sign_convention": "positive: towards the satellite",
        "reference": {
            "description": "PS within 300 m of a place",
            "ps_count": 12,
            "centre_lonlat_deg": [CENTRE_LONLAT_DEG[0] + 0.15, CENTRE_LONLAT_DEG[1] - 0.1],
        },
        "ps_count": count,
        "wavelength_m": 0.0555,
        "master_date": f"{master:%Y%m%d}",
        "program_version": "0.0.0",
        "parameters": _PARAMETERS,
        **changes,
    }
    about_velocity = {**description, "value_type": "v-do", "unit": "mm/yr"}
    std = rng.uniform(0.3, 0.9, count)
    return Measurements(
        dataset=_dataset(count),
        places=Places(
            ps=np.arange(1, count + 1),
            lonlat_deg=lonlat_deg,
            height_m=rng.uniform(-3, 480, count),
            coherence=np.sqrt(rng.uniform(0.3, 1, count)),
            line=np.arange(count),
            sample=np.arange(count),
            incidence_rad=np.full(count, 0.66),
        ),
        rows=np.arange(count),
        velocity=Layer(np.column_stack([velocity, std]), ("v", "std"), about_velocity),
        layer=Layer(series, tuple(f"{day:%Y%m%d}" for day in others), description),
        heading_deg=-168.0,
        scale=np.ones(count),
    )


def _dataset(count: int) -> Patch:
    folder = Path("scene")
    ps = {"n_ps": np.array([[count]])}
    return Patch(folder, 2, Parameters(folder / "parms.mat", dict(_PARAMETERS)), ps)
