"""Run a whole dataset and watch what its native programs take: time, memory, bytes moved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What is watched should not notice: a look takes a fraction of a millisecond.
_POLL_S = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class StageCost:
    """What one stage of all patches, or of the merged dataset, took.

    Attributes
    ----------
    processes
        Native programs that ran.
    seconds
        Sum of their wall-clock times, s: of patches side by side more than passed meanwhile.
    processor_seconds
        Sum of their processor times, s.
    peak_bytes
        Largest resident set of one of them.
    read_bytes, written_bytes
        Bytes that passed through system calls, from the page cache or not.
    """

    processes: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0


@dataclass
class WatchedRun:
    """What a whole run took.

    Attributes
    ----------
    seconds
        Wall-clock time of the command, s.
    peak_bytes
        Largest sum of the resident sets of its native programs at a moment.
    stages
        By name, in the order in which they began.
    """

    seconds: float = 0.0
    peak_bytes: int = 0
    stages: dict[str, StageCost] = field(default_factory=lambda: defaultdict(StageCost))


def stage_name(stage: int, scope: str) -> str:
    """Return what a stage is called in tables."""
    merge = "merge" if scope == "merged" else "patches"
    return f"5, {merge}" if stage == 5 else str(stage)


def watched_run(dataset: Path, *options: object) -> WatchedRun:
    """Run stages 1 to 8 of a dataset as a user does; end this program if that fails."""
    command = [sys.executable, "-m", "pystamps_shim", "run", "--dataset", str(dataset)]
    command += ["--no-products", "--progress", "json", *map(str, options)]
    run = WatchedRun()
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watcher = _Watcher()
        for event in _events(process):
            match event:
                case {"event": "process_started", "pid": pid, "stage": stage, "scope": scope}:
                    watcher.watch(pid, stage_name(stage, scope))
                case {"event": "stage_finished", **result}:
                    _add_result(run, result)
    run.seconds = time.perf_counter() - begin
    watcher.stop()
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    run.peak_bytes = watcher.peak_bytes
    watcher.add_to(run.stages)
    return run


def _events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def _add_result(run: WatchedRun, result: dict[str, Any]) -> None:
    if result["status"] == "completed":
        scope = result["scope"]
        stage = run.stages[stage_name(result["stage_id"], scope)]
        stage.processes += 1
        stage.seconds += result["duration_sec"]
        stage.peak_bytes = max(stage.peak_bytes, result["memory_peak_bytes"] or 0)


class _Watcher:
    """Reads what the system counts of processes, until they have ended."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._counts: dict[int, tuple[str, _Counts]] = {}
        self._at_work: dict[int, str] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def watch(self, pid: int, name: str) -> None:
        with self._lock:
            self._at_work[pid] = name

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def add_to(self, stages: dict[str, StageCost]) -> None:
        for name, counts in self._counts.values():
            stages[name].read_bytes += counts.read_bytes
            stages[name].written_bytes += counts.written_bytes
            stages[name].processor_seconds += counts.processor_seconds

    def _watch(self) -> None:
        while not self._stopped.wait(_POLL_S):
            with self._lock:
                at_work = dict(self._at_work)
            resident = 0
            for pid, name in at_work.items():
                counts = _Counts.of(pid)
                if counts is None:
                    with self._lock:
                        del self._at_work[pid]
                else:
                    self._counts[pid] = (name, counts)
                    resident += counts.resident_bytes
            self.peak_bytes = max(self.peak_bytes, resident)


@dataclass(frozen=True)
class _Counts:
    """What the system counts of one process."""

    resident_bytes: int
    read_bytes: int
    written_bytes: int
    processor_seconds: float

    @classmethod
    def of(cls, pid: int) -> _Counts | None:
        """Read them; None once the process has ended."""
        folder = Path(f"/proc/{pid}")
        with suppress(OSError, KeyError, IndexError):
            moved = _numbers((folder / "io").read_text(encoding="ascii"))
            counts = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            processor_s = (int(counts[11]) + int(counts[12])) / _TICKS_A_SECOND
            resident = int(counts[21]) * _PAGE_BYTES
            return cls(resident, moved["rchar"], moved["wchar"], processor_s)
        return None


def _numbers(text: str) -> dict[str, int]:
    lines = (line.partition(":") for line in text.splitlines())
    words = {name: rest.split() for name, _, rest in lines}
    return {name: int(rest[0]) for name, rest in words.items() if rest and rest[0].isdigit()}
