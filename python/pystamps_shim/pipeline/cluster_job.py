"""One job on a worker of a cluster, which may be lost, leave, or be told to stop meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pystamps_shim._binary import find_command, package_version
from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER
from pystamps_shim.pipeline.jobs import Host, Share, StageJob, run_job
from pystamps_shim.pipeline.lock import wait_for_writer
from pystamps_shim.pipeline.process import Event
from pystamps_shim.pipeline.stopping import Stopper
from pystamps_shim.pipeline.types import StageResult, Status
from pystamps_shim.report_file import write_report

#: Where workers tell how far they are.
TOPIC = "pystamps-progress"
#: How long the native program of a lost worker may take to end.
_REMNANTS_S = 30.0
#: How often a worker looks whether anybody still waits for its job.
_POLL_S = 0.05
#: Least time between two reports of progress that cross the network.
_INTERVAL_S = 1.0


def results_folder(dataset: Path) -> Path:
    """Return where what is done is kept until the run ends, so that it is not done again."""
    return dataset / CONTROL_FOLDER / "cluster"


def run_on_worker(job: StageJob, share: Share, version: str, key: str) -> StageResult:
    """Run a job on the worker this is called on, or return what became of it before.

    Dask repeats jobs that are done when a worker is lost that keeps their results, even while the
    next stage of the patch runs already.
    """
    from distributed import Reschedule  # noqa: PLC0415

    kept = results_folder(job.dataset) / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return StageResult.from_json(json.loads(kept.read_text(encoding="utf-8")))
    result = _run_once(job, share, version, key)
    if result.status is Status.SKIPPED:
        # Where somebody still waits for it, another worker is to run it.
        raise Reschedule
    if kept.parent.is_dir():
        with contextlib.suppress(PystampsError):
            write_report(kept, json.dumps(result.as_json()))
    return result


def _run_once(job: StageJob, share: Share, version: str, key: str) -> StageResult:
    """Run a job on the worker this is called on; skipped means that nobody waits for it here."""
    from distributed import get_worker  # noqa: PLC0415

    try:
        _check_worker(job, version)
        # The worker that had this job before may have been lost a moment ago.
        wait_for_writer(job.folder, _REMNANTS_S)
        program = find_command()
    except PystampsError as error:
        return job.ended(Status.FAILED, f"{error.cause}; {error.remedy}")
    worker, last = get_worker(), 0.0

    def hear(event: Event) -> None:
        nonlocal last
        now = time.monotonic()
        if event.get("event") == "progress":
            if now - last < _INTERVAL_S:
                return
            last = now
        worker.log_event(TOPIC, json.dumps({"key": key, "event": event}))

    hear(
        {
            "event": "stage_started",
            "threads": share.threads,
            "worker": f"{worker.address}, process {os.getpid()}",
        }
    )
    stopper = Stopper()
    with _withdrawal_stops(stopper, worker, key):
        return run_job(job, share, Host(program, hear, stopper))


def _check_worker(job: StageJob, version: str) -> None:
    """Raise where a worker cannot run a job as its run means it."""
    if package_version() != version:
        place = f"the worker on {os.uname().nodename}"
        cause = f"{place} has pystamps {package_version()}, the run has {version}"
        raise PystampsError(cause, "install the same version everywhere")
    if not job.folder.is_dir():
        cause = f"the worker on {os.uname().nodename} does not see {job.folder}"
        remedy = "put the dataset on a file system that all machines share under one path"
        raise PystampsError(cause, remedy)


@contextlib.contextmanager
def _withdrawal_stops(stopper: Stopper, worker: Any, key: str) -> Iterator[None]:
    """Stop a job when nobody waits for it any more: Dask itself lets a running function run.

    The run was stopped at once or has died, or the worker has left the cluster: at the end of its
    lifetime it leaves first, waits for what it runs afterwards, and the job is already another's.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_POLL_S):
            task = worker.state.tasks.get(key)
            left = worker.status.name in ("closing", "closed", "failed")
            if left or task is None or task.state == "cancelled":
                stopper.stop_now()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
