"""Re-export of `pystamps_shim.io.dataset`."""

from __future__ import annotations

from pystamps_shim.io.dataset import (
    Dataset,
    discover_dataset,
    expected_stage_artifact,
    expected_stage_bundle,
)

__all__ = [
    "Dataset",
    "discover_dataset",
    "expected_stage_artifact",
    "expected_stage_bundle",
]
