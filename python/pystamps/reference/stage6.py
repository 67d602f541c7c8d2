"""Re-export of `pystamps_shim.reference.stage6`."""

from __future__ import annotations

from pystamps_shim.reference.stage6 import stage6_unwrap

__all__ = ["stage6_unwrap"]
