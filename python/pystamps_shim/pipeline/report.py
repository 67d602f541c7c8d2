"""The report of a run as JSON, written anew after every stage."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pystamps_shim.config.files import as_tables
from pystamps_shim.io.dataset import CONTROL_FOLDER, MERGED, Dataset
from pystamps_shim.pipeline.types import (
    PipelineContext,
    PipelineReport,
    RunState,
    StageResult,
)

#: Version of the file's layout.
SCHEMA = 1
REPORT_FILE = "report.json"


class ReportFile:
    """Keeps the report of a run on disk: whenever the run dies, what was known is there.

    Parameters
    ----------
    path
        Where to write.
    dataset
        Dataset of the run.
    context
        What is run.
    version
        Version of this package.
    """

    def __init__(
        self, path: Path, dataset: Dataset, context: PipelineContext, version: str
    ) -> None:
        self.path = path
        self._dataset = dataset
        self._head = {
            "schema": SCHEMA,
            "version": version,
            "dataset": str(dataset.root),
            "start_step": context.start_step,
            "end_step": context.end_step,
            "dry_run": context.dry_run,
            "config": as_tables(context.run_config),
        }

    def write(self, results: Sequence[StageResult], state: RunState) -> None:
        """Replace the report by what is known now."""
        ledger = {} if state is RunState.RUNNING else self._ledgers()
        values = {
            **self._head,
            "state": state.value,
            "results": [result.as_json() for result in results],
            "ledger": ledger,
        }
        write_json(self.path, values)

    def _ledgers(self) -> dict[str, dict[str, Any]]:
        """Return fingerprint, parameters and origin of every stage in the ledgers, by target."""
        found = {}
        for target in (*self._dataset.patches, MERGED):
            path = self._dataset.folder(target) / CONTROL_FOLDER / "ledger.json"
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stages = json.loads(path.read_text(encoding="utf-8")).get("stages", {})
                keys = ("fingerprint", "parameters", "algorithm_version", "origin")
                found[target] = {
                    stage: {key: entry[key] for key in keys if key in entry}
                    for stage, entry in stages.items()
                }
        return found


def json_text(report: PipelineReport) -> str:
    """Return the report as one line of JSON: the file's content, or of a dry run its results."""
    if report.path is not None:
        return json.dumps(json.loads(report.path.read_text(encoding="utf-8"))) + "\n"
    results = [result.as_json() for result in report.results]
    values = {"schema": SCHEMA, "dry_run": True, "state": report.state.value, "results": results}
    return json.dumps(values) + "\n"


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a JSON file as a whole; a draft that a killed run has left is written over.

    On one line: indented, it takes Python ten times as long, after every stage.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(values) + "\n", encoding="utf-8")
    draft.replace(path)
