"""What a worker that the run itself has started loads first (`pystamps_shim.pipeline.cluster`)."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the run: a terminal sends it to all its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
