"""Re-exports of `pystamps_shim.pipeline`."""
