"""Re-export of `pystamps_shim.simulate.dataset`."""

from __future__ import annotations

from pystamps_shim.simulate.dataset import DatasetSize, DatasetSummary, write_dataset

__all__ = ["DatasetSize", "DatasetSummary", "write_dataset"]
