"""Re-exports of `pystamps_shim.io`."""
