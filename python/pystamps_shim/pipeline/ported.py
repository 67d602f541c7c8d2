"""Façade over `pystamps_shim.reference`: every ported stage under its StaMPS-like name."""

from __future__ import annotations

from pystamps_shim.reference.stage1 import stage1_load_initial
from pystamps_shim.reference.stage2 import stage2_estimate_gamma
from pystamps_shim.reference.stage3 import stage3_select_ps
from pystamps_shim.reference.stage4 import stage4_weed_ps
from pystamps_shim.reference.stage5 import stage5_correct_and_promote, stage5_merge_and_ifgstd
from pystamps_shim.reference.stage6 import stage6_unwrap
from pystamps_shim.reference.stage7 import stage7_calc_scla
from pystamps_shim.reference.stage8 import stage8_filter_scn

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
