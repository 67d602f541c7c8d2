"""The tropospheric correction of images from that of small-baseline pairs (small-baseline.md 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pystamps_shim.errors import PystampsError
from pystamps_shim.reference.inputs import Patch
from pystamps_shim.reference.small_baseline_inversion import pair_design, refuse_isolated
from pystamps_shim.reference.tropospheric_correction import stored_correction_rad

Singles = NDArray[np.float32]


def tropospheric_images_rad(dataset: Patch) -> Singles:
    """Invert the correction in ``tca_sb2.mat`` to one of each image, all pairs weighing the same.

    Parameters
    ----------
    dataset
        Merged dataset of small baselines.

    Returns
    -------
    [P, images] float32 rad, 0 for the master and for images without a pair.

    Raises
    ------
    PystampsError
        There is no such file, it is a sum of two corrections, or the pairs that have a correction
        do not connect their images with the master.

    Notes
    -----
    StaMPS compatibility: ``sb_invert_aps``, which writes ``tca2.mat``; here the result is only
    used. A pair whose mean correction is exactly 0 counts as without.
    """
    correction = stored_correction_rad(dataset)
    method = dataset.parameters.text("tropo_method")
    if "+" in method:
        cause = (
            f"{dataset.parameters.path}: tropo_method is '{method}', a sum, which cannot be "
            "inverted to images"
        )
        raise PystampsError(cause, "choose one correction, or set subtr_tropo to n")
    known = ~np.isnan(correction)
    present = np.where(known, correction, 0).sum(axis=0, dtype=np.float64) != 0
    used = dataset.used()
    used = used[present[used]]
    design = pair_design(dataset, used)[used]
    images = np.flatnonzero((design != 0).any(axis=0))
    refuse_isolated(dataset, design[:, images])
    solver = np.linalg.pinv(design[:, images])
    series = np.zeros((dataset.n_ps, design.shape[1]), dtype=np.float32)
    series[:, images] = correction[:, used].astype(np.float64) @ solver.T
    return series
