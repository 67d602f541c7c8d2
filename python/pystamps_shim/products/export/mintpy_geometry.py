"""What MintPy knows of geometry: angles, ranges and baselines, where the dataset tells them."""

from __future__ import annotations

import datetime
import re

import numpy as np

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.measurements import Doubles, Measurements
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.reference.inputs import Patch

_DAYS_FROM_YEAR_ZERO = 366


def azimuth_deg(heading_deg: float) -> float:
    """Return the direction from the ground to the satellite, degrees from north, anticlockwise.

    Parameters
    ----------
    heading_deg
        Of a satellite that looks right, degrees clockwise from north.

    Returns
    -------
    From -180 to 180, as MintPy has it after ISCE-2.
    """
    return float((90 - heading_deg + 180) % 360 - 180)


def slant_range_m(found: Measurements) -> Doubles | None:
    """Return the distance to the satellite, [N]; None where the dataset does not tell."""
    folder = found.dataset.folder
    try:
        image = GammaText(folder / (folder / "rsc.txt").read_text(encoding="utf-8").strip())
        near_m, step_m = image.number("near_range_slc"), image.number("range_pixel_spacing")
    except (OSError, PystampsError):
        return None
    return np.asarray(near_m + found.places.sample * step_m, dtype=np.float64)


def baselines_m(found: Measurements) -> Doubles | None:
    """Return the perpendicular baseline of every date of a series, [k]; 0 at `reference_date`.

    None where the dataset does not tell one for each.

    Notes
    -----
    Of small baselines, those of the images are the least-squares solution of those of the pairs.
    """
    dataset = found.dataset
    if not {"day", "bperp", "master_day"} <= dataset.ps.keys():
        return None
    days = dataset.variable("day").astype(np.float64).ravel()
    stored = dataset.variable("bperp").astype(np.float64).ravel()
    master = float(found.master_date.toordinal() + _DAYS_FROM_YEAR_ZERO)
    if dataset.small_baseline:
        stored = _of_images(dataset, stored, int(np.argmin(np.abs(days - master))))
    by_day = dict(zip(days.tolist(), stored.tolist(), strict=True)) | {master: 0.0}
    wanted = [float(date.toordinal() + _DAYS_FROM_YEAR_ZERO) for date in found.dates]
    if not by_day.keys() >= set(wanted):
        return None
    at = by_day[float(reference_date(found).toordinal() + _DAYS_FROM_YEAR_ZERO)]
    return np.array([by_day[day] - at for day in wanted])


def holds_master(found: Measurements) -> bool:
    """Tell whether the master is one of the dates of a series."""
    return found.master_date in found.dates


def reference_date(found: Measurements) -> datetime.date:
    """Return the date at which displacements are zero: MintPy looks for it among the dates."""
    return found.master_date if holds_master(found) else found.dates[0]


def orbit_direction(heading_deg: float) -> str:
    """Return ``ASCENDING`` for a satellite on its way north, else ``DESCENDING``."""
    return "ASCENDING" if np.cos(np.deg2rad(heading_deg)) > 0 else "DESCENDING"


def first_and_last(found: Measurements) -> tuple[str, str]:
    """Return the first and the last date that the velocity is fitted to, ``YYYYMMDD``."""
    description = (found.velocity or found.layer).description
    labels = " ".join(description.get("fitted_to") or found.layer.labels)
    # A label is a date, or the two of a pair.
    dates = sorted(re.findall(r"\d{8}", labels))
    return dates[0], dates[-1]


def _of_images(dataset: Patch, pairs_m: Doubles, master: int) -> Doubles:
    """Return baselines of images from those of pairs, [n_image], relative to one image."""
    pairs = dataset.variable("ifgday_ix").astype(np.intp) - 1
    design = np.zeros((len(pairs), dataset.variable("day").size))
    rows = np.arange(len(pairs))
    design[rows, pairs[:, 0]] -= 1
    design[rows, pairs[:, 1]] += 1
    solved = np.linalg.lstsq(design, pairs_m, rcond=None)[0]
    return np.asarray(solved - solved[master])
