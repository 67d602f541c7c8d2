"""Re-export of `pystamps_shim.pipeline.types`."""

from __future__ import annotations

from pystamps_shim.pipeline.types import (
    STAGES,
    PipelineContext,
    PipelineReport,
    RunState,
    StageDef,
    StageResult,
    Status,
)

__all__ = [
    "STAGES",
    "PipelineContext",
    "PipelineReport",
    "RunState",
    "StageDef",
    "StageResult",
    "Status",
]
