"""Telling what a run does: lines for people and logs, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from pystamps_shim.config.model import ProgressMode
from pystamps_shim.io.dataset import target_name
from pystamps_shim.pipeline.estimates import Estimates, Need
from pystamps_shim.pipeline.executor import INTERRUPTED
from pystamps_shim.pipeline.jobs import StageJob
from pystamps_shim.pipeline.process import Event
from pystamps_shim.pipeline.types import StageResult, Status

#: A stage is not mentioned before it has run this long, and then no more often than this.
_QUIET_S, _INTERVAL_S = 2.0, 5.0
_WORDS = {Status.SKIPPED_EXISTING: "kept"}


class Display(Protocol):
    """Hears what a run does, from several threads."""

    def begin(self, estimates: Estimates) -> None:
        """Hear what is about to be run."""
        ...

    def note(self, text: str) -> None:
        """Hear a fact worth a line."""
        ...

    def event(self, job: StageJob, event: Event) -> None:
        """Hear what a running job says."""
        ...

    def result(self, result: StageResult) -> None:
        """Hear how a job ended."""
        ...

    def close(self) -> None:
        """Hear that nothing more comes."""
        ...


class SilentDisplay:
    """Says nothing."""

    def begin(self, estimates: Estimates) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def event(self, job: StageJob, event: Event) -> None:
        """Say nothing."""

    def result(self, result: StageResult) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


class JsonDisplay:
    """One JSON object a line, on standard output."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._lock = threading.Lock()

    def begin(self, estimates: Estimates) -> None:
        """Write what is about to be run."""
        self._write({"event": "run_started", **_estimate_values(estimates)})

    def note(self, text: str) -> None:
        """Write a note."""
        self._write({"event": "note", "text": text})

    def event(self, job: StageJob, event: Event) -> None:
        """Write what a job says, with its stage and target."""
        self._write({**event, "stage": job.stage_id, "scope": job.scope, "target": job.target})

    def result(self, result: StageResult) -> None:
        """Write a result."""
        self._write({"event": "stage_finished", **result.as_json()})

    def close(self) -> None:
        """Write nothing."""

    def _write(self, values: dict[str, Any]) -> None:
        with self._lock:
            self._stream.write(json.dumps(values) + "\n")
            self._stream.flush()


@dataclass
class _Running:
    """A stage that runs: since when, and when it was last mentioned."""

    since: float
    mentioned: float = field(default=0.0)


