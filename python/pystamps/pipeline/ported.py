"""Re-export of `pystamps_shim.pipeline.ported`."""

from __future__ import annotations

from pystamps_shim.pipeline.ported import stage1_load_initial

__all__ = ["stage1_load_initial"]
