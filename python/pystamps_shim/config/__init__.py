"""Settings of a run: what there is, where it is read from, where a value came from."""

from pystamps_shim.config.files import Layer, config_of, load_config
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
    "Layer",
    "RunConfig",
    "RuntimeConfig",
    "Sources",
    "ToleranceConfig",
    "config_of",
    "load_config",
    "parse_bytes",
]
