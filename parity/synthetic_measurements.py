"""Measurements made of given numbers, without a dataset and without the native program."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.products.measurements import Layer, Measurements, Places
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.parameters import DEFAULTS, Parameters

WAVELENGTH_M = 0.0555
_DAYS_OF_YEAR_ZERO = 366


@dataclass(frozen=True)
class Acquisitions:
    """The images of a stack with a single master.

    Attributes
    ----------
    dates
        All of them, the master included, ascending, [k].
    master
        Place of the master among them.
    heading_deg
        Heading of the satellite; None where unknown.
    """

    dates: Sequence[datetime.date]
    master: int
    heading_deg: float | None = -167.0

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the dates without the master as products have them."""
        return tuple(
            f"{date:%Y%m%d}" for number, date in enumerate(self.dates) if number != self.master
        )


def assembled(
    folder: Path,
    places: Places,
    acquisitions: Acquisitions,
    velocity: NDArray[Any],
    displacement_mm: NDArray[Any],
) -> Measurements:
    """Return measurements along the line of sight.

    Parameters
    ----------
    folder
        Of the dataset; its name is told in metadata.
    places
        The PS, [N].
    acquisitions
        The images.
    velocity
        Mean velocities and perhaps their standard deviations, [N, 1 or 2] mm/yr.
    displacement_mm
        Of every date but the master, [N, k - 1].
    """
    labels = acquisitions.labels
    about = _described(places, acquisitions)
    of_series = {
        **about,
        "value_type": "ts-do",
        "definition": "displacement since the master from: unwrapped phase",
        "unit": "mm",
        "columns": list(labels),
        "fitted_to": [],
        "bootstrap": None,
    }
    return Measurements(
        dataset=_dataset(folder, len(places), acquisitions),
        places=places,
        rows=np.arange(len(places)),
        velocity=Layer(velocity, ("",), about),
        layer=Layer(displacement_mm, labels, of_series),
        heading_deg=acquisitions.heading_deg,
        scale=np.ones(len(places)),
    )


def _described(places: Places, acquisitions: Acquisitions) -> dict[str, Any]:
    """Return what the native program says of the velocities."""
    return {
        "value_type": "v-do",
        "definition": "slope in time of: unwrapped phase",
        "unit": "mm/yr",
        "sign_convention": "positive: towards the satellite, along the line of sight",
        "reference": {
            "description": "mean of the PS within 300 m",
            "ps_count": 3,
            "centre_lonlat_deg": places.lonlat_deg.mean(axis=0).tolist(),
        },
        "corrections": ["look-angle (DEM) error"],
        "ps_count": len(places),
        "wavelength_m": WAVELENGTH_M,
        "master_date": f"{acquisitions.dates[acquisitions.master]:%Y%m%d}",
        "columns": [],
        "fitted_to": list(acquisitions.labels),
        "bootstrap": {"resamples": 200, "seed": 1},
        "parameters": {"ref_radius": "inf", "unwrap_method": "3D"},
        "program_version": "0.1.0",
    }


def _dataset(folder: Path, count: int, acquisitions: Acquisitions) -> Patch:
    """Return a dataset that tells parameters, days and baselines."""
    days = [float(date.toordinal() + _DAYS_OF_YEAR_ZERO) for date in acquisitions.dates]
    baselines = 10.0 * (np.arange(len(days)) - acquisitions.master)
    values = {**DEFAULTS, "insar_processor": "snap", "platform": "S1A", "lambda": WAVELENGTH_M}
    ps = {
        "n_ps": np.array([[float(count)]]),
        "day": np.array(days)[:, None],
        "bperp": baselines[:, None],
        "master_day": np.array([[days[acquisitions.master]]]),
    }
    return Patch(folder, 2, Parameters(folder / "parms.mat", values), ps)
