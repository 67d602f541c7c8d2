"""Re-exports of `pystamps_shim.reference`."""
