"""Re-exports of `pystamps_shim.simulate`."""
