"""The terms of a run (orchestration.md): context, stages, results, report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pystamps_shim.config.model import RunConfig
from pystamps_shim.io.dataset import Scope

FIRST_STAGE, LAST_STAGE = 1, 8


class Status(StrEnum):
    """How a stage of one target ended."""

    #: Would run; dry runs only.
    PLANNED = "planned"
    COMPLETED = "completed"
    #: Its results were there, and current or made by another program.
    SKIPPED_EXISTING = "skipped_existing"
    #: Was not looked at: nothing to do, or something before it failed.
    SKIPPED = "skipped"
    FAILED = "failed"


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class StageDef:
    """A stage: its number, its name, and what it works on.

    Stage 5 has scope ``patch`` and yields a second, merged work item.
    """

    stage_id: int
    name: str
    scope: Scope


STAGES = (
    StageDef(1, "Initial load", "patch"),
    StageDef(2, "Estimate gamma", "patch"),
    StageDef(3, "Select PS pixels", "patch"),
    StageDef(4, "Weed adjacent pixels", "patch"),
    StageDef(5, "Correct phase + merge", "patch"),
    StageDef(6, "Unwrap phase", "merged"),
    StageDef(7, "Calculate SCLA", "merged"),
    StageDef(8, "Filter SCN", "merged"),
)


@dataclass(frozen=True)
class PipelineContext:
    """What is to be run.

    Attributes
    ----------
    dataset_root
        Folder of the dataset.
    run_config
        Settings.
    start_step, end_step
        First and last stage.
    dry_run
        Say what would be done, and do nothing.
    """

    dataset_root: Path
    run_config: RunConfig = field(default_factory=RunConfig)
    start_step: int = FIRST_STAGE
    end_step: int = LAST_STAGE
    dry_run: bool = False


@dataclass(frozen=True)
class StageResult:
    """What became of one stage of one target.

    Attributes
    ----------
    stage_id
        Number of the stage.
    scope
        ``patch`` or ``merged``.
    target
        Name of the patch, or ``.``.
    status
        How it ended.
    details
        One sentence; of a failure its cause and, after a semicolon, the remedy.
    duration_sec
        Wall-clock time, s.
    input_artifact_count, output_artifact_count
        Files read and written.
    rows_processed
        Candidates or PS of the result.
    memory_peak_bytes
        Largest resident memory of the process, None where it is not known.
    replayed
        The results were copied from a reference, so they are no evidence.
    notes
        What the stage had to say meanwhile.
    plan
        Of a planned stage: the files it would read, write and remove.
    log
        File with everything the stage said, None where nothing ran.
    """

    stage_id: int
    scope: Scope
    target: str
    status: Status
    details: str
    duration_sec: float = 0.0
    input_artifact_count: int = 0
    output_artifact_count: int = 0
    rows_processed: int = 0
    memory_peak_bytes: int | None = None
    replayed: bool = False
    notes: tuple[str, ...] = ()
    plan: dict[str, list[str]] | None = None
    log: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["status"] = self.status.value
        values["log"] = None if self.log is None else str(self.log)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StageResult:
        """Return the result that `as_json` has made plain values of."""
        log = values["log"]
        changed = {
            "status": Status(values["status"]),
            "notes": tuple(values["notes"]),
            "log": None if log is None else Path(log),
        }
        return cls(**{**values, **changed})


@dataclass(frozen=True)
class PipelineReport:
    """What became of a run.

    Attributes
    ----------
    results
        One result a stage and target, in the order of their ends.
    state
        How the run ended.
    path
        Where the report lies as JSON, None where it was not written.
    content
        The report as plain values, ready for JSON.
    """

    results: tuple[StageResult, ...]
    state: RunState = RunState.FINISHED
    path: Path | None = None
    content: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def failures(self) -> tuple[StageResult, ...]:
        """Return the results that failed."""
        return tuple(result for result in self.results if result.status is Status.FAILED)
