"""The kernels as plain NumPy: each function is its formula.

n candidates or PS, m interferograms, E edges. Names and argument order are shared with the native
backend; sections refer to the specification. NaN and infinity go through as other numbers do,
without warnings.
"""

from __future__ import annotations

from pystamps_shim.kernels.edge_analysis import stage8_edge_noise
from pystamps_shim.kernels.edge_noise import stage4_edge_stats
from pystamps_shim.kernels.gridding import stage2_grid_accumulate, stage2_histogram
from pystamps_shim.kernels.look_angle_error import stage7_scla
from pystamps_shim.kernels.topofit import (
    stage2_topofit,
    stage2_topofit_coh_row_invariant,
    stage2_topofit_row_invariant,
)

__all__ = [
    "stage2_grid_accumulate",
    "stage2_histogram",
    "stage2_topofit",
    "stage2_topofit_coh_row_invariant",
    "stage2_topofit_row_invariant",
    "stage4_edge_stats",
    "stage7_scla",
    "stage8_edge_noise",
]
