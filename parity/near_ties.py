"""Candidates of stage 2 whose fit may start from another trial when rounding differs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.kernels.topofit import trial_margin

Array = NDArray[Any]

#: Coherence by which the best trial must exceed the second for K to be comparable.
LEAST_MARGIN = 1e-5


def near_ties(phase: Array, patch_phase: Array, bperp_m: Array, n_trial_wraps: float) -> Array:
    """Tell which candidates have two trial slopes of nearly equal coherence.

    Parameters
    ----------
    phase, patch_phase
        [N, M] complex, without master.
    bperp_m
        [N, M].
    n_trial_wraps
        As stored in ``pm1.mat``.

    Returns
    -------
    [N] bool.
    """
    deviation = np.asarray(phase * np.conj(patch_phase))
    return np.asarray(trial_margin(deviation, bperp_m, n_trial_wraps) < LEAST_MARGIN)
