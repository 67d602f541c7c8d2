"""The side of unwrapping cells for a scene that is smaller than StaMPS expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pystamps_shim.io import mat
from pystamps_shim.reference.parameters import Parameters

# Stage 6 filters windows of this many cells along both sides (unwrap_gold_n_win), and a few more
# leave it something to overlap.
_SPARE_CELLS = 4
_STEP_M = 10
# unwrap_grid_size where nobody has set it.
_DEFAULT_M = 200


def cell_for_small_scene_m(dataset: Path) -> int | None:
    """Return the side of unwrapping cells where the parameter's value is too coarse, else None.

    Parameters
    ----------
    dataset
        Merged dataset, after stage 5.
    """
    parameters = Parameters.read(dataset)
    window = parameters.number("unwrap_gold_n_win")
    cell_m = parameters.number("unwrap_grid_size")
    xy_m = mat.read_variable(dataset / "ps2.mat", "xy")[:, 1:]
    side_m = float(np.ptp(xy_m, axis=0).min()) if len(xy_m) else 0.0
    # Another size than StaMPS's own is one that somebody has chosen.
    if cell_m != _DEFAULT_M or side_m == 0 or side_m / cell_m >= window:
        return None
    return max(_STEP_M, int(side_m / (window + _SPARE_CELLS)) // _STEP_M * _STEP_M)
