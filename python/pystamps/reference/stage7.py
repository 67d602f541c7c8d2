"""Re-export of `pystamps_shim.reference.stage7`."""

from __future__ import annotations

from pystamps_shim.reference.stage7 import stage7_calc_scla

__all__ = ["stage7_calc_scla"]
