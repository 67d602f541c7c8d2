"""Threads and memory of one machine, shared by the stages that run side by side."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pystamps_shim.pipeline.estimates import Need
from pystamps_shim.pipeline.jobs import Share


class Budget:
    """Hands out shares so that all together never exceed what there is.

    A stage waits while the memory it cannot do without is taken by others. Alone it always
    starts: the native program then says whether its share is enough.

    Parameters
    ----------
    threads
        Threads of all stages together.
    memory_bytes
        Memory of all stages together.
    binding
        Whether every stage is told its share of the memory, as a limit the user set asks for;
        otherwise only those that could exceed it.
    """

    def __init__(self, threads: int, memory_bytes: int, *, binding: bool) -> None:
        self._threads_free = threads
        self._memory_free = memory_bytes
        self._binding = binding
        self._idle_slots = 0
        self._running = 0
        self._freed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Count a place where stages run one after the other, each wanting a share in its turn."""
        with self._freed:
            self._idle_slots += 1
        try:
            yield
        finally:
            with self._freed:
                self._idle_slots -= 1
                self._freed.notify_all()

    @contextmanager
    def share(self, need: Need) -> Iterator[Share]:
        """Wait for room and hold it while the block runs.

        What is free is divided among the places that run nothing at the moment: the last patch
        gets what the others have left.
        """
        with self._freed:
            while not self._has_room(need):
                self._freed.wait()
            threads = max(1, min(self._threads_free, self._fair(self._threads_free)))
            memory = min(self._memory_free, max(need.memory_bytes, self._fair(self._memory_free)))
            short = memory < need.memory_bytes
            self._take(threads, memory, 1)
        try:
            yield Share(threads, memory if self._binding or short else None)
        finally:
            with self._freed:
                self._take(-threads, -memory, -1)
                self._freed.notify_all()

    def _has_room(self, need: Need) -> bool:
        if self._running == 0:
            return True
        return self._threads_free > 0 and need.least_memory_bytes <= self._memory_free

    def _fair(self, free: int) -> int:
        return math.ceil(free / max(1, self._idle_slots))

    def _take(self, threads: int, memory: int, stages: int) -> None:
        self._threads_free -= threads
        self._memory_free -= memory
        self._running += stages
        self._idle_slots -= stages


def free_memory_bytes() -> int:
    """Return four fifths of the memory that is free now; 1 GiB where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return 1 << 30
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 * 4 // 5
    return 1 << 30