class PlainDisplay:
    """A line a result, and one every few seconds for what takes long.

    What is current and kept is counted in the end and not told one by one.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()
        self._running: dict[tuple[int, str], _Running] = {}
        self._estimates = Estimates()

    def begin(self, estimates: Estimates) -> None:
        """Write what is about to be run, and warnings."""
        self._estimates = estimates
        self._write("".join(f"{line}\n" for line in estimate_lines(estimates)))

    def note(self, text: str) -> None:
        """Write a note."""
        self._write(f"{text}\n")

    def event(self, job: StageJob, event: Event) -> None:
        """Write how far a stage is, if it is time to."""
        if event.get("event") == "note":
            self._write(f"{heading(job.stage_id, job.target)}: {event.get('text')}\n")
        now = time.monotonic()
        running = self._running.setdefault((job.stage_id, job.target), _Running(now))
        due = now - running.since > _QUIET_S and now - running.mentioned > _INTERVAL_S
        if due and event.get("event") == "progress":
            running.mentioned = now
            need = self._estimates.need(job.stage_id, job.scope, job.target)
            text = phase_text(event, need, now - running.since)
            self._write(f"{heading(job.stage_id, job.target)}: {text}\n")

    def result(self, result: StageResult) -> None:
        """Write how a stage ended."""
        self._running.pop((result.stage_id, result.target), None)
        if not is_routine(result):
            self._write(result_text(result) + "\n")

    def close(self) -> None:
        """Write nothing."""

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text)
            self._stream.flush()


class GuardedDisplay:
    """Hands on to another display until whoever reads it has gone: the work goes on unseen."""

    def __init__(self, display: Display) -> None:
        #: Who is told.
        self.display = display

    def begin(self, estimates: Estimates) -> None:
        """Hand on."""
        self._tell(lambda: self.display.begin(estimates))

    def note(self, text: str) -> None:
        """Hand on."""
        self._tell(lambda: self.display.note(text))

    def event(self, job: StageJob, event: Event) -> None:
        """Hand on."""
        self._tell(lambda: self.display.event(job, event))

    def result(self, result: StageResult) -> None:
        """Hand on."""
        self._tell(lambda: self.display.result(result))

    def close(self) -> None:
        """Hand on."""
        self._tell(self.display.close)

    def _tell(self, say: Callable[[], None]) -> None:
        try:
            say()
        except (OSError, ValueError):
            # A closed pipe, a terminal that is gone, a closed file.
            self.display = SilentDisplay()


def make_display(mode: ProgressMode) -> GuardedDisplay:
    """Return the display of a progress mode."""
    return GuardedDisplay(_display(mode))


def _display(mode: ProgressMode) -> Display:
    if mode == "json":
        return JsonDisplay()
    if mode == "none":
        return SilentDisplay()
    if mode == "auto" and sys.stderr is not None and sys.stderr.isatty():
        try:
            from pystamps_shim.pipeline.terminal import TerminalDisplay  # noqa: PLC0415
        except ImportError:
            return PlainDisplay()
        return TerminalDisplay()
    return PlainDisplay()


def estimate_lines(estimates: Estimates) -> list[str]:
    """Return what is about to be run, where something is, and what to know before."""
    warnings = [f"warning: {text}" for text in estimates.warnings]
    if not estimates.due_disk_bytes:
        return warnings
    sizes = [
        f"{len(estimates.candidates)} patches with {sum(estimates.candidates.values())} candidates",
        f"{estimates.interferograms} interferograms",
        f"about {estimates.scatterers} PS",
    ]
    free = estimates.free_disk_bytes
    needs = [f"{bytes_text(estimates.due_disk_bytes)} of disk"]
    needs[0] += "" if free is None else f" ({bytes_text(free)} free)"
    needs.append(f"{bytes_text(most_memory_bytes(estimates))} of memory for the largest stage")
    if estimates.due_seconds is not None:
        needs.append(f"{duration_text(estimates.due_seconds)} one stage after the other")
    return [f"{', '.join(sizes)}; what is due takes {', '.join(needs)}", *warnings]


def most_memory_bytes(estimates: Estimates) -> int:
    """Return the memory of the stage that needs most."""
    return max((need.memory_bytes for need in estimates.needs.values()), default=0)


def heading(stage_id: int, target: str) -> str:
    """Return stage and target in a few words."""
    return f"stage {stage_id} {target_name(target)}"


def phase_text(event: Event, need: Need, elapsed_s: float) -> str:
    """Return how far the present phase of a stage is."""
    total = max(1, int(event.get("total") or 1))
    percent = 100 * int(event.get("done") or 0) // total
    return f"{event.get('phase')} {percent} %{left_text(event, need, elapsed_s)}"


def left_text(event: Event, need: Need, elapsed_s: float) -> str:
    """Return how long a stage will take yet: as predicted, or else how long its phase will."""
    left = event.get("eta_seconds")
    if need.seconds is not None:
        rest_s = max(need.seconds - elapsed_s, float(left or 0))
        return f", about {duration_text(rest_s)} left of the stage"
    return "" if left is None else f", {duration_text(float(left))} left of this"


def is_routine(result: StageResult) -> bool:
    """Tell whether a result needs no line of its own: ours, current, kept; or not begun."""
    if result.status is Status.SKIPPED:
        return result.details == INTERRUPTED
    kept = result.status is Status.SKIPPED_EXISTING
    return kept and not result.replayed and result.details.startswith("current")


def result_text(result: StageResult) -> str:
    """Return a result in one line."""
    words = _WORDS.get(result.status, result.status.value)
    replayed = " (replayed, no evidence)" if result.replayed else ""
    took = (
        "" if result.status is not Status.COMPLETED else f" in {duration_text(result.duration_sec)}"
    )
    head = f"{heading(result.stage_id, result.target)} {words}{replayed}{took}"
    return f"{head}: {result.details}"


def duration_text(seconds: float) -> str:
    """Return a duration for people."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def bytes_text(count: int) -> str:
    """Return a size for people, in powers of 1024."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _estimate_values(estimates: Estimates) -> dict[str, Any]:
    return {
        "candidates": estimates.candidates,
        "interferograms": estimates.interferograms,
        "scatterers": estimates.scatterers,
        "largest_memory_bytes": most_memory_bytes(estimates),
        "due_disk_bytes": estimates.due_disk_bytes,
        "due_seconds": estimates.due_seconds,
        "free_disk_bytes": estimates.free_disk_bytes,
        "warnings": list(estimates.warnings),
    }
