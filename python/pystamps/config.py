"""Re-export of `pystamps_shim.config`."""

from __future__ import annotations

from pystamps_shim.config import (
    CompatConfig,
    RunConfig,
    RuntimeConfig,
    ToleranceConfig,
    load_config,
)

__all__ = [
    "CompatConfig",
    "RunConfig",
    "RuntimeConfig",
    "ToleranceConfig",
    "load_config",
]
