"""The same jobs on a Dask cluster: workers start the same commands on a shared file system."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pystamps_shim._binary import package_version
from pystamps_shim.config.model import RuntimeConfig
from pystamps_shim.errors import ExitCode, PystampsError
from pystamps_shim.pipeline.cluster_job import TOPIC, results_folder, run_on_worker
from pystamps_shim.pipeline.executor import INTERRUPTED, JobListener
from pystamps_shim.pipeline.jobs import DISCARDED, Share, StageJob, default_threads
from pystamps_shim.pipeline.lock import wait_for_writer
from pystamps_shim.pipeline.stopping import Stopper
from pystamps_shim.pipeline.types import StageResult, Status

_CONNECT_S, _POLL_S, _FETCH_S = 10, 0.05, 2.0
#: How often a job is begun, and submitted, before it is given up.
_MOST_BEGINNINGS, _MOST_TRIES = 4, 20
#: When a job that has not begun is looked after.
_NOTICE_S = 3.0
#: How long the native program of a stopped job may take to end.
_STOP_S = 5.0


@contextlib.contextmanager
def cluster_runner(
    runtime: RuntimeConfig, stopper: Stopper, listener: JobListener
) -> Iterator[ClusterRunner]:
    """Connect to the scheduler of the settings, or start a cluster on this machine.

    Raises
    ------
    PystampsError
        Dask is not installed, or the scheduler does not answer.
    """
    if importlib.util.find_spec("distributed") is None:
        cause = "runtime.executor is dask, and the library distributed is not installed"
        raise PystampsError(cause, "pip install distributed", ExitCode.USAGE)
    with contextlib.ExitStack() as after, _client(runtime) as client:
        runner = ClusterRunner(client, runtime, stopper, listener)
        # Not before the scheduler has forgotten the jobs.
        after.callback(runner.forget)
        yield runner


@contextlib.contextmanager
def _client(runtime: RuntimeConfig) -> Iterator[Any]:
    import distributed  # noqa: PLC0415 - an optional library

    if runtime.scheduler is None:
        workers = runtime.workers or default_threads()
        with (
            distributed.LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=50,
                preload="pystamps_shim.pipeline.cluster_preload",
            ) as cluster,
            distributed.Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            yield client
        return
    try:
        client = distributed.Client(  # type: ignore[no-untyped-call]
            runtime.scheduler, timeout=_CONNECT_S
        )
    except (OSError, TimeoutError, ValueError) as error:
        cause = f"no Dask scheduler answers at {runtime.scheduler} ({error})"
        raise PystampsError(cause, "start one: dask scheduler; or correct --scheduler") from error
    with client:
        yield client


class ClusterRunner:
    """Runs jobs on the workers of a cluster; one whose worker is lost runs again on another."""

    def __init__(
        self, client: Any, runtime: RuntimeConfig, stopper: Stopper, listener: JobListener
    ) -> None:
        self._client = client
        self._share = Share(runtime.threads or 1, runtime.memory_limit_bytes)
        self._stopper = stopper
        self._listener = listener
        self._running: dict[str, StageJob] = {}
        #: How often a job was begun.
        self._begun: Counter[str] = Counter()
        self._nobody_noticed = threading.Lock()
        self._datasets: set[Path] = set()
        self._guard = threading.Lock()
        self._fetching = threading.Lock()
        client.subscribe_topic(TOPIC, self._hear)

    def slot(self) -> AbstractContextManager[None]:
        """Surround nothing: the scheduler divides the cluster."""
        return nullcontext()

    def forget(self) -> None:
        """Remove the results of jobs that were kept for their repetition."""
        for dataset in self._datasets:
            shutil.rmtree(results_folder(dataset), ignore_errors=True)

    def _keep_results(self, dataset: Path) -> None:
        with self._guard:
            if dataset not in self._datasets:
                self._datasets.add(dataset)
                # A run that was killed has left its own.
                shutil.rmtree(results_folder(dataset), ignore_errors=True)
                results_folder(dataset).mkdir(parents=True, exist_ok=True)

    def run(self, job: StageJob) -> StageResult:
        """Submit the job and wait for it, again where its workers were lost."""
        beginnings = 0
        for _ in range(_MOST_TRIES):
            key = f"pystamps-{job.stage_id}-{job.target}-{time.time_ns()}"
            self._running[key] = job
            try:
                result = self._try(job, key)
            finally:
                del self._running[key]
            # Dask counts losses also against jobs that only waited for the worker; we do not.
            beginnings += self._begun.pop(key, 0)
            if result is not None:
                return result
            if beginnings >= _MOST_BEGINNINGS:
                break
        cause = "several workers in turn were lost while they ran it"
        remedy = "look at the workers' logs: memory is the usual reason; give them more"
        return job.ended(Status.FAILED, f"{cause}; {remedy}")

    def _try(self, job: StageJob, key: str) -> StageResult | None:
        """Submit the job and wait for it; None if Dask gives up because workers were lost."""
        from distributed import CancelledError  # noqa: PLC0415
        from distributed.scheduler import KilledWorker  # noqa: PLC0415

        try:
            self._keep_results(job.dataset)
            options = {"key": key, "pure": False}
            version = package_version()
            future = self._client.submit(run_on_worker, job, self._share, version, key, **options)
            try:
                return self._wait(job, future)
            finally:
                future.release()
        except KilledWorker:
            return None
        except CancelledError:
            if self._stopper.requested:
                return job.ended(Status.SKIPPED, INTERRUPTED)
            return self._lost(job)
        except Exception as error:
            if isinstance(error, OSError) or self._client.status != "running":
                return self._lost(job)
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return job.ended(Status.FAILED, f"the cluster failed: {text}; look at its logs")

    def _wait(self, job: StageJob, future: Any) -> StageResult:
        """Wait for a job; a stop withdraws it while it waits, or when it is to be at once."""
        import distributed  # noqa: PLC0415

        notice = time.monotonic() + _NOTICE_S
        idle_since = float("inf")
        while True:
            time.sleep(_POLL_S)
            # One asks at a time, and only for what is there: Dask fetches results together, and one
            # that gives up waiting takes the others down.
            if future.status in ("finished", "error", "cancelled"):
                with self._fetching, contextlib.suppress(TimeoutError, distributed.TimeoutError):
                    result: StageResult = future.result(timeout=_FETCH_S)
                    return result
            if self._stopper.requested:
                now = time.monotonic()
                idle_since = float("inf") if self._runs(future) else min(idle_since, now)
                # Between the end of a job and the arrival of its result nobody seems to run it.
                patience_s = _FETCH_S if future.key in self._begun else 0.0
                if self._stopper.at_once or now - idle_since >= patience_s:
                    return self._withdrawn(job, future)
            if self._client.status == "closed":
                return self._lost(job)
            if future.key not in self._begun and time.monotonic() > notice:
                notice = float("inf")
                self._say_if_nobody_works(job)

    def _runs(self, future: Any) -> bool:
        """Tell whether a job has begun on a worker that has not been lost since."""
        if future.key not in self._begun:
            return False
        return any(future.key in keys for keys in self._client.processing().values())

    def _withdrawn(self, job: StageJob, future: Any) -> StageResult:
        """Withdraw a job; its worker then ends the native program, which is waited for."""
        future.cancel(force=True)
        if future.key not in self._begun:
            return job.ended(Status.SKIPPED, INTERRUPTED)
        with contextlib.suppress(PystampsError):
            wait_for_writer(job.folder, _STOP_S)
        return job.ended(Status.SKIPPED, DISCARDED)

    def _lost(self, job: StageJob) -> StageResult:
        cause = "the connection to the Dask scheduler is lost"
        remedy = "look at its log and start it again, then run the same command: done work is kept"
        return job.ended(Status.FAILED, f"{cause}; {remedy}")

    def _say_if_nobody_works(self, job: StageJob) -> None:
        """Say, once, that the scheduler has no workers yet."""
        if not self._nobody_noticed.acquire(blocking=False):
            return
        if not self._client.nthreads():
            text = "the Dask scheduler has no workers: waiting for one"
            self._listener(job, {"event": "note", "text": text})

    def _hear(self, event: Any) -> None:
        """Hand on what a worker says."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            _, text = event
            said = json.loads(text)
            job = self._running.get(said["key"])
            if job is not None:
                if said["event"].get("event") == "stage_started":
                    self._begun[said["key"]] += 1
                self._listener(job, said["event"])
