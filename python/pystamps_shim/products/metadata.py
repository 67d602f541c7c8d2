"""What every product says of itself: reference, sign, units, corrections, version, parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pystamps_shim.products.measurements import Measurements
from pystamps_shim.products.selection import Step

#: Horizontal system of all PS, as SNAP, GAMMA and ISCE write longitudes and latitudes.
CRS = "EPSG:4326"

_VERTICAL = (
    "vertical: line of sight divided by the cosine of the incidence angle, on the assumption that "
    "nothing moves horizontally"
)


def metadata_of(measurements: Measurements, steps: Sequence[Step] = ()) -> dict[str, Any]:
    """Return what a reader of a product has to know, ready for JSON.

    The same measurements give the same text: no time of day, no path.
    """
    main = measurements.layer.description
    own = measurements.velocity.description if measurements.velocity else main
    return {
        "title": f"pystamps product {measurements.value_type} of {_name(measurements)}",
        "program": "pystamps",
        "program_version": main["program_version"],
        "method": "persistent scatterers (StaMPS)",
        "dataset": _name(measurements),
        "value_type": measurements.value_type,
        "definition": main["definition"],
        "corrections": main["corrections"],
        "unit": main["unit"],
        "sign_convention": _sign(measurements, str(main["sign_convention"])),
        "projection": _VERTICAL if measurements.vertical else "line of sight",
        "velocity": {
            "value_type": own["value_type"],
            "definition": own["definition"],
            "unit": "mm/yr",
            "fitted_to": own.get("fitted_to", []),
            "bootstrap": own.get("bootstrap"),
        }
        if measurements.velocity
        else None,
        "reference": main["reference"],
        "master_date": main["master_date"],
        "dates": _dates(measurements),
        "wavelength_m": main["wavelength_m"],
        "heading_deg": measurements.heading_deg,
        "incidence_deg": _incidence(measurements),
        "crs": CRS,
        "crs_note": "longitude, latitude on WGS 84 as in the export; heights as in the DEM",
        "ps_count": len(measurements),
        "ps_count_of_dataset": int(main["ps_count"]),
        "selection": [asdict(step) for step in steps],
        "parameters": main["parameters"],
    }


def metadata_text(metadata: dict[str, Any]) -> str:
    """Return the metadata as people and programs read it."""
    return json.dumps(metadata, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _name(measurements: Measurements) -> str:
    return measurements.dataset.folder.resolve().name


def _sign(measurements: Measurements, of_sight: str) -> str:
    return "positive: up" if measurements.vertical else of_sight


def _dates(measurements: Measurements) -> list[str]:
    if measurements.is_series:
        return [f"{date:%Y%m%d}" for date in measurements.dates]
    return [label for label in measurements.layer.labels if label]


def _incidence(measurements: Measurements) -> dict[str, float] | None:
    known = measurements.places.incidence_rad
    degrees = np.rad2deg(known[np.isfinite(known)])
    if not degrees.size:
        return None
    return {"min": float(degrees.min()), "mean": float(degrees.mean()), "max": float(degrees.max())}
