"""What a run did, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pystamps_shim.io.dataset import Scope
from pystamps_shim.pipeline.display import bytes_text, duration_text, heading
from pystamps_shim.pipeline.types import STAGES, PipelineReport, RunState, StageResult, Status

_COLUMNS = (
    (Status.PLANNED, "planned"),
    (Status.COMPLETED, "done"),
    (Status.SKIPPED_EXISTING, "kept"),
    (Status.FAILED, "failed"),
    (Status.SKIPPED, "skipped"),
)
_VERDICTS = {
    RunState.FINISHED: "done",
    RunState.FAILED: "failed: mend what is said above and run it again, finished work is kept",
    RunState.INTERRUPTED: "interrupted: the same command goes on from here",
    RunState.RUNNING: "running",
}


def summary_text(report: PipelineReport, dataset: Path, seconds: float) -> str:
    """Return a row a stage, failures with cause and remedy, and where the report is."""
    shown = [(status, name) for status, name in _COLUMNS if _any(report.results, status)]
    head = f"{'stage':<24}" + "".join(f"{name:>9}" for _, name in shown)
    figures = any(result.duration_sec for result in report.results)
    lines = [head + (f"{'time':>13}{'rows':>12}{'memory':>12}" if figures else "")]
    keys: list[tuple[int, Scope]] = [
        *((stage.stage_id, "patch") for stage in STAGES if stage.scope == "patch"),
        (5, "merged"),
        *((stage.stage_id, "merged") for stage in STAGES if stage.scope == "merged"),
    ]
    for key in keys:
        rows = [one for one in report.results if (one.stage_id, one.scope) == key]
        if rows:
            line = _counts(key, rows, [status for status, _ in shown])
            lines.append((line + (_figures(rows) if figures else "")).rstrip())
    for failure in report.failures:
        lines.append(f"{heading(failure.stage_id, failure.target)} failed: {failure.details}")
        if failure.log is not None:
            lines.append(f"  log: {failure.log}")
    replayed = sum(result.replayed for result in report.results)
    if replayed:
        lines.append(f"{replayed} results were copied from a reference: they are no evidence")
    verdict = _VERDICTS[report.state] if figures else "nothing was run"
    lines.append(f"{dataset}: {verdict}; {duration_text(seconds)} in all")
    if report.path is not None:
        lines.append(f"report: {report.path}")
    return "\n".join(lines) + "\n"


def _counts(key: tuple[int, Scope], rows: Sequence[StageResult], statuses: Sequence[Status]) -> str:
    number, scope = key
    name = next(stage.name for stage in STAGES if stage.stage_id == number)
    if number == 5:
        name = "Correct phase" if scope == "patch" else "Merge"
    counts = [sum(one.status is status for one in rows) for status in statuses]
    cells = "".join(f"{count or '':>9}" for count in counts)
    return f"{number} {name:<22}{cells}"


def _figures(rows: Sequence[StageResult]) -> str:
    took = sum(one.duration_sec for one in rows)
    memory = max((one.memory_peak_bytes or 0 for one in rows), default=0)
    rows_text = sum(one.rows_processed for one in rows)
    memory_text = bytes_text(memory) if memory else ""
    return f"{duration_text(took):>13}{rows_text or '':>12}{memory_text:>12}"


def _any(results: Sequence[StageResult], status: Status) -> bool:
    return any(result.status is status for result in results)
