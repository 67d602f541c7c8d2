"""PS of a patch averaged in cells before the merge (stage5.md B2), the default of small baselines.

# StaMPS compatibility
The specification takes the cells from the least coordinates of the patch. The original's result
(scene S) has them counted from 1 m in both directions, which decides. Weights and sums are in
single precision, also those of longitude and latitude: merged positions are good to half a metre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.merge import PatchSet
from pystamps_shim.reference.stage1 import Array

Singles = NDArray[np.float32]

#: Standard deviation of phase that no PS is trusted to stay below.
_PHASE_ACCURACY_RAD = 10 * np.pi / 180
_LEAST_WEIGHT = np.float32(1e-9)
_CELL_ORIGIN_M = np.float32(1)
_SUMMED = ("ph", "ph_rc", "ph_reref", "ph_patch", "ph_res")


def resampled(
    patch_set: PatchSet, size_m: float, min_weight: float, max_coherence: float
) -> dict[str, Array] | None:
    """Return the arrays of a patch with one row a cell.

    Only PS in the patch's own area count. Positions, slopes, offsets and geometry are means
    weighted by the reciprocal variance of the residual phase; phasors and residual phase are sums
    weighted by the signal-to-noise ratio.

    Parameters
    ----------
    patch_set
        PS of the patch.
    size_m
        Size of a cell.
    min_weight
        Least sum of reciprocal variances, 1/rad^2, that makes a cell count.
    max_coherence
        Coherence that no PS is trusted to exceed.

    Returns
    -------
    Arrays as in `PatchSet`, in double precision but for the baselines, or None where nothing is
    left.
    """
    rows = np.flatnonzero(patch_set.owned)
    if rows.size == 0:
        return None
    reciprocal_variance, signal_to_noise = _weights(patch_set, max_coherence)
    p, q = reciprocal_variance[rows], signal_to_noise[rows]
    cells = _cells(patch_set.patch.variable("xy")[rows, 1:3], size_m)
    group = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    kept = ~(_grouped_sum(p, group).ravel() < min_weight)
    if not kept.any():
        return None
    result: dict[str, Array] = {}
    for name, values in patch_set.taken(rows).items():
        if name in _SUMMED:
            result[name] = _double(_grouped_sum(q * values, group)[kept])
        elif name == "bperp_mat":
            floored = np.where(p == 0, _LEAST_WEIGHT, p)
            result[name] = _grouped_mean(floored, values, group)[kept]
        elif name != "coh_ps":
            result[name] = _double(_grouped_mean(p, values, group)[kept])
    result["ij"] = np.floor(result["ij"] + 0.5)
    with np.errstate(divide="ignore"):
        noise = 1 / np.sqrt(_grouped_sum(q**2, group)[kept])
    result["coh_ps"] = _double(np.sqrt(1 / (1 + noise)))
    return result


def _weights(patch_set: PatchSet, max_coherence: float) -> tuple[Singles, Singles]:
    """Return reciprocal variance and signal-to-noise ratio of every PS, [n, 1] each."""
    offset = patch_set.arrays["C_ps"].astype(np.float32)
    residual = np.angle(np.exp(1j * (patch_set.arrays["ph_res"].astype(np.float32) - offset)))
    if not patch_set.patch.small_baseline:
        residual = np.concatenate([residual, offset], axis=1)
    variance = residual.var(axis=1, ddof=1, keepdims=True)
    variance = np.maximum(variance, np.float32(_PHASE_ACCURACY_RAD**2))
    total = np.abs(np.exp(1j * residual).sum(axis=1, keepdims=True))
    coherence = np.minimum(total / np.float32(patch_set.patch.n_ifg), np.float32(max_coherence))
    with np.errstate(divide="ignore"):
        return 1 / variance, 1 / (1 / coherence**2 - 1)


def _cells(xy_m: Array, size_m: float) -> Singles:
    """Return row along y and column along x of each PS."""
    yx = xy_m[:, ::-1].astype(np.float32)
    places = yx - _CELL_ORIGIN_M + np.float32(1e-9)
    return np.asarray(np.ceil(places / np.float32(size_m)), dtype=np.float32)


def _grouped_mean(weight: Singles, values: Array, group: NDArray[np.intp]) -> Array:
    return np.asarray(_grouped_sum(weight * values, group) / _grouped_sum(weight, group))


def _grouped_sum(values: Array, group: NDArray[np.intp]) -> Array:
    """Add the rows of each group one after the other in single precision."""
    kind = np.complex64 if np.iscomplexobj(values) else np.float32
    totals = np.zeros((group.max() + 1, values.shape[1]), dtype=kind)
    np.add.at(totals, group, values.astype(kind))
    return totals


def _double(values: Array) -> Array:
    return values.astype(np.complex128 if np.iscomplexobj(values) else np.float64)
