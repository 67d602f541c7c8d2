"""Re-export of `pystamps_shim.reference.stage4`."""

from __future__ import annotations

from pystamps_shim.reference.stage4 import stage4_weed_ps

__all__ = ["stage4_weed_ps"]
