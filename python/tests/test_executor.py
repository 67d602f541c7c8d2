"""Chains side by side, the budget they share, and stopping."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pystamps_shim.pipeline.budget import Budget, free_memory_bytes
from pystamps_shim.pipeline.estimates import Need
from pystamps_shim.pipeline.executor import run_chains
from pystamps_shim.pipeline.jobs import Share, StageJob
from pystamps_shim.pipeline.stopping import Stopper
from pystamps_shim.pipeline.types import StageResult, Status

GIB = 1 << 30


def chain(target: str, stages: range = range(1, 4)) -> list[StageJob]:
    """Return the jobs of a patch."""
    return [StageJob(number, "patch", target, Path("dataset")) for number in stages]


class Runner:
    """Stands in for a machine: takes down what runs when, fails on request."""

    def __init__(self, fails: set[tuple[str, int]] = frozenset(), wait_s: float = 0.0) -> None:  # type: ignore[assignment]
        self.fails, self.wait_s = fails, wait_s
        self.begun: list[tuple[str, int]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Surround nothing."""
        yield

    def run(self, job: StageJob) -> StageResult:
        """Take down that the job ran."""
        with self.lock:
            self.begun.append((job.target, job.stage_id))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.wait_s)
        with self.lock:
            self.at_once -= 1
        failed = (job.target, job.stage_id) in self.fails
        return job.ended(Status.FAILED if failed else Status.COMPLETED, "words")


def test_patches_do_not_wait_for_each_other() -> None:
    """A quick patch is through all its stages before a slow one has ended its first."""

    class Slow(Runner):
        def run(self, job: StageJob) -> StageResult:
            if job.target == "slow":
                quick_done.wait(10)
            result = super().run(job)
            if job.target == "quick" and job.stage_id == 3:
                quick_done.set()
            return result

    quick_done = threading.Event()
    runner = Slow()
    results = list(run_chains([chain("slow"), chain("quick")], 2, runner, Stopper()))
    assert runner.begun[:3] == [("quick", 1), ("quick", 2), ("quick", 3)]
    assert [one.status for one in results] == [Status.COMPLETED] * 6


def test_slots_limit_what_runs_at_once_and_order_is_kept() -> None:
    runner = Runner(wait_s=0.01)
    names = ["a", "b", "c", "d", "e"]
    results = list(run_chains([chain(name) for name in names], 2, runner, Stopper()))
    assert runner.most_at_once == 2
    assert len(results) == 15
    assert [target for target, stage in runner.begun if stage == 1] == names


def test_a_failure_ends_its_own_chain_only() -> None:
    runner = Runner(fails={("a", 2)})
    results = list(run_chains([chain("a"), chain("b")], 1, runner, Stopper()))
    of_a = [(one.status, one.details) for one in results if one.target == "a"]
    assert of_a == [
        (Status.COMPLETED, "words"),
        (Status.FAILED, "words"),
        (Status.SKIPPED, "upstream failed"),
    ]
    assert [one.status for one in results if one.target == "b"] == [Status.COMPLETED] * 3


def test_a_stop_lets_what_runs_end_and_begins_nothing() -> None:
    stopper = Stopper()

    class Stopping(Runner):
        def run(self, job: StageJob) -> StageResult:
            stopper.request()
            return super().run(job)

    results = list(run_chains([chain("a"), chain("b")], 1, Stopping(), stopper))
    assert [one.status for one in results] == [Status.COMPLETED, *[Status.SKIPPED] * 5]
    assert all("interrupted" in one.details for one in results[1:])


def test_whoever_gives_up_on_results_leaves_nothing_running() -> None:
    stopper, runner = Stopper(), Runner(wait_s=0.02)
    results = run_chains([chain("a"), chain("b")], 2, runner, stopper)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert stopper.at_once
    assert runner.at_once == 0
    assert len(runner.begun) < 6


def shares(budget: Budget, needs: list[Need]) -> list[Share]:
    """Take shares one after the other and hold them all."""
    with contextlib.ExitStack() as stack:
        for _ in needs:
            stack.enter_context(budget.slot())
        return [stack.enter_context(budget.share(need)) for need in needs]


@pytest.mark.parametrize(
    ("threads", "chains", "expected"),
    [(4, 2, [2, 2]), (4, 3, [2, 1, 1]), (2, 2, [1, 1]), (8, 1, [8]), (7, 4, [2, 2, 2, 1])],
)
def test_threads_are_divided_and_never_exceeded(
    threads: int, chains: int, expected: list[int]
) -> None:
    budget = Budget(threads, GIB, binding=False)
    assert [share.threads for share in shares(budget, [Need()] * chains)] == expected


def test_patches_that_begin_together_share_from_the_start() -> None:
    """The first one does not take what the others are about to ask for."""
    budget, begun = Budget(4, GIB, binding=False), threading.Barrier(4)

    class Sharing(Runner):
        @contextlib.contextmanager
        def slot(self) -> Iterator[None]:
            with budget.slot():
                yield

        def run(self, job: StageJob) -> StageResult:
            with budget.share(Need()) as share:
                if job.stage_id == 1:
                    begun.wait(10)
                return job.ended(Status.COMPLETED, str(share.threads))

    chains = [chain(name) for name in "abcd"]
    results = list(run_chains(chains, 4, Sharing(), Stopper()))
    assert [one.details for one in results if one.stage_id == 1] == ["1"] * 4


def test_the_last_chain_gets_what_the_others_leave() -> None:
    budget = Budget(4, GIB, binding=False)
    with budget.slot():
        with budget.slot(), budget.share(Need()) as first:
            assert first.threads == 2
        with budget.share(Need()) as alone:
            assert alone.threads == 4


def test_a_limit_that_binds_is_told_and_others_only_where_they_matter() -> None:
    roomy = Need(GIB, GIB // 2)
    told = [
        share.memory_limit_bytes for share in shares(Budget(2, 4 * GIB, binding=True), [roomy] * 2)
    ]
    assert told == [2 * GIB, 2 * GIB]
    free = shares(Budget(2, 4 * GIB, binding=False), [roomy] * 2)
    assert [share.memory_limit_bytes for share in free] == [None, None]
    tight = shares(Budget(2, 3 * GIB, binding=False), [Need(2 * GIB, GIB)] * 2)
    assert [share.memory_limit_bytes for share in tight] == [None, GIB]


def test_a_stage_waits_for_the_memory_it_cannot_do_without() -> None:
    budget = Budget(2, 3 * GIB, binding=False)
    need = Need(2 * GIB, 2 * GIB)
    order: list[str] = []

    def second() -> None:
        with budget.slot(), budget.share(need):
            order.append("second began")

    with budget.slot(), budget.share(need):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.05)
        order.append("first ends")
    thread.join(10)
    assert order == ["first ends", "second began"]


def test_alone_a_stage_begins_whatever_it_needs() -> None:
    """The native program then says what it would take."""
    budget = Budget(1, GIB, binding=False)
    with budget.slot(), budget.share(Need(9 * GIB, 5 * GIB)) as share:
        assert share.memory_limit_bytes == GIB


def test_free_memory_is_a_number_of_this_machine() -> None:
    assert 1 << 20 < free_memory_bytes() < 1 << 50
