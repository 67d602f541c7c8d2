"""Settings of a run: what there is, where it is read from, where a value came from."""

from pystamps_shim.config.files import load_config, with_settings
from pystamps_shim.config.model import (
    CompatConfig,
    RunConfig,
    RuntimeConfig,
    Sources,
    ToleranceConfig,
    parse_bytes,
)

__all__ = [
    "CompatConfig",
    "RunConfig",
    "RuntimeConfig",
    "Sources",
    "ToleranceConfig",
    "load_config",
    "parse_bytes",
    "with_settings",
]
