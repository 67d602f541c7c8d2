"""Re-export of `pystamps_shim.reference.outputs`."""

from __future__ import annotations

from pystamps_shim.reference.outputs import write_artefacts

__all__ = ["write_artefacts"]
