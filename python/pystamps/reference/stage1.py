"""Re-export of `pystamps_shim.reference.stage1`."""

from __future__ import annotations

from pystamps_shim.reference.stage1 import stage1_load_initial

__all__ = ["stage1_load_initial"]
