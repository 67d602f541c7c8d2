"""Stage 7, look-angle error and master atmosphere that are correlated in space (stage7.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.kernels.chosen import stage7_scla
from pystamps_shim.kernels.least_squares import NotPositiveDefiniteError
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.neighbour_clamp import clamp_to_neighbours
from pystamps_shim.reference.ramps import deramp, ramp_degree
from pystamps_shim.reference.stage1 import Array, Artefacts
from pystamps_shim.reference.triangulation import triangulation_edges
from pystamps_shim.reference.tropospheric_correction import stored_correction_rad
from pystamps_shim.reference.tropospheric_series import tropospheric_images_rad
from pystamps_shim.reference.unwrapped_phase import (
    UnwrappedPhase,
    image_pairs,
    merged_rows,
    referenced,
)
from pystamps_shim.reference.unwrapping_phase import baselines_or_means_m

Singles = NDArray[np.float32]
Variables = dict[str, Array]
Columns = NDArray[np.intp]

_LEAST_OBSERVATIONS = 2


def stage7_calc_scla(dataset_dir: Path | str) -> Artefacts:
    """Estimate what of the unwrapped phase is proportional to the baseline, and the master's own.

    Parameters
    ----------
    dataset_dir
        Dataset folder with the results of stages 5 and 6.

    Returns
    -------
    ``scla2 scla_smooth2``; for small baselines ``scla_sb2 scla_smooth_sb2 scla2``, the last from
    the series of images. With the classes and shapes of matfiles-merged.md.

    Raises
    ------
    PystampsError
        Inputs are missing or disagree, a parameter is out of range, fewer than two observations
        are left, the reference area holds no PS, or a covariance cannot weigh observations.

    Notes
    -----
    StaMPS compatibility: ``ps_calc_scla`` and ``ps_smooth_scla`` with velocity, as step 7 calls
    them. With fewer than four columns the velocity is left out; the original fails. Earlier
    results are not kept under another name, and the removal of ``mv2.mat`` is left to the caller.
    """
    dataset = Patch.open(Path(dataset_dir), 2)
    if not dataset.small_baseline:
        scla = _estimate(UnwrappedPhase.of_images(dataset))
        baselines = _image_baselines_m(dataset, dataset.used())
        return {"scla2.mat": scla, "scla_smooth2.mat": _clamped(dataset, scla, baselines)}
    pairs = _estimate(UnwrappedPhase.of_pairs(dataset))
    return {
        "scla_sb2.mat": pairs,
        "scla_smooth_sb2.mat": _clamped(dataset, pairs, _baselines_m(dataset)),
        "scla2.mat": _estimate(UnwrappedPhase.of_images(dataset)),
    }


def _estimate(unwrapped: UnwrappedPhase) -> Variables:
    """Return ``scla2.mat`` or ``scla_sb2.mat``."""
    dataset, pairs = unwrapped.dataset, unwrapped.pairs
    phase, ramp = _reduced_phase(unwrapped)
    columns = _columns_to_solve(unwrapped)
    baselines = _baselines_m(dataset) if pairs else _image_baselines_m(dataset, columns)
    if len(columns) - (not pairs) < _LEAST_OBSERVATIONS:
        cause = (
            f"{dataset.parameters.path}: drop_ifg_index and scla_drop_index leave fewer than two "
            "observations of the look-angle error"
        )
        raise PystampsError(cause, "drop fewer interferograms; one alone has no baseline to vary")
    covariance = unwrapped.covariance_rad2()
    try:
        slope, offset, slope_rad, _ = stage7_scla(
            phase,
            baselines,
            columns,
            unwrapped.days(),
            covariance,
            None if pairs else unwrapped.master,
            "small_baselines" if pairs else "single_master",
            method=_method(dataset),
        )
    except NotPositiveDefiniteError as error:
        cause = f"{unwrapped.covariance_file()}: noise of 0, or no number, cannot weigh phases"
        raise PystampsError(
            cause, f"drop that interferogram in {dataset.parameters.path}"
        ) from error
    return {
        "ph_scla": slope_rad,
        "K_ps_uw": slope.reshape(-1, 1),
        "C_ps_uw": offset.astype(np.float64 if pairs else np.float32).reshape(-1, 1),
        "ph_ramp": ramp,
        "ifg_vcm": covariance,
    }


def _reduced_phase(unwrapped: UnwrappedPhase) -> tuple[Singles, Array]:
    """Return the phase without troposphere, ramps and the reference's mean, and the ramps."""
    dataset, pairs = unwrapped.dataset, unwrapped.pairs
    phase = unwrapped.phase_rad
    if dataset.parameters.flag("subtr_tropo"):
        images = dataset.small_baseline and not pairs
        phase = phase - (tropospheric_images_rad if images else stored_correction_rad)(dataset)
    ramp: Array = np.zeros((0, 0))
    if dataset.parameters.flag("scla_deramp"):
        xy_m = dataset.variable("xy")[:, 1:]
        phase, ramp = deramp(phase, xy_m, ramp_degree(dataset))
    legacy = "aps_sb" if pairs else "aps"
    if dataset.path(legacy).exists():
        rows = merged_rows(dataset, legacy, "ph_aps_slave", phase.shape[1], 7)
        phase = phase - rows.astype(np.float32)
    return referenced(dataset, phase), ramp


