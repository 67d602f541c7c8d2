"""Chains of stages side by side: a patch's stages follow each other, patches do not wait.

What runs a single job is a `Runner`: this machine (`LocalRunner`) or a cluster
(`pystamps_shim.pipeline.cluster`).
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pystamps_shim.pipeline.budget import Budget
from pystamps_shim.pipeline.estimates import Estimates
from pystamps_shim.pipeline.jobs import Host, StageJob, run_job
from pystamps_shim.pipeline.process import Event, Program
from pystamps_shim.pipeline.stopping import Stopper
from pystamps_shim.pipeline.types import StageResult, Status

#: Hears of every job what it says while it runs.
JobListener = Callable[[StageJob, Event], None]
Chain = Sequence[StageJob]

UPSTREAM_FAILED = "upstream failed"
INTERRUPTED = "interrupted before it began"


class Runner(Protocol):
    """Runs jobs, each to its end, from several threads at a time."""

    def slot(self) -> AbstractContextManager[None]:
        """Surround everything that one of the places side by side does."""
        ...

    def run(self, job: StageJob) -> StageResult:
        """Run a job; never raises for what goes wrong in it."""
        ...


class LocalRunner:
    """Runs jobs as subprocesses of this machine within a budget."""

    def __init__(
        self,
        program: Program,
        budget: Budget,
        estimates: Estimates,
        stopper: Stopper,
        listener: JobListener,
    ) -> None:
        self._program = program
        self._budget = budget
        self._estimates = estimates
        self._stopper = stopper
        self._listener = listener

    def slot(self) -> AbstractContextManager[None]:
        """Count the place for the division of the budget."""
        return self._budget.slot()

    def run(self, job: StageJob) -> StageResult:
        """Wait for a share of the budget and run the job with it."""
        need = self._estimates.need(job.stage_id, job.scope, job.target)
        with self._budget.share(need) as share:
            if self._stopper.requested:
                return job.ended(Status.SKIPPED, INTERRUPTED)
            self._listener(job, {"event": "stage_started", "threads": share.threads})

            def hear(event: Event) -> None:
                self._listener(job, event)

            return run_job(job, share, Host(self._program, hear, self._stopper))


def run_chains(
    chains: Sequence[Chain], slots: int, runner: Runner, stopper: Stopper
) -> Iterator[StageResult]:
    """Run chains of jobs, so many at a time, in the order given; yield results as they come.

    A failed job ends its chain: the rest of it is skipped, other chains go on.
    """
    waiting = deque(chains)
    results: queue.SimpleQueue[StageResult | None] = queue.SimpleQueue()

    def work(place: AbstractContextManager[None]) -> None:
        try:
            while True:
                try:
                    chain = waiting.popleft()
                except IndexError:
                    break
                _run_chain(chain, runner, stopper, results.put)
        finally:
            place.__exit__(None, None, None)
            results.put(None)

    places = [runner.slot() for _ in range(min(slots, len(chains)))]
    # All are counted before the first begins, or it would take the share of the others.
    for place in places:
        place.__enter__()
    workers = [threading.Thread(target=work, args=(place,), daemon=True) for place in places]
    for worker in workers:
        worker.start()
    try:
        for _ in workers:
            while (result := results.get()) is not None:
                yield result
    except BaseException:
        # Whoever takes the results has given up: nothing may go on behind its back.
        stopper.stop_now()
        raise
    finally:
        for worker in workers:
            worker.join()


def _run_chain(
    chain: Chain, runner: Runner, stopper: Stopper, put: Callable[[StageResult], None]
) -> None:
    reason: str | None = None
    for job in chain:
        if reason is None and stopper.requested:
            reason = INTERRUPTED
        if reason is not None:
            put(job.ended(Status.SKIPPED, reason))
            continue
        try:
            result = runner.run(job)
        except Exception as error:
            # A chain that only ended here would be missing from the results, unnoticed.
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            result = job.ended(Status.FAILED, f"the run itself failed: {cause}; report it")
        put(result)
        if result.status is Status.FAILED:
            reason = UPSTREAM_FAILED
        elif result.status is Status.SKIPPED:
            reason = INTERRUPTED
