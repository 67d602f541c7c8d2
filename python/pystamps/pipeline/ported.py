"""Re-export of `pystamps_shim.pipeline.ported`."""

from __future__ import annotations

from pystamps_shim.pipeline.ported import (
    stage1_load_initial,
    stage2_estimate_gamma,
    stage3_select_ps,
    stage4_weed_ps,
    stage5_correct_and_promote,
    stage5_merge_and_ifgstd,
    stage6_unwrap,
    stage7_calc_scla,
    stage8_filter_scn,
)

__all__ = [
    "stage1_load_initial",
    "stage2_estimate_gamma",
    "stage3_select_ps",
    "stage4_weed_ps",
    "stage5_correct_and_promote",
    "stage5_merge_and_ifgstd",
    "stage6_unwrap",
    "stage7_calc_scla",
    "stage8_filter_scn",
]
