"""Re-export of `pystamps_shim.reference.stage8`."""

from __future__ import annotations

from pystamps_shim.reference.stage8 import stage8_filter_scn

__all__ = ["stage8_filter_scn"]
