"""Re-export of `pystamps_shim.io.mat`."""

from __future__ import annotations

from pystamps_shim.io.mat import read_mat, write_mat

__all__ = ["read_mat", "write_mat"]
