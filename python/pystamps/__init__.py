"""Public name of the package: re-exports of `pystamps_shim`, nothing else."""
