"""How much faster all threads are than one, and how much more as many programs get done at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from parity.scale.scenes import Scene, written
from parity.scale.watched_run import WatchedRun, watched_run

#: How many times as fast two threads have to be as one.
THREADS_GAIN = 1.8


@dataclass(frozen=True)
class Sharing:
    """Times of one scene right after each other: the speed of processors changes.

    Attributes
    ----------
    all_threads_s
        With a thread for every processor, s.
    one_thread_s
        With a single thread, s.
    side_by_side_s
        As many runs at once as there are processors, each with a single thread: until the last
        ends, s.
    """

    all_threads_s: float
    one_thread_s: float
    side_by_side_s: float

    @property
    def gain(self) -> float:
        """How many times as fast all threads are as one."""
        return self.one_thread_s / self.all_threads_s

    @property
    def programs_gain(self) -> float:
        """How many times as much all processors do as one where nothing is shared.

        More than there are processors if the machine was slower while one worked alone.
        """
        return _processors() * self.one_thread_s / self.side_by_side_s


def measure_sharing(scene: Scene, work: Path, all_threads_s: float) -> Sharing:
    """Run a scene with one thread, alone and side by side, after a run with all threads."""
    with written(scene, work) as dataset:
        alone = _with_one_thread(scene, dataset)
    with ExitStack() as stack, ThreadPoolExecutor(_processors()) as pool:
        folders = [stack.enter_context(TemporaryDirectory(dir=work)) for _ in range(_processors())]
        datasets = [stack.enter_context(written(scene, Path(folder))) for folder in folders]
        beside = list(pool.map(lambda dataset: _with_one_thread(scene, dataset), datasets))
    return Sharing(all_threads_s, alone.seconds, max(run.seconds for run in beside))


def _with_one_thread(scene: Scene, dataset: Path) -> WatchedRun:
    return watched_run(dataset, *scene.options, "--threads", 1)


def _processors() -> int:
    return os.cpu_count() or 1
