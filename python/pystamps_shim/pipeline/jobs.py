"""One stage of one target as a subprocess: the command, and what became of it.

The same function runs a job on this machine and on a worker of a cluster.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER, Scope, target_name
from pystamps_shim.pipeline.facts import kept_outcome, read_facts
from pystamps_shim.pipeline.process import Ended, Listener, Program, run_process
from pystamps_shim.pipeline.stopping import Stopper
from pystamps_shim.pipeline.types import StageResult, Status

#: Stages that draw random numbers.
_RANDOM_STAGES = (2, 3, 5)
_MERGE, _UNWRAPPING = 5, 6
#: What tells libraries of the Python stages how many threads to use.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
DISCARDED = "interrupted: what was not published is discarded"


class JobKind(StrEnum):
    """Where the results come from."""

    NATIVE = "native"
    #: The Python stages.
    REFERENCE = "reference"
    #: Copied from a reference dataset.
    REPLAY = "replay"


@dataclass(frozen=True)
class StageJob:
    """A stage of one target.

    Attributes
    ----------
    stage_id, scope, target
        What is to be run: ``PATCH_3``, or ``.`` for the merged project.
    dataset
        Folder of the dataset, absolute, the same on every machine.
    kind
        Where the results come from.
    reference_root
        Dataset to copy from, for replay.
    random_engine
        Whose random numbers are drawn.
    kernels
        Backend by kernel, for the Python stages.
    force
        Run although the results are current.
    allow_partial
        Merge without the patches that are not done.
    without
        Patches to leave out of a partial merge, whatever they hold.
    """

    stage_id: int
    scope: Scope
    target: str
    dataset: Path
    kind: JobKind = JobKind.NATIVE
    reference_root: Path | None = None
    random_engine: str = "matlab"
    kernels: tuple[tuple[str, str], ...] = ()
    force: bool = False
    allow_partial: bool = False
    without: tuple[str, ...] = ()

    @property
    def log(self) -> Path:
        """Return where everything goes that the stage says."""
        name = f"stage{self.stage_id}.log"
        return self.dataset / CONTROL_FOLDER / "logs" / target_name(self.target) / name

    @property
    def folder(self) -> Path:
        """Return the folder it works in."""
        return self.dataset / self.target

    @property
    def place(self) -> list[str]:
        """Return the options that name the scope."""
        if self.scope == "merged":
            return ["--dataset", str(self.dataset)]
        return ["--patch", str(self.folder)]

    def ended(self, status: Status, details: str) -> StageResult:
        """Return a result of this job without figures."""
        return StageResult(self.stage_id, self.scope, self.target, status, details)


@dataclass(frozen=True)
class Share:
    """What a job may take.

    Attributes
    ----------
    threads
        Threads of its process.
    memory_limit_bytes
        Memory it is told to keep to, None for no limit.
    """

    threads: int
    memory_limit_bytes: int | None = None


@dataclass(frozen=True)
class Host:
    """Where jobs run: the native program there, who hears them, who may stop them."""

    program: Program
    listener: Listener
    stopper: Stopper

    def process(self, command: Sequence[str], log: BinaryIO, threads: int | None = None) -> Ended:
        """Run a process to its end; libraries it uses keep to so many threads."""
        names = () if threads is None else _THREAD_VARIABLES
        variables = {name: str(threads) for name in names}
        return run_process(command, log, self.listener, self.stopper, variables)


def run_job(job: StageJob, share: Share, host: Host) -> StageResult:
    """Run a job to its end; whatever goes wrong is a failed result with cause and remedy."""
    begin = time.monotonic()
    draft = job.log.with_suffix(".draft")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as log:
            result = _run(job, share, host, log)
        if result.status is Status.SKIPPED_EXISTING:
            draft.unlink()
        else:
            draft.replace(job.log)
            result = replace(result, log=job.log)
    except OSError as error:
        place = draft if error.filename is None else error.filename
        cause = f"{place} cannot be written ({error.strerror})"
        result = job.ended(Status.FAILED, f"{cause}; check its rights and the free disk space")
    return replace(result, duration_sec=time.monotonic() - begin)


def _run(job: StageJob, share: Share, host: Host, log: BinaryIO) -> StageResult:
    try:
        if job.kind is JobKind.REFERENCE:
            ended = _run_reference(job, share, host, log)
        else:
            command = _command(job, share, host.program)
            ended = host.process(command, log)
            if _grid_is_too_small(job, ended) and _cells_fitted(job, host):
                ended = host.process(command, log)
        return _result(job, ended, host.stopper)
    except PystampsError as error:
        return job.ended(Status.FAILED, f"{error.cause}; {error.remedy}")
    except OSError:
        # Of the log's disk, mostly: no place to write more.
        raise
    except Exception as error:
        log.write(traceback.format_exc().encode())
        cause = f"a defect of pystamps: {type(error).__name__}: {error}"
        return job.ended(Status.FAILED, f"{' '.join(cause.split())}; report it with {job.log}")


def _command(job: StageJob, share: Share, program: Program) -> list[str]:
    """Return the native command of a job."""
    if job.kind is JobKind.REPLAY:
        return _adoption(job, program, (job.reference_root or Path()) / job.target)
    limits = ["--threads", str(share.threads)]
    if share.memory_limit_bytes is not None:
        limits += ["--memory-limit", str(share.memory_limit_bytes)]
    force = ["--force"] if job.force else []
    speaking = ["--progress", "json", "--stop-with-stdin", *force]
    options = ["--invalidate"]
    if job.stage_id in _RANDOM_STAGES and job.random_engine != "matlab":
        options += ["--random-engine", job.random_engine]
    if job.stage_id == _MERGE and job.scope == "merged":
        options += ["--merge-only", *(["--allow-partial"] if job.allow_partial else [])]
        for patch in job.without:
            options += ["--without", patch]
    return [*program, "stage", str(job.stage_id), *job.place, *options, *limits, *speaking]


def _adoption(job: StageJob, program: Program, source: Path) -> list[str]:
    """Return the command that publishes results from another folder as this job's."""
    origin = "replayed" if job.kind is JobKind.REPLAY else "reference"
    options = ["--from", str(source), "--origin", origin, "--json", "--stop-with-stdin"]
    if job.random_engine != "matlab":
        options += ["--random-engine", job.random_engine]
    force = ["--force"] if job.force else []
    return [*program, "adopt", str(job.stage_id), *job.place, *options, *force]


