"""How well a finished dataset meets the truth of its simulated scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.products.tables import SeriesTable, VelocityTable
from pystamps_shim.products.truth_scene import SceneTruth
from pystamps_shim.reference.gamma_text import GammaText
from pystamps_shim.reference.geometry import local_km
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.reference_area import reference_ps

Doubles = NDArray[np.float64]
Report = dict[str, Any]

#: PS above this temporal coherence are counted by themselves as well.
COHERENT = 0.7
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Matched:
    """The PS of a dataset that are true ones.

    Attributes
    ----------
    dataset
        The merged dataset.
    truth
        The scene.
    ps
        Rows of the dataset that are true, from 0, [P].
    scatterers
        Which scatterer each of them is, [P].
    """

    dataset: Patch
    truth: SceneTruth
    ps: NDArray[np.intp]
    scatterers: NDArray[np.intp]

    @classmethod
    def find(cls, folder: Path, truth: SceneTruth) -> Matched:
        """Match a dataset of a single master with its scene by pixels.

        Raises
        ------
        PystampsError
            It is a network of small baselines, has other images, or shares no PS with the truth.
        """
        dataset = Patch.open(folder, 2)
        if dataset.small_baseline:
            cause = f"{folder} is a network of small baselines"
            remedy = "compare a dataset with a single master; leave the truth out here"
            raise PystampsError(cause, remedy)
        if dataset.n_ifg != len(truth.dates) or dataset.master != truth.master:
            cause = (
                f"{dataset.path('ps')}: {dataset.n_ifg} images, master {dataset.master + 1}, but "
                f"the truth has {len(truth.dates)} with master {truth.master + 1}"
            )
            raise PystampsError(cause, "give the truth of this scene")
        found = truth.rows_at(*_pixels(dataset.variable("ij")))
        ps = np.flatnonzero(found >= 0)
        if ps.size == 0:
            cause = f"none of the {dataset.n_ps} PS in {dataset.path('ps')} is in the truth"
            raise PystampsError(cause, "give the truth of this scene")
        return cls(dataset, truth, ps, found[ps])

    def referenced(self, values: Doubles) -> Doubles:
        """Subtract the mean over the true PS of the reference area, along the first axis.

        Where none of them is true, the mean over all.
        """
        inside = np.isin(self.ps, reference_ps(self.dataset))
        rows = inside if inside.any() else np.ones_like(inside)
        return np.asarray(values - np.nanmean(values[rows], axis=0))

    def without_plane(self, values: Doubles) -> Doubles:
        """Subtract the plane that fits best, as the products marked with o do."""
        lonlat = self.dataset.variable("lonlat").astype(np.float64)
        xy_km = local_km(lonlat, self.dataset.variable("ll0").ravel().astype(np.float64))
        design = np.column_stack([xy_km[self.ps], np.ones(self.ps.size)])
        return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])

    def phase_rad(self, *, topography: bool) -> Doubles:
        """Return the true phase of the matched PS, [P, M], with or without its topography."""
        truth = self.truth
        phase = truth.phase_rad[self.scatterers]
        if topography == truth.topography_included:
            return phase
        baselines = self.dataset.baselines_m()[self.ps].astype(np.float64)
        baselines = np.insert(baselines, self.dataset.master, 0.0, axis=1)
        sign = 1 if topography else -1
        return phase + sign * truth.topographic_rad_per_m[self.scatterers, None] * baselines


def compare(folder: Path, velocities: VelocityTable, truth: SceneTruth) -> Report:
    """Compare a finished dataset and its velocities with the truth.

    Parameters
    ----------
    folder
        Dataset after stage 7.
    velocities
        Product ``v-do`` or another of a single master, one row a PS of the dataset.
    truth
        The scene.

    Returns
    -------
    Numbers by name, ready for JSON. Velocities and height errors are relative to the reference
    area on both sides, and velocities without ramps are compared with a truth without its plane.

    Raises
    ------
    PystampsError
        The dataset, the table and the truth do not belong together, or a file is missing.
    """
    matched = Matched.find(folder, truth)
    if len(velocities.places) != matched.dataset.n_ps:
        cause = f"{len(velocities.places)} velocities for {matched.dataset.n_ps} PS of {folder}"
        raise PystampsError(cause, "make the product again")
    coherent = velocities.places.coherence[matched.ps] > COHERENT
    groups = {"all": np.ones_like(coherent), "coherent": coherent}
    deramped = "o" in velocities.description.text("value_type").partition("-")[2]

    def level(values: Doubles) -> Doubles:
        return matched.referenced(matched.without_plane(values) if deramped else values)

    estimate = matched.referenced(velocities.velocity_mm_per_year[matched.ps])
    steady = level(truth.velocity_mm_per_year[matched.scatterers])
    phase_velocity = level(_phase_velocity(matched))
    metres = _metres_per_radian_per_metre(matched)
    merged_rate = read_variable(matched.dataset.path("pm"), "K_ps", 5)
    unwrapped_rate = read_variable(folder / "scla2.mat", "K_ps_uw", 7)
    local_dem_error = matched.referenced(merged_rate.ravel()[matched.ps] * metres)
    dem_error = matched.referenced(unwrapped_rate.ravel()[matched.ps] * metres)
    true_dem_error = matched.referenced(truth.dem_error_m[matched.scatterers])
    inside = _in_right_cycle(matched)
    return {
        "value_type": velocities.description.text("value_type"),
        "span_years": float((truth.dates[-1] - truth.dates[0]).days / _DAYS_PER_YEAR),
        "images": len(truth.dates),
        "coherent_means_above": COHERENT,
        "ps": _detection(matched),
        "velocity_mm_per_year": _by_group(estimate, steady, groups),
        "velocity_without_atmosphere_mm_per_year": _by_group(estimate, phase_velocity, groups),
        "dem_error_m": _by_group(dem_error, true_dem_error, groups),
        "dem_error_of_wrapped_phase_m": _by_group(local_dem_error, true_dem_error, groups),
        "right_cycle": {
            name: {"samples": int(inside[rows].size), "share": _mean(inside[rows])}
            for name, rows in groups.items()
        },
    }


def true_series_mm(folder: Path, series: SeriesTable, truth: SceneTruth) -> Doubles:
    """Return the true displacements of a dataset's PS, as the series give them.

    Returns
    -------
    Displacements relative to the reference area, without ramps where the series have none,
    [N, M] with the master in place; NaN for PS that are no true ones.
    """
    matched = Matched.find(folder, truth)
    displacement = truth.displacement_mm[matched.scatterers]
    if "o" in series.description.text("value_type").partition("-")[2]:
        displacement = matched.without_plane(displacement)
    values = np.full((matched.dataset.n_ps, len(truth.dates)), np.nan)
    values[matched.ps] = matched.referenced(displacement)
    shown = [truth.dates.index(date) for date in series.all_dates()[0]]
    return values[:, shown]


def _phase_velocity(matched: Matched) -> Doubles:
    """Return the slope of the true phase in time, mm/yr towards the satellite.

    Deformation, atmosphere and ramps, fitted with the weights of the products: what a velocity
    would be without noise, height errors and wrong cycles.
    """
    dataset = matched.dataset
    used = np.setdiff1d(dataset.used(), [dataset.master])
    days = dataset.variable("day").ravel().astype(np.float64)
    noise_deg = read_variable(dataset.path("ifgstd"), "ifg_std", 5).ravel().astype(np.float64)
    weight = 1 / noise_deg[used]
    years = (days[used] - days[dataset.master]) / _DAYS_PER_YEAR
    design = np.column_stack([np.ones_like(years), years]) * weight[:, None]
    phase = matched.phase_rad(topography=False)[:, used] * weight
    slope = np.linalg.lstsq(design, phase.T, rcond=None)[0][1]
    return np.asarray(-slope * dataset.parameters.number("lambda") * 1000 / (4 * np.pi))


def _metres_per_radian_per_metre(matched: Matched) -> Doubles:
    """Return the height error for each radian per metre of baseline, [P].

    As products.md section 6, with this scene's own geometry, and with the truth's sign: a height
    error is positive where the phase grows with the baseline.
    """
    dataset = matched.dataset
    resource = (dataset.folder / "rsc.txt").read_text(encoding="utf-8").strip()
    image = GammaText(Path(resource))
    _, sample = _pixels(dataset.variable("ij"))
    slant_m = image.number("near_range_slc") + sample * image.number("range_pixel_spacing")
    orbit_m = image.number("sar_to_earth_center")
    earth_m = image.number("earth_radius_below_sensor")
    cosine = (orbit_m**2 - earth_m**2 - slant_m**2) / (2 * earth_m * slant_m)
    factor = dataset.parameters.number("lambda") * slant_m * np.sin(np.arccos(cosine)) / (4 * np.pi)
    return np.asarray(factor[matched.ps])


def _in_right_cycle(matched: Matched) -> NDArray[np.bool_]:
    """Tell which samples lie within half a cycle of the truth, [P, interferograms].

    One constant an interferogram is free: unwrapped phase has no zero of its own.
    """
    dataset = matched.dataset
    unwrapped = dataset.rows("phuw", "ph_uw", dataset.n_ifg, 6)[matched.ps].astype(np.float64)
    used = np.setdiff1d(dataset.used(), [dataset.master])
    difference = (unwrapped - matched.phase_rad(topography=True))[:, used]
    difference -= np.nanmedian(difference, axis=0)
    return np.asarray(np.abs(difference) < np.pi)


def _detection(matched: Matched) -> Report:
    """Return how many PS are true, and how many of the true candidates were kept."""
    dataset, truth = matched.dataset, matched.truth
    candidates: set[int] = set()
    for path in sorted(dataset.folder.glob("PATCH_*/ps1.mat")):
        found = truth.rows_at(*_pixels(read_variable(path, "ij", 1)))
        candidates.update(found[found >= 0].tolist())
    true_ps = int(np.unique(matched.scatterers).size)
    return {
        "selected": dataset.n_ps,
        "true_selected": true_ps,
        "true_candidates": len(candidates),
        "true_in_scene": len(truth),
        "precision": true_ps / dataset.n_ps,
        "recall": true_ps / len(candidates) if candidates else None,
    }


def _by_group(
    estimate: Doubles, truth: Doubles, groups: dict[str, NDArray[np.bool_]]
) -> dict[str, Report]:
    return {name: _agreement(estimate[rows], truth[rows]) for name, rows in groups.items()}


def _agreement(estimate: Doubles, truth: Doubles) -> Report:
    known = np.isfinite(estimate) & np.isfinite(truth)
    estimate, truth = estimate[known], truth[known]
    difference = estimate - truth
    varies = known.sum() > 2 and np.ptp(estimate) > 0 and np.ptp(truth) > 0
    return {
        "count": int(known.sum()),
        "bias": _mean(difference),
        "rmse": float(np.sqrt(np.mean(difference**2))) if known.any() else None,
        "correlation": float(np.corrcoef(estimate, truth)[0, 1]) if varies else None,
    }


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None


def _pixels(ij: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return line and sample, from 0, of StaMPS's table of pixels."""
    return ij[:, 1].astype(np.intp), ij[:, 2].astype(np.intp)
