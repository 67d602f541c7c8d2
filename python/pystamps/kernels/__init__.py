"""Re-exports of `pystamps_shim.kernels`."""
