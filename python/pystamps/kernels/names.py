"""Re-export of `pystamps_shim.kernels.names`."""

from __future__ import annotations

from pystamps_shim.kernels.names import KERNELS, STAGE_KERNELS

__all__ = ["KERNELS", "STAGE_KERNELS"]
