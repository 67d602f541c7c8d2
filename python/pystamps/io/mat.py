"""Re-export of `pystamps_shim.io.mat`."""

from __future__ import annotations

from pystamps_shim.io.mat import list_variables, read, read_variable, write

__all__ = ["list_variables", "read", "read_variable", "write"]
