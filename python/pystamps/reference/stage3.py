"""Re-export of `pystamps_shim.reference.stage3`."""

from __future__ import annotations

from pystamps_shim.reference.stage3 import stage3_select_ps

__all__ = ["stage3_select_ps"]
