"""Re-export of `pystamps_shim.kernels.accelerated`."""

from __future__ import annotations

from pystamps_shim.kernels.accelerated import (
    describe_backends,
    stage2_grid_accumulate,
    stage2_histogram,
    stage2_topofit,
    stage2_topofit_coh_row_invariant,
    stage2_topofit_row_invariant,
    stage4_edge_stats,
    stage7_scla,
    stage8_edge_noise,
)

__all__ = [
    "describe_backends",
    "stage2_grid_accumulate",
    "stage2_histogram",
    "stage2_topofit",
    "stage2_topofit_coh_row_invariant",
    "stage2_topofit_row_invariant",
    "stage4_edge_stats",
    "stage7_scla",
    "stage8_edge_noise",
]
