"""Which way the satellite looks: incidence, heading, and the unit vector towards the satellite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.io import mat
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.reference.inputs import Patch

Doubles = NDArray[np.float64]

_GIVE = "give --incidence-deg"


def incidence_rad(dataset: Patch, given_deg: float | None = None) -> Doubles | None:
    """Return the incidence angle at every PS, [P] rad; None where the dataset does not tell.

    Parameters
    ----------
    dataset
        Merged dataset.
    given_deg
        One angle for all PS, in place of the dataset's.

    Notes
    -----
    StaMPS compatibility: ``inc2.mat`` where it holds angles; else ``la2.mat``, in which the loader
    of a single master stores the incidence angle under the name of the look angle (stage1.md B.12).
    Small baselines and the DORIS loader store the look angle; it becomes an incidence angle with
    the orbit's and the earth's radius of the image that ``rsc.txt`` names.
    """
    if given_deg is not None:
        return np.full(dataset.n_ps, np.deg2rad(given_deg))
    stored = _column(dataset.path("inc"), "inc", dataset.n_ps)
    if stored is not None:
        return np.where(stored > 0, stored, np.nan)
    stored = _column(dataset.path("la"), "la", dataset.n_ps)
    processor = str(dataset.parameters.values.get("insar_processor", "")).lower()
    if stored is None:
        return None
    stored = np.where(stored > 0, stored, np.nan)
    if not (dataset.small_baseline or processor == "doris"):
        return stored
    radii = _radii_m(dataset.folder)
    if radii is None:
        return None
    orbit_m, earth_m = radii
    return np.asarray(np.arcsin(np.minimum(np.sin(stored) * orbit_m / earth_m, 1.0)))


def heading_deg(dataset: Patch, given_deg: float | None = None) -> float | None:
    """Return the heading of the satellite, degrees clockwise from north; None where unknown."""
    if given_deg is not None:
        return given_deg
    value = dataset.parameters.numbers("heading")
    return float(value[0]) if value.size == 1 and np.isfinite(value[0]) else None


def towards_satellite(incidence: Doubles, heading: float) -> Doubles:
    """Return the unit vectors from the PS to a satellite that looks right: east, north, up, [P, 3].

    Parameters
    ----------
    incidence
        Incidence angles, [P] rad.
    heading
        Degrees clockwise from north.
    """
    azimuth = np.deg2rad(heading - 90)
    east, north = np.sin(incidence) * np.sin(azimuth), np.sin(incidence) * np.cos(azimuth)
    return np.column_stack([east, north, np.cos(incidence)])


def required_incidence(incidence: Doubles | None, dataset: Path) -> Doubles:
    """Return the angles, or raise where a dataset does not tell them."""
    if incidence is None or not np.isfinite(incidence).any():
        cause = f"{dataset / 'inc2.mat'} and {dataset / 'la2.mat'}: no incidence angle is known"
        raise PystampsError(cause, _GIVE)
    return incidence


def required_heading(heading: float | None, dataset: Path) -> float:
    """Return the heading, or raise where a dataset does not tell it."""
    if heading is None:
        cause = f"{dataset / 'parms.mat'}: parameter heading is not known"
        raise PystampsError(cause, "give --heading-deg, or set the parameter")
    return heading


def _column(path: Path, name: str, count: int) -> Doubles | None:
    """Return a stored column of angles; None where there is none, or an empty one."""
    if not path.is_file() or name not in {each.name for each in mat.list_variables(path)}:
        return None
    values = np.asarray(mat.read_variable(path, name), dtype=np.float64).ravel()
    if values.size not in (0, count):
        cause = f"{path}: {name} has {values.size} values, expected {count}"
        raise PystampsError(cause, f"run stage 5 again, or {_GIVE}")
    return values if values.size and np.any(values > 0) else None


def _radii_m(folder: Path) -> tuple[float, float] | None:
    """Return distances of satellite and ground from the earth's centre, as the export has them."""
    try:
        resource = (folder / "rsc.txt").read_text(encoding="utf-8").strip()
        image = GammaText(folder / resource)
        return image.number("sar_to_earth_center"), image.number("earth_radius_below_sensor")
    except (OSError, PystampsError):
        return None
