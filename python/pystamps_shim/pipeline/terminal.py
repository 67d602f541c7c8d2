"""Progress on a terminal: a line of its own for every stage that runs, results above them."""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from pystamps_shim.pipeline.display import (
    estimate_lines,
    heading,
    is_routine,
    left_text,
    result_text,
)
from pystamps_shim.pipeline.estimates import Estimates
from pystamps_shim.pipeline.jobs import StageJob
from pystamps_shim.pipeline.process import Event
from pystamps_shim.pipeline.types import StageResult, Status

_STYLES = {Status.FAILED: "bold red", Status.COMPLETED: "green", Status.PLANNED: "cyan"}


class TerminalDisplay:
    """Rewrites the lines of running stages in place."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} % {task.fields[remark]}"),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[tuple[int, str], TaskID] = {}
        self._since: dict[tuple[int, str], float] = {}
        self._estimates = Estimates()
        self._lock = threading.Lock()
        self._progress.start()

    def begin(self, estimates: Estimates) -> None:
        """Show what is about to be run, and warnings."""
        self._estimates = estimates
        for line in estimate_lines(estimates):
            style = "yellow" if line.startswith("warning") else ""
            self._console.print(Text(line, style=style))

    def note(self, text: str) -> None:
        """Show a note."""
        self._console.print(Text(text))

    def event(self, job: StageJob, event: Event) -> None:
        """Show how far a stage is."""
        name = heading(job.stage_id, job.target)
        if event.get("event") == "note":
            self.note(f"{name}: {event.get('text')}")
        with self._lock:
            key = (job.stage_id, job.target)
            if key not in self._tasks:
                self._tasks[key] = self._progress.add_task(name, total=None, remark="")
                self._since[key] = time.monotonic()
            if event.get("event") not in ("progress", "phase_started", "phase_finished"):
                return
            need = self._estimates.need(job.stage_id, job.scope, job.target)
            elapsed_s = time.monotonic() - self._since[key]
            remark = left_text(event, need, elapsed_s)
            self._progress.update(
                self._tasks[key],
                description=f"{name}: {event.get('phase')}",
                completed=float(event.get("done") or 0),
                total=float(event.get("total") or 1),
                remark=remark,
            )

    def result(self, result: StageResult) -> None:
        """Show how a stage ended, above the lines of those that run."""
        with self._lock:
            task = self._tasks.pop((result.stage_id, result.target), None)
            if task is not None:
                self._progress.remove_task(task)
        if not is_routine(result):
            self._console.print(Text(result_text(result), style=_STYLES.get(result.status, "")))

    def close(self) -> None:
        """Give the terminal back."""
        self._progress.stop()
