"""Re-export of `pystamps_shim.reference.stage2`."""

from __future__ import annotations

from pystamps_shim.reference.stage2 import stage2_estimate_gamma

__all__ = ["stage2_estimate_gamma"]