def _columns_to_solve(unwrapped: UnwrappedPhase) -> Columns:
    """Return the columns that are not dropped; of a series from pairs not the master's either.

    The master's 0 of a single-master stack takes part in the differences in time, as in the
    original: the master's atmosphere enters with either sign beside it.
    """
    dataset, pairs = unwrapped.dataset, unwrapped.pairs
    name = "sb_scla_drop_index" if pairs else "scla_drop_index"
    numbers = dataset.parameters.numbers(name)
    count = unwrapped.phase_rad.shape[1]
    wrong = [number for number in numbers if number != int(number) or not 1 <= number <= count]
    if wrong:
        cause = (
            f"{dataset.parameters.path}: {name} holds {wrong[0]:g}, expected whole numbers from 1 "
            f"to {count}"
        )
        raise PystampsError(cause, f"set {name} anew")
    columns = np.setdiff1d(unwrapped.columns, numbers.astype(np.intp) - 1)
    if dataset.small_baseline and not pairs:
        columns = columns[columns != unwrapped.master]
    return columns


def _baselines_m(dataset: Patch) -> Singles:
    """Return each PS's baselines of the interferograms, 0 in the master's slot, [P, F] float32."""
    return np.asarray(dataset.with_master(baselines_or_means_m(dataset), 0))


def _image_baselines_m(dataset: Patch, columns: Columns) -> Singles:
    """Return each PS's baselines of the images, 0 for the master, [P, n] float32.

    For small baselines those of `columns` by least squares from all interferograms, 0 for others.
    """
    baselines = _baselines_m(dataset)
    if not dataset.small_baseline:
        return baselines
    pairs = image_pairs(dataset)
    rows = np.arange(len(pairs))
    design = np.zeros((len(pairs), int(dataset.variable("n_image").item())))
    design[rows, pairs[:, 0]] = -1
    design[rows, pairs[:, 1]] = 1
    images = np.zeros((dataset.n_ps, design.shape[1]), dtype=np.float32)
    images[:, columns] = baselines.astype(np.float64) @ np.linalg.pinv(design[:, columns]).T
    return images


def _clamped(dataset: Patch, scla: Variables, baselines_m: Singles) -> Variables:
    """Return ``scla_smooth2.mat`` or ``scla_smooth_sb2.mat``."""
    edges = triangulation_edges(dataset.variable("xy")[:, 1:])
    slope, offset = (
        clamp_to_neighbours(scla[name].ravel(), edges).reshape(-1, 1)
        for name in ("K_ps_uw", "C_ps_uw")
    )
    return {
        "K_ps_uw": slope,
        "C_ps_uw": offset,
        "ph_scla": (slope * baselines_m).astype(np.float32),
        "ph_ramp": scla["ph_ramp"],
    }


def _method(dataset: Patch) -> Literal["L1", "L2"]:
    name: Any = dataset.parameters.text("scla_method")
    if name not in ("L1", "L2"):
        cause = f"{dataset.parameters.path}: scla_method is '{name}', expected L1 or L2"
        raise PystampsError(cause, "set scla_method anew")
    method: Literal["L1", "L2"] = name
    return method
