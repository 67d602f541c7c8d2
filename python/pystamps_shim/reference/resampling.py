"""PS of a patch averaged in cells before the merge (stage5.md B2).

StaMPS compatibility: the default of small baselines; no certified scene of a single master uses
it. Weighted sums are made in double precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.reference.merge import PatchSet
from pystamps_shim.reference.stage1 import Array

Doubles = NDArray[np.float64]

#: Standard deviation of phase that no PS is trusted to stay below.
_PHASE_ACCURACY_RAD = 10 * np.pi / 180
_LEAST_WEIGHT = 1e-9
_SUMMED = ("ph", "ph_rc", "ph_reref", "ph_patch", "ph_res")


def resampled(
    patch_set: PatchSet, size_m: float, min_weight: float, max_coherence: float
) -> dict[str, Array] | None:
    """Return the arrays of a patch with one row a cell.

    Only PS in the patch's own area count. Positions, slopes, offsets and geometry are means
    weighted by the reciprocal variance of the residual phase; phasors are sums weighted by the
    signal-to-noise ratio.

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
    Arrays as in `PatchSet`, or None where nothing is left.
    """
    rows = np.flatnonzero(patch_set.owned)
    if rows.size == 0:
        return None
    variance_weight, noise_weight = _weights(patch_set, max_coherence)
    p, q = variance_weight[rows], noise_weight[rows]
    cells = _cells(patch_set.patch.variable("xy")[rows, 1:3], size_m)
    _, group = np.unique(cells, axis=0, return_inverse=True)
    total = np.bincount(group.ravel(), weights=p)
    kept = np.flatnonzero(~(total < min_weight))
    if kept.size == 0:
        return None
    member = (group.ravel()[None, :] == kept[:, None]).astype(np.float64)
    arrays = patch_set.taken(rows)
    means = member * p
    means /= means.sum(axis=1, keepdims=True)
    result: dict[str, Array] = {}
    for name, values in arrays.items():
        if name in _SUMMED:
            result[name] = (member * q) @ _double(values)
        elif name == "bperp_mat":
            floored = member * np.where(p == 0, _LEAST_WEIGHT, p)
            floored /= floored.sum(axis=1, keepdims=True)
            result[name] = (floored @ _double(values)).astype(np.float32)
        elif name != "coh_ps":
            result[name] = means @ _double(values)
    result["ij"] = np.floor(result["ij"] + 0.5)
    with np.errstate(divide="ignore"):
        coherence = np.sqrt(1 / (1 + 1 / np.sqrt(member @ q**2)))
    result["coh_ps"] = coherence.reshape(-1, 1)
    return result


def _weights(patch_set: PatchSet, max_coherence: float) -> tuple[Doubles, Doubles]:
    """Return reciprocal variance and signal-to-noise ratio of every PS."""
    offset = _double(patch_set.arrays["C_ps"])
    residual = np.angle(np.exp(1j * (_double(patch_set.arrays["ph_res"]) - offset)))
    if not patch_set.patch.small_baseline:
        residual = np.concatenate([residual, offset], axis=1)
    variance = np.maximum(residual.var(axis=1, ddof=1), _PHASE_ACCURACY_RAD**2)
    coherence = np.abs(np.exp(1j * residual).sum(axis=1)) / patch_set.patch.n_ifg
    coherence = np.minimum(coherence, max_coherence)
    with np.errstate(divide="ignore"):
        return 1 / variance, 1 / (1 / coherence**2 - 1)


def _cells(xy_m: Array, size_m: float) -> Array:
    """Return row along y and column along x of each PS, from 1, in single precision."""
    yx = xy_m[:, ::-1].astype(np.float32)
    return np.ceil((yx - yx.min(axis=0) + np.float32(1e-9)) / np.float32(size_m))


def _double(values: Array) -> Array:
    return values.astype(np.complex128 if np.iscomplexobj(values) else np.float64)
