"""Runs on a real Dask cluster of processes on this machine: the same bytes, whoever is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pystamps_shim.cli import main
from pystamps_shim.pipeline import cluster as pipeline_cluster
from tests.disturbance import (
    Case,
    Child,
    Run,
    children,
    environment,
    prepare_four_patches,
    processes,
    report_of,
    wait_until,
)

SEED = 20262
#: How long a run that is to stop at once may take.
AT_ONCE_S = 8.0


class Cluster:
    """A scheduler and its workers, as their own command lines start them.

    Parameters
    ----------
    folder
        Folder of their files.
    settings
        Environment variables of Dask's own.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._environment = environment() | settings
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self.scheduler = self._start("scheduler", *options, "--scheduler-file", file)
        assert wait_until(lambda: file.is_file() and bool(file.read_text(encoding="utf-8")))
        self.address = str(json.loads(file.read_text(encoding="utf-8"))["address"])

    def add_worker(self, *options: object) -> subprocess.Popen[bytes]:
        """Start a worker with one thread."""
        place = ["--host", "127.0.0.1", "--local-directory", self._folder]
        limits = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
        return self._start("worker", self.address, *place, *limits, *options)

    def _start(self, what: str, *options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, options)]
        with (self._folder / f"{what}{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """Kill what is left of it."""
        for process in reversed(self.processes):
            # A nanny's worker is in the same group.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Start a scheduler."""
    made = Cluster(tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def prepared(native_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Make a freshly prepared dataset, and run it on this machine without a cluster."""
    folder = tmp_path_factory.mktemp("cluster")
    return Case.of("fresh", prepare_four_patches(native_program, folder))


@pytest.fixture
def case(prepared: Case) -> Case:
    """Return the freshly prepared dataset, as it was."""
    prepared.restore()
    return prepared


def run_on(case: Case, cluster: Cluster, *options: object) -> Run:
    """Run a case on a cluster."""
    return Run(case.dataset, "--executor", "dask", "--scheduler", cluster.address, *options)


def parent(pid: int) -> int:
    """Return the process that has started a process."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(text.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("how", ["killed", pytest.param("asked to end", marks=pytest.mark.faults)])
def test_lost_worker_is_replaced(case: Case, cluster: Cluster, how: str) -> None:
    """Its stage runs again elsewhere, and everything has the bytes of a local run.

    A batch system asks a job to end with SIGTERM, which the nanny hears.
    """
    for _ in range(2):
        cluster.add_worker("--nanny")
    run = run_on(case, cluster)
    run.wait_for_stage(2)
    assert wait_until(lambda: any(child.stage == 2 for child in children(case.dataset)))
    victim = next(child for child in children(case.dataset) if child.stage == 2)
    # The native program is stopped, so that the worker's end finds it at work.
    os.kill(victim.pid, signal.SIGSTOP)
    worker = parent(victim.pid)
    if how == "asked to end":
        os.kill(parent(worker), signal.SIGTERM)
        assert wait_until(lambda: not victim.lives(), 5)
    else:
        os.kill(worker, signal.SIGKILL)
        victim.kill()
    case.assert_finished(run)
    results = report_of(case.dataset)["results"]
    assert {result["status"] for result in results} == {"completed"}
    starts = [
        (event["stage"], event["target"], event["worker"])
        for event in run.events
        if event["event"] == "stage_started"
    ]
    workers = {worker for stage, target, worker in starts if (stage, target) == (2, victim.target)}
    assert len(workers) == 2
    assert len(starts) == len(results) + 1


@pytest.mark.faults
def test_lost_workers_of_a_forced_run(case: Case, cluster: Cluster) -> None:
    """Dask repeats what is done when the worker that keeps the result is lost; we do not.

    Repeated by force, an early stage of a patch would take away what later ones have made.
    """
    chance = random.Random(SEED)
    workers = [cluster.add_worker("--no-nanny") for _ in range(3)]
    for number in range(3):
        run = run_on(case, cluster, "--force")
        run.wait_for_stage(1)
        time.sleep(chance.uniform(0.0, 0.6 * case.seconds))
        victim = workers.pop(chance.randrange(len(workers)))
        victim.kill()
        workers.append(cluster.add_worker("--no-nanny"))
        failed = [event for event in run.events if event.get("status") == "failed"]
        assert run.finish() == 0, f"seed {SEED}, run {number}: {failed}"
        assert {result["status"] for result in report_of(case.dataset)["results"]} == {"completed"}
        assert not (case.dataset / ".pystamps" / "cluster").exists()


@pytest.mark.faults
def test_stage_that_loses_four_workers(case: Case, tmp_path: Path) -> None:
    """It fails, and other patches go on, though they waited for the same workers.

    The scheduler gives up after one loss, whatever it says that a job was lost with.
    """
    cluster = Cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        for _ in range(5):
            cluster.add_worker("--no-nanny")
        run = run_on(case, cluster)
        for number in range(1, 5):
            while starts(run, 2, "PATCH_1") < number or not at_work(case, 2, "PATCH_1"):
                assert not run.ended
                time.sleep(0.01)
            victim = at_work(case, 2, "PATCH_1")[0]
            os.kill(victim.pid, signal.SIGSTOP)
            os.kill(parent(victim.pid), signal.SIGKILL)
            victim.kill()
        assert run.finish() == 1
    finally:
        cluster.stop()
    results = report_of(case.dataset)["results"]
    failed = [one for one in results if one["status"] == "failed"]
    assert [(one["stage_id"], one["target"]) for one in failed] == [(2, "PATCH_1")]
    assert "several workers in turn were lost while they ran it" in failed[0]["details"]
    done = [
        one["target"] for one in results if (one["stage_id"], one["status"]) == (5, "completed")
    ]
    assert sorted(done) == ["PATCH_2", "PATCH_3", "PATCH_4"]


def starts(run: Run, stage: int, target: str) -> int:
    """Return how often a stage has been started."""
    found = [event for event in run.events if event["event"] == "stage_started"]
    return sum((event["stage"], event["target"]) == (stage, target) for event in found)


def at_work(case: Case, stage: int, target: str) -> list[Child]:
    """Return the native programs that work on a stage."""
    return [one for one in children(case.dataset) if (one.stage, one.target) == (stage, target)]


def well_begun(run: Run, moment: float) -> set[tuple[int, str]]:
    """Return stage and target of what had begun at a moment, so that the run had heard of it.

    What a worker begins at that very moment is withdrawn as if it had not begun.
    """
    begun = (event for event in run.events if event["event"] == "stage_started")
    return {(e["stage"], e["target"]) for e in begun if e["after"] < moment}


@pytest.mark.faults
def test_interrupts(case: Case, cluster: Cluster) -> None:
    """Ctrl-C once lets running stages publish, twice stops them on the workers."""
    cluster.add_worker("--no-nanny")
    cluster.add_worker("--no-nanny")
    run = run_on(case, cluster)
    run.wait_for_stage(2)
    interrupted = time.monotonic() - run.begin
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 130
    report = report_of(case.dataset)
    assert report["state"] == "interrupted"
    ends = {(one["stage_id"], one["target"]): one["status"] for one in report["results"]}
    assert {ends[key] for key in well_begun(run, interrupted)} == {"completed"}
    assert "skipped" in ends.values()

    case.restore()
    run = run_on(case, cluster)
    run.wait_for_stage(2)
    assert wait_until(lambda: any(child.stage == 2 for child in children(case.dataset)))
    begin = time.monotonic()
    run.process.send_signal(signal.SIGTERM)
    assert run.finish() == 130
    assert time.monotonic() - begin < AT_ONCE_S
    assert children(case.dataset) == []
    assert report_of(case.dataset)["state"] == "interrupted"
    case.assert_finished(Run(case.dataset))


@pytest.mark.faults
def test_killed_run_and_killed_scheduler(case: Case, cluster: Cluster) -> None:
    """Workers stop what nobody waits for any more; a lost scheduler is a failure, said so."""
    cluster.add_worker("--no-nanny")
    run = run_on(case, cluster)
    run.wait_for_stage(2)
    run.kill()
    again = run_on(case, cluster)
    again.wait_for_stage(4)
    cluster.scheduler.kill()
    assert again.finish() == 1
    assert "was stopped before its end: recovered" in again.notes
    report = report_of(case.dataset)
    assert report["state"] == "failed"
    failed = [one["details"] for one in report["results"] if one["status"] == "failed"]
    assert failed
    said = "the connection to the Dask scheduler is lost"
    assert [details for details in failed if said not in details] == []
    assert wait_until(lambda: children(case.dataset) == [], 10)
    case.assert_finished(Run(case.dataset))


def test_no_scheduler_answers(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said where, and within the time-out; nothing was begun."""
    monkeypatch.setattr(pipeline_cluster, "_CONNECT_S", 1)
    arguments = ["run", "--dataset", str(case.dataset), "--executor", "dask", "--no-products"]
    begin = time.monotonic()
    assert main([*arguments, "--progress", "none", "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert time.monotonic() - begin < 15
    said = capsys.readouterr().err
    assert said.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:9")
    assert said.count("\n") == 2
    assert report_of(case.dataset)["results"] == []


def test_wrong_workers(case: Case, cluster: Cluster, tmp_path: Path) -> None:
    """No worker, one that does not see the dataset, one with another version: each is said."""
    run = run_on(case, cluster)
    noticed = run.wait_for(lambda event: "no workers" in str(event.get("text")))
    assert noticed is not None
    preload = tmp_path / "blind.py"
    preload.write_text(
        "from pathlib import Path\n"
        "is_dir = Path.is_dir\n"
        f"Path.is_dir = lambda path: {str(case.dataset)!r} not in str(path) and is_dir(path)\n",
        encoding="utf-8",
    )
    worker = cluster.add_worker("--no-nanny", "--preload", preload)
    assert run.finish() == 1
    failed = [e["details"] for e in run.events if e.get("status") == "failed"]
    assert len(failed) == 4
    assert f"does not see {case.dataset}/PATCH_" in failed[0]
    assert "put the dataset on a file system that all machines share" in failed[0]
    worker.kill()
    preload = tmp_path / "old.py"
    preload.write_text(
        "from pystamps_shim.pipeline import cluster_job\n"
        "cluster_job.package_version = lambda: '0.0'\n",
        encoding="utf-8",
    )
    cluster.add_worker("--no-nanny", "--preload", preload)
    run = run_on(case, cluster)
    assert run.finish() == 1
    failed = [e["details"] for e in run.events if e.get("status") == "failed"]
    assert "has pystamps 0.0, the run has" in failed[0]


def test_cluster_of_this_machine(case: Case) -> None:
    """Without a scheduler the run starts workers, and a terminal's Ctrl-C reaches them, too."""
    options = ["--executor", "dask", "--workers", 2]
    run = Run(case.dataset, *options)
    run.wait_for_stage(2)
    interrupted = time.monotonic() - run.begin
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.finish() == 130
    assert "stopping once the stages that run have published" in run.words
    assert "Traceback" not in run.words
    report = report_of(case.dataset)
    assert report["state"] == "interrupted"
    ends = {(one["stage_id"], one["target"]): one["status"] for one in report["results"]}
    assert {ends[key] for key in well_begun(run, interrupted)} == {"completed"}
    assert processes(case.dataset) == []
    run = Run(case.dataset, *options)
    case.assert_finished(run)
    assert run.words == ""


def test_without_the_library(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to install is said."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "distributed" else found(name)
    )
    arguments = ["run", "--dataset", str(case.dataset), "--executor", "dask", "--no-products"]
    assert main(arguments) == 2
    assert "pip install distributed" in capsys.readouterr().err
