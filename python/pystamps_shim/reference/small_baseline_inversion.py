"""From small-baseline interferograms to a series of images (small-baseline.md section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.inputs import Patch, read_variable
from pystamps_shim.reference.reference_area import reference_ps
from pystamps_shim.reference.stage1 import Artefacts

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]

#: Least reciprocal condition number of the noise's covariance, and what is added until it has that.
_LEAST_CONDITION = 0.001
_MORE_NOISE_RAD2 = 0.01


def inverted_series(dataset: Patch, unwrapped_rad: Singles) -> Artefacts:
    """Invert unwrapped interferograms, weighted by their noise, to the phase of each image.

    Parameters
    ----------
    dataset
        Merged dataset of small baselines.
    unwrapped_rad
        [P, F] float32.

    Returns
    -------
    ``phuw2.mat`` and ``phuw_sb_res2.mat``. The master's phase is 0, and so is that of images
    without an interferogram.

    Raises
    ------
    PystampsError
        The interferograms do not connect their images with the master.

    Notes
    -----
    StaMPS compatibility: ``sb_invert_uw``. With a single reference PS the original subtracts its
    mean over all interferograms; here each interferogram's own value. ``ph_res`` is the modelled
    phase of the interferograms.
    """
    used = dataset.used()
    design = pair_design(dataset, used)
    part = design[used]
    images = np.flatnonzero((part != 0).any(axis=0))
    part = part[:, images]
    refuse_isolated(dataset, part)
    noise = noise_covariance_rad2(dataset)
    phase = unwrapped_rad[:, used].astype(np.float64)
    phase -= np.nanmean(phase[reference_ps(dataset)], axis=0)
    inverse = np.linalg.inv(_conditioned(noise[np.ix_(used, used)]))
    covariance = np.linalg.inv(part.T @ inverse @ part)
    series = np.zeros((dataset.n_ps, design.shape[1]), dtype=np.float32)
    series[:, images] = phase @ (covariance @ part.T @ inverse).T
    series_covariance = np.zeros((design.shape[1], design.shape[1]))
    series_covariance[np.ix_(images, images)] = covariance
    index = np.union1d(images, _master(dataset)) + 1.0
    return {
        "phuw2.mat": {"ph_uw": series, "unwrap_ifg_index_sm": index.reshape(1, -1)},
        "phuw_sb_res2.mat": {
            "ph_res": (series.astype(np.float64) @ design.T).astype(np.float32),
            "sb_cov": noise,
            "sm_cov": series_covariance,
        },
    }


def noise_covariance_rad2(dataset: Patch) -> Doubles:
    """Return the covariance of the phase beyond the surroundings', [F, F] rad^2.

    The identity where ``pm2.mat`` has no phase of the surroundings.
    """
    path = dataset.path("pm")
    if not path.exists() or read_variable(path, "ph_patch", 5).size == 0:
        return np.eye(dataset.n_ifg)
    patch = dataset.rows("pm", "ph_patch", dataset.n_ifg, 5).astype(np.complex64)
    phase = dataset.rows("rc", "ph_rc", dataset.n_ifg, 5).astype(np.complex64)
    noise = np.angle(phase * patch.conj()).astype(np.float64)
    return np.asarray(np.atleast_2d(np.cov(noise, rowvar=False)))


def _master(dataset: Patch) -> int:
    return int(dataset.variable("master_ix").item()) - 1


def pair_design(dataset: Patch, used: NDArray[np.intp]) -> Doubles:
    """Return [F, images] with -1, +1, and 0 for the master, whose phase is 0.

    Raises
    ------
    PystampsError
        None of the interferograms `used` contains the master.
    """
    pairs = dataset.variable("ifgday_ix").astype(np.intp) - 1
    design = np.zeros((len(pairs), int(dataset.variable("n_image").item())))
    rows = np.arange(len(pairs))
    design[rows, pairs[:, 0]] = -1
    design[rows, pairs[:, 1]] = 1
    master = _master(dataset)
    if not (design[used, master] != 0).any():
        cause = f"{dataset.path('ps')}: no interferogram in use contains the master image"
        raise PystampsError(cause, "drop fewer interferograms, or choose another master")
    design[:, master] = 0
    return design


def refuse_isolated(dataset: Patch, design: Doubles) -> None:
    """Refuse a design, [interferograms in use, images], that leaves images undetermined."""
    rank = np.linalg.matrix_rank(design)
    if rank < design.shape[1]:
        cause = (
            f"{dataset.path('ps')}: the interferograms in use leave {design.shape[1] - rank} "
            "isolated subsets of images without a path to the master"
        )
        raise PystampsError(cause, "add or keep interferograms that connect them (drop_ifg_index)")


def _conditioned(covariance: Doubles) -> Doubles:
    """Add noise until the covariance can be inverted."""
    while _reciprocal_condition(covariance) < _LEAST_CONDITION:
        covariance = covariance + _MORE_NOISE_RAD2 * np.eye(len(covariance))
    return covariance


def _reciprocal_condition(matrix: Doubles) -> float:
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return 0.0
    return float(1 / (np.linalg.norm(matrix, 1) * np.linalg.norm(inverse, 1)))