def _run_reference(job: StageJob, share: Share, host: Host, log: BinaryIO) -> Ended:
    """Compute with the Python stages into a folder of their own, then publish from there.

    What stands is found out first: the native program would only say so when it publishes.
    """
    facts = read_facts(host.program, job.dataset, (), job.random_engine)
    known = facts.stages[(job.stage_id, job.scope, job.target)]
    if known.stands and not job.force:
        return Ended(0, kept_outcome(known))
    # Of its own, in case the process of a killed run is still about to notice that.
    folder = job.folder / CONTROL_FOLDER / "reference"
    shutil.rmtree(folder, ignore_errors=True)
    staging = folder / f"stage{job.stage_id}.{os.getpid()}"
    command = [sys.executable, "-m", "pystamps_shim.reference", str(job.stage_id), *job.place]
    command += ["--out", str(staging), "--random-engine", job.random_engine, "--stop-with-stdin"]
    for kernel, backend in job.kernels:
        command += ["--kernel", f"{kernel}={backend}"]
    try:
        computed = host.process(command, log, share.threads)
        if not computed.succeeded:
            return computed
        published = host.process(_adoption(job, host.program, staging), log)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if published.outcome is not None and computed.outcome is not None:
        keys = ("memory_peak_bytes", "details")
        published.outcome.update({key: computed.outcome[key] for key in keys})
    return published


def _result(job: StageJob, ended: Ended, stopper: Stopper) -> StageResult:
    if not ended.succeeded:
        if stopper.at_once:
            return job.ended(Status.SKIPPED, DISCARDED)
        cause, remedy = ended.failure(job.log)
        return job.ended(Status.FAILED, f"{cause}; {remedy}")
    outcome = ended.outcome or {}
    return StageResult(
        job.stage_id,
        job.scope,
        job.target,
        Status(outcome["status"]),
        outcome["details"],
        input_artifact_count=int(outcome.get("input_artifact_count") or 0),
        output_artifact_count=int(outcome.get("output_artifact_count") or 0),
        rows_processed=int(outcome.get("rows_processed") or 0),
        memory_peak_bytes=outcome.get("memory_peak_bytes"),
        replayed=bool(outcome.get("replayed", False)),
        notes=tuple(ended.notes),
    )


def _grid_is_too_small(job: StageJob, ended: Ended) -> bool:
    error = ended.error or {}
    return job.stage_id == _UNWRAPPING and error.get("name") == "grid-too-small"


def _cells_fitted(job: StageJob, host: Host) -> bool:
    """Set smaller unwrapping cells where the scene is too small for StaMPS's own size.

    Cells that somebody has chosen are left as they are: the stage says what is wrong with them.
    """
    from pystamps_shim.pipeline.commands import Native  # noqa: PLC0415
    from pystamps_shim.pipeline.unwrapping_cell import cell_for_small_scene_m  # noqa: PLC0415

    cell_m = cell_for_small_scene_m(job.dataset)
    if cell_m is None:
        return False
    text = f"the scene is too small for the cells of unwrap_grid_size: set to {cell_m} m"
    host.listener({"event": "note", "text": text})
    Native(host.program, quiet=True).set_parameter("unwrap_grid_size", str(cell_m), job.dataset)
    return True


def default_threads() -> int:
    """Return the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
