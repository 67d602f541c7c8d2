"""How far a dataset is: every stage of every target, who works in it, how the last run ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pystamps_shim.errors import PystampsError
from pystamps_shim.io.dataset import CONTROL_FOLDER, MERGED, Dataset, target_name
from pystamps_shim.pipeline.decisions import decide
from pystamps_shim.pipeline.display import heading
from pystamps_shim.pipeline.facts import DatasetFacts, StageFacts
from pystamps_shim.pipeline.jobs import JobKind
from pystamps_shim.pipeline.lock import holder_of_run
from pystamps_shim.pipeline.report import REPORT_FILE
from pystamps_shim.pipeline.types import STAGES, PipelineContext, Status
from pystamps_shim.pipeline.work_items import WorkItems

#: Version of the JSON's layout.
SCHEMA = 1
_WIDTH = 10


@dataclass(frozen=True)
class Standing:
    """The state of a dataset at one moment.

    Attributes
    ----------
    dataset
        The dataset.
    facts
        What the native program says of it.
    again
        Stages and targets that stand, and will run again because one before them will.
    run_by
        Who runs stages in it now, None if nobody.
    last_run
        How the last run ended, None if there was none; ``running`` if it was killed.
    """

    dataset: Dataset
    facts: DatasetFacts
    again: frozenset[tuple[int, str]]
    run_by: str | None
    last_run: str | None

    @classmethod
    def of(cls, dataset: Dataset, facts: DatasetFacts) -> Standing:
        """Look at who works in the dataset and how the last run ended."""
        holder, last = holder_of_run(dataset), _last_run(dataset.root)
        return cls(dataset, facts, _run_again(dataset, facts), holder, last)

    def state(self, one: StageFacts) -> str:
        """Return the state of a stage in one word."""
        if not one.stands:
            return one.state
        if (one.stage_id, one.target) in self.again:
            return "stale"
        return "replayed" if one.origin == "replayed" else one.state

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        stages = [
            {
                "stage": one.stage_id,
                "scope": one.scope,
                "target": one.target,
                "state": self.state(one),
                "reason": one.reason,
                "replayed": one.origin == "replayed",
            }
            for one in self.facts.stages.values()
        ]
        return {
            "schema": SCHEMA,
            "dataset": str(self.dataset.root),
            "patches": list(self.dataset.patches),
            "small_baselines": self.facts.small_baselines,
            "run_by": self.run_by,
            "in_use_by": self.facts.in_use_by,
            "unfinished_publications": self.facts.unfinished,
            "last_run": self.last_run,
            "stages": stages,
        }

    def text(self) -> str:
        """Return a table for people, and what is wrong."""
        kind = "small baselines" if self.facts.small_baselines else "single master"
        lines = [
            f"{self.dataset.root}: {len(self.dataset.patches)} patches, {kind}",
            *self._table(),
        ]
        for one in self.facts.stages.values():
            if one.state in ("outdated", "damaged"):
                lines.append(f"{heading(one.stage_id, one.target)} is {one.state}: {one.reason}")
        unfinished = map(target_name, self.facts.unfinished)
        lines += [
            f"unfinished publication of {name}: the next run completes it" for name in unfinished
        ]
        if self.run_by is not None:
            lines.append(f"at work: {self.run_by}")
        lines += [
            f"at work in {target_name(name)}: {who}" for name, who in self.facts.in_use_by.items()
        ]
        if self.last_run is not None and self.run_by is None:
            ended = "was killed" if self.last_run == "running" else f"ended: {self.last_run}"
            lines.append(f"the last run {ended}")
        lines.append(self._next())
        return "\n".join(lines) + "\n"

    def _table(self) -> list[str]:
        numbers = [stage.stage_id for stage in STAGES]
        states = {(one.stage_id, one.target): self.state(one) for one in self.facts.stages.values()}
        head = "".join(f"{f'stage {number}':<{_WIDTH}}" for number in numbers)
        lines = [f"{'':<12}{head}".rstrip()]
        for target in (*self.dataset.patches, MERGED):
            cells = (states.get((number, target), "") for number in numbers)
            row = "".join(f"{cell:<{_WIDTH}}" for cell in cells)
            lines.append(f"{target_name(target):<12}{row}".rstrip())
        return lines

    def _next(self) -> str:
        due = [one for one in self.facts.stages.values() if not one.stands]
        if not due:
            return "nothing is due"
        first = min(one.stage_id for one in due)
        targets = ", ".join(target_name(one.target) for one in due if one.stage_id == first)
        hint = f"python -m pystamps_shim run --dataset {self.dataset.root} --dry-run says all"
        return f"next: stage {first} of {targets}; {hint}"


def _run_again(dataset: Dataset, facts: DatasetFacts) -> frozenset[tuple[int, str]]:
    """Return what stands and will run again."""
    items = WorkItems.of(PipelineContext(dataset.root), dataset, JobKind.NATIVE)
    try:
        results = decide(list(map(items.patch_chain, dataset.patches)), items.merged_chain(), facts)
    except PystampsError:
        # Stage 1 lacks its files: what is there stays as it is.
        return frozenset()
    return frozenset((one.stage_id, one.target) for one in results if one.status is Status.PLANNED)


def _last_run(root: Path) -> str | None:
    try:
        found = json.loads((root / CONTROL_FOLDER / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return str(found.get("state")) if isinstance(found, dict) else None
