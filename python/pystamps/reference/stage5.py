"""Re-export of `pystamps_shim.reference.stage5`."""

from __future__ import annotations

from pystamps_shim.reference.stage5 import stage5_correct_and_promote, stage5_merge_and_ifgstd

__all__ = ["stage5_correct_and_promote", "stage5_merge_and_ifgstd"]
