"""Re-export of `pystamps_shim.simulate.export`."""

from __future__ import annotations

from pystamps_shim.simulate.export import ExportSummary, write_export

__all__ = ["ExportSummary", "write_export"]
