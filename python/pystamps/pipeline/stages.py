"""Re-export of `pystamps_shim.pipeline.stages`."""

from __future__ import annotations

from pystamps_shim.pipeline.stages import (
    run_pipeline,
)

__all__ = [
    "run_pipeline",
]
