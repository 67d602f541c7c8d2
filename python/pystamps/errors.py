"""Re-export of `pystamps_shim.errors`."""

from __future__ import annotations

from pystamps_shim.errors import ExitCode, PystampsError

__all__ = ["ExitCode", "PystampsError"]
